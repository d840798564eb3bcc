/**
 * Vectors of one length as the rows of a matrix, end to end in one array: the
 * one shape that vectors have here, of pixels (bytes) and of embeddings (floats).
 *
 * ```text
 * data   a₀ a₁ a₂ b₀ b₁ b₂ c₀ c₁ c₂      3 rows of 3 dimensions
 * row(1)          b₀ b₁ b₂               a view: nothing is copied
 * ```
 *
 * One array is what products of matrices, `.npy` files and NumPy want, and
 * 100,000 rows are one object to the memory's keeper instead of 100,000.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { deepEqual, equal } from "node:assert/strict";
 *
 * const matrix = Matrix.of([[1, 2], [3, 4], [5, 6]]);
 * equal(matrix.count, 3);
 * deepEqual([...matrix.row(1)], [3, 4]);
 * deepEqual(Array.from(matrix.slice(1), (row) => row[0]), [3, 5]);
 * ```
 *
 * @module
 */

/** What a matrix's numbers are kept in. */
export type Numbers = Float32Array | Uint8Array;

/** Rows of equal length. It may grow while it is read; a row never changes place. */
export class Matrix<Data extends Numbers = Float32Array>
  implements Iterable<Data> {
  /** Length of each row. */
  readonly dimensions: number;
  /** Holds the rows, and room for more behind them. */
  #room: Data;
  #count: number;

  /**
   * Takes an array of whole rows as it is, without copying it.
   *
   * @param count How many of its rows count; what is behind them is room to grow.
   * @throws {RangeError} If the array is no whole number of rows.
   */
  constructor(
    data: Data,
    dimensions: number,
    count: number = data.length / dimensions,
  ) {
    const rows = data.length / dimensions;
    if (!Number.isInteger(rows) || !(count >= 0 && count <= rows)) {
      throw new RangeError(
        `Matrix: expected whole rows of ${dimensions} numbers, got ` +
          `${data.length} numbers and ${count} rows`,
      );
    }
    this.dimensions = dimensions;
    this.#room = data;
    this.#count = count;
  }

  /**
   * An empty matrix of floats that grows by `append`.
   *
   * @param capacity Rows for which it has room at once. Memory that no row has
   *   been written to yet costs nothing but addresses.
   */
  static empty(dimensions: number, capacity = 16): Matrix {
    return new Matrix(new Float32Array(capacity * dimensions), dimensions, 0);
  }

  /**
   * A matrix of floats with a copy of each vector.
   *
   * @param dimensions Needed only where there may be no vector.
   * @throws {RangeError} If the vectors differ in length.
   */
  static of(
    vectors: readonly ArrayLike<number>[],
    dimensions: number = vectors[0]?.length ?? 0,
  ): Matrix {
    const matrix = Matrix.empty(dimensions, vectors.length);
    for (const vector of vectors) matrix.append(vector);
    return matrix;
  }

  /** How many rows there are. */
  get count(): number {
    return this.#count;
  }

  /** All rows, end to end; a view, good until the next `append`. */
  get data(): Data {
    return this.#room.subarray(0, this.#count * this.dimensions) as Data;
  }

  /**
   * A row; a view, not a copy.
   *
   * @throws {RangeError} If there is no such row.
   */
  row(index: number): Data {
    if (!(index >= 0 && index < this.#count)) {
      throw new RangeError(
        `Matrix: expected a row from 0 to ${this.#count - 1}, got ${index}`,
      );
    }
    const start = index * this.dimensions;
    return this.#room.subarray(start, start + this.dimensions) as Data;
  }

  /**
   * Adds a row. Where there is no room, the rows move to twice as much.
   *
   * @throws {RangeError} If the length differs.
   */
  append(vector: ArrayLike<number>): void {
    this.#checkLength(vector);
    const start = this.#count * this.dimensions;
    if (start === this.#room.length) this.#grow();
    this.#room.set(vector, start);
    this.#count++;
  }

  /**
   * Puts a vector into a row that there is.
   *
   * @throws {RangeError} If there is no such row, or the length differs.
   */
  set(index: number, vector: ArrayLike<number>): void {
    this.#checkLength(vector);
    this.row(index).set(vector);
  }

  /** The rows from `start` up to `end`; a view, not a copy. */
  slice(start: number, end: number = this.#count): Matrix<Data> {
    const part = this.data.subarray(
      start * this.dimensions,
      end * this.dimensions,
    );
    return new Matrix(part as Data, this.dimensions);
  }

  /** A copy of the rows at these places, in this order. */
  pick(indices: readonly number[]): Matrix<Data> {
    const copy = this.#newRoom(indices.length);
    indices.forEach((index, row) =>
      copy.set(this.row(index), row * this.dimensions)
    );
    return new Matrix(copy, this.dimensions);
  }

  /** Row by row: `for (const row of matrix)`, `const [first] = matrix`. */
  *[Symbol.iterator](): Generator<Data, void, undefined> {
    for (let index = 0; index < this.#count; index++) yield this.row(index);
  }

  #grow(): void {
    const grown = this.#newRoom(Math.max(16, 2 * this.#count));
    grown.set(this.#room);
    this.#room = grown;
  }

  #newRoom(rows: number): Data {
    const Kind = this.#room.constructor as new (length: number) => Data;
    return new Kind(rows * this.dimensions);
  }

  #checkLength(vector: ArrayLike<number>): void {
    if (vector.length !== this.dimensions) {
      throw new RangeError(
        `Matrix: expected a vector of ${this.dimensions} numbers, got ` +
          `${vector.length}`,
      );
    }
  }
}
