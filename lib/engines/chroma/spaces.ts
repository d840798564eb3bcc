/**
 * The spaces of a vector database, and their numbers in the field's terms.
 *
 * Chroma measures *squared* L2 distances, and cosine distances that are
 * 1 − cosine. Correlation is the cosine of vectors from each of which its mean
 * is taken away, so a space of centred vectors measures it exactly.
 *
 * Touches no files.
 *
 * ```ts
 * import { asStored, valueOf } from "#lib/engines/chroma/spaces.ts";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * strictEqual(valueOf("l2", 25), 5);
 * deepStrictEqual([...asStored("correlation", Float32Array.of(3, 5))].map(Math.sign), [-1, 1]);
 * ```
 *
 * @module
 */
import { clampCosine } from "../../compare/metrics.ts";

/**
 * How closeness is measured: Euclidean distance, the angle's cosine, or
 * Pearson's correlation.
 */
export type Space = "l2" | "cosine" | "correlation";

/** What each is to the server. */
export const SERVER_SPACES = {
  l2: "l2",
  cosine: "cosine",
  correlation: "cosine",
} as const satisfies Record<Space, string>;

/** From Chroma's number to the field's. */
export function valueOf(space: Space, chromaDistance: number): number {
  return space === "l2"
    // Rounding can take a distance of 0 a little below it.
    ? Math.sqrt(Math.max(0, chromaDistance))
    : clampCosine(1 - chromaDistance);
}

/**
 * A vector as it lies in a space, and as one asks for it there: centred for
 * correlation and scaled to length 1, else as it is. A vector of one repeated
 * value varies with nothing: it becomes zeros, which correlate with all by 0.
 */
export function asStored(space: Space, vector: Float32Array): Float32Array {
  if (space !== "correlation") return vector;
  let sum = 0, squares = 0;
  for (const value of vector) sum += value;
  const mean = sum / vector.length;
  for (const value of vector) squares += (value - mean) ** 2;
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  return vector.map((value) => (value - mean) * scale);
}
