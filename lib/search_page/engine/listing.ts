/**
 * A ranking as it is listed: page by page, with copies folded. Where vectors are
 * fetched from a server, they are for its first rows alone: behind these, every
 * row stands for itself.
 *
 * Touches no files.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { Listing } from "#lib/search_page/engine/listing.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const vectors = Matrix.of([[1, 0], [1, 0], [0, 1]]);
 * const listing = new Listing(Uint32Array.of(2, 0, 1), 0.9, {
 *   fetch: (rows) => Promise.resolve(vectors.pick(rows)),
 * });
 * await listing.reach(2);
 * deepStrictEqual(listing.slice(0, 2), [{ row: 2, copies: [] }, { row: 0, copies: [1] }]);
 * ```
 *
 * @module
 */
import { Matrix } from "../../compare/matrix.ts";
import { FoldedOrder, type FoldedRow, LOOK_BACK } from "./folding.ts";

/** Where vectors are: here, all rows, or elsewhere. */
export type VectorsOfRows =
  | { all: Matrix }
  | { fetch(rows: readonly number[]): Promise<Matrix> };

/** Rows that are folded where vectors are fetched, at most. */
const MOST_FETCHED = 1000;

/** An order with its copies folded. */
export class Listing {
  readonly #order: Uint32Array;
  readonly #threshold: number;
  readonly #vectors: VectorsOfRows;
  #folded: FoldedOrder;
  /** So many rows are folded; the others stand for themselves. */
  #reached = 0;
  /** Vectors of the first rows of the order. */
  #fetched: Matrix | undefined;

  /** As FoldedOrder takes them. */
  constructor(order: Uint32Array, threshold: number, vectors: VectorsOfRows) {
    this.#order = order;
    this.#threshold = threshold;
    this.#vectors = vectors;
    const isHere = "all" in vectors || threshold > 1;
    const matrix = "all" in vectors ? vectors.all : Matrix.empty(1, 0);
    if (isHere) this.#reached = order.length;
    this.#folded = new FoldedOrder(
      isHere ? order : order.subarray(0, 0),
      matrix,
      threshold,
    );
  }

  /** Fetches what it takes to say what stands in the places before `to`. */
  async reach(to: number): Promise<void> {
    const most = Math.min(this.#order.length, MOST_FETCHED);
    while (this.#reached < most && !this.#folded.isSettled(to)) {
      const wanted = Math.max(2 * this.#reached, to + LOOK_BACK);
      await this.#fetch(Math.min(most, wanted));
    }
  }

  /**
   * Whether what stands in the places before `to` stays as it is, whatever comes
   * behind the order's last row: no copy of it can come any more.
   */
  isSettled(to: number): boolean {
    if (this.#folded.isSettled(to)) return true;
    const isFolded = this.#fetched && this.#reached >= MOST_FETCHED;
    return Boolean(isFolded) && this.slice(to - 1, to).length > 0;
  }

  async #fetch(count: number): Promise<void> {
    if (!("fetch" in this.#vectors)) return;
    const known = this.#fetched?.count ?? 0;
    const rows = [...this.#order.subarray(known, count)];
    const news = await this.#vectors.fetch(rows);
    this.#fetched ??= Matrix.empty(news.dimensions, count);
    // Another search may have come first.
    if (this.#fetched.count === known) {
      for (const vector of news) this.#fetched.append(vector);
    }
    this.#reached = this.#fetched.count;
    const places = Uint32Array.from({ length: this.#reached }, (_, i) => i);
    this.#folded = new FoldedOrder(places, this.#fetched, this.#threshold);
  }

  /** What stands in these places; fewer where the order ends. */
  slice(from: number, to: number): FoldedRow[] {
    if (!this.#fetched) return this.#folded.slice(from, to);
    const order = this.#order;
    const folded = this.#folded.slice(from, to).map(({ row, copies }) => ({
      row: order[row],
      copies: copies.map((copy) => order[copy]),
    }));
    if (from + folded.length >= to || this.#reached < MOST_FETCHED) {
      return folded;
    }
    const before = this.#folded.count(this.#reached) ?? this.#reached;
    const start = this.#reached + Math.max(0, from - before);
    const rest = order.subarray(start, start + to - from - folded.length);
    return [...folded, ...Array.from(rest, (row) => ({ row, copies: [] }))];
  }

  /** How many of the order's first rows are left; undefined if not yet known. */
  count(rows: number): number | undefined {
    if (!this.#fetched || rows <= this.#reached) {
      return this.#folded.count(rows);
    }
    if (this.#reached < Math.min(MOST_FETCHED, this.#order.length)) {
      return undefined;
    }
    const before = this.#folded.count(this.#reached);
    return before === undefined ? undefined : before + rows - this.#reached;
  }
}
