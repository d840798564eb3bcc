/**
 * The pictures of a collection in an engine other than exact search: an index
 * of the pictures, one of what is written about them, and how a query takes its
 * candidates from both.
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
 * ```ts
 * import { SpaceIndex } from "#lib/search_page/engine/space_index.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { HnswIndex } from "#lib/engines/hnsw.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const open = () => HnswIndex.open({ dimensions: 2 });
 * const index = new SpaceIndex(new Collection(2), await open(), await open());
 * strictEqual(index.isReady, true); // Nothing is there yet, and all of it is in.
 * await index.close();
 * ```
 *
 * @module
 */
import type { Metadata, Where } from "chromadb";
import { topK } from "../../compare/compare.ts";
import { Matrix } from "../../compare/matrix.ts";
import type { VectorFilter, VectorIndex } from "../../engines/engines.ts";
import type { Collection } from "../index/collection.ts";
import { metadataOf } from "./database_rows.ts";
import { KnownTexts } from "./known_texts.ts";
import { type KnownValues, promisingRows } from "./promising.ts";
import type { SearchQuery } from "./query.ts";

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

/** How `sync` is watched and stopped. */
export interface SyncOptions {
  signal?: AbortSignal;
}

/** Rows that are put into an index together. */
const BATCH = 1024;

/**
 * The nearest that an index is asked for, for each candidate. A server looks among
 * as many as it names, so it is asked for more. Of 100,000 made-up vectors of 512
 * numbers and words that lie near none of them, the 1,600 that it names hold .87 of
 * the ten nearest, 3,200 hold .95 and 4,800 .98. It goes over all that a filter lets
 * pass: there, for fewer.
 */
const PICTURES = { here: 2, server: 20, filtered: 4 };
const TEXTS = { here: 4, server: 12 };

/**
 * Of rows of which picture or text is known, so many are compared for each
 * candidate: in this process that takes a moment, from a server come their vectors.
 */
const OTHERS = { here: 25, server: 1, allTexts: 0.25 };

/**
 * Where texts weigh more than this, a server is asked for the pictures of so many
 * nearest texts as well, if pictures share them. That takes it 0.15 s, but without
 * it half of the best are missed where a text weighs nine tenths.
 */
const WIDE_FROM = 0.4;
const SHARED = 16;

/** So few pictures that pass a filter are compared without asking for the nearest. */
const FEW = 400;

/** Texts' cosines by their ids; where all are here, by their rows as well. */
interface TextValues {
  values: Map<string, number>;
  all?: Float32Array;
}

/** A collection in an engine. */
export class SpaceIndex {
  pictures: VectorIndex;
  texts: VectorIndex;
  /** What is wrong with it now, in a sentence; "" for nothing. */
  trouble = "";
  /** Ids that hits had and that the collection does not know. */
  readonly strangers: Set<string> = new Set();
  /** How many pictures and texts a database had when it was last looked over. */
  counted: readonly number[] = [];
  /** Called where a search finds that a collection was deleted. */
  onDeleted: () => void = () => undefined;
  readonly #collection: Collection;
  /** What the engine has: ids of the collection, by path; and ids of texts. */
  readonly #put = new Map<string, number>();
  readonly #putTexts = new Set<string>();
  readonly #known: KnownTexts;
  readonly #closed = new AbortController();
  #contents: number;
  #layout: number;
  #last: Promise<void> = Promise.resolve();
  #syncing = 0;
  #users: Map<string, number[]> | undefined;
  /** The collection's contents that these were read from. */
  #usersOf = -1;

  constructor(
    collection: Collection,
    pictures: VectorIndex,
    texts: VectorIndex,
  ) {
    this.#collection = collection;
    this.pictures = pictures;
    this.texts = texts;
    this.#known = new KnownTexts(collection, (ids) => this.texts.vectors(ids));
    this.#layout = collection.layout;
    this.#contents = collection.count === 0 ? collection.contents : -1;
  }

  /** Whether it has all that the collection has. */
  get isReady(): boolean {
    return this.#contents === this.#collection.contents;
  }

  /** How many pictures it has. */
  get count(): number {
    return this.#put.size;
  }

  /** Whether something is being put in or taken out. */
  get isSyncing(): boolean {
    return this.#syncing > 0;
  }

