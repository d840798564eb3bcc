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
import { paths } from "../../paths.ts";
import { Collection } from "../index/collection.ts";
import { readUpload } from "../served_pictures.ts";
import { EVERYDAY_WORDS } from "./everyday_words.ts";
import { QueryError, type SearchQuery } from "./query.ts";
import { blendVectors } from "./ranking.ts";
import { similarities } from "./similarities.ts";

/** How many queries' texts and pictures have their embeddings remembered. */
const REMEMBERED = 500;

/** Rows compared one by one before the server gets its turn. */
const ROWS_A_TURN = 2000;

/** An encoder and the pictures that it has embedded. */
export class EncoderSpace {
  readonly id: string;
  readonly label: string;
  readonly encoder: Encoder;
  readonly collection: Collection;
  readonly #known = new Map<string, Promise<Float32Array>>();
  #words: Promise<Matrix> | undefined;

  /** @param capacity How many pictures are expected. */
  constructor(encoder: Encoder, capacity?: number) {
    this.id = encoder.name;
    this.label = encoder.describe();
    this.encoder = encoder;
    this.collection = new Collection(encoder.dimensions, capacity);
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
      const other = this.#vectorOf(row, query);
      values[row] = other ? measure(vector, other) : NaN;
      if (row % ROWS_A_TURN === ROWS_A_TURN - 1) await nextTurn();
    }
    return values;
  }

  /** What a mode compares the query with: a row's picture, text, or both. */
  #vectorOf(
    row: number,
    { mode, textWeight }: Pick<SearchQuery, "mode" | "textWeight">,
  ): Float32Array | undefined {
    const { pictureEmbeddings, textEmbeddings, textRows } = this.collection;
    const picture = pictureEmbeddings.row(row), textRow = textRows[row];
    if (mode === "visual") return picture;
    if (textRow < 0) return mode === "text" ? undefined : picture;
    const text = textEmbeddings.row(textRow);
    return mode === "text" ? text : blendVectors(text, picture, textWeight);
  }
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
