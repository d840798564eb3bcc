/**
 * Rows in 8 bits, and how good the value between a query and each row can be at
 * best, whatever the bits left out. For codes ĝ of a vector g, and q̂ of a query:
 *
 * ```text
 * |g·q − ĝ·q̂|  ≤  ‖g − ĝ‖ ‖q‖ + ‖ĝ‖ ‖q − q̂‖        (Cauchy and Schwarz)
 * |‖g − q‖₁ − ‖ĝ − q‖₁|  ≤  ‖g − ĝ‖₁                 (the triangle's inequality)
 * ```
 *
 * From the product, L2 is √(‖g‖² + ‖q‖² − 2 g·q), cosine g·q / (‖g‖ ‖q‖), and
 * correlation that of g and q less their means, of which one need not be taken:
 * g·(q − mean) is the same as (g − mean)·(q − mean).
 *
 * Reads only its kernels, code_sums.as.ts.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { QuantizedRows } from "#lib/compare/quantized_rows.ts";
 * import { ok } from "node:assert/strict";
 *
 * const rows = new QuantizedRows(1, 2);
 * rows.take(0, Matrix.of([[3, 4]]));
 * const [best] = rows.bounds([0, 0], "l2", 1);
 * ok(best <= 5 && best > 4.9);
 * ```
 *
 * @module
 */
import { CodeMemory, LARGEST_NUMBER } from "./code_pass.ts";
import type { Matrix } from "./matrix.ts";
import type { MetricName, Vector } from "./metrics.ts";

/** What is kept of a row beside its codes, by places in its facts. */
const LENGTH = 0, SPREAD = 1, ERROR = 2, L1_ERROR = 3, SCALE = 4, FACTS = 5;

/** How much a sum of float64 can be off, by a share; far more than it is. */
const ROUNDING = 1e-11;

/** Rows of codes, and what is known of the vectors that they stand for. */
export class QuantizedRows {
  #codes: CodeMemory;
  #facts: Float64Array;
  /** Codes on their way into a row. */
  readonly #row: Int8Array;

  /**
   * Makes room for so many vectors of so many numbers.
   *
   * @throws {RangeError} If it would be larger than 4 GB, or a vector too long.
   */
  constructor(capacity: number, dimensions: number) {
    this.#codes = new CodeMemory(capacity, dimensions);
    this.#facts = new Float64Array(FACTS * this.#codes.capacity);
    this.#row = new Int8Array(dimensions);
  }

  /** Makes room for `count` rows, of which the first `kept` are there. */
  reserve(count: number, kept: number): void {
    if (count <= this.#codes.capacity) return;
    const room = Math.max(count, 2 * kept);
    const codes = new CodeMemory(room, this.#row.length);
    codes.copy(this.#codes, kept);
    this.#codes = codes;
    const facts = new Float64Array(FACTS * codes.capacity);
    facts.set(this.#facts.subarray(0, FACTS * kept));
    this.#facts = facts;
  }

  /** Makes a row's codes, and what is known of it, from that row of a matrix. */
  take(row: number, { data, dimensions }: Matrix): void {
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

  /**
   * The best that each row's value can be, from a pass over the codes.
   *
   * @param count How many rows, from the first on.
   * @returns The lower, the better: a similarity with its sign turned. What is
   *   infinite or no number says nothing of its row.
   */
  bounds(query: Vector, metric: MetricName, count: number): Float64Array {
    return metric === "l1"
      ? this.#differenceBounds(query, count)
      : this.#productBounds(query, metric, count);
  }

  #differenceBounds(query: Vector, count: number): Float64Array {
    const bounds = this.#codes.differences(query, count);
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

  #productBounds(
    query: Vector,
    metric: MetricName,
    count: number,
  ): Float64Array {
    const { numbers, length, rest } = known(query, metric);
    const largest = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const scale = largest / LARGEST_NUMBER || 1;
    const codes = numbers.map((number) => Math.round(number / scale));
    let errors = 0;
    for (let i = 0; i < numbers.length; i++) {
      errors += (numbers[i] - scale * codes[i]) ** 2;
    }
    const error = Math.sqrt(errors) + rest;
    const bounds = this.#codes.products(codes, count);
    const facts = this.#facts;
    for (let row = 0, at = 0; row < bounds.length; row++, at += FACTS) {
      const off = facts[at + ERROR];
      bounds[row] = bounds[row] * scale * facts[at + SCALE] + off * length +
        (facts[at + LENGTH] + off) * error;
    }
    return this.#fromProducts(bounds, metric, length);
  }

  /**
   * The same from the rows' products in 32-bit floats, with the query or, for
   * correlation, with the query less its mean.
   */
  boundsOfProducts(
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
export function withoutMean(vector: Vector): Float64Array {
  const numbers = Float64Array.from(vector);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / vector.length;
  return numbers.map((number) => number - mean);
}
