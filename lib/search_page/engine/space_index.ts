/**
 * The pictures of a collection in an engine other than exact search: an index of
 * the pictures and one of what is written about them, kept at what the collection
 * holds. How a query takes its candidates from both, candidates.ts says.
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
import { Matrix } from "../../compare/matrix.ts";
import type { VectorIndex } from "../../engines/engines.ts";
import { Turns } from "../../engines/turns.ts";
import type { Collection } from "../index/collection.ts";
import { CandidateFinder, type Candidates } from "./candidates.ts";
import { metadataOf } from "./database_rows.ts";
import { IndexedTexts } from "./indexed_texts.ts";
import type { SearchQuery } from "./query.ts";

/** How `sync` is watched and stopped. */
export interface SyncOptions {
  signal?: AbortSignal;
}

/** Rows that are put into an index together. */
const BATCH = 1024;

/** A collection in an engine. */
export class SpaceIndex {
  pictures: VectorIndex;
  texts: VectorIndex;
  /** What is wrong with it now, in a sentence; "" for nothing. */
  trouble = "";
  /** How many pictures and texts a database had when it was last looked over. */
  counted: readonly number[] = [];
  /** Called where a search finds that a collection was deleted. */
  onDeleted: () => void = () => undefined;
  readonly #collection: Collection;
  /** What the engine has: ids of the collection, by path; and ids of texts. */
  readonly #put = new Map<string, number>();
  readonly #putTexts = new Set<string>();
  readonly #ofTexts: IndexedTexts;
  readonly #finder: CandidateFinder;
  readonly #closed = new AbortController();
  #contents: number;
  #layout: number;
  readonly #turns = new Turns();
  #syncing = 0;

  constructor(
    collection: Collection,
    pictures: VectorIndex,
    texts: VectorIndex,
  ) {
    this.#collection = collection;
    this.pictures = pictures;
    this.texts = texts;
    this.#ofTexts = new IndexedTexts(collection, () => this.texts);
    this.#finder = new CandidateFinder(
      collection,
      () => this.pictures,
      this.#ofTexts,
    );
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

  /** Ids that hits had and that the collection does not know. */
  get strangers(): Set<string> {
    return this.#finder.strangers;
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
    return this.#turns.take(async () => {
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
    this.#ofTexts.known.forget(goneTexts);
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
      this.#ofTexts.known.keep(id, vector);
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
  candidates(
    vector: Float32Array,
    query: Pick<SearchQuery, "mode" | "textWeight">,
    count: number,
    isAllowed: (row: number) => boolean,
    where?: Where,
  ): Promise<Candidates> {
    return this.#finder.find(vector, query, count, isAllowed, where);
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
    await this.#turns.allDone();
    const closed = await Promise.allSettled([
      this.pictures.close(),
      this.texts.close(),
    ]);
    for (const one of closed) if (one.status === "rejected") throw one.reason;
  }
}
