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
import { blendVectors } from "./ranking.ts";
import { type Gallery, pickRows, similarities } from "./similarities.ts";
import type { SpaceIndex } from "./space_index.ts";
import { textsOfRows, valuesFromServer } from "./values_from_server.ts";

/** How many queries' texts and pictures have their embeddings remembered. */
const REMEMBERED = 500;

/** Rows compared one by one before the server gets its turn. */
const ROWS_A_TURN = 2000;

/**
 * Vectors are asked for in so many requests at once: a server needs long to write
 * them, and here one part is read while it writes another.
 */
const PARTS = 3;
const FEWEST_A_PART = 50;

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
  /** Pictures' vectors that a server was asked for, by row. */
  vectors?: ReadonlyMap<number, Float32Array>;
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

  /**
   * The pictures' vectors; NaN throughout for one that is gone meanwhile.
   *
   * @param known Some of them, by row: a server is not asked for these again.
   */
  async vectorsOf(
    rows: readonly number[],
    known: ReadonlyMap<number, Float32Array> = new Map(),
  ): Promise<Matrix> {
    const { collection, index } = this;
    if (collection.keepsVectors) return collection.pictureEmbeddings.pick(rows);
    const paths = rows.map((row) => collection.pictures[row].path);
    const vectors = Matrix.zeros(rows.length, this.encoder.dimensions);
    const rest = [...rows.keys()].filter((i) => !known.has(rows[i]));
    const parts = Math.min(PARTS, Math.ceil(rest.length / FEWEST_A_PART));
    const length = Math.ceil(rest.length / parts);
    await Promise.all(Array.from({ length: parts }, async (_, part) => {
      const places = rest.slice(part * length, (part + 1) * length);
      const some = places.map((i) => paths[i]);
      const fetched = await index!.pictures.vectors(some);
      places.forEach((i, place) => vectors.set(i, fetched.row(place)));
    }));
    rows.forEach((row, i) => {
      const vector = known.get(row) ??
        collection.pending.get(paths[i])?.picture;
      if (vector) vectors.set(i, vector);
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
      : undefined;
    const values = new Float32Array(collection.count).fill(NaN);
    if (isSame()) rows.forEach((row, i) => values[row] = found!.values[i]);
    const most = asValue(candidates.most, query);
    const { vectors } = found ?? {};
    return { values, isAll, most, by: index!.pictures.label, vectors };
  }

  /** The values of some rows. */
  async #compareSome(
    vector: Float32Array,
    query: SearchQuery,
    candidates: Candidates,
  ): Promise<Pick<Found, "values" | "vectors">> {
    const { rows } = candidates;
    if (rows.length === 0) return { values: new Float32Array(0) };
    const { collection } = this;
    if (query.metric !== "cosine") {
      const gallery = await this.galleryOf(rows);
      const { measure } = metrics[query.metric];
      return {
        values: Float32Array.from(rows, (_, row) => {
          const other = vectorIn(gallery, row, query);
          return other ? measure(vector, other) : NaN;
        }),
      };
    }
    if (!collection.keepsVectors) {
      return await valuesFromServer(this, vector, query, candidates);
    }
    const asked = new Matrix(vector, vector.length);
    const some = pickRows(collection, rows);
    return { values: (await similarities(asked, some, query)).row(0) };
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
