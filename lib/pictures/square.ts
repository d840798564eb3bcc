/**
 * A picture as a model's input: the centre square, resized and normalised
 * to the numbers that the model was trained with.
 *
 * The resizing repeats Pillow's bicubic filter to the last bit, since every
 * CLIP was trained and measured behind it. The resizers nearest at hand differ
 * more than they look: over 24 pictures and a CLIP of random weights, cosine to
 * Python's embedding is 1.0000 this way, down to 0.65 through libvips and down
 * to 0.72 through Transformers.js's own processor.
 *
 * ```ts
 * import { decodeSquare } from "#lib/pictures/square.ts";
 * import { deepEqual } from "node:assert/strict";
 * import sharp from "sharp";
 *
 * const red = await sharp({
 *   create: { width: 60, height: 40, channels: 3, background: "#ff0000" },
 * }).png().toBuffer();
 * const input = { size: 1, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
 * deepEqual([...await decodeSquare(red, input)], [1, -1, -1]);
 * ```
 *
 * @module
 */
import { openKernels } from "./kernels.ts";
import {
  decodePicture,
  type ImageSource,
  type PictureData,
} from "./pictures.ts";

/** What a model takes: a square of normalised colours. */
export interface SquareInput {
  /** Side of the square in pixels. */
  size: number;
  /** Mean of red, green and blue, colours being 0 to 1. */
  mean: readonly number[];
  /** Their standard deviations. */
  std: readonly number[];
  /**
   * When the square is cut out: before resizing, at whole pixels of the
   * picture, or after it, at whole pixels of the result. They lie half a pixel
   * apart, which some models see.
   * @default "after"
   */
  cut?: "before" | "after";
}

/**
 * A picture's centre square: its shorter side becomes `size` pixels, then the
 * middle of the longer one is kept.
 *
 * @returns 3 × size × size numbers, one plane a colour: (v / 255 - mean) / std.
 * @throws {PictureError} If there is no whole picture.
 */
export async function decodeSquare(
  image: ImageSource,
  input: SquareInput,
): Promise<Float32Array> {
  // Large photographs come down to 4 × size first, where the JPEG decoder
  // can leave out detail: half the time and a tenth of the memory at 12
  // megapixels, for a cosine of 0.9994 or more to the long way.
  const pixels = await decodePicture(image, { shortest: 4 * input.size });
  return resizeToSquare(pixels, input);
}

/** The kernels' memory; it grows with the pictures. */
const memory = new WebAssembly.Memory({ initial: 1 });
const kernels = openKernels(new URL("./resize.wasm", import.meta.url), memory);

/** `decodeSquare` of pixels that are decoded: it resizes, and nothing else. */
export function resizeToSquare(
  { data, width, height }: PictureData,
  { size, mean, std, cut = "after" }: SquareInput,
): Float32Array {
  const shorter = Math.min(width, height);
  const filter = (side: number) =>
    cut === "before"
      ? filterOf(shorter, size, size, (side - shorter) >> 1)
      : filterOf(side, Math.floor(size * side / shorter), size);
  const across = filter(width), down = filter(height);
  const columns = across.end - across.begin, rows = down.end - down.begin;

  // The last places' filters may reach over the end, where weights are 0; and
  // kernels take four rows, and 16 bytes, at a time. So there is room.
  const [colours, acrossAt, downAt, tensor, narrow, picture] = layOut([
    4 * 2 * 3,
    across.places.byteLength,
    down.places.byteLength,
    4 * 3 * size * size,
    3 * size * (rows + 4 + down.taps),
    3 * columns * (rows + 4) + 3 * across.taps,
  ]);
  const scales = std.flatMap((one, c) => [1 / 255 / one, -mean[c] / one]);
  new Float32Array(memory.buffer).set(scales, colours / 4);
  new Int32Array(memory.buffer).set(across.places, acrossAt / 4);
  new Int32Array(memory.buffer).set(down.places, downAt / 4);
  const bytes = new Uint8Array(memory.buffer);
  for (let row = 0; row < rows; row++) {
    const from = 3 * ((down.begin + row) * width + across.begin);
    bytes.set(
      data.subarray(from, from + 3 * columns),
      picture + 3 * columns * row,
    );
  }
  kernels.rows(picture, 3 * columns, rows, acrossAt, across.taps, size, narrow);
  kernels.columns(narrow, downAt, down.taps, size, colours, tensor);
  return new Float32Array(memory.buffer, tensor, 3 * size * size).slice();
}

/** Addresses of parts of these sizes in bytes, with room after each of them. */
function layOut(sizes: number[]): number[] {
  let end = 0;
  const addresses = sizes.map((size) => {
    const address = end;
    end = Math.ceil((address + size) / 16) * 16 + 64;
    return address;
  });
  const lacking = end - memory.buffer.byteLength;
  if (lacking > 0) memory.grow(Math.ceil(lacking / 2 ** 16));
  return addresses;
}

/**
 * How the middle `kept` places of a line of `from` pixels, which begins at pixel
 * `start`, are made when it is resized to `to`: from pixels `begin` to `end`,
 * each from `taps` of them. `places` has for each its first one, counted from
 * `begin`, and their weights.
 */
function filterOf(from: number, to: number, kept: number, start = 0) {
  const scale = from / to;
  // Shrinking widens the filter, so that no pixel is passed over.
  const stretch = Math.max(scale, 1);
  const reach = 2 * stretch;
  const taps = Math.ceil(2 * reach);
  const places = new Int32Array(kept * (1 + taps));
  const weights = new Float64Array(taps);
  let begin = 0, end = 0;
  for (let place = 0; place < kept; place++) {
    const centre = (place + (to - kept >> 1) + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach + 0.5));
    end = Math.min(from, Math.floor(centre + reach + 0.5));
    if (place === 0) begin = first;
    let sum = 0, at = place * (1 + taps);
    for (let i = first; i < end; i++) {
      sum += weights[i - first] = bicubic((i - centre + 0.5) / stretch);
    }
    places[at++] = first - begin;
    for (let i = 0; i < end - first; i++) {
      // 22 bits after the point, as the kernels take them.
      places[at++] = Math.round(weights[i] / sum * 2 ** 22);
    }
  }
  return { begin: start + begin, end: start + end, taps, places };
}

/** Keys' cubic convolution with a = -0.5. */
function bicubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}
