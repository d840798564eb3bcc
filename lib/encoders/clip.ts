/**
 * CLIP in the Transformers.js layout, as repositories of the hub have it:
 *
 * ```text
 * onnx/vision_model.onnx    onnx/text_model.onnx     …_fp16, …_quantized
 * preprocessor_config.json  tokenizer.json           config.json
 * ```
 *
 * ```ts
 * import { transformersLayout } from "#lib/encoders/clip.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(transformersLayout.files("q8")[0], "onnx/vision_model_quantized.onnx");
 * ```
 *
 * @module
 */
import { join } from "node:path";
import { type ClipLayout, openClipModel, readJson } from "./clip_model.ts";

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
  async open(folder, precision, name, device) {
    const [vision, text, preprocessor, tokenizer, config] = transformersLayout
      .files(precision).map((file) => join(folder, file));
    const { size, crop_size, resample, image_mean, image_std } = await readJson(
      preprocessor,
    );
    // Older files give one number for both sides.
    const side = size.shortest_edge ?? size;
    const kept = crop_size.height ?? crop_size;
    if (side !== kept || resample !== BICUBIC) {
      throw new RangeError(
        `${preprocessor}: expected a square as large as the shorter side, ` +
          `resized with filter ${BICUBIC} (bicubic), got ` +
          JSON.stringify({ size, crop_size, resample }),
      );
    }
    const { text_config } = await readJson(config);
    return await openClipModel({
      id: `${name}/${precision}`,
      vision,
      text,
      tokenizer,
      contextLength: text_config?.max_position_embeddings ?? 77,
      size: side,
      mean: image_mean,
      std: image_std,
    }, device);
  },
};
