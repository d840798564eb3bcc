/**
 * Opens an encoder by its name, or the CLIP model in a folder.
 *
 * | name | model | numbers |
 * | --- | --- | --- |
 * | `clip-vit-b32` | OpenAI's CLIP, ViT-B/32 | 512 |
 * | `clip-vit-b16`, `clip-vit-l14` | larger ones | 512, 768 |
 * | `openclip-vit-b32` | OpenCLIP's ViT-B/32, trained on LAION-2B | 512 |
 * | `clip-rn50` | OpenAI's CLIP with a ResNet-50 | 1024 |
 * | `offline`, `offline-large` | what set-up made | 984, 1584 |
 *
 * encoder.ts says what an encoder does. clip.ts and immich.ts open CLIP: its
 * files come by hub.ts and are read by model_files.ts, preprocessing.ts and
 * text_input.ts; towers.ts runs its models where device.ts says. offline/ is the
 * encoder that needs no hub, zero_shot.ts makes classes of words, and
 * languages.ts tells whether an encoder knows a text's language.
 *
 * ```ts
 * import { dot } from "#lib/compare/metrics.ts";
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { samplePath } from "#lib/photo_site/sample.ts";
 * import { ok } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline");
 * const lemon = samplePath({ path: "food/fruit/lemon.jpg" });
 * const [picture] = await encoder.encodeImages([lemon]);
 * const [fruit, owl] = await encoder.encodeTexts(["a lemon", "an owl"]);
 * await encoder.close();
 * ok(dot(picture, fruit) > dot(picture, owl));
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Device } from "../compare/session.ts";
import { environment } from "../paths.ts";
import {
  type ClipLayout,
  type Precision,
  precisionOf,
  PRECISIONS,
  transformersLayout,
} from "./clip.ts";
import type { Encoder } from "./encoder.ts";
import {
  askHub,
  downloadFiles,
  hubEndpoint,
  type HubOptions,
  missingFiles,
  repositoryFolder,
} from "./hub.ts";
import { immichLayout } from "./immich.ts";
import { offlineFiles, openOffline } from "./offline/offline.ts";

/** How an encoder is opened. */
export interface OpenEncoderOptions extends HubOptions {
  /**
   * How CLIP's weights are stored; the offline encoders have one form only.
   * @default "fp32", or, of a folder that lacks it, what it holds
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

/** CLIP models of the hub, by name: repository and layout. */
const HUB_MODELS: Record<string, [repository: string, layout: ClipLayout]> = {
  "clip-vit-b32": ["Xenova/clip-vit-base-patch32", transformersLayout],
  "clip-vit-b16": ["Xenova/clip-vit-base-patch16", transformersLayout],
  "clip-vit-l14": ["Xenova/clip-vit-large-patch14", transformersLayout],
  "openclip-vit-b32": ["immich-app/ViT-B-32__laion2b-s34b-b79k", immichLayout],
  "clip-rn50": ["immich-app/RN50__openai", immichLayout],
};

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
  const { precision } = options;
  if (precision && !PRECISIONS.includes(precision)) {
    throw new RangeError(
      `expected precision ${PRECISIONS.join(", ")}, got "${precision}"`,
    );
  }
  if (name === "auto") return await openAuto(options);
  if (name === "offline" || name === "offline-large") {
    return await openOffline(name);
  }
  if (Object.hasOwn(HUB_MODELS, name)) return await openFromHub(name, options);
  checkEncoder(name);
  return await openFolder(resolve(name), options);
}

/**
 * Checks a name, before there is anything to encode.
 *
 * @throws {RangeError} If it is neither an encoder's nor that of a file or folder.
 */
export function checkEncoder(name: string): void {
  if (ENCODER_NAMES.includes(name) || existsSync(name)) return;
  throw new RangeError(
    `unknown encoder "${name}": expected ${ENCODER_NAMES.join(", ")}, or a ` +
      "folder that holds a CLIP model",
  );
}

/** Paths of the files of an encoder (not "auto"), whether they are here or not. */
export function encoderFiles(name: string): string[] {
  if (name === "offline" || name === "offline-large") return offlineFiles(name);
  const [repository, layout] = HUB_MODELS[name];
  const folder = repositoryFolder(repository);
  return layout.files("fp32").map((file) => join(folder, file));
}

async function openAuto(options: OpenEncoderOptions): Promise<Encoder> {
  const { precision = "fp32", models, log = console.log, signal } = options;
  const say = (encoder: Encoder, reason: string) => {
    log(`Encoder ${encoder.describe()}${reason}`);
    return encoder;
  };
  const chosen = environment("CONTACT_SHEET_ENCODER");
  if (chosen && chosen !== "auto") {
    const encoder = await openEncoder(chosen, options);
    return say(encoder, " (chosen by CONTACT_SHEET_ENCODER)");
  }
  const [repository, layout] = HUB_MODELS[PREFERRED];
  const folder = repositoryFolder(repository, models);
  const missing = missingFiles(folder, layout.files(precision));
  try {
    if (missing.length > 0) await askHub(repository, missing[0], signal);
    return say(await openFromHub(PREFERRED, options), "");
  } catch (error) {
    signal?.throwIfAborted();
    const [reason] = (error as Error).message.split("\n");
    const absent = missing.length > 0 ? `${PREFERRED} is not here, and ` : "";
    return say(await openOffline(), ` (${absent}${reason})`);
  }
}

