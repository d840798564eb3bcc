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
import { dot, l2Normalize } from "./metrics.ts";

/** A place on the map. */
export interface Point {
  x: number;
  y: number;
}

/**
 * Each vector's coordinates along the first two principal components.
 *
 * Found by power iteration: a vector multiplied again and again by the
 * covariance matrix turns towards its strongest direction. Takes N × D steps
 * a turn and never builds the D × D matrix.
 *
 * @param vectors N rows of length D.
 * @returns N points, centred on (0, 0); the same ones at each call.
 */
export function principalComponents(vectors: Matrix): Point[] {
  const { count, dimensions } = vectors;
  if (count === 0) return [];
  const centre = new Float64Array(dimensions);
  for (const vector of vectors) {
    vector.forEach((value, i) => centre[i] += value / count);
  }
  const rows = Array.from(
    vectors,
    (vector) => Float64Array.from(vector, (value, i) => value - centre[i]),
  );
  const first = strongestDirection(rows);
  const xs = rows.map((row) => dot(row, first));
  // What the first component explains is taken away; the second is next.
  const left = rows.map((row, n) =>
    row.map((value, i) => value - xs[n] * first[i])
  );
  const second = strongestDirection(left);
  return left.map((row, n) => ({ x: xs[n], y: dot(row, second) }));
}

function strongestDirection(rows: readonly Float64Array[]): Float64Array {
  const size = rows[0].length;
  // Any start does that is not at right angles to the answer.
  let direction = Float64Array.from(
    l2Normalize(Array.from({ length: size }, (_, i) => Math.sin(i + 1))),
  );
  for (let turn = 0; turn < 500; turn++) {
    const next = new Float64Array(size);
    for (const row of rows) {
      const along = dot(row, direction);
      for (let i = 0; i < size; i++) next[i] += along * row[i];
    }
    const length = Math.sqrt(dot(next, next));
    if (length === 0) return next; // nothing varies
    for (let i = 0; i < size; i++) next[i] /= length;
    // The covariance matrix turns no direction around, so this nears 1.
    const settled = 1 - dot(next, direction) < 1e-14;
    direction = next;
    if (settled) break;
  }
  return direction;
}
