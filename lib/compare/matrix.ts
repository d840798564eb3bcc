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
 * deepEqual(Array.from(matrix.slice(1), ([first]) => first), [3, 5]);
 * ```
 *
 * @module
 */

/** What a matrix's numbers are kept in. */
export type Numbers = Float32Array | Uint8Array;

/** Rows of equal length. It may grow while it is read. */
export class Matrix<Data extends Numbers = Float32Array>
  implements Iterable<Data> {
  /** Length of each row. */
  readonly dimensions: number;
  /** All rows, end to end; another array after an `append`. */
  data: Data;
  /** Begins with `data`, and has room behind it. */
  #room: Data;

  /**
   * Takes an array of whole rows as it is, without copying it.
   *
   * @throws {RangeError} If the array is no whole number of rows.
   */
  constructor(data: Data, dimensions: number) {
    if (data.length > 0 && !Number.isInteger(data.length / dimensions)) {
      throw new RangeError(
        `Matrix: expected whole rows of ${dimensions} numbers, got ` +
          `${data.length} numbers`,
      );
    }
    this.dimensions = dimensions;
    this.data = this.#room = data;
  }

  /** So many rows of zeros, as floats. */
  static zeros(count: number, dimensions: number): Matrix {
    return new Matrix(new Float32Array(count * dimensions), dimensions);
  }

  /**
   * An empty matrix of floats that grows by `append`.
   *
   * @param capacity Rows for which it has room at once. Memory that no row has
   *   been written to yet costs nothing but addresses.
   */
  static empty(dimensions: number, capacity = 16): Matrix {
    const matrix = Matrix.zeros(capacity, dimensions);
    matrix.data = matrix.data.subarray(0, 0);
    return matrix;
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
    const matrix = Matrix.zeros(vectors.length, dimensions);
    vectors.forEach((vector, row) => matrix.set(row, vector));
    return matrix;
  }

  /** How many rows there are. */
  get count(): number {
    return this.dimensions === 0 ? 0 : this.data.length / this.dimensions;
  }

  /**
   * A row; a view, not a copy.
   *
   * @throws {RangeError} If there is no such row.
   */
  row(index: number): Data {
    if (!(index >= 0 && index < this.count)) {
      throw new RangeError(
        `Matrix: expected a row from 0 to ${this.count - 1}, got ${index}`,
      );
    }
    const start = index * this.dimensions;
    return this.data.subarray(start, start + this.dimensions) as Data;
  }

  /**
   * Adds a row. Where there is no room, the rows move to twice as much.
   *
   * @throws {RangeError} If the length differs.
   */
  append(vector: ArrayLike<number>): void {
    this.#checkLength(vector);
    const start = this.data.length;
    const end = start + this.dimensions;
    if (end > this.#room.length) this.reserve(Math.max(16, 2 * this.count));
    this.#room.set(vector, start);
    this.data = this.#room.subarray(0, end) as Data;
  }

  /** Makes room for so many rows in all, unless there is as much already. */
  reserve(count: number): void {
    if (count * this.dimensions <= this.#room.length) return;
    const grown = this.#rows(count);
    grown.set(this.data);
    this.#room = grown;
    this.data = grown.subarray(0, this.data.length) as Data;
  }

  /** Takes the last rows away, so that `count` are left; their room is kept. */
  shorten(count: number): void {
    this.data = this.data.subarray(0, count * this.dimensions) as Data;
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
  slice(start: number, end: number = this.count): Matrix<Data> {
    const { data, dimensions } = this;
    const part = data.subarray(start * dimensions, end * dimensions);
    return new Matrix(part as Data, dimensions);
  }

  /** A copy of the rows at these places, in this order. */
  pick(indices: readonly number[]): Matrix<Data> {
    const copy = new Matrix(this.#rows(indices.length), this.dimensions);
    indices.forEach((index, row) => copy.set(row, this.row(index)));
    return copy;
  }

  /** Row by row: `for (const row of matrix)`, `const [first] = matrix`. */
  *[Symbol.iterator](): Generator<Data, void, undefined> {
    for (let index = 0; index < this.count; index++) yield this.row(index);
  }

  /** Room for so many rows, of zeros. */
  #rows(count: number): Data {
    const Kind = this.data.constructor as new (length: number) => Data;
    return new Kind(count * this.dimensions);
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
