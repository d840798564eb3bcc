/**
 * CLIP in the Immich layout, in which that photo library keeps OpenCLIP's
 * models:
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
 * equal(immichLayout.files("fp32")[0], "visual/model.onnx");
 * ```
 *
 * @module
 */
import { join } from "node:path";
import { type ClipLayout, openClipModel, readJson } from "./clip_model.ts";

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
  async open(folder, precision, name, device) {
    const [vision, text, preprocessor, tokenizer] = immichLayout
      .files(precision).map((file) => join(folder, file));
    const { size, mean, std, interpolation, resize_mode = "shortest" } =
      await readJson(preprocessor);
    if (interpolation !== "bicubic" || resize_mode !== "shortest") {
      throw new RangeError(
        `${preprocessor}: expected interpolation bicubic and resize_mode ` +
          `shortest, got ${interpolation} and ${resize_mode}`,
      );
    }
    return await openClipModel({
      id: `${name}/${precision}`,
      vision,
      text,
      tokenizer,
      // The text model's input has this width, and OpenCLIP knows no other.
      contextLength: 77,
      size: Array.isArray(size) ? size[0] : size,
      mean,
      std,
    }, device);
  },
};
