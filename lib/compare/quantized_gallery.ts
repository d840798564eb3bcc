/**
 * A gallery of embeddings that is searched in 8 bits first: the same results as
 * comparing the query with every vector, for a fourth of the memory read, and a
 * fourth more held.
 *
 * Beside each vector g stands a copy ĝ of codes from -127 to 127, with a scale
 * of its own, and how far the copy is off: ‖g − ĝ‖. A pass over the codes gives
 * an estimate of the value of each row, and with it the best that the true one
 * can be:
 *
 * ```text
 * |g·q − ĝ·q̂|  ≤  ‖g − ĝ‖ ‖q‖ + ‖ĝ‖ ‖q − q̂‖        (Cauchy and Schwarz)
 * |‖g − q‖₁ − ‖ĝ − q‖₁|  ≤  ‖g − ĝ‖₁                 (the triangle's inequality)
 * ```
 *
 * Then k rows are compared exactly, and after them every row that could still be
 * better than the worst of these; no other one can be among the k best.
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
import { CodeMemory, LARGEST_NUMBER } from "./code_pass.ts";
import { type Hit, topK } from "./compare.ts";
import { Matrix } from "./matrix.ts";
import { multiplyRows } from "./matrix_product.ts";
import { type MetricName, metrics, type Vector } from "./metrics.ts";

/** What is kept of a row beside its codes, by places in `#facts`. */
const LENGTH = 0, SPREAD = 1, ERROR = 2, L1_ERROR = 3, SCALE = 4, FACTS = 5;

/** How much a sum of float64 can be off, by a share; far more than it is. */
const ROUNDING = 1e-11;

/** Products in memory at once, of 4 bytes each. */
const BATCH_VALUES = 2 ** 22;

/** Vectors, and a copy of them in 8 bits. */
export class QuantizedGallery {
  /** The vectors themselves. One that changes is given to `refresh`. */
  readonly vectors: Matrix;
  #count = 0;
  /** How often rows were taken over. */
  #turn = 0;
  #codes: CodeMemory;
  #facts: Float64Array;
  /** Codes on their way into a row. */
  readonly #row: Int8Array;

  /** Takes over the vectors; what is appended later counts after a `refresh`. */
  static of(vectors: Matrix): QuantizedGallery {
    return new QuantizedGallery(vectors);
  }

  private constructor(vectors: Matrix) {
    this.vectors = vectors;
    this.#codes = new CodeMemory(vectors.count, vectors.dimensions);
    this.#facts = new Float64Array(FACTS * this.#codes.capacity);
    this.#row = new Int8Array(vectors.dimensions);
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
    const { count, dimensions } = this.vectors;
    const before = Math.min(this.#count, count);
    if (count > this.#codes.capacity) {
      const room = Math.max(count, 2 * before);
      const codes = new CodeMemory(room, dimensions);
      codes.copy(this.#codes, before);
      this.#codes = codes;
      const facts = new Float64Array(FACTS * codes.capacity);
      facts.set(this.#facts.subarray(0, FACTS * before));
      this.#facts = facts;
    }
    this.#turn++;
    for (let row = before; row < count; row++) this.#take(row);
    for (const row of changed) if (row < before) this.#take(row);
    this.#count = count;
  }

  /**
   * The `k` rows nearest to the query, best first, with their exact values: what
   * comparing it with all of them finds.
   *
   * @param passes Leaves out the rows for which it is false.
   * @throws {RangeError} If the query has another length, or k is not a whole
   *   number of 1 or more.
   */
  nearest(
    query: Vector,
    metric: MetricName,
    k: number,
    passes?: (row: number) => boolean,
  ): Hit[] {
    this.#check(query.length);
    return this.#best(query, metric, k, this.#bounds(query, metric), passes);
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
          ? this.#floatBounds(query, metric, products.row(i))
          : this.#bounds(query, metric);
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
    const { measure, better } = metrics[metric];
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

  /** The best that each row's value can be; the lower, the better. */
  #bounds(query: Vector, metric: MetricName): Float64Array {
    return metric === "l1"
      ? this.#differenceBounds(query)
      : this.#productBounds(query, metric);
  }

  #differenceBounds(query: Vector): Float64Array {
    const bounds = this.#codes.differences(query, this.#count);
    let sum = 0;
    for (let i = 0; i < query.length; i++) sum += Math.abs(query[i]);
    // What rounding to 32 bits can come to; four lanes add up a fourth each.
    const step = 2 ** -23, share = 1 - step * (query.length / 4 + 16);
    const rounding = 2 * step * sum + query.length * 2 ** -146;
    for (let row = 0, at = 0; row < bounds.length; row++, at += FACTS) {
      bounds[row] = bounds[row] * share - rounding - this.#facts[at + L1_ERROR];
    }
    return bounds;
  }

  /** From products of codes. */
  #productBounds(query: Vector, metric: MetricName): Float64Array {
    const { numbers, length, rest } = known(query, metric);
    const largest = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const scale = largest / LARGEST_NUMBER || 1;
    const codes = numbers.map((number) => Math.round(number / scale));
    let errors = 0;
    for (let i = 0; i < numbers.length; i++) {
      errors += (numbers[i] - scale * codes[i]) ** 2;
    }
    const error = Math.sqrt(errors) + rest;
    const bounds = this.#codes.products(codes, this.#count);
    const facts = this.#facts;
    for (let row = 0, at = 0; row < bounds.length; row++, at += FACTS) {
      const off = facts[at + ERROR];
      bounds[row] = bounds[row] * scale * facts[at + SCALE] + off * length +
        (facts[at + LENGTH] + off) * error;
    }
    return this.#fromProducts(bounds, metric, length);
  }

  /** From products of 32-bit floats. */
  #floatBounds(
    query: Vector,
    metric: MetricName,
    products: Float32Array,
  ): Float64Array {
    const { length, rest } = known(query, metric);
    // What rounding comes to at most, in whatever order they are added up.
    const tiny = query.length * 2 ** -125; // may count as 0
    const error = (query.length + 2) * 2 ** -23 * length + rest + tiny;
    const bounds = Float64Array.from(products);
    for (let row = 0, at = 0; row < bounds.length; row++, at += FACTS) {
      bounds[row] += this.#facts[at + LENGTH] * error + tiny * (1 + length);
    }
    return this.#fromProducts(bounds, metric, length);
  }

