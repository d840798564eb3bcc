/**
 * Where a model runs: on CUDA or WebGPU where onnxruntime offers it and the
 * machine has a graphics card, else on the CPU.
 *
 * The offline encoder is small and stays on the CPU.
 *
 * ```ts
 * import { onBestDevice } from "#lib/encoders/device.ts";
 * import { equal } from "node:assert/strict";
 *
 * // In place of opening a model: here, one that runs nowhere but on the CPU.
 * const opened = await onBestDevice("auto", async (device) => {
 *   if (device !== "cpu") throw new Error(`no ${device} here`);
 *   return device;
 * });
 * equal(opened, "cpu");
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { env, listSupportedBackends } from "onnxruntime-node";
import type { Device } from "../compare/session.ts";

/** How a reader knows each, from the fastest to the one that is always there. */
export const DEVICE_NAMES: Readonly<Record<Device, string>> = {
  cuda: "CUDA",
  webgpu: "WebGPU",
  cpu: "CPU",
};

const DEVICES = Object.keys(DEVICE_NAMES) as Device[];

/**
 * Opens something on the device asked for, or on the best one on which it
 * opens.
 *
 * @param wanted `"auto"` tries CUDA, WebGPU and the CPU in this order.
 * @param open Opens the model, and fails where the device cannot run it.
 * @throws {RangeError} If there is no such device.
 * @throws {Error} If the device asked for cannot be used: says why.
 */
export async function onBestDevice<Opened>(
  wanted: Device | "auto",
  open: (device: Device) => Promise<Opened>,
): Promise<Opened> {
  if (wanted !== "auto" && !DEVICES.includes(wanted)) {
    throw new RangeError(
      `expected device auto, ${DEVICES.join(", ")}, got "${wanted}"`,
    );
  }
  // Failed attempts are reported below, or are of no interest.
  env.logLevel = "fatal";
  for (const device of wanted === "auto" ? likelyDevices() : []) {
    // Offered, but perhaps not usable here: then the next one is tried.
    const opened = await open(device).catch(() => undefined);
    if (opened) return opened;
  }
  if (wanted === "auto" || wanted === "cpu") return await open("cpu");
  return await open(wanted).catch(({ message }: Error) => {
    throw new Error(
      `${DEVICE_NAMES[wanted]} cannot be used: ${message}; try device "auto"`,
    );
  });
}

/** Graphics devices that onnxruntime was built for, if there is such a card. */
function likelyDevices(): Device[] {
  // Looking for a driver prints warnings that no program can suppress, so on
  // Linux, servers and containers without a card are recognised first.
  const cards = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"];
  if (process.platform === "linux" && !cards.some(existsSync)) return [];
  const offered = listSupportedBackends().map(({ name }) => name);
  return DEVICES.filter((device) =>
    device !== "cpu" && offered.includes(device)
  );
}
