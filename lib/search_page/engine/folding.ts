/**
 * Near duplicates folded behind the first of them, as far as a reader scrolls.
 *
 * Touches no files.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { FoldedOrder } from "#lib/search_page/engine/folding.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const vectors = Matrix.of([[1, 0], [0, 1], [1, 0]]);
 * const folded = new FoldedOrder(Uint32Array.of(0, 1, 2), vectors, 0.97);
 * deepStrictEqual(folded.slice(0, 9), [
 *   { row: 0, copies: [2] },
 *   { row: 1, copies: [] },
 * ]);
 * ```
 *
 * @module
 */
import type { Matrix } from "../../compare/matrix.ts";

/** A row, and the rows behind it that are nearly equal. */
export interface FoldedRow {
  row: number;
  /** In the order of their own values. */
  copies: number[];
}

/**
 * How many rows that stand for themselves a row is compared with: copies are
 * about as near to a query as one another, and all pairs would be too many.
 */
export const LOOK_BACK = 100;

/** So many rows are looked through to be counted: in some 4 ms. */
const MOST_COUNTED = 500;

/** Rows in an order, each once. */
export class FoldedOrder {
  readonly #order: Uint32Array;
  readonly #vectors: Matrix;
  readonly #threshold: number;
  readonly #folded: FoldedRow[] = [];
  /** Where in the order each of them stands. */
  readonly #starts: number[] = [];
  /** How far the order has been looked through. */
  #done = 0;

  /**
   * @param order Rows, best first.
   * @param vectors Unit vectors, by row.
   * @param threshold From this cosine on a row is a copy; above 1 folds none.
   */
  constructor(order: Uint32Array, vectors: Matrix, threshold: number) {
    this.#order = order;
    this.#vectors = vectors;
    this.#threshold = threshold;
  }

  /** What stands in these places once copies are folded; fewer where it ends. */
  slice(from: number, to: number): FoldedRow[] {
    if (this.#threshold > 1) {
      return Array.from(this.#order.subarray(from, to), (row) => (
        { row, copies: [] }
      ));
    }
    this.#look(to);
    return this.#folded.slice(from, to);
  }

  /**
   * Whether what stands in the places before `to` stays as it is, however the
   * order may go on.
   */
  isSettled(to: number): boolean {
    if (this.#threshold > 1) return this.#order.length >= to;
    this.#look(to);
    return this.#folded.length >= to + LOOK_BACK;
  }

  /** Looks as far as copies of what stands before `to` may come. */
  #look(to: number): void {
    while (
      this.#done < this.#order.length && this.#folded.length < to + LOOK_BACK
    ) this.#place(this.#order[this.#done++]);
  }

  /**
   * How many of the order's first rows are left once copies are folded; undefined
   * of many that no `slice` has looked through yet.
   */
  count(rows: number): number | undefined {
    if (this.#threshold > 1) return rows;
    if (rows > Math.max(MOST_COUNTED, this.#done)) return undefined;
    while (this.#done < rows) this.#place(this.#order[this.#done++]);
    const end = this.#starts.findIndex((start) => start >= rows);
    return end < 0 ? this.#starts.length : end;
  }

  #place(row: number): void {
    const first = Math.max(0, this.#folded.length - LOOK_BACK);
    for (let i = first; i < this.#folded.length; i++) {
      const before = this.#folded[i];
      if (isNear(this.#vectors, before.row, row, this.#threshold)) {
        before.copies.push(row);
        return;
      }
    }
    this.#folded.push({ row, copies: [] });
    this.#starts.push(this.#done - 1);
  }
}

/**
 * Whether the cosine of two unit rows reaches a threshold, by their distance:
 * |a − b|² = 2 − 2 cos. Its sum only grows, so most pairs are told apart after a
 * few numbers.
 */
function isNear(
  { data, dimensions }: Matrix,
  a: number,
  b: number,
  threshold: number,
): boolean {
  // Rounding makes equal vectors no further apart than this.
  const most = 2 - 2 * threshold + 1e-6;
  const ofA = a * dimensions, ofB = b * dimensions;
  let sum = 0;
  for (let i = 0; i < dimensions; i++) {
    const difference = data[ofA + i] - data[ofB + i];
    sum += difference * difference;
    if (sum > most) return false;
  }
  return true;
}
