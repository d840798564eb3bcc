/**
 * Pixels to a square, as Pillow resizes them: bicubic, first along the rows,
 * then down the columns, rounding to bytes between.
 *
 * ```text
 * height × width × 3 bytes ──rows──▶ … × size × 3 bytes ──columns──▶ 3 × size × size floats
 * ```
 *
 * Touches no files.
 *
 * ```ts
 * import { resizeToSquare } from "#lib/pictures/resize.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const twoPixels = Uint8Array.of(0, 255, 0, 0, 255, 0);
 * const input = { size: 1, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
 * const square = resizeToSquare(twoPixels, 2, 1, input);
 * deepEqual(Array.from(square, Math.round), [-1, 1, -1]);
 * ```
 *
 * @module
 */
import {
  compileResizeKernels,
  type ResizeKernels,
  ROWS_A_PASS,
} from "./resize_kernels.ts";
import { splitWeight } from "./weighted_sums.ts";

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
 * The centre square of decoded pixels, normalised: the shorter side becomes
 * `size` pixels, and the middle of the longer one is kept.
 *
 * @param pixels height × width × 3 bytes.
 * @returns 3 × size × size numbers, one plane a colour: (v / 255 - mean) / std.
 */
export function resizeToSquare(
  pixels: Uint8Array,
  width: number,
  height: number,
  { size, mean, std, cut = "after" }: SquareInput,
): Float32Array {
  const shorter = Math.min(width, height);
  const filter = (side: number) =>
    cut === "before"
      ? filterOf(shorter, size, size, (side - shorter) >> 1)
      : filterOf(side, Math.floor(size * side / shorter), size);
  const across = filter(width), down = filter(height);
  const top = down.first[0];
  const last = down.first[size - 1] + 2 * down.pairs;
  const passes = Math.ceil((last - top) / ROWS_A_PASS);
  const rowBytes = 3 * width;
  const acrossBytes = 8 * across.pairs;
  const downBytes = 8 * down.pairs;

  // Pairs and passes may reach over the picture's end, where weights are 0, and
  // kernels work on 16 bytes at a time: so there is room after each part.
  const { kernels, memory } = workshopOf(size);
  const [colours, acrossAt, downAt, tensor, rows, picture] = layOut(memory, [
    3 * 8,
    size * (4 + acrossBytes),
    size * downBytes,
    size * size * 3 * 4,
    passes * ROWS_A_PASS * size * 3,
    passes * ROWS_A_PASS * rowBytes + acrossBytes,
  ]);
  const bytes = new Uint8Array(memory.buffer);
  const numbers = new DataView(memory.buffer);
  const shown = Math.min(height, top + passes * ROWS_A_PASS);
  bytes.set(pixels.subarray(top * rowBytes, shown * rowBytes), picture);
  for (let x = 0; x < size; x++) {
    const at = acrossAt + x * (4 + acrossBytes);
    numbers.setInt32(at, 3 * across.first[x], true);
    bytes.set(
      across.weights.subarray(x * acrossBytes, (x + 1) * acrossBytes),
      at + 4,
    );
  }
  bytes.set(down.weights, downAt);

  for (let pass = 0; pass < passes; pass++) {
    const from = pass * ROWS_A_PASS;
    kernels.rows(
      picture + from * rowBytes,
      rowBytes,
      acrossAt,
      acrossBytes,
      rows + from * 3 * size,
    );
  }
  for (let colour = 0; colour < 3; colour++) {
    const scale = colours + 8 * colour;
    numbers.setFloat32(scale, 1 / 255 / std[colour], true);
    numbers.setFloat32(scale + 4, -mean[colour] / std[colour], true);
    for (let y = 0; y < size; y++) {
      const weights = downAt + y * downBytes;
      kernels.columns(
        rows + ((down.first[y] - top) * 3 + colour) * size,
        weights,
        weights + downBytes,
        scale,
        tensor + (colour * size + y) * size * 4,
      );
    }
  }
  return new Float32Array(memory.buffer, tensor, 3 * size * size).slice();
}

/** Kernels and the memory that they work on; it grows with the pictures. */
interface Workshop {
  memory: WebAssembly.Memory;
  kernels: ResizeKernels;
}

const workshops = new Map<number, Workshop>();

function workshopOf(size: number): Workshop {
  let workshop = workshops.get(size);
  if (!workshop) {
    const memory = new WebAssembly.Memory({ initial: 1 });
    workshop = { memory, kernels: compileResizeKernels(memory, size) };
    workshops.set(size, workshop);
  }
  return workshop;
}

/** Addresses of parts of these sizes, with room after each of them. */
function layOut(memory: WebAssembly.Memory, sizes: number[]): number[] {
  const addresses: number[] = [];
  let end = 0;
  for (const size of sizes) {
    addresses.push(end);
    end = Math.ceil((end + size) / 16) * 16 + 64;
  }
  const lacking = end - memory.buffer.byteLength;
  if (lacking > 0) memory.grow(Math.ceil(lacking / 2 ** 16));
  return addresses;
}

/** Which pixels make up each place of a resized line, and how much of each. */
interface Filter {
  /** For each place the first of its pixels. */
  first: Int32Array;
  /** Pairs of pixels that a place is made of; the same for all. */
  pairs: number;
  /** A place's weights as the kernels take them: 8 bytes a pair. */
  weights: Uint8Array;
}

/**
 * The filter for the middle `kept` places of a line of `from` pixels, which
 * begins at pixel `begin`, resized to `to`.
 */
function filterOf(
  from: number,
  to: number,
  kept: number,
  begin = 0,
): Filter {
  const scale = from / to;
  // Shrinking widens the filter, so that no pixel is passed over.
  const stretch = Math.max(scale, 1);
  const reach = 2 * stretch;
  const pairs = Math.ceil(Math.ceil(2 * reach) / 2);
  const first = new Int32Array(kept);
  const weights = new Int16Array(kept * pairs * 4);
  const line = new Float64Array(2 * pairs);
  const skipped = (to - kept) >> 1;
  for (let place = 0; place < kept; place++) {
    const centre = (place + skipped + 0.5) * scale;
    const start = Math.max(0, Math.floor(centre - reach + 0.5));
    const count = Math.min(from, Math.floor(centre + reach + 0.5)) - start;
    first[place] = begin + start;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += line[i] = bicubic((start + i - centre + 0.5) / stretch);
    }
    for (let i = 0; i < count; i++) {
      const { upper, lower } = splitWeight(line[i] / sum);
      const at = (place * pairs + (i >> 1)) * 4 + i % 2;
      weights[at] = upper;
      weights[at + 2] = lower;
    }
  }
  return { first, pairs, weights: new Uint8Array(weights.buffer) };
}

/** Keys' cubic convolution with a = -0.5. */
function bicubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}
