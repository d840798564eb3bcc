/**
 * Exact search: compare the query with everything, keep the best. How the same
 * is had many times faster stands in quantized_gallery.ts.
 *
 * Touches no files.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { metrics } from "#lib/compare/metrics.ts";
 * import { search } from "#lib/compare/compare.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const gallery = Matrix.of([[0, 9], [5, 5], [1, 8]]);
 * deepEqual(search([0, 8], gallery, metrics.l1, 2), [
 *   { index: 0, value: 1 },
 *   { index: 2, value: 1 },
 * ]);
 * ```
 *
 * @module
 */
import { Matrix, type Numbers } from "./matrix.ts";
import {
  type Metric,
  type MetricName,
  metrics,
  type Vector,
} from "./metrics.ts";

/** One result: which gallery item, and how it compared. */
export interface Hit {
  /** Position in the gallery. */
  index: number;
  /** The metric's value between the query and this item. */
  value: number;
}

/** Vectors that know a faster way than comparing the query with all of them. */
export interface FastGallery {
  /** The vectors themselves. */
  readonly vectors: Matrix;
  /** How many of them, from the first on, are searched. */
  readonly count: number;
  /** What comparing all finds: the `k` best, best first. */
  nearest(query: Vector, metric: MetricName, k: number): Hit[];
}

/**
 * The `k` gallery items most like the query, best first.
 *
 * @param query A vector of length D.
 * @param gallery N rows of length D. A QuantizedGallery, which is a
 *   FastGallery, gives the same results, faster by far for the course's own
 *   metrics.
 * @param k How many; the whole gallery, ranked, where left out.
 * @throws {RangeError} If the gallery is empty, or lengths differ.
 */
export function search(
  query: Vector,
  gallery: Matrix<Numbers> | FastGallery,
  metric: Metric,
  k: number = gallery.count,
): Hit[] {
  if (gallery.count === 0) {
    throw new RangeError(
      "search: the gallery is empty: there is nothing to compare with",
    );
  }
  if (!(gallery instanceof Matrix)) {
    const names = Object.keys(metrics) as MetricName[];
    const name = names.find((name) => metrics[name] === metric);
    if (name) return gallery.nearest(query, name, k);
    gallery = gallery.vectors.slice(0, gallery.count);
  }
  const values = new Float64Array(gallery.count);
  for (let row = 0; row < values.length; row++) {
    values[row] = metric.measure(query, gallery.row(row));
  }
  return topK(values, k, metric.better);
}

/**
 * The positions of the `k` best values, best first; equal values keep their
 * order, so that a ranking is the same each time. A value that is not a number
 * ranks last.
 *
 * @param k At least 1; fewer come back where there are fewer values.
 * @param isAllowed Leaves out the positions for which it is false.
 */
export function topK(
  values: ArrayLike<number>,
  k: number,
  better: "lower" | "higher",
  isAllowed: (index: number) => boolean = () => true,
): Hit[] {
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(`topK: expected a whole k of 1 or more, got ${k}`);
  }
  const sign = better === "lower" ? 1 : -1;
  const inOrder = (a: number, b: number): number => {
    const first = sign * values[a], second = sign * values[b];
    return Number(first > second) - Number(first < second) ||
      Number(Number.isNaN(first)) - Number(Number.isNaN(second)) || a - b;
  };
  const best: number[] = [];
  // The last of the k best so far; not a number, which nothing reaches, at first.
  let limit = NaN;
  for (let index = 0; index < values.length; index++) {
    // One look passes over most values; an equal one comes after those before it.
    if (sign * values[index] >= limit || !isAllowed(index)) continue;
    best.push(index);
    if (best.length < 2 * k) continue;
    best.sort(inOrder).splice(k);
    limit = sign * values[best[k - 1]];
  }
  best.sort(inOrder).splice(k);
  return best.map((index) => ({ index, value: values[index] }));
}
