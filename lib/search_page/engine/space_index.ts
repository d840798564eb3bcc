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
 * the candidates of both are compared exactly, by the weight that is asked for.
 * A folder's pictures often share their only word: where more have the nearest
 * texts than can be compared, the nearest of them by their pictures are.
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
import { hostname } from "node:os";
import type { Metadata, Where } from "chromadb";
import { Matrix } from "../../compare/matrix.ts";
import type { VectorFilter, VectorIndex } from "../../engines/engines.ts";
import type { Collection } from "../index/collection.ts";
import type { SearchQuery } from "./query.ts";

/** Rows that may be the nearest, each once. */
export interface Candidates {
  rows: number[];
  /** Whether no other row passes the filter and can be compared. */
  isAll: boolean;
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

/** Pictures of the nearest texts, for each candidate that is wanted. */
const PICTURES_OF_TEXTS = 4;

/** The nearest texts of which the nearest pictures are taken, if they have many. */
const TEXTS = 32;

/** A collection in an engine. */
export class SpaceIndex {
  readonly pictures: VectorIndex;
  readonly texts: VectorIndex;
  /** What is wrong with it now, in a sentence; "" for nothing. */
  trouble = "";
  /** Ids that hits had and that the collection does not know. */
  readonly strangers: Set<string> = new Set();
  /** How many a database had when its ids were last looked over. */
  counted: number = -1;
  readonly #collection: Collection;
  /** What the engine has: ids of the collection, by path; and ids of texts. */
  readonly #put = new Map<string, number>();
  readonly #putTexts = new Set<string>();
  readonly #closed = new AbortController();
  #contents: number;
  #layout: number;
  #last: Promise<void> = Promise.resolve();
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
    const synced = this.#last.then(async () => {
      try {
        while (!this.isReady) await this.#syncOnce(signal);
        this.trouble = "";
      } catch (error) {
        if (!signal.aborted) this.trouble = (error as Error).message;
        throw error;
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
    for (const id of texts.keys()) this.#putTexts.add(id);
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
    { mode }: Pick<SearchQuery, "mode">,
    count: number,
    isAllowed: (row: number) => boolean,
    where?: Where,
  ): Promise<Candidates> {
    const filter = this.#filter(isAllowed, where);
    // Both at once: a server answers them beside one another.
    const [ofPictures, near] = await Promise.all([
      mode === "text"
        ? new Map<number, number>()
        : this.#nearest(vector, count, filter),
      mode === "visual" ? undefined : this.#ofNearestTexts(
        vector,
        count * (mode === "text" ? 1 : PICTURES_OF_TEXTS),
        isAllowed,
      ),
    ]);
    if (mode === "text") return near!;
    const nearest = [...ofPictures.keys()];
    const isAll = this.#areAll(nearest, count, isAllowed);
    if (!near || isAll) {
      return { rows: nearest, isAll, ofPictures, ofTexts: near?.ofTexts };
    }
    let { rows } = near;
    if (near.wide) {
      // Whole texts would be too many: a folder's pictures share their only word.
      const isMuch = rows.length > 2 * PICTURES_OF_TEXTS * count;
      const { ids, rows: among } = near.wide;
      const text: Where = { text: { $in: ids } };
      const found = await this.#nearest(
        vector,
        isMuch ? PICTURES_OF_TEXTS * count : count,
        this.#filter(
          (row) => among.has(row),
          where ? { $and: [where, text] } as Where : text,
        ),
      );
      for (const [row, value] of found) ofPictures.set(row, value);
      rows = [...isMuch ? [] : rows, ...found.keys()];
    }
    return {
      rows: [...new Set([...nearest, ...rows])],
      ...{ isAll: false, ofPictures, ofTexts: near.ofTexts },
    };
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
  ): Promise<Candidates & { wide?: { ids: string[]; rows: Set<number> } }> {
    const { textIds, textRows } = this.#collection;
    const users = this.#usersOfTexts();
    const usersOf = (id: string) => users.get(id) ?? [];
    const filter: VectorFilter = {
      passes: (id) => id !== "" && usersOf(id).some(isAllowed),
    };
    const most = Math.min(count, textIds.length);
    const hits = most === 0
      ? []
      : await this.texts.nearest(vector, most, { filter });
    const rows: number[] = [], all: number[] = [], ids: string[] = [];
    for (const { id } of hits) {
      const isEnough = rows.length >= count;
      if (isEnough && ids.length >= TEXTS) break;
      ids.push(id);
      for (const row of usersOf(id)) {
        if (!isAllowed(row)) continue;
        all.push(row);
        if (!isEnough) rows.push(row);
      }
    }
    const isWide = all.length > rows.length || rows.length > 2 * count;
    const wide = isWide ? { ids, rows: new Set(all) } : undefined;
    const written = (row: number) => textRows[row] >= 0 && isAllowed(row);
    const isAll = this.#areAll(rows, count, written);
    const ofTexts = new Map(hits.map(({ id, value }) => [id, value]));
    return { rows, isAll, ofTexts, wide };
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

/** What a database keeps of a picture: its record, and what filters ask for. */
function metadataOf(collection: Collection, row: number): Metadata {
  const { source: _, captions, sha256, ...picture } = collection.pictures[row];
  const { camera, date, width, height } = collection.facts[row];
  const textRow = collection.textRows[row];
  return {
    ...picture,
    ...{ width, height, camera, date, day: dayOf(date) },
    text: textRow < 0 ? "" : collection.textIds[textRow],
    machine: hostname(),
    ...(textRow >= 0 && { agreement: collection.agreement[row] }),
    ...(captions && { captions: JSON.stringify(captions) }),
    ...(sha256 && { sha256 }),
    // Filters take a letter with its accent as one code point.
    ...Object.fromEntries(
      ["term", "category", "license"].map((name) => [
        name,
        String(picture[name as "term"]).normalize("NFC"),
      ]),
    ),
  };
}

/** A date as a number that has its order: 2019-06-01 is 20190601; 0 of none. */
function dayOf(date: string): number {
  return Number(date.slice(0, 10).replaceAll("-", "")) || 0;
}

/** A query's filters as a database takes them; undefined for none. */
export function whereOf(
  query: Pick<
    SearchQuery,
    "terms" | "categories" | "licenses" | "cameras" | "after" | "before"
  >,
): Where | undefined {
  const { terms, categories, licenses, cameras, after, before } = query;
  const lists = { term: terms, category: categories, license: licenses };
  const all: Where[] = Object.entries({ ...lists, camera: cameras })
    .filter(([, names]) => names.length > 0)
    .map(([name, names]) =>
      (
        { [name]: { $in: names.map((one) => one.normalize("NFC")) } }
      ) as Where
    );
  // "2019-06" takes all of June.
  if (after !== "") all.push({ day: { $gte: dayOf(after.padEnd(10, "-00")) } });
  if (before !== "") {
    all.push({ day: { $lte: dayOf(before.padEnd(10, "-99")) } });
    all.push({ day: { $gt: 0 } });
  }
  return all.length > 1 ? { $and: all } as Where : all[0];
}
