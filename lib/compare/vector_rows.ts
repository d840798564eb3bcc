/**
 * Vectors of one length, row after row, that may grow while they are searched.
 *
 * Rows are kept in blocks of 64 MB or so, so growing copies nothing. A dot
 * product with every row runs in onnxruntime, on its own threads: 100,000 rows
 * of 512 numbers take some 25 ms on two cores, and the server goes on meanwhile.
 *
 * Touches no files.
 *
 * ```ts
 * import { VectorRows } from "#lib/compare/vector_rows.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const rows = new VectorRows(2);
 * rows.append(Float32Array.of(1, 0));
 * rows.append(Float32Array.of(0.6, 0.8));
 * deepEqual([...await rows.dot(Float32Array.of(1, 0))], [1, Math.fround(0.6)]);
 * ```
 *
 * @module
 */
import { multiplyRows } from "./matrix_product.ts";

const BLOCK_BYTES = 2 ** 26;

/** Rows of float32 numbers. */
export class VectorRows {
  /** Length of each row. */
  readonly dimensions: number;
  #blocks: Float32Array[] = [];
  #blockRows: number;
  #count = 0;

  /** @param dimensions Length of each row. */
  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.#blockRows = Math.max(1, Math.floor(BLOCK_BYTES / 4 / dimensions));
  }

  /** How many rows there are. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds a row.
   *
   * @throws {RangeError} If the length differs.
   */
  append(vector: Float32Array): void {
    this.#checkLength(vector);
    const place = this.#count % this.#blockRows;
    if (place === 0) this.#blocks.push(this.#newBlock());
    const block = this.#roomFor(place);
    block.set(vector, place * this.dimensions);
    this.#count++;
  }

  /** A row; not a copy. */
  row(index: number): Float32Array {
    if (!(index >= 0 && index < this.#count)) {
      throw new RangeError(
        `VectorRows: expected a row from 0 to ${this.#count - 1}, got ${index}`,
      );
    }
    const start = (index % this.#blockRows) * this.dimensions;
    return this.#blocks[Math.floor(index / this.#blockRows)]
      .subarray(start, start + this.dimensions);
  }

  /**
   * The dot product of a vector with every row that there is at the call.
   *
   * @param limit Only with so many rows, from the first on.
   * @throws {RangeError} If the length differs.
   */
  async dot(
    vector: Float32Array,
    limit: number = Infinity,
  ): Promise<Float32Array> {
    this.#checkLength(vector);
    const count = Math.min(limit, this.#count);
    const values = new Float32Array(count);
    for (let start = 0; start < count; start += this.#blockRows) {
      const rows = Math.min(this.#blockRows, count - start);
      const data = this.#blocks[start / this.#blockRows]
        .subarray(0, rows * this.dimensions);
      const part = await multiplyRows({ data, rows }, {
        data: vector,
        rows: 1,
      });
      values.set(part, start);
    }
    return values;
  }

  /** Blocks start small, so that a hundred pictures do not take 64 MB. */
  #newBlock(): Float32Array {
    const rows = this.#blocks.length === 0
      ? Math.min(256, this.#blockRows)
      : this.#blockRows;
    return new Float32Array(rows * this.dimensions);
  }

  /** The last block, grown to twice its size where it is full. */
  #roomFor(place: number): Float32Array {
    const block = this.#blocks.at(-1)!;
    const rows = block.length / this.dimensions;
    if (place < rows) return block;
    const grown = new Float32Array(
      Math.min(2 * rows, this.#blockRows) * this.dimensions,
    );
    grown.set(block);
    this.#blocks[this.#blocks.length - 1] = grown;
    return grown;
  }

  #checkLength(vector: Float32Array): void {
    if (vector.length !== this.dimensions) {
      throw new RangeError(
        `VectorRows: expected a vector of ${this.dimensions} numbers, got ` +
          `${vector.length}`,
      );
    }
  }
}
