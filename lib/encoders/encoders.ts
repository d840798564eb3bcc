/**
 * Opens an encoder by its name, or the CLIP model in a folder.
 *
 * | name | model | numbers |
 * | --- | --- | --- |
 * | `clip-vit-b32` | OpenAI's CLIP, ViT-B/32 | 512 |
 * | `clip-vit-b16`, `clip-vit-l14` | larger ones | 512, 768 |
 * | `openclip-vit-b32` | OpenCLIP's ViT-B/32, trained on LAION-2B | 512 |
 * | `clip-rn50` | OpenAI's CLIP with a ResNet-50 | 1024 |
 * | `offline`, `offline-large` | what set-up made, see offline.ts | 1664 |
 *
 * CLIP's files are downloaded once, into data/models.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { rejects } from "node:assert/strict";
 *
 * await rejects(openEncoder("clap"), /unknown encoder "clap"/);
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { environment, paths } from "../paths.ts";
import { transformersLayout } from "./clip.ts";
import type { ClipLayout, Precision } from "./clip_model.ts";
import type { Device } from "./device.ts";
import type { Encoder } from "./encoder.ts";
import {
  downloadFiles,
  hubAnswers,
  type HubOptions,
  missingFiles,
  repositoryFolder,
} from "./hub.ts";
import { hubEndpoint } from "./hub_file.ts";
import { offlineFiles, openOffline } from "./offline/offline.ts";
import { immichLayout } from "./immich.ts";

/** How an encoder is opened. */
export interface OpenEncoderOptions extends HubOptions {
  /**
   * How CLIP's weights are stored; the offline encoders have one form only.
   * @default "fp32"
   */
  precision?: Precision;
  /**
   * Where CLIP runs; "auto" tries CUDA, WebGPU and the CPU in this order.
   * @default "auto"
   */
  device?: Device | "auto";
  /**
   * Where CLIP's files lie.
   * @default paths.models
   */
  models?: string;
  /**
   * Tells the reader, in one line, what "auto" chose or what is downloaded.
   * @default console.log
   */
  log?: (line: string) => void;
}

/** CLIP models of the hub, by name. */
const HUB_MODELS: Record<string, { repository: string; layout: ClipLayout }> = {
  "clip-vit-b32": {
    repository: "Xenova/clip-vit-base-patch32",
    layout: transformersLayout,
  },
  "clip-vit-b16": {
    repository: "Xenova/clip-vit-base-patch16",
    layout: transformersLayout,
  },
  "clip-vit-l14": {
    repository: "Xenova/clip-vit-large-patch14",
    layout: transformersLayout,
  },
  "openclip-vit-b32": {
    repository: "immich-app/ViT-B-32__laion2b-s34b-b79k",
    layout: immichLayout,
  },
  "clip-rn50": {
    repository: "immich-app/RN50__openai",
    layout: immichLayout,
  },
};

const PRECISIONS: readonly Precision[] = ["fp32", "fp16", "q8"];

/** What "auto" opens where it can. */
const PREFERRED = "clip-vit-b32";

/** The names that openEncoder() knows. */
export const ENCODER_NAMES: readonly string[] = [
  "auto",
  ...Object.keys(HUB_MODELS),
  "offline",
  "offline-large",
];

/**
 * Opens an encoder.
 *
 * `"auto"` opens what `CONTACT_SHEET_ENCODER` names, or else CLIP if its files
 * are here or the hub answers within 3 s, or else the offline encoder.
 *
 * @param name One of the names above, or a folder that holds a CLIP model in
 *   the layout of Transformers.js or of Immich.
 * @throws {RangeError} If there is no such encoder, or not in this precision.
 * @throws {Error} If its files cannot be downloaded: says what to do.
 */
export async function openEncoder(
  name = "auto",
  options: OpenEncoderOptions = {},
): Promise<Encoder> {
  const { precision = "fp32" } = options;
  if (!PRECISIONS.includes(precision)) {
    throw new RangeError(
      `expected precision ${PRECISIONS.join(", ")}, got "${precision}"`,
    );
  }
  if (name === "auto") return await openAuto(options);
  if (name === "offline" || name === "offline-large") {
    return await openOffline(name);
  }
  if (Object.hasOwn(HUB_MODELS, name)) return await openFromHub(name, options);
  if (existsSync(name)) return await openFolder(resolve(name), options);
  throw new RangeError(
    `unknown encoder "${name}": expected ${ENCODER_NAMES.join(", ")}, or a ` +
      "folder that holds a CLIP model",
  );
}

