/**
 * The two passes that resize a picture, many values at a time (WebAssembly
 * SIMD): each value is a sum of products of bytes and weights.
 *
 * ```text
 * rows      R G B R G B …  ──▶  R R …  G G …  B B …   narrower, in bytes
 * columns   of one colour  ──▶  fewer, as normalised floats
 * ```
 *
 * Touches no files.
 *
 * ```ts
 * import { compileResizeKernels } from "#lib/pictures/resize_kernels.ts";
 * import { splitWeight } from "#lib/pictures/weighted_sums.ts";
 * import { equal } from "node:assert/strict";
 *
 * const memory = new WebAssembly.Memory({ initial: 1 });
 * const bytes = new Uint8Array(memory.buffer);
 * const words = new Int16Array(memory.buffer);
 * bytes.set([100, 0, 0, 200, 0, 0], 0); // two pixels of red
 * const { upper, lower } = splitWeight(0.5);
 * words.set([0, 0, upper, upper, lower, lower], 64 / 2); // pixel 0; one pair
 * compileResizeKernels(memory, 1).rows(0, 6, 64, 8, 128);
 * equal(bytes[128], 150);
 * ```
 *
 * @module
 */
import {
  add,
  addF32,
  assemble,
  type Code,
  firstHalf8,
  get,
  i32,
  larger32,
  lastHalf8,
  load,
  loadI32,
  loadRepeated32,
  locals,
  multiplyF32,
  narrow16,
  narrow32,
  pick8,
  repeated32,
  repeatWhileBelow,
  set,
  smaller32,
  store,
  storeLane8,
  toF32,
  zeroVector,
} from "./assembler.ts";
import {
  addProducts,
  clear,
  loadWeights,
  sumsIn,
  total,
} from "./weighted_sums.ts";

/** Rows that one call of `rows` resizes; more would run out of registers. */
export const ROWS_A_PASS = 4;

/** The kernels. All parameters are addresses and sizes in bytes. */
export interface ResizeKernels {
  /**
   * Resizes four rows of RGB pixels, each to 3 × `size` bytes.
   *
   * @param row The first row; `rowBytes` from one to the next.
   * @param weights For each place of a row: where its pixels begin, from the
   *   row's start on (int32); then for each pair of pixels the upper parts of
   *   both weights and both lower parts (int16).
   * @param pairBytes Bytes of a place's pairs: 8 times their number.
   * @param to Where the rows go, 3 × `size` bytes from one to the next.
   */
  rows: (
    row: number,
    rowBytes: number,
    weights: number,
    pairBytes: number,
    to: number,
  ) => void;
  /**
   * Sums up rows of bytes, `size` values of each, 16 at a time: the last ones
   * run over the end.
   *
   * @param row The first row; 3 × `size` bytes from one to the next.
   * @param weights The pairs of one place, until `weightsEnd`.
   * @param colour Two floats: each sum, a byte's value, is multiplied by the
   *   first, and the second is added.
   * @param to Where the floats go.
   */
  columns: (
    row: number,
    weights: number,
    weightsEnd: number,
    colour: number,
    to: number,
  ) => void;
}

/**
 * Compiles the kernels.
 *
 * @param size Pixels of a resized row.
 * @throws {Error} If this machine's WebAssembly has no SIMD.
 */
export function compileResizeKernels(
  memory: WebAssembly.Memory,
  size: number,
): ResizeKernels {
  const module = assemble([
    {
      name: "rows",
      parameters: 5,
      locals: { i32: 2 + ROWS_A_PASS, vectors: 3 + 2 * ROWS_A_PASS },
      body: rows(size),
    },
    {
      name: "columns",
      parameters: 5,
      locals: { i32: 3, vectors: 5 + 8 },
      body: columns(size),
    },
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), {
    host: { memory },
  });
  return exports as unknown as ResizeKernels;
}