async function openFromHub(
  name: string,
  options: OpenEncoderOptions,
): Promise<Encoder> {
  const { precision = "fp32", device = "auto", models, log = console.log } =
    options;
  const [repository, layout] = HUB_MODELS[name];
  if (!layout.precisions.includes(precision)) {
    throw new RangeError(
      `${name}: expected precision ${layout.precisions.join(", ")}, got ` +
        `"${precision}"`,
    );
  }
  const folder = repositoryFolder(repository, models);
  const files = layout.files(precision);
  if (missingFiles(folder, files).length > 0) {
    log(`Downloading ${repository} (${precision}) from ${hubEndpoint()}, once`);
    await downloadFiles(repository, files, folder, { ...options, log });
  }
  return await layout.open(folder, precision, `${name}/${precision}`, device);
}

async function openFolder(
  folder: string,
  { precision: wanted, device = "auto", log = console.log }: OpenEncoderOptions,
): Promise<Encoder> {
  const layouts = [transformersLayout, immichLayout];
  const heldIn = (one: ClipLayout) =>
    PRECISIONS.filter((precision) => {
      const models = one.files(precision, folder).slice(0, 2);
      return missingFiles(folder, models).length === 0;
    });
  const layout = layouts.find((one) => heldIn(one).length > 0);
  if (!layout) {
    for (const one of layouts) await refuseUnlike(folder, one);
    const expected = layouts.map((one) =>
      `${one.files("fp32").join(", ")} (layout of ${one.name})`
    );
    throw new RangeError(
      `${folder} holds no CLIP model: found ${await listFiles(folder)}; ` +
        `expected ${expected.join(" or ")}`,
    );
  }
  const held = heldIn(layout);
  const precision = wanted ?? held[0];
  if (!held.includes(precision)) {
    throw new RangeError(
      `${folder} holds its model in ${held.join(", ")}, got precision ` +
        `"${precision}"`,
    );
  }
  const files = layout.files(precision, folder);
  const [missing] = missingFiles(folder, files);
  if (missing) {
    throw new RangeError(
      `${join(folder, missing)} not found: expected it beside the models, in ` +
        `the layout of ${layout.name}`,
    );
  }
  if (!wanted && precision !== "fp32") {
    log(`${folder} lacks fp32: opened in ${precision} (${files[0]})`);
  }
  // How pictures and texts are prepared makes other vectors, as weights do.
  const weights = files.slice(0, 2).map((file) => `${file}_data`);
  const all = [...files, ...weights, ...layout.optional];
  const name = `${basename(folder)}-${await fingerprint(folder, all)}`;
  return await layout.open(folder, precision, `${name}/${precision}`, device);
}

/**
 * @throws {RangeError} If a folder has both of a layout's models, and not both
 *   in a precision that is supported.
 */
async function refuseUnlike(folder: string, layout: ClipLayout): Promise<void> {
  const found = await Promise.all(
    layout.files("fp32").slice(0, 2).map(async (file) => {
      const stem = basename(file, ".onnx");
      const names = await readdir(join(folder, dirname(file))).catch(() => []);
      return names.toSorted()
        .filter((name) => name.startsWith(stem) && name.endsWith(".onnx"))
        .map((name) => {
          const ending = name.slice(stem.length, -".onnx".length);
          return { name, ending, precision: precisionOf(ending) };
        });
    }),
  );
  if (found.some(({ length }) => length === 0)) return;
  const [vision, text] = found.map((models) =>
    models.map(({ name, ending, precision }) =>
      `${name} (${precision ?? `${ending.slice(1)}, not supported`})`
    ).join(", ")
  );
  throw new RangeError(
    `${folder} holds the vision model as ${vision}, and the text model as ` +
      `${text}: expected both in one precision (${
        PRECISIONS.join(", ")
      }), and ` +
      "of one ending",
  );
}

/** The first files of a folder and of the folders in it, for an error's line. */
async function listFiles(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true })
    .catch(({ code }) => {
      throw new RangeError(
        code === "ENOTDIR"
          ? `${folder} is a file: expected a folder that holds a CLIP model`
          : `${folder} cannot be read (${code})`,
      );
    });
  const names = await Promise.all(
    entries.toSorted((a, b) => a.name < b.name ? -1 : 1).map(async (entry) => {
      if (!entry.isDirectory()) return [entry.name];
      const inside = await readdir(join(folder, entry.name)).catch(() => []);
      return inside.toSorted().map((name) => `${entry.name}/${name}`);
    }),
  );
  const all = names.flat().map((name) => name.replaceAll(/\p{Cc}/gu, " "));
  const rest = all.length > 12 ? ` and ${all.length - 12} more` : "";
  return all.slice(0, 12).join(", ") + rest || "nothing";
}

/**
 * Eight letters that tell two models of one folder name apart, so that their
 * embeddings do not meet: from the size and both ends of each file, since
 * reading them whole would take seconds.
 */
async function fingerprint(folder: string, files: string[]): Promise<string> {
  const hash = createHash("sha256");
  const length = 2 ** 20;
  for (const file of files.map((one) => join(folder, one))) {
    const about = await stat(file).catch(() => undefined);
    if (!about?.isFile()) continue;
    const { size } = about;
    hash.update(`${size} `);
    for (const start of [0, Math.max(0, size - length)]) {
      const part = createReadStream(file, { start, end: start + length - 1 });
      for await (const chunk of part) hash.update(chunk);
    }
  }
  return hash.digest("hex").slice(0, 8);
}
