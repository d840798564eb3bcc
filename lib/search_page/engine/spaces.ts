/**
 * An encoder and the pictures that it has embedded, and how a query is compared
 * with them.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { DEFAULT_QUERY } from "#lib/search_page/web/query.js";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const owl = await space.embedText("an owl");
 * strictEqual((await space.compare(owl, DEFAULT_QUERY)).length, 0);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Matrix } from "../../compare/matrix.ts";
import { metrics } from "../../compare/metrics.ts";
import { embedTexts } from "../../embeddings/embeddings.ts";
import { EmbeddingStore } from "../../embeddings/store.ts";
import type { Encoder } from "../../encoders/encoder.ts";
import { isDeleted } from "../../engines/chroma/errors.ts";
import { paths } from "../../paths.ts";
import { Collection } from "../index/collection.ts";
import { readUpload } from "../served_pictures.ts";
import type { Candidates } from "./candidates.ts";
import { whereOf } from "./database_rows.ts";
import { EVERYDAY_WORDS } from "./everyday_words.ts";
import { QueryError, type SearchQuery } from "./query.ts";
import { blendSimilarities, blendVectors } from "./ranking.ts";
import { type Gallery, pickRows, similarities } from "./similarities.ts";
import type { SpaceIndex } from "./space_index.ts";

/** How many queries' texts and pictures have their embeddings remembered. */
const REMEMBERED = 500;

/** Rows compared one by one before the server gets its turn. */
const ROWS_A_TURN = 2000;

/** How near rows are to a query. */
export interface Found {
  /** By row; NaN of one that is not compared. */
  values: Float32Array;
  /** Whether all are compared that can be and pass. */
  isAll: boolean;
  /** What no other row's value surpasses; undefined where that is not known. */
  most: number | undefined;
  /** The engine that was asked; "" where all vectors here were compared. */
  by: string;
}

/** An encoder and the pictures that it has embedded. */
export class EncoderSpace {
  readonly id: string;
  readonly label: string;
  readonly encoder: Encoder;
  readonly collection: Collection;
  /** Finds candidates; without it, all rows are compared. */
  index: SpaceIndex | undefined;
  readonly #known = new Map<string, Promise<Float32Array>>();
  #words: Promise<Matrix> | undefined;

  /**
   * @param capacity How many pictures are expected.
   * @param keepsVectors Whether their vectors are kept in memory, or where the
   *   space's index has them.
   */
  constructor(encoder: Encoder, capacity?: number, keepsVectors = true) {
    this.id = encoder.name;
    this.label = encoder.describe();
    this.encoder = encoder;
    this.collection = new Collection(
      encoder.dimensions,
      capacity,
      keepsVectors,
    );
  }