/** Bytes of two pixels, colour by colour, each as 16 bits: 31 is a byte 0. */
const TWO_PIXELS = [0, 31, 3, 31, 1, 31, 4, 31, 2, 31, 5, 31, 31, 31, 31, 31];
/** Bytes of two rows in turn: the first 8 of each, and the last 8. */
const FIRST_OF_TWO = Array.from(
  { length: 16 },
  (_, i) => (i >> 1) + i % 2 * 16,
);
const LAST_OF_TWO = FIRST_OF_TWO.map((place) => place + 8);

function rows(size: number): Code {
  const [row, rowBytes, weights, pairBytes, to] = locals(0, 5);
  const [toEnd, pairsEnd, ...pixels] = locals(5, 2 + ROWS_A_PASS);
  const [factors, ...vectors] = locals(7 + ROWS_A_PASS, 3 + 2 * ROWS_A_PASS);
  const sums = sumsIn(vectors);

  const pair = [
    ...loadWeights(vectors, weights),
    ...pixels.flatMap((pixel, r) => [
      ...set(factors, pick8(load(get(pixel)), zeroVector, TWO_PIXELS)),
      ...addProducts(sums[r], factors, vectors),
      ...set(pixel, add(get(pixel), i32(6))),
    ]),
    ...set(weights, add(get(weights), i32(8))),
  ];
  const [a, b, c, d] = sums.map(total);
  const bytes = factors;
  const place = [
    ...set(pixels[0], add(get(row), loadI32(get(weights)))),
    ...pixels.slice(1).flatMap((pixel, r) =>
      set(pixel, add(get(pixels[r]), get(rowBytes)))
    ),
    ...sums.flatMap(clear),
    ...set(weights, add(get(weights), i32(4))),
    ...set(pairsEnd, add(get(weights), get(pairBytes))),
    ...repeatWhileBelow(weights, get(pairsEnd), pair),
    ...set(bytes, narrow16(narrow32(a, b), narrow32(c, d))),
    ...pixels.flatMap((_, r) =>
      [0, 1, 2].flatMap((colour) => {
        const offset = (3 * r + colour) * size;
        return storeLane8(get(to), get(bytes), 4 * r + colour, offset);
      })
    ),
    ...set(to, add(get(to), i32(1))),
  ];
  return [
    ...set(toEnd, add(get(to), i32(size))),
    ...repeatWhileBelow(to, get(toEnd), place),
  ];
}

function columns(size: number): Code {
  const [row, weights, weightsEnd, colour, to] = locals(0, 5);
  const [toEnd, weight, from] = locals(5, 3);
  const [factors, first, last, ...vectors] = locals(8, 5 + 8);
  const sums = sumsIn(vectors);
  const rowBytes = 3 * size;

  const pair = [
    ...loadWeights(vectors, weight),
    ...set(first, load(get(from))),
    ...set(last, load(get(from), rowBytes)),
    ...set(factors, pick8(get(first), get(last), FIRST_OF_TWO)),
    ...set(last, pick8(get(first), get(last), LAST_OF_TWO)),
    ...set(first, get(factors)),
    ...[first, last].flatMap((bytes, half) =>
      [firstHalf8, lastHalf8].flatMap((widen, quarter) => [
        ...set(factors, widen(get(bytes))),
        ...addProducts(sums[2 * half + quarter], factors, vectors),
      ])
    ),
    ...set(from, add(get(from), i32(2 * rowBytes))),
    ...set(weight, add(get(weight), i32(8))),
  ];
  const sixteen = [
    ...sums.flatMap(clear),
    ...set(from, get(row)),
    ...set(weight, get(weights)),
    ...repeatWhileBelow(weight, get(weightsEnd), pair),
    ...sums.flatMap((sum, i) => {
      const white = repeated32(i32(255));
      const byte = smaller32(larger32(total(sum), zeroVector), white);
      const scaled = multiplyF32(toF32(byte), loadRepeated32(get(colour)));
      const value = addF32(scaled, loadRepeated32(get(colour), 4));
      return store(get(to), value, 16 * i);
    }),
    ...set(row, add(get(row), i32(16))),
    ...set(to, add(get(to), i32(64))),
  ];
  return [
    ...set(toEnd, add(get(to), i32(4 * size))),
    ...repeatWhileBelow(to, get(toEnd), sixteen),
  ];
}
