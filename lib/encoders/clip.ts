/**
 * CLIP, as Transformers.js loads and runs it, from the layout that its
 * repositories on the hub have:
 *
 * ```text
 * onnx/vision_model.onnx    onnx/text_model.onnx     …_fp16, …_quantized
 * preprocessor_config.json  tokenizer.json           config.json
 *
 * picture ──centre square──▶ [3, 224, 224] ──vision model──▶ [512] ─┐ length 1
 * text ────tokenizer───────▶ at most 77 ids ──text model───▶ [512] ─┘
 * ```
 *
 * Only the pixels are our own: lib/pictures/square.ts says why. immich.ts has
 * the other layout, and runs the models itself.
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
import {
  CLIPTextModelWithProjection,
  CLIPVisionModelWithProjection,
  Tensor,
} from "@huggingface/transformers";
import { join } from "node:path";
import { Matrix } from "../compare/matrix.ts";
import { l2Normalize } from "../compare/metrics.ts";
import type { Device } from "../compare/session.ts";
import { decodeSquare, type SquareInput } from "../pictures/square.ts";
import { DEVICE_NAMES, onBestDevice } from "./device.ts";
import { encodeInBatches, type Encoder, inBatches } from "./encoder.ts";
import {
  loadModel,
  openTokenizer,
  readJson,
  tokenInputs,
} from "./model_files.ts";

/** How the weights are stored: 32 or 16 bits, or 8 bits and a scale. */
export type Precision = "fp32" | "fp16" | "q8";

/** A place where CLIP's files lie in a folder, and how they are opened. */
export interface ClipLayout {
  /** As a reader knows it: "Transformers.js". */
  readonly name: string;
  /** Precisions that models of this layout may have. */
  readonly precisions: readonly Precision[];
  /** Files of a precision, the two models first; paths in the folder, with "/". */
  files(precision: Precision): string[];
  /**
   * Opens the model in a folder that holds these files.
   *
   * @param id The encoder's.
   * @throws {Error} If a file is not whole: names it.
   */
  open(
    folder: string,
    precision: Precision,
    id: string,
    device: Device | "auto",
  ): Promise<Encoder>;
}

/** CLIP's two models, on a device. Each embeds a batch: a vector an item, end to end. */
export interface ClipModels {
  /** Pictures or texts that go through a model at once. */
  batchSize: number;
  /** Embeds decoded pictures, one a row. */
  embedPictures(pixels: Matrix): Promise<Float32Array>;
  /** Embeds texts, each by its ids from the start's to the end's. */
  embedTokens(tokens: number[][]): Promise<Float32Array>;
  /** Frees them. */
  close(): Promise<unknown>;
}

/** How each precision's files end. */
const SUFFIXES = { fp32: "", fp16: "_fp16", q8: "_quantized" };

/** Pillow's number of its bicubic filter. */
const BICUBIC = 3;

/** The layout of Transformers.js. */
export const transformersLayout: ClipLayout = {
  name: "Transformers.js",
  precisions: ["fp32", "fp16", "q8"],
  files: (precision) => [
    `onnx/vision_model${SUFFIXES[precision]}.onnx`,
    `onnx/text_model${SUFFIXES[precision]}.onnx`,
    "preprocessor_config.json",
    "tokenizer.json",
    "config.json",
  ],
  async open(folder, precision, id, wanted) {
    const [visionFile, textFile, inputFile, tokenizerFile, configFile] =
      transformersLayout.files(precision).map((file) => join(folder, file));
    const { size, crop_size, resample, image_mean: mean, image_std: std } =
      await readJson(inputFile);
    // Older files give one number for both sides.
    const side = size.shortest_edge ?? size;
    const kept = crop_size.height ?? crop_size;
    if (side !== kept || resample !== BICUBIC) {
      throw new RangeError(
        `${inputFile}: expected a square as large as the shorter side, ` +
          `resized with filter ${BICUBIC} (bicubic), got ` +
          JSON.stringify({ size, crop_size, resample }),
      );
    }
    const config = await readJson(configFile);
    const contextLength = config.text_config?.max_position_embeddings ?? 77;
    const tokenize = await openTokenizer(tokenizerFile, contextLength);
    const input = { size: side, mean, std };
    return await openClip(id, input, tokenize, wanted, async (device) => {
      const [vision, text] = await Promise.all([
        loadModel(CLIPVisionModelWithProjection, visionFile, config, device),
        loadModel(CLIPTextModelWithProjection, textFile, config, device),
      ]);
      return {
        batchSize: 16,
        async embedPictures({ data, count }) {
          const pixels = new Tensor("float32", data, [count, 3, side, side]);
          return (await vision({ pixel_values: pixels })).image_embeds.data;
        },
        async embedTokens(tokens) {
          return (await text(tokenInputs(tokens))).text_embeds.data;
        },
        close: () => Promise.all([vision.dispose(), text.dispose()]),
      };
    });
  },
};

/**
 * CLIP out of its parts, on the device wanted, or on the best that runs it.
 *
 * @param id The encoder's.
 * @param input What the vision model takes.
 * @param tokenize A text's ids, from the start's to the end's.
 * @param openModels Opens the two models.
 */
export function openClip(
  id: string,
  input: SquareInput,
  tokenize: (text: string) => number[],
  wanted: Device | "auto",
  openModels: (device: Device) => Promise<ClipModels>,
): Promise<Encoder> {
  return onBestDevice(wanted, async (device) => {
    const models = await openModels(device);
    // A device may take a model and then fail to run it: better known now.
    const dimensions = (await models.embedTokens([tokenize("")])).length;
    const inUnitRows = <Item>(
      items: readonly Item[],
      embed: (batch: Item[]) => Promise<Float32Array>,
    ) =>
      inBatches(items, dimensions, async (batch) => {
        const vectors = new Matrix(await embed(batch), dimensions);
        return Array.from(vectors, l2Normalize);
      }, models.batchSize);
    const encoder: Encoder = {
      id,
      dimensions,
      describe: () =>
        `${id}: CLIP, ${dimensions} dimensions, ${DEVICE_NAMES[device]}`,
      decodeImage: (image) => decodeSquare(image, input),
      encodeDecoded: (pixels) =>
        inUnitRows(pixels, (batch) => models.embedPictures(Matrix.of(batch))),
      encodeImages: (images) => encodeInBatches(encoder, images),
      encodeTexts: (texts) =>
        inUnitRows(texts, (batch) => models.embedTokens(batch.map(tokenize))),
      async close() {
        await models.close();
      },
    };
    return encoder;
  });
}