  /** A text's embedding; remembered, since a reader asks the same again. */
  embedText(text: string): Promise<Float32Array> {
    return this.#remember(
      `text:${text}`,
      async () => (await this.encoder.encodeTexts([text])).row(0),
    );
  }

  /**
   * The embedding of a picture that was given as a query.
   *
   * @throws {QueryError} If it is gone.
   */
  embedUpload(hash: string): Promise<Float32Array> {
    return this.#remember(`upload:${hash}`, async () => {
      const picture = await uploadOf(hash);
      return (await this.encoder.encodeImages([picture])).row(0);
    });
  }

  /** The embeddings of EVERYDAY_WORDS, a row each: embedded once for good. */
  everydayWords(): Promise<Matrix> {
    if (!this.#words) {
      this.#words = this.#readWords();
      this.#words.catch(() => this.#words = undefined);
    }
    return this.#words;
  }

  async #readWords(): Promise<Matrix> {
    // A store of their own: the one of all pictures takes long to open.
    const folder = join(paths.search, "everyday_words");
    const store = await EmbeddingStore.open(this.encoder, folder);
    const words = await embedTexts(this.encoder, EVERYDAY_WORDS, { store });
    await store.save();
    return words;
  }

  #remember(
    key: string,
    embed: () => Promise<Float32Array>,
  ): Promise<Float32Array> {
    const known = this.#known.get(key);
    if (known) return known;
    const vector = embed();
    this.#known.set(key, vector);
    vector.catch(() => this.#known.delete(key));
    if (this.#known.size > REMEMBERED) {
      this.#known.delete(this.#known.keys().next().value!);
    }
    return vector;
  }

  /** Whether candidates alone are compared, and not all rows. */
  get isApproximate(): boolean {
    const { index, collection } = this;
    return index !== undefined && (index.isReady || !collection.keepsVectors);
  }

  /** The pictures' vectors; NaN throughout for one that is gone meanwhile. */
  async vectorsOf(rows: readonly number[]): Promise<Matrix> {
    const { collection, index } = this;
    if (collection.keepsVectors) return collection.pictureEmbeddings.pick(rows);
    const paths = rows.map((row) => collection.pictures[row].path);
    const vectors = await index!.pictures.vectors(paths);
    paths.forEach((path, i) => {
      const waiting = collection.pending.get(path);
      if (waiting) vectors.set(i, waiting.picture);
    });
    return vectors;
  }

  /** Some rows of the collection, as similarities() takes them. */
  async galleryOf(rows: readonly number[]): Promise<Gallery> {
    const { collection, index } = this;
    if (collection.keepsVectors) return pickRows(collection, rows);
    const texts = textsOfRows(collection, rows);
    const agreement = rows.map((row) => collection.agreement[row]);
    const [pictureEmbeddings, textEmbeddings] = await Promise.all([
      this.vectorsOf(rows),
      index!.texts.vectors(texts.ids),
    ]);
    const { places: textRows } = texts;
    return { pictureEmbeddings, textEmbeddings, textRows, agreement };
  }

  /**
   * The values of the rows that are the nearest, as nearly as the index finds
   * them; NaN for all others.
   *
   * @param count So many, or some more; Infinity for all.
   */
  async find(
    vector: Float32Array,
    query: SearchQuery,
    count: number,
    isAllowed: (row: number) => boolean,
  ): Promise<Found> {
    try {
      return await this.#find(vector, query, count, isAllowed);
    } catch (error) {
      if (isDeleted(error)) this.index?.onDeleted();
      throw error;
    }
  }

  async #find(
    vector: Float32Array,
    query: SearchQuery,
    count: number,
    isAllowed: (row: number) => boolean,
  ): Promise<Found> {
    const { collection, index } = this;
    const isWhole = count === Infinity;
    // It catches up meanwhile; what goes wrong, its `trouble` says.
    if (index && !index.isReady) index.sync().catch(() => undefined);
    if (!this.isApproximate || isWhole && collection.keepsVectors) {
      const values = await this.compare(vector, query);
      return { values, isAll: true, most: undefined, by: "" };
    }
    const { layout } = collection;
    const candidates: Candidates = isWhole
      ? { rows: [...collection.pictures.keys()], isAll: true }
      : await index!.candidates(
        vector,
        query,
        count,
        isAllowed,
        whereOf(query),
      );
    const { rows, isAll } = candidates;
    // Where rows have moved, the search begins anew.
    const isSame = () => collection.layout === layout;
    const found = isSame()
      ? await this.#compareSome(vector, query, candidates)
      : [];
    const values = new Float32Array(collection.count).fill(NaN);
    if (isSame()) rows.forEach((row, i) => values[row] = found[i]);
    const most = asValue(candidates.most, query);
    return { values, isAll, most, by: index!.pictures.label };
  }

  /** The values of some rows. */
  async #compareSome(
    vector: Float32Array,
    query: SearchQuery,
    { rows, ofPictures, ofTexts }: Candidates,
  ): Promise<Float32Array> {
    if (rows.length === 0) return new Float32Array(0);
    const { collection, index } = this;
    const { mode, metric, textWeight } = query;
    if (metric !== "cosine") {
      const gallery = await this.galleryOf(rows);
      const { measure } = metrics[metric];
      return Float32Array.from(rows, (_, row) => {
        const other = vectorIn(gallery, row, query);
        return other ? measure(vector, other) : NaN;
      });
    }
    if (collection.keepsVectors) {
      const asked = new Matrix(vector, vector.length);
      return (await similarities(asked, pickRows(collection, rows), query))
        .row(0);
    }
    // What came with the candidates is not asked for again.
    const texts = textsOfRows(collection, rows);
    const paths = rows.map((row) => collection.pictures[row].path);
    const agreement = rows.map((row) => collection.agreement[row]);
    const [pictures, written] = await Promise.all([
      mode === "text" ? [] : compareRest(
        rows.map((row) => ofPictures?.get(row)),
        paths,
        (some) => index!.pictures.compare(vector, some),
      ),
      mode === "visual" ? [] : compareRest(
        texts.ids.map((id) => ofTexts?.get(id)),
        texts.ids,
        (some) => index!.texts.compare(vector, some),
      ),
    ]);
    if (mode === "visual") return Float32Array.from(pictures);
    const ofRows = texts.places.map((place) => written[place] ?? NaN);
    return mode === "text"
      ? Float32Array.from(ofRows)
      : blendSimilarities(ofRows, pictures, agreement, textWeight);
  }

  /** The value of every row, by the query's mode and metric; NaN for none. */
  async compare(
    vector: Float32Array,
    query: Pick<SearchQuery, "mode" | "metric" | "textWeight">,
  ): Promise<Float32Array> {
    if (this.collection.count === 0) return new Float32Array(0);
    if (query.metric !== "cosine") {
      return await this.#compareEach(vector, query);
    }
    const asked = new Matrix(vector, vector.length);
    return (await similarities(asked, this.collection, query)).row(0);
  }

  /** Pair by pair, as the metric is defined. */
  async #compareEach(
    vector: Float32Array,
    query: Pick<SearchQuery, "mode" | "metric" | "textWeight">,
  ): Promise<Float32Array> {
    const { measure } = metrics[query.metric];
    const values = new Float32Array(this.collection.count);
    for (let row = 0; row < values.length; row++) {
      const other = vectorIn(this.collection, row, query);
      values[row] = other ? measure(vector, other) : NaN;
      if (row % ROWS_A_TURN === ROWS_A_TURN - 1) await nextTurn();
    }
    return values;
  }
}

