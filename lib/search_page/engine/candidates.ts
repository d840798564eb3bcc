/**
 * Among which rows the nearest to a query are, by an index of the pictures and
 * one of what is written about them.
 *
 * ```text
 *            nearest by picture ─────────────┐
 *  query ─┤                                  ├─ candidates ─ their exact values
 *            nearest texts ─ their pictures ─┘
 * ```
 *
 * "Smart" weighs picture and text, and the weight is the reader's to move: no
 * index has it. What is best by both is mostly among the best by one of them, so
 * of the candidates of both those that can be the best are compared exactly, by
 * the weight that is asked for (promising.ts). A folder's pictures often share
 * their only word: where texts are few, all are compared here (known_texts.ts).
 *
 * Touches no files.
 *
 * ```ts
 * import { HnswIndex } from "#lib/engines/hnsw.ts";
 * import { CandidateFinder } from "#lib/search_page/engine/candidates.ts";
 * import { IndexedTexts } from "#lib/search_page/engine/indexed_texts.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const collection = new Collection(2);
 * const pictures = await HnswIndex.open({ dimensions: 2 });
 * const texts = new IndexedTexts(collection, () => pictures);
 * const finder = new CandidateFinder(collection, () => pictures, texts);
 * const query = { mode: "visual", textWeight: 0 } as const;
 * const found = await finder.find(Float32Array.of(1, 0), query, 10, () => true);
 * strictEqual(found.isAll, true);
 * await pictures.close();
 * ```
 *
 * @module
 */
import type { Where } from "chromadb";
import type { VectorFilter, VectorIndex } from "../../engines/engines.ts";
import type { Collection } from "../index/collection.ts";
import type { IndexedTexts } from "./indexed_texts.ts";
import { type KnownValues, promisingRows } from "./promising.ts";
import type { SearchQuery } from "./query.ts";
import { leastOf, picturesByRow, textsByRow } from "./values_by_row.ts";

/** Rows that may be the nearest, each once. */
export interface Candidates {
  rows: number[];
  /** Whether no other row passes the filter and can be compared. */
  isAll: boolean;
  /** The cosine that no other row exceeds, as far as the index misses none. */
  most?: number;
  /** Cosines that came with them: of rows' pictures, and of texts by their ids. */
  ofPictures?: Map<number, number>;
  ofTexts?: Map<string, number>;
}

/**
 * The nearest that an index is asked for, for each candidate. What is best by both
 * lies the deeper among the pictures, the more texts weigh: of 100,000 made-up
 * vectors of 512 numbers, the ten best by a text's weight of .3 are all among the
 * 1,000 nearest, but by .4 not all among 1,600. A server goes over all that a
 * filter lets pass: there, for fewer.
 */
const PICTURES = { here: 2, server: 6, deep: 20, filtered: 4 };
const TEXTS = { here: 4, server: 12 };

/**
 * Of rows of which picture or text is known, so many are compared for each
 * candidate: in this process that takes a moment, from a server come their vectors.
 */
const OTHERS = { here: 25, server: 1, allTexts: 0.1, deep: 0.25 };

/** Where texts weigh more than this, a server names more, and compares more. */
const DEEP_FROM = 0.3;

/**
 * Where texts weigh more than this, a server is asked for the pictures of some
 * nearest texts as well, if pictures share them. That takes it 0.15 s, but without
 * it half of the best are missed where a text weighs nine tenths.
 */
const WIDE_FROM = 0.4;

/** So few pictures that pass a filter are compared without asking for the nearest. */
const FEW = 400;

/** Finds candidates. */
export class CandidateFinder {
  /** Ids that hits had and that the collection does not know. */
  readonly strangers: Set<string> = new Set();
  readonly #collection: Collection;
  readonly #pictures: () => VectorIndex;
  readonly #texts: IndexedTexts;

  /** @param pictures The engine as it is now: another takes its place at times. */
  constructor(
    collection: Collection,
    pictures: () => VectorIndex,
    texts: IndexedTexts,
  ) {
    this.#collection = collection;
    this.#pictures = pictures;
    this.#texts = texts;
  }

