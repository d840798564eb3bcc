/**
 * A gallery of pixels, compared with queries as fast as memory can be read.
 *
 * The values are those of the pair functions in metrics.ts: equal for L1, L2
 * and cosine, where all sums are whole numbers and exact, and within 1e-12 for
 * correlation. Three of the metrics are computed from one sum of products,
 * with each picture's own sums known beforehand:
 *
 * ```text
 * L2           √(Σg² + Σq² − 2Σgq)
 * cosine       Σgq / √(Σg² Σq²)
 * correlation  the cosine of Σgq − ΣgΣq/D, Σg² − (Σg)²/D, Σq² − (Σq)²/D
 * ```
 *
 * Reads only its kernels, pixel_sums.as.ts.
 *
 * ```ts
 * import { PixelGallery } from "#lib/compare/pixel_gallery.ts";
 * import { l1Distance } from "#lib/compare/metrics.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const pictures = [Uint8Array.of(0, 9, 200), Uint8Array.of(5, 5, 180)];
 * const query = Uint8Array.of(1, 8, 190);
 * const gallery = new PixelGallery(pictures.length, 3);
 * pictures.forEach((picture, row) => gallery.set(row, picture));
 * const [values] = gallery.compare([query], "l1");
 * deepEqual([...values], pictures.map((picture) => l1Distance(query, picture)));
 * ```
 *
 * @module
 */
import { type Kernels, openKernels } from "../pictures/kernels.ts";
import { cosineOfSums, type MetricName } from "./metrics.ts";

/** The most that a WebAssembly memory can hold, in bytes. */
export const LARGEST_GALLERY_BYTES = 2 ** 32;

/** How many queries are compared together, in little more time than one. */
export const QUERIES_A_PASS = 4;

const KERNELS = new URL("./pixel_sums.wasm", import.meta.url);

/** A vector's own sums. */
interface Sums {
  sum: number;
  squares: number;
}

/** Vectors of bytes, all of one length, side by side in one memory. */
export class PixelGallery {
  /** How many vectors it holds. */
  readonly count: number;
  /** Length D of each. */
  readonly length: number;
  readonly #buffer: ArrayBuffer;
  readonly #kernels: Kernels;
  /** From one row to the next: the length, rounded up to 16 bytes. */
  readonly #rowBytes: number;
  readonly #rowSums: Sums[];

  /**
   * Makes room for `count` vectors; they are all zeros until set.
   *
   * @throws {RangeError} If it would be larger than 4 GB.
   */
  constructor(count: number, length: number) {
    this.count = count;
    this.length = length;
    this.#rowBytes = Math.ceil(length / 16) * 16;
    // After the rows lie the queries of a pass, then the sums of four pairs.
    const bytes = (count + QUERIES_A_PASS) * this.#rowBytes + 4 * 8;
    if (!(count >= 1 && length >= 1) || bytes > LARGEST_GALLERY_BYTES) {
      throw new RangeError(
        `PixelGallery: expected 1 vector or more and 4 GB at most, got ` +
          `${count} vectors of ${length} bytes`,
      );
    }
    const memory = new WebAssembly.Memory({
      initial: Math.ceil(bytes / 2 ** 16),
    });
    this.#buffer = memory.buffer as ArrayBuffer;
    this.#kernels = openKernels(KERNELS, memory);
    this.#rowSums = new Array(count).fill({ sum: 0, squares: 0 });
  }

  /**
   * Puts a vector into the gallery.
   *
   * @throws {RangeError} If there is no such row, or the length differs.
   */
  set(row: number, vector: Uint8Array): void {
    this.#checkLength(vector);
    this.#row(row).set(vector);
    this.#rowSums[row] = sumsOf(vector);
  }

  /** A copy of the vector in a row. */
  get(row: number): Uint8Array {
    return this.#row(row).slice();
  }

  /**
   * Compares queries with the whole gallery.
   *
   * @param queries Vectors of the gallery's length, any number of them.
   * @param rows How many rows, from the first on; all where left out.
   * @returns For each query its value with each row.
   * @throws {RangeError} If a length differs, or there are fewer rows.
   */
  compare(
    queries: readonly Uint8Array[],
    metric: MetricName,
    rows: number = this.count,
  ): Float64Array[] {
    queries.forEach((query) => this.#checkLength(query));
    if (!(rows >= 1 && rows <= this.count)) {
      throw new RangeError(
        `PixelGallery: expected 1 to ${this.count} rows, got ${rows}`,
      );
    }
    const kernel = this.#kernels[metric === "l1" ? "differences" : "products"];
    const size = this.#rowBytes, queriesAt = this.count * size;
    const sumsAt = queriesAt + QUERIES_A_PASS * size;
    const sums = new Float64Array(this.#buffer, sumsAt, 4);
    const values = queries.map(() => new Float64Array(rows));
    for (let first = 0; first < queries.length; first += QUERIES_A_PASS) {
      const pass = queries.slice(first, first + QUERIES_A_PASS);
      const ofQueries = pass.map(sumsOf);
      pass.forEach((query, q) =>
        new Uint8Array(this.#buffer).set(query, queriesAt + q * size)
      );
      // A kernel compares one vector with the four from an address on: a row
      // with the queries, or one query with four rows. Those too many are left.
      const alone = pass.length === 1;
      for (let row = 0; row < rows; row += alone ? 4 : 1) {
        if (alone) kernel(queriesAt, row * size, size, sumsAt);
        else kernel(row * size, queriesAt, size, sumsAt);
        for (let i = 0; i < 4; i++) {
          const q = alone ? 0 : i, r = alone ? row + i : row;
          if (q >= pass.length || r >= rows) break;
          const [ofRow, ofQuery] = [this.#rowSums[r], ofQueries[q]];
          values[first + q][r] = this.#value(metric, sums[i], ofRow, ofQuery);
        }
      }
    }
    return values;
  }

  #row(row: number): Uint8Array {
    if (!(row in this.#rowSums)) {
      throw new RangeError(
        `PixelGallery: expected a row from 0 to ${this.count - 1}, got ${row}`,
      );
    }
    return new Uint8Array(this.#buffer, row * this.#rowBytes, this.length);
  }

  #checkLength({ length }: Uint8Array): void {
    if (length === this.length) return;
    throw new RangeError(
      `PixelGallery: expected a vector of ${this.length} bytes, got ${length}`,
    );
  }

  /** A metric's value, from the sum that its kernel took over a row and a query. */
  #value(metric: MetricName, sum: number, row: Sums, query: Sums): number {
    if (metric === "l1") return sum;
    // Whole numbers and exact, so never below 0.
    if (metric === "l2") {
      return Math.sqrt(row.squares + query.squares - 2 * sum);
    }
    if (metric === "cosine") {
      return cosineOfSums(sum, query.squares, row.squares);
    }
    // Dividing first is exact where all values are equal, so that the spread of
    // such a vector is 0 and not a hair away from it.
    const centred = (of: number, a: Sums, b: Sums) =>
      of - a.sum * (b.sum / this.length);
    return cosineOfSums(
      centred(sum, query, row),
      centred(query.squares, query, query),
      centred(row.squares, row, row),
    );
  }
}

function sumsOf(vector: Uint8Array): Sums {
  let sum = 0, squares = 0;
  for (let i = 0; i < vector.length; i++) {
    sum += vector[i];
    squares += vector[i] * vector[i];
  }
  return { sum, squares };
}