  /** What the engine has: pictures by their paths, and ids of texts. */
  get has(): [
    pictures: ReadonlyMap<string, unknown>,
    texts: ReadonlySet<string>,
  ] {
    return [this.#put, this.#putTexts];
  }

  /**
   * Brings the engine to what the collection holds: what is new is put in, what
   * is gone is taken out. Calls follow one another.
   *
   * @throws {Error} If the engine does not work; `trouble` says so until it does.
   */
  sync(options: SyncOptions = {}): Promise<void> {
    const signal = AbortSignal.any([
      this.#closed.signal,
      ...options.signal ? [options.signal] : [],
    ]);
    this.#syncing++;
    const synced = this.#last.then(async () => {
      try {
        while (!this.isReady) await this.#syncOnce(signal);
        this.trouble = "";
      } catch (error) {
        if (!signal.aborted) this.trouble = (error as Error).message;
        throw error;
      } finally {
        this.#syncing--;
      }
    });
    this.#last = synced.catch(() => undefined);
    return synced;
  }

  async #syncOnce(signal: AbortSignal): Promise<void> {
    const collection = this.#collection;
    const { contents, layout, keepsVectors, pending } = collection;
    // Where pictures have but come, nothing is gone: 100,000 come in many groups.
    const isMoved = layout !== this.#layout;
    const gone = isMoved
      ? [...this.#put.keys()].filter((path) =>
        collection.rowOf(path) === undefined
      )
      : [];
    const texts = new Set(isMoved ? collection.textIds : []);
    const goneTexts = isMoved
      ? [...this.#putTexts].filter((id) => !texts.has(id))
      : [];
    const news = keepsVectors
      ? collection.pictures.filter(({ path }, row) =>
        this.#put.get(path) !== collection.idOf(row)
      ).map(({ path }) => path)
      : [...pending.keys()];
    for (let start = 0; start < news.length; start += BATCH) {
      signal.throwIfAborted();
      await this.#putBatch(news.slice(start, start + BATCH), signal);
    }
    await this.pictures.remove(gone);
    for (const path of gone) this.#put.delete(path);
    await this.texts.remove(goneTexts);
    for (const id of goneTexts) this.#putTexts.delete(id);
    this.#known.forget(goneTexts);
    this.#contents = contents;
    this.#layout = layout;
  }

  async #putBatch(
    paths: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const collection = this.#collection;
    const { pending, textRows, textIds } = collection;
    const ids: string[] = [], rowIds: number[] = [];
    const vectors: Float32Array[] = [], metadata: Metadata[] = [];
    const texts = new Map<string, Float32Array>();
    for (const path of paths) {
      const row = collection.rowOf(path);
      const waiting = pending.get(path);
      const isLost = !collection.keepsVectors && !waiting;
      if (row === undefined || isLost) continue; // Gone again since.
      const textRow = textRows[row];
      ids.push(path);
      rowIds.push(collection.idOf(row));
      vectors.push(waiting?.picture ?? collection.pictureEmbeddings.row(row));
      metadata.push(metadataOf(collection, row));
      if (textRow < 0 || this.#putTexts.has(textIds[textRow])) continue;
      texts.set(
        textIds[textRow],
        waiting?.text ?? collection.textEmbeddings.row(textRow),
      );
    }
    const { dimensions } = this.pictures;
    // Copies of the rows: others may move into their places meanwhile.
    const [ofTexts, ofPictures] = [[...texts.values()], vectors].map((rows) =>
      Matrix.of(rows, dimensions)
    );
    await this.texts.put([...texts.keys()], ofTexts, { signal });
    for (const [id, vector] of texts) {
      this.#putTexts.add(id);
      this.#known.keep(id, vector);
    }
    await this.pictures.put(ids, ofPictures, { metadata, signal });
    ids.forEach((path, i) => {
      this.#put.set(path, rowIds[i]);
      const row = collection.rowOf(path);
      const isSame = row !== undefined && collection.idOf(row) === rowIds[i];
      if (isSame) pending.delete(path);
    });
  }

  /**
   * Rows among which the nearest are, by the cosine: for unit vectors the L2
   * distance has the same order, and the other metrics nearly so.
   *
   * @param count So many, or some more; fewer where fewer pass.
   * @param isAllowed Whether a row passes.
   * @param where The same, for a database.
   */
  async candidates(
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
      : await this.#known.compare(vector);
    if (mode === "text") {
      return await this.#ofNearestTexts(vector, count, isAllowed, all);
    }
    const { keepsVectors, agreement } = this.#collection;
    const filter = this.#filter(isAllowed, where);
    const isWide = mode === "smart" && all && !keepsVectors &&
      textWeight > WIDE_FROM;
    const wide = isWide ? this.#sharedTexts(all, count, isAllowed) : undefined;
    const place = keepsVectors ? "here" : "server";
    const most = count *
      PICTURES[place === "server" && where ? "filtered" : place];
    // At once: a server answers them beside one another.
    const [near, nearOfTexts, texts] = await Promise.all([
      this.#nearest(vector, most, filter),
      wide && this.#nearest(vector, most, this.#ofTexts(wide, filter)),
      mode === "visual"
        ? undefined
        : this.#nearestTexts(vector, TEXTS[place] * count, isAllowed, all),
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
      ...this.#picturesByRow(near, nearOfTexts, wide),
      ...this.#textsByRow(texts),
      ...{ agreement, textWeight },
    };
    const share = OTHERS[keepsVectors ? "here" : all ? "allTexts" : "server"];
    const others = Math.ceil(share * count);
    const promising = promisingRows(known, count, others, isAllowed);
    return { ...promising, isAll, ofPictures, ofTexts: texts.values };
  }

  /**
   * The nearest texts, by their rows, where more pictures share them than can be
   * compared; undefined where not.
   */
  #sharedTexts(
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
  #ofTexts(texts: Set<number>, { where, passes }: VectorFilter): VectorFilter {
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
    const hits = await this.pictures.nearest(vector, count, { filter });
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
    const { values } = await this.#nearestTexts(vector, count, isAllowed, all);
    const users = this.#usersOfTexts();
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

  /** The nearest texts' cosines, by their ids; all, where they are here. */
  async #nearestTexts(
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
    const users = this.#usersOfTexts();
    const filter: VectorFilter = {
      passes: (id) => id !== "" && (users.get(id) ?? []).some(isAllowed),
    };
    const most = Math.min(count, textIds.length);
    const hits = most === 0
      ? []
      : await this.texts.nearest(vector, most, { filter });
    return { values: new Map(hits.map(({ id, value }) => [id, value])) };
  }

  /** Pictures' values by row; the least of those that were named where there is none. */
  #picturesByRow(
    near: ReadonlyMap<number, number>,
    nearOfTexts: ReadonlyMap<number, number> = new Map(),
    texts: ReadonlySet<number> = new Set(),
  ): Pick<KnownValues, "ofPictures" | "lacksPicture"> {
    const { textRows } = this.#collection;
    const ofPictures = new Float32Array(textRows.length).fill(leastOf(near));
    if (texts.size > 0) {
      const least = leastOf(nearOfTexts);
      textRows.forEach((text, row) => {
        if (texts.has(text)) ofPictures[row] = least;
      });
    }
    const lacksPicture = new Uint8Array(textRows.length).fill(1);
    for (const named of [near, nearOfTexts]) {
      for (const [row, value] of named) {
        ofPictures[row] = value;
        lacksPicture[row] = 0;
      }
    }
    return { ofPictures, lacksPicture };
  }

  /** The same of texts, by the rows of pictures; NaN where nothing is written. */
  #textsByRow(
    { values, all }: TextValues,
  ): Pick<KnownValues, "ofTexts" | "lacksText"> {
    const { textRows } = this.#collection;
    const ofTexts = new Float32Array(textRows.length).fill(NaN);
    const lacksText = new Uint8Array(textRows.length);
    const least = all ? NaN : leastOf(values);
    for (let row = 0; row < textRows.length; row++) {
      if (textRows[row] < 0) continue;
      ofTexts[row] = all ? all[textRows[row]] : least;
      lacksText[row] = all ? 0 : 1;
    }
    if (all) return { ofTexts, lacksText };
    const users = this.#usersOfTexts();
    for (const [id, value] of values) {
      for (const row of users.get(id) ?? []) {
        ofTexts[row] = value;
        lacksText[row] = 0;
      }
    }
    return { ofTexts, lacksText };
  }

  /** The rows that each text is about, by its id. */
  #usersOfTexts(): Map<string, number[]> {
    const { contents, textRows, textIds } = this.#collection;
    if (this.#users && this.#usersOf === contents) return this.#users;
    const rows: number[][] = textIds.map(() => []);
    textRows.forEach((textRow, row) => textRow >= 0 && rows[textRow].push(row));
    this.#users = new Map(textIds.map((id, textRow) => [id, rows[textRow]]));
    this.#usersOf = contents;
    return this.#users;
  }

  /** Says that the engine has a picture already, as it is in the collection. */
  adopted(path: string): void {
    const collection = this.#collection;
    const row = collection.rowOf(path);
    if (row === undefined) return;
    this.#put.set(path, collection.idOf(row));
    const textRow = collection.textRows[row];
    if (textRow >= 0) this.#putTexts.add(collection.textIds[textRow]);
    // It lacked nothing but this one, which has come just now.
    if (this.#contents + 1 === collection.contents) {
      this.#contents = collection.contents;
    }
  }

  /** Says that the engine has lost these pictures and texts. */
  lose(paths: Iterable<string>, textIds: Iterable<string>): void {
    for (const path of paths) this.#put.delete(path);
    for (const id of textIds) this.#putTexts.delete(id);
  }

  /** Goes on with other collections, in place of those that were deleted. */
  reopened(pictures: VectorIndex, texts: VectorIndex): void {
    this.pictures = pictures;
    this.texts = texts;
    this.counted = [];
  }

  /** Stops what is being put in, keeps what is in, and frees memory. */
  async close(): Promise<void> {
    this.#closed.abort(new Error("the index was closed"));
    await this.#last;
    const closed = await Promise.allSettled([
      this.pictures.close(),
      this.texts.close(),
    ]);
    for (const one of closed) if (one.status === "rejected") throw one.reason;
  }
}

/** The least of some cosines, which those of all others do not exceed. */
function leastOf(values: ReadonlyMap<unknown, number>): number {
  let least = 1;
  for (const value of values.values()) if (value < least) least = value;
  return least;
}
