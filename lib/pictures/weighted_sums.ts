/**
 * Exact sums of bytes times weights, four at a time (WebAssembly SIMD).
 *
 * Weights have 22 bits after the point, while the processor multiplies 16 bits
 * at a time. So each is cut into its upper part and its lower 11 bits, which
 * are summed up apart: weight = 2048 upper + lower.
 *
 * Bytes and weights come in pairs, since one instruction multiplies two of each
 * and adds both products up.
 *
 * Touches no files.
 *
 * ```ts
 * import { splitWeight } from "#lib/pictures/weighted_sums.ts";
 * import { equal } from "node:assert/strict";
 *
 * const { upper, lower } = splitWeight(-0.1);
 * equal((2048 * upper + lower) / 2 ** 22, Math.round(-0.1 * 2 ** 22) / 2 ** 22);
 * ```
 *
 * @module
 */
import {
  add32,
  type Code,
  dotPairs16,
  get,
  i32,
  loadRepeated32,
  repeated32,
  set,
  shiftLeft32,
  shiftRight32,
  zeroVector,
} from "./assembler.ts";

/** Bits of a weight after the point, as in Pillow. */
const POINT = 22;
/** Bits of a weight's lower part. */
const LOWER_BITS = 11;

/** A weight's two parts, 16 bits each. */
export function splitWeight(weight: number): { upper: number; lower: number } {
  const fixed = Math.round(weight * 2 ** POINT);
  return {
    upper: fixed >> LOWER_BITS,
    lower: fixed & (2 ** LOWER_BITS - 1),
  };
}

/** Locals of a sum's two parts, four 32-bit lanes each. */
export interface Sum {
  upper: number;
  lower: number;
}

/** Four sums, in the vectors after the weights' two. */
export function sumsIn(vectors: number[]): Sum[] {
  return [0, 1, 2, 3].map((i) => ({
    upper: vectors[2 + 2 * i],
    lower: vectors[3 + 2 * i],
  }));
}

/** Both parts of a pair's weights, repeated, into the first two vectors. */
export function loadWeights([upper, lower]: number[], address: number): Code {
  return [
    ...set(upper, loadRepeated32(get(address))),
    ...set(lower, loadRepeated32(get(address), 4)),
  ];
}

/** Starts a sum from 0. */
export function clear({ upper, lower }: Sum): Code {
  return [...set(upper, zeroVector), ...set(lower, zeroVector)];
}

/** Adds four pairs of factors, each pair times the pair of weights. */
export function addProducts(
  sum: Sum,
  factors: number,
  [upper, lower]: number[],
): Code {
  const plus = (local: number, weights: number) =>
    set(local, add32(get(local), dotPairs16(get(factors), get(weights))));
  return [...plus(sum.upper, upper), ...plus(sum.lower, lower)];
}

/** Both parts together, rounded to whole numbers. */
export function total({ upper, lower }: Sum): Code {
  const half = repeated32(i32(1 << (POINT - 1)));
  const high = shiftLeft32(get(upper), i32(LOWER_BITS));
  return shiftRight32(add32(add32(high, get(lower)), half), i32(POINT));
}
