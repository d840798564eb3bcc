/**
 * How a model's pictures are prepared, as the file beside it says: Transformers'
 * preprocessor_config.json, or OpenCLIP's preprocess_cfg.json.
 *
 * What a file leaves out is what the library that wrote it takes for granted.
 * What lib/pictures/square.ts cannot do, such as another filter or squeezing,
 * is refused: a model sees nothing wrong with such pictures, and finds badly.
 *
 * ```ts
 * import { readPreprocessorConfig } from "#lib/encoders/preprocessing.ts";
 * import { equal } from "node:assert/strict";
 *
 * const folder = "tests/fixtures/tiny_clip/transformers";
 * const { size, kept } = await readPreprocessorConfig(`${folder}/preprocessor_config.json`);
 * equal(`${size} ${kept}`, "40 40");
 * ```
 *
 * @module
 */
import type { ImageSource } from "../pictures/pictures.ts";
import { decodeSquare, type SquareInput } from "../pictures/square.ts";
import { isWholeNumber, readJson, unsupported } from "./model_files.ts";

/** What a vision model takes: the middle of a square of normalised colours. */
export interface PictureInput extends SquareInput {
  /** Side of the middle that is kept, in pixels: `size`, or an even number less. */
  kept: number;
}

/** Pillow's filters by their numbers. */
const FILTERS = [
  ...["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"],
];

const BICUBIC = FILTERS.indexOf("bicubic");

/** Colours of the pictures that OpenAI trained CLIP on. */
const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073];
const CLIP_STD = [0.26862954, 0.26130258, 0.27577711];

/** Longest side, in pixels, and bounds of what colours are scaled by. */
const MOST_SIDE = 4096, SMALLEST = 1e-6, LARGEST = 1e6;

/** Steps of Transformers that are known here; any other one is refused. */
const STEPS = [
  ...["do_resize", "do_center_crop", "do_rescale", "do_normalize"],
  "do_convert_rgb",
];

/**
 * Reads a preprocessor_config.json, by the rules of Transformers'
 * CLIPImageProcessor.
 *
 * @param modelType config.json's, for files that do not name their processor.
 * @throws {RangeError} If pictures are prepared in a way that is not supported:
 *   names the file and the key.
 */
