/**
 * Ways to compare a query with the collection: an encoder's vectors, or pixels.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { DEFAULT_QUERY } from "#lib/search_page/web/query.js";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { equal } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const owl = await space.embedText("an owl");
 * equal((await space.compare(owl, DEFAULT_QUERY)).length, 0);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Matrix } from "../../compare/matrix.ts";
import { multiplyRows } from "../../compare/matrix_product.ts";
import {
  clampCosine,
  type MetricName,
  metrics,
} from "../../compare/metrics.ts";
import { PixelGallery } from "../../compare/pixel_gallery.ts";
import { pixelVector } from "../../compare/pixels.ts";
import type { Encoder } from "../../encoders/encoder.ts";
import type { ImageSource } from "../../pictures/pictures.ts";
import { Collection } from "../index/collection.ts";
import { QueryError, type SearchQuery } from "./query.ts";
import { blendSimilarities, blendVectors } from "./ranking.ts";

/** Side of the square to which pictures are brought to compare their pixels. */
const PIXEL_SIZE = 64;

/** How many texts have their embeddings remembered. */
const REMEMBERED = 500;

/** Rows compared one by one before the server gets its turn. */
const ROWS_A_TURN = 2000;

/** An encoder and the pictures that it has embedded. */
export class EncoderSpace {
  readonly id: string;
  readonly label: string;
  readonly encoder: Encoder;
  readonly collection: Collection;
  readonly #texts = new Map<string, Promise<Float32Array>>();

  /** @param capacity How many pictures are expected. */
  constructor(encoder: Encoder, capacity?: number) {
    this.id = encoder.name;
    this.label = encoder.describe();
    this.encoder = encoder;
    this.collection = new Collection(encoder.dimensions, capacity);
  }

  /** A text's embedding; remembered, since a reader asks the same again. */
  embedText(text: string): Promise<Float32Array> {
    const known = this.#texts.get(text);
    if (known) return known;
    const vector = this.encoder.encodeTexts([text]).then(([first]) => first);
    this.#texts.set(text, vector);
    vector.catch(() => this.#texts.delete(text));
    if (this.#texts.size > REMEMBERED) {
      this.#texts.delete(this.#texts.keys().next().value!);
    }
    return vector;
  }

  /**
   * The value of every row, by the query's mode and metric; NaN for none.
   *
   * @param limit Only of so many rows, from the first on.
   */
  async compare(
    vector: Float32Array,
    query: SearchQuery,
    limit: number = Infinity,
  ): Promise<Float32Array> {
    const { mode, metric, textWeight } = query;
    const { pictureEmbeddings, textEmbeddings, textRows, agreement, count } =
      this.collection;
    if (metric !== "cosine") return await this.#compareEach(vector, query);
    const rows = Math.min(limit, count);
    const pictureCount = mode === "text" ? 0 : rows;
    // A text's row is never behind that of the picture that brought it.
    const textCount = mode === "visual"
      ? 0
      : Math.min(rows, textEmbeddings.count);
    const asked = new Matrix(vector, vector.length);
    const [{ data: pictures }, { data: texts }] = await Promise.all([
      multiplyRows(asked, pictureEmbeddings.slice(0, pictureCount)),
      multiplyRows(asked, textEmbeddings.slice(0, textCount)),
    ]);
    for (let row = 0; row < pictureCount; row++) {
      pictures[row] = clampCosine(pictures[row]);
    }
    if (mode === "visual") return pictures;
    const written = new Float32Array(rows);
    for (let row = 0; row < rows; row++) {
      written[row] = clampCosine(texts[textRows[row]] ?? NaN);
    }
    if (mode === "text") return written;
    return blendSimilarities(written, pictures, agreement, textWeight);
  }

  /** Pair by pair, as the metric is defined. */
  async #compareEach(
    vector: Float32Array,
    query: SearchQuery,
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
    { mode, textWeight }: SearchQuery,
  ): Float32Array | undefined {
    const { pictureEmbeddings, textEmbeddings, textRows } = this.collection;
    const picture = pictureEmbeddings.row(row), textRow = textRows[row];
    if (mode === "visual") return picture;
    if (textRow < 0) return mode === "text" ? undefined : picture;
    const text = textEmbeddings.row(textRow);
    return mode === "text" ? text : blendVectors(text, picture, textWeight);
  }
}

/** Pictures compared by their pixels, as notebook 3 does. */
export class PixelSpace {
  readonly label = `${PIXEL_SIZE} × ${PIXEL_SIZE} pixels`;
  readonly collection: Collection;
  #gallery: Promise<PixelGallery> | undefined;
  #done = 0;

  constructor(collection: Collection) {
    this.collection = collection;
  }

  /** How many pictures have been read, of all. */
  get progress(): { done: number; total: number } {
    return { done: this.#done, total: this.collection.count };
  }

  /**
   * The value of every row.
   *
   * The first call reads all pictures, a few milliseconds each.
   */
  async compare(
    picture: ImageSource,
    metric: MetricName,
  ): Promise<Float64Array> {
    const { count } = this.collection;
    if (count === 0) {
      throw new QueryError("there are no pictures to compare pixels with yet");
    }
    let gallery = await (this.#gallery ??= this.#read());
    if (gallery.count < count) gallery = await (this.#gallery = this.#read());
    const query = await pixelVector(picture, PIXEL_SIZE);
    return gallery.compare([query], metric)[0];
  }

  async #read(): Promise<PixelGallery> {
    const { pictures } = this.collection;
    const count = pictures.length;
    const gallery = new PixelGallery(count, PIXEL_SIZE * PIXEL_SIZE * 3);
    this.#done = 0;
    const next = async (): Promise<void> => {
      while (this.#done < count) {
        const row = this.#done++;
        // A picture that is gone stays black: it ranks low and shifts nobody.
        const vector = await pixelVector(pictures[row].source, PIXEL_SIZE)
          .catch(() => undefined);
        if (vector) gallery.set(row, vector);
      }
    };
    await Promise.all([next(), next(), next(), next()]);
    return gallery;
  }
}