/** What a mode compares the query with: a row's picture, text, or both. */
function vectorIn(
  { pictureEmbeddings, textEmbeddings, textRows }: Gallery,
  row: number,
  { mode, textWeight }: Pick<SearchQuery, "mode" | "textWeight">,
): Float32Array | undefined {
  const picture = pictureEmbeddings.row(row), textRow = textRows[row];
  if (mode === "visual") return picture;
  if (textRow < 0) return mode === "text" ? undefined : picture;
  const text = textEmbeddings.row(textRow);
  return mode === "text" ? text : blendVectors(text, picture, textWeight);
}

/** A cosine of unit vectors as the metric's value; undefined where it tells none. */
function asValue(
  cosine: number | undefined,
  { metric }: SearchQuery,
): number | undefined {
  if (cosine === undefined || metric === "cosine") return cosine;
  return metric === "l2" ? Math.sqrt(Math.max(0, 2 - 2 * cosine)) : undefined;
}

/** Values that are known, and those of the other ids by asking for them. */
async function compareRest(
  known: readonly (number | undefined)[],
  ids: readonly string[],
  compare: (ids: readonly string[]) => Promise<Float32Array>,
): Promise<Float32Array> {
  const rest = ids.filter((_, i) => known[i] === undefined);
  const values = rest.length > 0 ? await compare(rest) : new Float32Array(0);
  let next = 0;
  return Float32Array.from(known, (value) => value ?? values[next++]);
}

/** What is written about rows: each text once, and where each row's is; -1 for none. */
function textsOfRows(
  { textRows, textIds }: Collection,
  rows: readonly number[],
): { ids: string[]; places: number[] } {
  const placeOf = new Map<number, number>();
  const places = rows.map((row) => {
    const textRow = textRows[row];
    if (textRow < 0) return -1;
    if (!placeOf.has(textRow)) placeOf.set(textRow, placeOf.size);
    return placeOf.get(textRow)!;
  });
  return { ids: Array.from(placeOf.keys(), (row) => textIds[row]), places };
}

/**
 * The bytes of a picture that was given as a query.
 *
 * @throws {QueryError} If it is gone.
 */
export async function uploadOf(hash: string): Promise<Uint8Array> {
  const bytes = await readUpload(hash);
  if (bytes) return bytes;
  throw new QueryError("the query's picture is gone: give it again");
}
