/**
 * CLIP in the Immich layout, in which that photo library keeps OpenCLIP's
 * models. Transformers.js does not know it, so onnxruntime runs it directly.
 *
 * ```text
 * visual/model.onnx   visual/preprocess_cfg.json
 * textual/model.onnx  textual/tokenizer.json
 * ```
 *
 * ```ts
 * import { immichLayout } from "#lib/encoders/immich.ts";
 * import { equal } from "node:assert/strict";
 *
 * const folder = "tests/fixtures/tiny_clip/immich";
 * const encoder = await immichLayout.open(folder, "fp32", "tiny", "cpu");
 * equal((await encoder.encodeTexts(["a red apple"])).dimensions, 12);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { join } from "node:path";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { openSession } from "../compare/session.ts";
import { type ClipLayout, openClip } from "./clip.ts";
import { openFile, openTokenizer, padTokens, readJson } from "./model_files.ts";

/** The text model's input has this width, and OpenCLIP knows no other. */
const CONTEXT_LENGTH = 77;

/** The layout of Immich. Its models come in one precision. */
export const immichLayout: ClipLayout = {
  name: "Immich",
  precisions: ["fp32"],
  files: () => [
    "visual/model.onnx",
    "textual/model.onnx",
    "visual/preprocess_cfg.json",
    "textual/tokenizer.json",
  ],
  async open(folder, precision, id, wanted) {
    const [visionFile, textFile, inputFile, tokenizerFile] = immichLayout
      .files(precision).map((file) => join(folder, file));
    const { size, mean, std, interpolation, resize_mode = "shortest" } =
      await readJson(inputFile);
    if (interpolation !== "bicubic" || resize_mode !== "shortest") {
      throw new RangeError(
        `${inputFile}: expected interpolation bicubic and resize_mode ` +
          `shortest, got ${interpolation} and ${resize_mode}`,
      );
    }
    const side = Array.isArray(size) ? size[0] : size;
    const input = { size: side, mean, std };
    const tokenize = await openTokenizer(tokenizerFile, CONTEXT_LENGTH);
    return await openClip(id, input, tokenize, wanted, async (device) => {
      const [vision, text] = await Promise.all(
        [visionFile, textFile].map((file) =>
          openFile(file, device, () => openSession(file, device))
        ),
      );
      return {
        // Most were exported for one item at a time.
        batchSize: Math.min(sizeOf(vision, 0) ?? 16, sizeOf(text, 0) ?? 16),
        embedPictures({ data, count }) {
          const pixels = new Tensor("float32", data, [count, 3, side, side]);
          return run(vision, () => pixels);
        },
        embedTokens(tokens) {
          const { ids, mask, shape } = padTokens(tokens, sizeOf(text, 1));
          return run(text, (name, type) => {
            const values = name === "attention_mask" ? mask : ids;
            return new Tensor(type as "int32" | "int64", values, shape);
          });
        },
        close: () => Promise.all([vision.release(), text.release()]),
      };
    });
  },
};

/** Runs a model whose inputs have whatever names and types its file says. */
async function run(
  session: InferenceSession,
  input: (name: string, type: string) => Tensor,
): Promise<Float32Array> {
  const inputs = session.inputMetadata.map((about) => [
    about.name,
    input(about.name, about.isTensor ? about.type : ""),
  ]);
  const outputs = await session.run(Object.fromEntries(inputs));
  return outputs[session.outputNames[0]].data as Float32Array;
}

/** A size of the first input; undefined where the file leaves it free. */
function sizeOf(
  { inputMetadata: [input] }: InferenceSession,
  axis: number,
): number | undefined {
  const size = input.isTensor ? input.shape[axis] : undefined;
  return typeof size === "number" ? size : undefined;
}
