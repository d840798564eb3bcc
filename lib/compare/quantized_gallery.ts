/**
 * A gallery of embeddings that is searched in 8 bits first: the same results as
 * comparing the query with every vector, for a fourth of the memory read, and a
 * fourth more held.
 *
 * A pass over codes of 8 bits (quantized_rows.ts) tells for each row the best
 * that its value can be. Then k rows are compared exactly, and after them every
 * row that could still be better than the worst of these: no other one can be
 * among the k best. Of clustered vectors that is some 20 of 100,000.
 *
 * Reads only its kernels, code_sums.as.ts.
 *
 * ```ts
 * import { QuantizedGallery } from "#lib/compare/quantized_gallery.ts";
 * import { search } from "#lib/compare/compare.ts";
 * import { clusteredVectors } from "#lib/compare/synthetic.ts";
 * import { metrics } from "#lib/compare/metrics.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const vectors = clusteredVectors(1000, 64);
 * const gallery = QuantizedGallery.of(vectors);
 * deepStrictEqual(
 *   gallery.nearest(vectors.row(7), "cosine", 5),
 *   search(vectors.row(7), vectors, metrics.cosine, 5),
 * );
 * ```
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";
import { type FastGallery, type Hit, topK } from "./compare.ts";
import { Matrix } from "./matrix.ts";
import { multiplyRows } from "./matrix_product.ts";
import { type MetricName, metricOf, type Vector } from "./metrics.ts";
import { QuantizedRows, withoutMean } from "./quantized_rows.ts";

/** Products in memory at once, of 4 bytes each. */
const BATCH_VALUES = 2 ** 22;

/** Vectors, and a copy of them in 8 bits. */
export class QuantizedGallery implements FastGallery {
  /** The vectors themselves. One that changes is given to `refresh`. */
  readonly vectors: Matrix;
  #count = 0;
  /** How often rows were taken over. */
  #turn = 0;
  readonly #rows: QuantizedRows;

  /** Takes over the vectors; what is appended later counts after a `refresh`. */
  static of(vectors: Matrix): QuantizedGallery {
    return new QuantizedGallery(vectors);
  }

  private constructor(vectors: Matrix) {
    this.vectors = vectors;
    this.#rows = new QuantizedRows(vectors.count, vectors.dimensions);
    this.refresh();
  }

  /** How many vectors are searched. */
  get count(): number {
    return this.#count;
  }

  /** Length of each. */
  get dimensions(): number {
    return this.vectors.dimensions;
  }

  /**
   * Takes over rows that were appended to `vectors` or taken from its end, and
   * those that were changed.
   */
  refresh(changed: Iterable<number> = []): void {
    const { vectors } = this, { count } = vectors;
    const before = Math.min(this.#count, count);
    this.#rows.reserve(count, before);
    this.#turn++;
    for (let row = before; row < count; row++) this.#rows.take(row, vectors);
    for (const row of changed) {
      if (row < before) this.#rows.take(row, vectors);
    }
    this.#count = count;
  }

  /**
   * The `k` rows nearest to the query, best first, with their exact values: what
   * comparing it with all of them finds.
   *
   * @param passes Leaves out the rows for which it is false.
   * @throws {RangeError} If the query has another length, the metric is none, or
   *   k is not a whole number of 1 or more.
   */
  nearest(
    query: Vector,
    metric: MetricName,
    k: number,
    passes?: (row: number) => boolean,
  ): Hit[] {
    this.#check(query.length);
    metricOf(metric);
    const bounds = this.#rows.bounds(query, metric, this.#count);
    return this.#best(query, metric, k, bounds, passes);
  }

  /**
   * The same for many queries at once, in less time each: their products with
   * all rows are one of matrices then.
   *
   * @param each Is given each query's hits, while rows are what they were.
   * @returns What it makes of them.
   */
  async nearestBatch<Result>(
    queries: Matrix,
    metric: MetricName,
    k: number,
    each: (hits: Hit[]) => Result,
    passes?: (row: number) => boolean,
  ): Promise<Result[]> {
    if (queries.count > 0) this.#check(queries.dimensions);
    metricOf(metric);
    const results: Result[] = [];
    const step = Math.ceil(BATCH_VALUES / Math.max(1, this.#count));
    for (let start = 0; start < queries.count; start += step) {
      const some = queries.slice(start, start + step);
      const turn = this.#turn;
      const products = metric === "l1" ? undefined : await multiplyRows(
        metric === "correlation"
          ? Matrix.of(Array.from(some, withoutMean))
          : some,
        this.vectors.slice(0, this.#count),
      );
      for (let i = 0; i < some.count; i++) {
        const query = some.row(i);
        // Rows that have changed meanwhile have other products.
        const bounds = products && turn === this.#turn
          ? this.#rows.boundsOfProducts(query, metric, products.row(i))
          : this.#rows.bounds(query, metric, this.#count);
        results.push(each(this.#best(query, metric, k, bounds, passes)));
      }
      await setImmediate(); // others get a turn
    }
    return results;
  }

  #check(length: number): void {
    if (length === this.dimensions) return;
    throw new RangeError(
      `QuantizedGallery: expected a query of ${this.dimensions} numbers, ` +
        `got ${length}`,
    );
  }

  /** The best rows, of which it is known how good each can be. */
  #best(
    query: Vector,
    metric: MetricName,
    k: number,
    bounds: Float64Array,
    passes?: (row: number) => boolean,
  ): Hit[] {
    const { measure, better } = metricOf(metric);
    const sign = better === "lower" ? 1 : -1;
    const compare = (rows: readonly number[]): Hit[] => {
      const values = Float64Array.from(
        rows,
        (row) => measure(query, this.vectors.row(row)),
      );
      return topK(values, k, better)
        .map(({ index, value }) => ({ index: rows[index], value }));
    };
    const first = topK(bounds, k, "lower", passes).map(({ index }) => index);
    const worst = first.length < k ? undefined : compare(first).at(-1);
    const limit = worst === undefined ? NaN : sign * worst.value;
    const rows: number[] = [];
    for (let row = 0; row < bounds.length; row++) {
      // Past all numbers, and what is none, is not known to be worse.
      const isWorse = bounds[row] > limit && bounds[row] < Infinity;
      if (isWorse || (passes && !passes(row))) continue;
      rows.push(row);
    }
    return compare(rows);
  }
}
