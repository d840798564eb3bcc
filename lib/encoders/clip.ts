/**
 * CLIP out of its files, from the layout that its repositories for
 * Transformers.js have:
 *
 * ```text
 * onnx/vision_model.onnx    onnx/text_model.onnx     …_fp16, …_quantized
 * preprocessor_config.json  tokenizer.json           config.json
 *
 * picture ──preprocessing.ts──▶ [3, 224, 224] ──vision tower──▶ [512] ─┐ length 1
 * text ─────text_input.ts─────▶ at most 77 ids ──text tower───▶ [512] ─┘
 * ```
 *
 * immich.ts has the other layout, and towers.ts runs the models of both.
 *
 * ```ts
 * import { transformersLayout } from "#lib/encoders/clip.ts";
 * import { equal } from "node:assert/strict";
 *
 * const folder = "tests/fixtures/tiny_clip/transformers";
 * const encoder = await transformersLayout.open(folder, "fp32", "tiny", "cpu");
 * equal((await encoder.encodeTexts(["a red apple"])).dimensions, 12);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { l2Normalize } from "../compare/metrics.ts";
import type { Device } from "../compare/session.ts";
import { DEVICE_NAMES, onBestDevice } from "./device.ts";
import { encodeInBatches, type Encoder, inBatches } from "./encoder.ts";
import { modelTypeOf, readJson } from "./model_files.ts";
import {
  decodeInput,
  type PictureInput,
  readPreprocessorConfig,
} from "./preprocessing.ts";
import { type TextFiles, textFiles } from "./text_input.ts";
import { openTextTower, openVisionTower, type Tower } from "./towers.ts";

/** How the weights are stored: 32 or 16 bits, or 8 bits and a scale. */
export type Precision = "fp32" | "fp16" | "q8";

/** How each precision's files may end; the hub's have the first one. */
const ENDINGS: Readonly<Record<Precision, readonly string[]>> = {
  fp32: [""],
  fp16: ["_fp16"],
  q8: ["_quantized", "_q8", "_int8", "_uint8"],
};

/** The precisions, the most exact one first. */
export const PRECISIONS = Object.keys(ENDINGS) as Precision[];

/** A place where CLIP's files lie in a folder, and how they are opened. */
export interface ClipLayout {
  /** As a reader knows it: "Transformers.js". */
  readonly name: string;
  /** Precisions in which the hub has models of this layout. */
  readonly precisions: readonly Precision[];
  /**
   * Files of a precision, the two models first; paths in the folder, with "/".
   *
   * @param folder Where they lie: models have several names for 8 bits.
   */
  files(precision: Precision, folder?: string): string[];
  /** Files that are read where they are there. */
  readonly optional: readonly string[];
  /**
   * Opens the model in a folder that holds these files.
   *
   * @param id The encoder's.
   * @throws {Error} If a file is not whole, or asks for what is not supported:
   *   names it.
   */
  open(
    folder: string,
    precision: Precision,
    id: string,
    device: Device | "auto",
  ): Promise<Encoder>;
}

/** The layout of Transformers.js. */
export const transformersLayout: ClipLayout = {
  name: "Transformers.js",
  precisions: PRECISIONS,
  files: (precision, folder) => [
    ...modelFiles(["onnx/vision_model", "onnx/text_model"], precision, folder),
    ...["preprocessor_config.json", "tokenizer.json", "config.json"],
  ],
  optional: ["tokenizer_config.json", "special_tokens_map.json"],
  async open(folder, precision, id, wanted) {
    const [vision, text, inputFile, , configFile] = transformersLayout
      .files(precision, folder).map((file) => join(folder, file));
    const modelType = modelTypeOf(configFile, await readJson(configFile));
    // Transformers.js knows the first of a precision's endings only.
    const isTheirs = modelType === "clip" &&
      basename(vision) === `vision_model${ENDINGS[precision][0]}.onnx`;
    return await openClip({
      ...{ id, vision, text, wanted },
      ...isTheirs && { clipFiles: { folder, dtype: precision } },
      modelType,
      input: await readPreprocessorConfig(inputFile, modelType),
      texts: textFiles(folder),
    });
  },
};

/** The precision of a model's file that ends so, as in "_q8"; undefined for none. */
export function precisionOf(ending: string): Precision | undefined {
  return PRECISIONS.find((one) => ENDINGS[one].includes(ending));
}

/**
 * The two models' files of a precision, by the first of its endings of which
 * the folder has both.
 *
 * @param stems What stands before the ending; paths in the folder.
 */
export function modelFiles(
  stems: readonly [vision: string, text: string],
  precision: Precision,
  folder?: string,
): string[] {
  const pairs = ENDINGS[precision].map((ending) =>
    stems.map((stem) => `${stem}${ending}.onnx`)
  );
  const isHere = (file: string) => existsSync(join(folder!, file));
  return (folder && pairs.find((pair) => pair.every(isHere))) || pairs[0];
}

/** What CLIP consists of. */
export interface ClipParts {
  /** The encoder's id. */
  id: string;
  /** The models' files. */
  vision: string;
  text: string;
  /** config.json's model_type, where there is one. */
  modelType?: string;
  /** What the vision model takes. */
  input: PictureInput;
  /** Where it stands what the text model takes. */
  texts: TextFiles;
  /** Where it is to run. */
  wanted: Device | "auto";
  /** The encoder's. */
  clipFiles?: Encoder["clipFiles"];
}

/**
 * CLIP out of its parts, on the device wanted, or on the best that runs it.
 *
 * @throws {Error} If the two models do not make vectors of one space: names them.
 */
export function openClip(
  { id, vision, text, modelType, input, texts, wanted, clipFiles }: ClipParts,
): Promise<Encoder> {
  return onBestDevice(wanted, async (device) => {
    const [pictures, words] = await Promise.all([
      openVisionTower(vision, input.kept, device, modelType),
      openTextTower(text, texts, device, modelType),
    ]);
    const { tokenize, contextLength, languages } = words.input;
    // A device may take a model and then fail to run it, files may name too
    // long a text or no padding: better known now.
    const blank = new Float32Array(3 * input.kept ** 2);
    const trial = ["a ".repeat(contextLength), "a"].map(tokenize);
    let dimensions = 0;
    for (let i = 0; i < trial.length; i += words.batchSize) {
      const batch = trial.slice(i, i + words.batchSize);
      ({ dimensions } = await words.embed(batch));
    }
    const { dimensions: ofPictures } = await pictures.embed([blank]);
    if (ofPictures !== dimensions) {
      throw new RangeError(
        `${vision} makes vectors of ${ofPictures} numbers, and ${text} of ` +
          `${dimensions}: expected two models of one space`,
      );
    }
    const inUnitRows = <Item>(items: readonly Item[], tower: Tower<Item>) =>
      inBatches(items, dimensions, async (batch) => {
        return Array.from(await tower.embed(batch), l2Normalize);
      }, tower.batchSize);
    const encoder: Encoder = {
      id,
      name: id,
      dimensions,
      languages,
      clipFiles,
      describe: () =>
        `${id}: CLIP, ${dimensions} dimensions, ${DEVICE_NAMES[device]}`,
      decodeImage: (image) => decodeInput(image, input),
      encodeDecoded: (pixels) => inUnitRows(pixels, pictures),
      encodeImages: (images) => encodeInBatches(encoder, images),
      encodeTexts: (many) => inUnitRows(many.map(tokenize), words),
      async close() {
        await Promise.all([pictures.close(), words.close()]);
      },
    };
    return encoder;
  });
}