  /**
   * Rows among which the nearest are, by the cosine: for unit vectors the L2
   * distance has the same order, and the other metrics nearly so.
   *
   * @param count So many, or some more; fewer where fewer pass.
   * @param isAllowed Whether a row passes.
   * @param where The same, for a database.
   */
  async find(
    vector: Float32Array,
    { mode, textWeight }: Pick<SearchQuery, "mode" | "textWeight">,
    count: number,
    isAllowed: (row: number) => boolean,
    where?: Where,
  ): Promise<Candidates> {
    const few = this.#fewThatPass(isAllowed);
    if (few) return { rows: few, isAll: true };
    const all = mode === "visual"
      ? undefined
      : await this.#texts.known.compare(vector);
    if (mode === "text") {
      return await this.#ofNearestTexts(vector, count, isAllowed, all);
    }
    const { keepsVectors, agreement, textRows } = this.#collection;
    const filter = this.#filter(isAllowed, where);
    const isWide = mode === "smart" && all && !keepsVectors &&
      textWeight > WIDE_FROM;
    const wide = isWide ? this.#texts.shared(all, count, isAllowed) : undefined;
    const place = keepsVectors ? "here" : "server";
    const isDeep = mode === "smart" && textWeight > DEEP_FROM;
    const most = count * PICTURES[
      keepsVectors ? "here" : where ? "filtered" : isDeep ? "deep" : "server"
    ];
    // At once: a server answers them beside one another.
    const [near, nearOfTexts, texts] = await Promise.all([
      this.#nearest(vector, most, filter),
      wide && this.#nearest(vector, most, this.#texts.filter(wide, filter)),
      mode === "visual"
        ? undefined
        : this.#texts.nearest(vector, TEXTS[place] * count, isAllowed, all),
    ]);
    const nearest = [...near.keys()];
    const isAll = this.#areAll(nearest, most, isAllowed);
    if (!texts || isAll) {
      return {
        ...{ rows: nearest, isAll, most: leastOf(near), ofPictures: near },
        ofTexts: texts?.values,
      };
    }
    const ofPictures = new Map([...near, ...nearOfTexts ?? []]);
    const known: KnownValues = {
      ...picturesByRow(textRows, near, nearOfTexts, wide),
      ...textsByRow(textRows, texts, () => this.#texts.users()),
      ...{ agreement, textWeight },
    };
    const share = OTHERS[
      keepsVectors ? "here" : !all ? "server" : isDeep ? "deep" : "allTexts"
    ];
    const others = Math.ceil(share * count);
    const promising = promisingRows(known, count, others, isAllowed);
    return { ...promising, isAll, ofPictures, ofTexts: texts.values };
  }

  /** All rows that pass, where these are few of many. */
  #fewThatPass(isAllowed: (row: number) => boolean): number[] | undefined {
    const { count } = this.#collection;
    if (count <= 4 * FEW) return undefined;
    const rows: number[] = [];
    for (let row = 0; row < count; row++) {
      if (!isAllowed(row)) continue;
      if (rows.length === FEW) return undefined;
      rows.push(row);
    }
    return rows;
  }

  /** Whether these are all that pass: an index can miss one, however few there are. */
  #areAll(
    rows: readonly number[],
    count: number,
    isAllowed: (row: number) => boolean,
  ): boolean {
    if (rows.length >= count) return false;
    let passing = 0;
    for (let row = 0; row < this.#collection.count; row++) {
      if (isAllowed(row) && ++passing > rows.length) return false;
    }
    return true;
  }

  #filter(
    isAllowed: (row: number) => boolean,
    where?: Where,
  ): VectorFilter {
    return {
      where,
      passes: (id) => {
        const row = this.#collection.rowOf(id);
        if (row === undefined) this.strangers.add(id);
        return row !== undefined && isAllowed(row);
      },
    };
  }

  /** The nearest rows and their cosines. */
  async #nearest(
    vector: Float32Array,
    count: number,
    filter: VectorFilter,
  ): Promise<Map<number, number>> {
    const hits = await this.#pictures().nearest(vector, count, { filter });
    const rows = new Map<number, number>();
    for (const { id, value } of hits) {
      const row = this.#collection.rowOf(id);
      if (row !== undefined) rows.set(row, value);
    }
    return rows;
  }

  /** The pictures of the nearest texts, whole texts at a time. */
  async #ofNearestTexts(
    vector: Float32Array,
    count: number,
    isAllowed: (row: number) => boolean,
    all?: Float32Array,
  ): Promise<Candidates> {
    const { values } = await this.#texts.nearest(vector, count, isAllowed, all);
    const users = this.#texts.users();
    const rows: number[] = [];
    const nearest = [...values].sort(([, a], [, b]) => b - a);
    let most = 1;
    for (const [id, value] of nearest) {
      if (rows.length >= count) break;
      most = value;
      rows.push(...(users.get(id) ?? []).filter(isAllowed));
    }
    const { textRows } = this.#collection;
    const written = (row: number) => textRows[row] >= 0 && isAllowed(row);
    const isAll = this.#areAll(rows, count, written);
    return { rows, isAll, most, ofTexts: values };
  }
}
