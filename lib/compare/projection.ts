/**
 * Many dimensions brought down to two, to be drawn as a map.
 *
 * Principal component analysis: the two directions in which the vectors vary
 * most. It is linear, so what lies far apart on the map lies far apart in
 * truth; the converse need not hold.
 *
 * Touches no files.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { principalComponents } from "#lib/compare/projection.ts";
 * import { ok } from "node:assert/strict";
 *
 * const line = Matrix.of([[0, 0, 0], [1, 2, 3], [2, 4, 6]]); // varies one way only
 * const [first, , last] = principalComponents(line);
 * ok(Math.abs(Math.abs(last.x - first.x) - Math.sqrt(56)) < 1e-3);
 * ok(Math.abs(first.y) < 1e-3);
 * ```
 *
 * @module
 */
import type { Matrix } from "./matrix.ts";
import { addScaled, dot, l2Normalize } from "./metrics.ts";

/** A place on the map. */
export interface Point {
  x: number;
  y: number;
}

/** The middle of some vectors, and the two directions in which they vary most. */
export interface PrincipalAxes {
  /** Their mean, of length D. */
  centre: Float64Array;
  /** Two unit vectors of length D, at right angles; zeros where nothing varies. */
  directions: Float64Array[];
}

/**
 * Each vector's coordinates along the first two principal components.
 *
 * @param vectors N rows of length D.
 * @returns N points, centred on (0, 0); the same ones at each call.
 */
export function principalComponents(vectors: Matrix): Point[] {
  if (vectors.count === 0) return [];
  const { centre, directions } = principalAxes(vectors);
  const [ofX, ofY] = directions.map((direction) => dot(centre, direction));
  return Array.from(vectors, (vector) => ({
    x: dot(vector, directions[0]) - ofX,
    y: dot(vector, directions[1]) - ofY,
  }));
}

/**
 * The first two principal components of some vectors, which may stand for many
 * more.
 *
 * Found by power iteration: a vector multiplied again and again by the
 * covariance matrix turns towards its strongest direction. Takes N × D steps
 * a turn and never builds the D × D matrix.
 *
 * @param vectors N rows of length D.
 */
export function principalAxes(vectors: Matrix): PrincipalAxes {
  const { count, dimensions } = vectors;
  const rows = Array.from(vectors, (vector) => Float64Array.from(vector));
  const centre = new Float64Array(dimensions);
  for (const row of rows) addScaled(centre, row, 1 / count);
  for (const row of rows) addScaled(row, centre, -1);
  const directions = [0, 1].map(() => {
    const direction = strongestDirection(rows, dimensions);
    // What a component explains is taken away; the next one is of the rest.
    for (const row of rows) addScaled(row, direction, -dot(row, direction));
    return direction;
  });
  return { centre, directions };
}

function strongestDirection(
  rows: readonly Float64Array[],
  dimensions: number,
): Float64Array {
  // Any start of length 1 does that is not at right angles to the answer.
  let direction = Float64Array.from(
    l2Normalize(Array.from({ length: dimensions }, (_, i) => Math.sin(i + 1))),
  );
  for (let turn = 0; turn < 500; turn++) {
    const next = new Float64Array(dimensions);
    for (const row of rows) addScaled(next, row, dot(row, direction));
    const length = Math.sqrt(dot(next, next));
    if (length === 0) return next; // nothing varies
    for (let i = 0; i < dimensions; i++) next[i] /= length;
    // The covariance matrix turns no direction around, so this nears 1.
    const settled = 1 - dot(next, direction) < 1e-14;
    direction = next;
    if (settled) break;
  }
  return direction;
}