export async function readPreprocessorConfig(
  file: string,
  modelType = "clip",
): Promise<PictureInput> {
  const config = await readJson(file);
  const refuse = (key: string, expected: string) => {
    throw unsupported(file, key, config[key], expected);
  };
  const processorKey = config.image_processor_type
    ? "image_processor_type"
    : "feature_extractor_type"; // In older files.
  const { [processorKey]: processor } = config;
  const isKnown = !processor
    ? modelType.startsWith("clip")
    : /^CLIP(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/.test(processor);
  // SigLIP's and others squeeze the picture into the square.
  if (!isKnown) refuse(processorKey, '"CLIPImageProcessor"');

  const does = (key: string) => {
    const { [key]: value = true } = config;
    if (typeof value !== "boolean") refuse(key, "true or false");
    return value;
  };
  for (const key of STEPS) does(key);
  for (const key of Object.keys(config)) {
    const isOff = [false, null].includes(config[key]);
    if (key.startsWith("do_") && !STEPS.includes(key) && !isOff) {
      refuse(key, "false");
    }
  }
  for (const key of ["do_resize", "do_center_crop"]) {
    if (!does(key)) refuse(key, "true");
  }
  const { resample = BICUBIC } = config;
  if (resample !== BICUBIC) {
    const expected = `${BICUBIC} (bicubic)`;
    throw unsupported(file, "resample", resample, expected, FILTERS[resample]);
  }

  let { size, crop_size } = config;
  // A number, in older files, is what the shorter side becomes.
  const resized = size?.shortest_edge ?? size ?? 224;
  const others = Object.keys(Object(size)).filter((key) =>
    key !== "shortest_edge" && size[key] !== null
  );
  const squeezes = typeof size === "number" && config.default_to_square;
  if (!isWholeNumber(resized, 1, MOST_SIDE) || others.length > 0 || squeezes) {
    const expected =
      "the shorter side alone, as in {shortest_edge: 224}, and " +
      `at most ${MOST_SIDE}`;
    refuse("size", expected);
  }
  const [kept, across] = Number.isFinite(crop_size ??= 224)
    ? [crop_size, crop_size]
    : [crop_size.height, crop_size.width];
  if (!isWholeNumber(kept, 1) || kept !== across) {
    refuse("crop_size", "a square, as in {height: 224, width: 224}");
  }
  if (kept > resized || (resized - kept) % 2 !== 0) {
    const expected = `the ${resized} pixels of the shorter side, or an even ` +
      "number less";
    throw unsupported(file, "crop_size", crop_size, expected);
  }

  let { rescale_factor: factor = 1 / 255 } = config;
  if (!does("do_rescale")) factor = 1;
  else if (!isWithin(factor, SMALLEST)) {
    refuse("rescale_factor", `a number from ${SMALLEST} to ${LARGEST}`);
  }
  const mean = does("do_normalize")
    ? threeNumbers(file, "image_mean", config.image_mean ?? CLIP_MEAN)
    : [0, 0, 0];
  const std = does("do_normalize")
    ? threeNumbers(file, "image_std", config.image_std ?? CLIP_STD, SMALLEST)
    : [1, 1, 1];
  // Colours come as v / 255; a model to which they are v × factor has these.
  const scale = 255 * factor;
  return {
    size: resized,
    kept,
    mean: mean.map((value) => value / scale),
    std: std.map((value) => value / scale),
  };
}

/**
 * Reads a preprocess_cfg.json, by the rules of OpenCLIP.
 *
 * @throws {RangeError} As `readPreprocessorConfig` does.
 */
export async function readPreprocessCfg(file: string): Promise<PictureInput> {
  const config = await readJson(file);
  const known = {
    mode: "RGB",
    interpolation: "bicubic",
    resize_mode: "shortest",
  };
  for (const [key, expected] of Object.entries(known)) {
    const { [key]: given = expected } = config;
    if (given !== expected) {
      throw unsupported(file, key, given, `"${expected}"`);
    }
  }
  const { size = 224, mean = CLIP_MEAN, std = CLIP_STD } = config;
  const [side, other] = Array.isArray(size) && size.length === 2
    ? size
    : [size, size];
  if (!isWholeNumber(side, 1, MOST_SIDE) || side !== other) {
    const expected = `a square, as in [224, 224], of at most ${MOST_SIDE}`;
    throw unsupported(file, "size", size, expected);
  }
  return {
    ...{ size: side, kept: side },
    mean: threeNumbers(file, "mean", mean),
    std: threeNumbers(file, "std", std, SMALLEST),
  };
}

/** One number a colour; a single one stands for all three. */
function threeNumbers(
  file: string,
  key: string,
  given: unknown,
  least = -LARGEST,
): number[] {
  const numbers = typeof given === "number" ? [given, given, given] : given;
  const fit = Array.isArray(numbers) && numbers.length === 3 &&
    numbers.every((one) => isWithin(one, least));
  if (fit) return numbers;
  const expected = `three numbers from ${least} to ${LARGEST}`;
  throw unsupported(file, key, given, expected);
}

/** Beyond these bounds a model's vectors would be no numbers. */
function isWithin(value: unknown, least: number): boolean {
  return typeof value === "number" && value >= least && value <= LARGEST;
}

/**
 * Decodes a picture as the model takes it.
 *
 * @returns 3 × kept × kept numbers, one plane a colour.
 * @throws {PictureError} If there is no whole picture.
 */
export async function decodeInput(
  image: ImageSource,
  { kept, ...square }: PictureInput,
): Promise<Float32Array> {
  const { size } = square;
  const pixels = await decodeSquare(image, square);
  if (kept === size) return pixels;
  // The middle of the middle square is the picture's own.
  const edge = (size - kept) / 2;
  const middle = new Float32Array(3 * kept * kept);
  for (let row = 0; row < 3 * kept; row++) {
    const plane = Math.floor(row / kept) * size;
    const start = (plane + edge + row % kept) * size + edge;
    middle.set(pixels.subarray(start, start + kept), row * kept);
  }
  return middle;
}