  /** Bounds of values in place of the most that products can be. */
  #fromProducts(
    bounds: Float64Array,
    metric: MetricName,
    length: number,
  ): Float64Array {
    const facts = this.#facts, squares = length * length;
    const divisor = metric === "cosine" ? LENGTH : SPREAD;
    for (let row = 0, at = 0; row < bounds.length; row++, at += FACTS) {
      const rowLength = facts[at + LENGTH];
      const most = bounds[row] + ROUNDING * rowLength * length;
      if (metric === "l2") {
        const both = (rowLength * rowLength + squares) * (1 - ROUNDING);
        bounds[row] = Math.sqrt(Math.max(0, both - 2 * most));
      } else bounds[row] = -most / (length * facts[at + divisor]);
    }
    return bounds;
  }

  /** Makes a row's codes, and what is known of it. */
  #take(row: number): void {
    const { data, dimensions } = this.vectors;
    const start = row * dimensions, end = start + dimensions;
    let sum = 0, largest = 0;
    for (let i = start; i < end; i++) {
      sum += data[i];
      largest = Math.max(largest, Math.abs(data[i]));
    }
    const mean = sum / dimensions, scale = Math.fround(largest / 127);
    const codes = this.#row;
    let squares = 0, spread = 0, errors = 0, l1Error = 0;
    for (let i = start; i < end; i++) {
      const number = data[i];
      // Math.round() would take five times as long.
      codes[i - start] = scale > 0 ? Math.floor(number / scale + 0.5) : 0;
      const off = number - scale * codes[i - start];
      squares += number * number;
      spread += (number - mean) * (number - mean);
      errors += off * off;
      l1Error += Math.abs(off);
    }
    this.#codes.set(row, codes, scale);
    const facts = this.#facts, at = FACTS * row;
    facts[at + LENGTH] = Math.sqrt(squares);
    facts[at + SPREAD] = Math.sqrt(spread);
    facts[at + ERROR] = Math.sqrt(errors);
    facts[at + L1_ERROR] = l1Error;
    facts[at + SCALE] = scale;
  }
}

/** A query's numbers as its products are taken, and what is known of them. */
function known(query: Vector, metric: MetricName) {
  const isCentred = metric === "correlation";
  const numbers = isCentred ? withoutMean(query) : Float64Array.from(query);
  let sum = 0, squares = 0;
  for (const number of numbers) {
    sum += number;
    squares += number * number;
  }
  // Less the mean, they add up to 0, but for a rest that rounding leaves.
  const rest = isCentred ? Math.abs(sum) : 0;
  return { numbers, length: Math.sqrt(squares), rest };
}

/** The numbers less their mean. */
function withoutMean(vector: Vector): Float64Array {
  const numbers = Float64Array.from(vector);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / vector.length;
  return numbers.map((number) => number - mean);
}