/** Paths of the files of an encoder (not "auto"), whether they are here or not. */
export function encoderFiles(
  name: string,
  { precision = "fp32", models = paths.models }: OpenEncoderOptions = {},
): string[] {
  if (name === "offline" || name === "offline-large") return offlineFiles(name);
  const { repository, layout } = HUB_MODELS[name];
  const folder = repositoryFolder(repository, models);
  return layout.files(precision).map((file) => join(folder, file));
}

async function openAuto(options: OpenEncoderOptions): Promise<Encoder> {
  const { log = console.log } = options;
  const say = (encoder: Encoder, reason: string) => {
    log(`Encoder ${encoder.describe()}${reason}`);
    return encoder;
  };
  const chosen = environment("CONTACT_SHEET_ENCODER");
  if (chosen && chosen !== "auto") {
    const encoder = await openEncoder(chosen, options);
    return say(encoder, " (chosen by CONTACT_SHEET_ENCODER)");
  }
  let reason = `the hub at ${hubEndpoint()} did not answer within 3 s`;
  if (await isWithinReach(options)) {
    try {
      return say(await openFromHub(PREFERRED, options), "");
    } catch (error) {
      options.signal?.throwIfAborted();
      reason = (error as Error).message.split("\n")[0];
    }
  }
  return say(await openOffline(), ` (${PREFERRED} is not here, and ${reason})`);
}

/** Whether the preferred encoder's files are here, or the hub has them. */
async function isWithinReach(options: OpenEncoderOptions): Promise<boolean> {
  const { precision = "fp32", models } = options;
  const { repository, layout } = HUB_MODELS[PREFERRED];
  const files = layout.files(precision);
  const missing = missingFiles(repositoryFolder(repository, models), files);
  return missing.length === 0 || await hubAnswers(repository, missing[0]);
}

async function openFromHub(
  name: string,
  options: OpenEncoderOptions,
): Promise<Encoder> {
  const { precision = "fp32", device = "auto", models = paths.models } =
    options;
  const { repository, layout } = HUB_MODELS[name];
  if (!layout.precisions.includes(precision)) {
    throw new RangeError(
      `${name}: expected precision ${layout.precisions.join(", ")}, got ` +
        `"${precision}"`,
    );
  }
  const folder = repositoryFolder(repository, models);
  const files = layout.files(precision);
  if (missingFiles(folder, files).length > 0) {
    const { log = console.log } = options;
    log(`Downloading ${repository} (${precision}) from ${hubEndpoint()}, once`);
    await downloadFiles(repository, files, folder, { ...options, log });
  }
  return await layout.open(folder, precision, name, device);
}

async function openFolder(
  folder: string,
  { precision = "fp32", device = "auto" }: OpenEncoderOptions,
): Promise<Encoder> {
  const lacking: string[] = [];
  for (const layout of [transformersLayout, immichLayout]) {
    if (!layout.precisions.includes(precision)) continue;
    const files = layout.files(precision);
    const missing = missingFiles(folder, files);
    if (missing.length === 0) {
      const models = files.slice(0, 2).map((file) => join(folder, file));
      const name = `${basename(folder)}-${await fingerprint(models)}`;
      return await layout.open(folder, precision, name, device);
    }
    lacking.push(`${missing.join(", ")} (layout of ${layout.name})`);
  }
  throw new RangeError(
    `${folder} holds no CLIP model in precision "${precision}": it lacks ` +
      (lacking.join("; or ") || "any layout that has it"),
  );
}

/**
 * Eight letters that tell two models of one folder name apart, so that their
 * embeddings do not meet: from the size and both ends of each file, since
 * reading them whole would take seconds.
 */
async function fingerprint(files: string[]): Promise<string> {
  const hash = createHash("sha256");
  const end = new Uint8Array(2 ** 20);
  for (const path of files) {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      hash.update(`${size} `);
      for (const position of [0, Math.max(0, size - end.length)]) {
        const { bytesRead } = await file.read({ buffer: end, position });
        hash.update(end.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }
  return hash.digest("hex").slice(0, 8);
}
