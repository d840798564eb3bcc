/**
 * Exact search: compare the query with everything, keep the best.
 *
 * Touches no files.
 *
 * ```ts
 * import { metrics } from "#lib/compare/metrics.ts";
 * import { search } from "#lib/compare/compare.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const gallery = [[0, 9], [5, 5], [1, 8]];
 * deepEqual(search([0, 8], gallery, metrics.l1, 2), [
 *   { index: 0, value: 1 },
 *   { index: 2, value: 1 },
 * ]);
 * ```
 *
 * @module
 */
import type { Metric, Vector } from "./metrics.ts";

/** One result: which gallery item, and how it compared. */
export interface Hit {
  /** Position in the gallery. */
  index: number;
  /** The metric's value between the query and this item. */
  value: number;
}

/**
 * The `k` gallery items most like the query, best first.
 *
 * @param query A vector of length D.
 * @param gallery Vectors of length D.
 * @param k How many; the whole gallery, ranked, where left out.
 * @throws {RangeError} If the gallery is empty, or lengths differ.
 */
export function search(
  query: Vector,
  gallery: readonly Vector[],
  metric: Metric,
  k: number = gallery.length,
): Hit[] {
  if (gallery.length === 0) {
    throw new RangeError(
      "search: the gallery is empty: there is nothing to compare with",
    );
  }
  const values = Float64Array.from(
    gallery,
    (vector) => metric.measure(query, vector),
  );
  return topK(values, k, metric.better);
}

/**
 * The positions of the `k` best values, best first; equal values keep their
 * order, so that a ranking is the same each time.
 *
 * Sorts everything: n log n. A value that is not a number ranks last.
 *
 * @param k At least 1; fewer come back where there are fewer values.
 */
export function topK(
  values: ArrayLike<number>,
  k: number,
  better: "lower" | "higher",
): Hit[] {
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(`topK: expected a whole k of 1 or more, got ${k}`);
  }
  const sign = better === "lower" ? 1 : -1;
  const worst = sign * Infinity;
  const hits = Array.from(values, (value, index) => ({ index, value }));
  const key = ({ value }: Hit) => Number.isNaN(value) ? worst : value;
  hits.sort((a, b) =>
    key(a) === key(b) ? a.index - b.index : sign * (key(a) - key(b))
  );
  return hits.slice(0, k);
}
