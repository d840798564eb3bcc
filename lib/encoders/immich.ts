/**
 * CLIP in the Immich layout, in which that photo library keeps OpenCLIP's
 * models. What its texts are stands in config.json and in
 * textual/tokenizer_config.json, where those are there.
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
import { type ClipLayout, modelFiles, openClip } from "./clip.ts";
import { readPreprocessCfg } from "./preprocessing.ts";
import { textFiles } from "./text_input.ts";

/** The layout of Immich. The hub has its models in one precision. */
export const immichLayout: ClipLayout = {
  name: "Immich",
  precisions: ["fp32"],
  files: (precision, folder) => [
    ...modelFiles(["visual/model", "textual/model"], precision, folder),
    ...["visual/preprocess_cfg.json", "textual/tokenizer.json"],
  ],
  optional: [
    "config.json",
    "textual/tokenizer_config.json",
    "textual/special_tokens_map.json",
  ],
  async open(folder, precision, id, wanted) {
    const [vision, text, inputFile] = immichLayout
      .files(precision, folder).map((file) => join(folder, file));
    return await openClip({
      ...{ id, vision, text, wanted },
      input: await readPreprocessCfg(inputFile),
      texts: textFiles(folder, true),
    });
  },
};
