/**
 * What is written about a collection's pictures, as candidates are found by it:
 * the texts nearest to a query, and the pictures that each of them is about.
 *
 * Touches no files.
 *
 * ```ts
 * import { HnswIndex } from "#lib/engines/hnsw.ts";
 * import { IndexedTexts } from "#lib/search_page/engine/indexed_texts.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const collection = new Collection(2);
 * const index = await HnswIndex.open({ dimensions: 2 });
 * const texts = new IndexedTexts(collection, () => index);
 * const { values } = await texts.nearest(Float32Array.of(1, 0), 10, () => true);
 * strictEqual(values.size, 0);
 * await index.close();
 * ```
 *
 * @module
 */
import type { Where } from "chromadb";
import { topK } from "../../compare/compare.ts";
import type { VectorFilter, VectorIndex } from "../../engines/engines.ts";
import type { Collection } from "../index/collection.ts";
import { KnownTexts } from "./known_texts.ts";

/** Texts' cosines by their ids; where all are here, by their rows as well. */
export interface TextValues {
  values: Map<string, number>;
  all?: Float32Array;
}

/** Of so many nearest texts the pictures are looked for, where pictures share them. */
const SHARED = 16;

/** A collection's texts in an engine. */
export class IndexedTexts {
  readonly known: KnownTexts;
  readonly #collection: Collection;
  readonly #index: () => VectorIndex;
  #users: Map<string, number[]> | undefined;
  /** The collection's contents that these were read from. */
  #usersOf = -1;

  /** @param index The engine as it is now: another takes its place at times. */
  constructor(collection: Collection, index: () => VectorIndex) {
    this.#collection = collection;
    this.#index = index;
    this.known = new KnownTexts(collection, (ids) => index().vectors(ids));
  }

  /**
   * The nearest texts' cosines, by their ids; all, where they are here.
   *
   * @param all What `known` tells of a query, where it tells anything.
   */
  async nearest(
    vector: Float32Array,
    count: number,
    isAllowed: (row: number) => boolean,
    all?: Float32Array,
  ): Promise<TextValues> {
    const { textIds } = this.#collection;
    if (all) {
      const values = new Map<string, number>();
      textIds.forEach((id, row) => id !== "" && values.set(id, all[row]));
      return { values, all };
    }
    const users = this.users();
    const filter: VectorFilter = {
      passes: (id) => id !== "" && (users.get(id) ?? []).some(isAllowed),
    };
    const most = Math.min(count, textIds.length);
    const hits = most === 0
      ? []
      : await this.#index().nearest(vector, most, { filter });
    return { values: new Map(hits.map(({ id, value }) => [id, value])) };
  }

  /**
   * The nearest texts, by their rows, where more pictures share them than can be
   * compared; undefined where not.
   */
  shared(
    values: Float32Array,
    count: number,
    isAllowed: (row: number) => boolean,
  ): Set<number> | undefined {
    const { textRows } = this.#collection;
    const users = new Uint32Array(values.length);
    textRows.forEach((text, row) => {
      if (text >= 0 && isAllowed(row)) users[text]++;
    });
    const nearest = topK(
      values,
      Math.min(SHARED, values.length),
      "higher",
      (text) => users[text] > 0,
    ).map(({ index }) => index);
    const sum = nearest.reduce((sum, text) => sum + users[text], 0);
    return sum > count ? new Set(nearest) : undefined;
  }

  /** A filter within which only these texts' pictures pass. */
  filter(texts: Set<number>, { where, passes }: VectorFilter): VectorFilter {
    const { textIds, textRows } = this.#collection;
    const text: Where = {
      text: { $in: [...texts].map((row) => textIds[row]) },
    };
    return {
      where: where ? { $and: [where, text] } as Where : text,
      passes: (id) => {
        const row = this.#collection.rowOf(id);
        return passes(id) && row !== undefined && texts.has(textRows[row]);
      },
    };
  }

  /** The rows that each text is about, by its id. */
  users(): ReadonlyMap<string, readonly number[]> {
    const { contents, textRows, textIds } = this.#collection;
    if (this.#users && this.#usersOf === contents) return this.#users;
    const rows: number[][] = textIds.map(() => []);
    textRows.forEach((textRow, row) => textRow >= 0 && rows[textRow].push(row));
    this.#users = new Map(textIds.map((id, textRow) => [id, rows[textRow]]));
    this.#usersOf = contents;
    return this.#users;
  }
}
