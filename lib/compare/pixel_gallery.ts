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
 * Touches no files.
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
import {
  compilePixelKernels,
  type PixelKernels,
  QUERIES_A_PASS,
} from "./pixel_kernels.ts";
import { cosineOfSums, type MetricName } from "./metrics.ts";

/** The most that a WebAssembly memory can hold, in bytes. */
export const LARGEST_GALLERY_BYTES = 2 ** 32;

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
  readonly #kernels: PixelKernels;
  /** From one row to the next: the length, rounded up to 16 bytes. */
  readonly #rowBytes: number;
  /** Where queries are laid out for a pass, and where its sums arrive. */
  readonly #queriesAt: number;
  readonly #sumsAt: number;
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
    this.#queriesAt = count * this.#rowBytes;
    // Room for queries of 16-bit numbers, and for sums of 8 bytes.
    this.#sumsAt = this.#queriesAt + 2 * QUERIES_A_PASS * this.#rowBytes;
    const bytes = this.#sumsAt + 8 * QUERIES_A_PASS * count;
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
    this.#kernels = compilePixelKernels(memory);
    this.#rowSums = new Array(count).fill({ sum: 0, squares: 0 });
  }

  /**
   * Puts a vector into the gallery.
   *
   * @throws {RangeError} If there is no such row, or the length differs.
   */
  set(row: number, vector: Uint8Array): void {
    this.#checkLength(vector);
    this.get(row).set(vector);
    this.#rowSums[row] = sumsOf(vector);
  }

  /** The vector in a row; not a copy. */
  get(row: number): Uint8Array {
    if (!(row in this.#rowSums)) {
      throw new RangeError(
        `PixelGallery: expected a row from 0 to ${this.count - 1}, got ${row}`,
      );
    }
    return new Uint8Array(this.#buffer, row * this.#rowBytes, this.length);
  }

  /**
   * Compares queries with the whole gallery.
   *
   * @param queries Vectors of the gallery's length. Four together take little
   *   longer than two alone.
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
    const values: Float64Array[] = [];
    for (let start = 0; start < queries.length; start += QUERIES_A_PASS) {
      const pass = queries.slice(start, start + QUERIES_A_PASS);
      values.push(...this.#compareInOnePass(pass, metric, rows));
    }
    return values;
  }

  #compareInOnePass(
    queries: readonly Uint8Array[],
    metric: MetricName,
    rows: number,
  ): Float64Array[] {
    const kernel = metric === "l1" ? "differences" : "products";
    const size = QUERIES_A_PASS * this.#rowBytes;
    const laidOut = metric === "l1"
      ? new Uint8Array(this.#buffer, this.#queriesAt, size)
      : new Uint16Array(this.#buffer, this.#queriesAt, size);
    queries.forEach((query, q) => layOut(query, laidOut, q, queries.length));
    this.#kernels[kernel][queries.length](
      0,
      rows * this.#rowBytes,
      this.#rowBytes,
      this.#queriesAt,
      this.#sumsAt,
    );
    const sums = new Float64Array(
      this.#buffer,
      this.#sumsAt,
      rows * queries.length,
    );
    return queries.map((query, q) => {
      const ofQuery = sumsOf(query);
      return Float64Array.from({ length: rows }, (_, row) => {
        const sum = sums[row * queries.length + q];
        const ofRow = this.#rowSums[row];
        return valueOf(metric, sum, ofRow, ofQuery, this.length);
      });
    });
  }

  #checkLength(vector: Uint8Array): void {
    if (vector.length !== this.length) {
      throw new RangeError(
        `PixelGallery: expected a vector of ${this.length} bytes, got ` +
          `${vector.length}`,
      );
    }
  }
}

/** Puts query `q` of `count` where the kernels look: 16 values of each in turn. */
function layOut(
  query: Uint8Array,
  to: Uint8Array | Uint16Array,
  q: number,
  count: number,
): void {
  for (let start = 0; start < query.length; start += 16) {
    const at = start * count + 16 * q;
    const end = Math.min(16, query.length - start);
    for (let i = 0; i < end; i++) to[at + i] = query[start + i];
    for (let i = end; i < 16; i++) to[at + i] = 0;
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

/** A metric's value, from the sum that its kernel took over a row and a query. */
function valueOf(
  metric: MetricName,
  sum: number,
  row: Sums,
  query: Sums,
  length: number,
): number {
  switch (metric) {
    case "l1":
      return sum;
    case "l2":
      return Math.sqrt(row.squares + query.squares - 2 * sum);
    case "cosine":
      return cosineOfSums(sum, query.squares, row.squares);
    case "correlation": {
      // Dividing first is exact where all values are equal, so that the
      // spread of such a vector is 0 and not a hair away from it.
      const centred = (of: number, a: Sums, b: Sums) =>
        of - a.sum * (b.sum / length);
      return cosineOfSums(
        centred(sum, query, row),
        centred(query.squares, query, query),
        centred(row.squares, row, row),
      );
    }
  }
}
