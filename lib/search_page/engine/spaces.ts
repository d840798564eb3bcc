/**
 * Ways to compare a query with the collection: an encoder's vectors, or pixels.
 *
 * ```ts
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import type { Encoder } from "#lib/encoders/encoder.ts";
 *
 * function emptySpace(encoder: Encoder) {
 *   return new EncoderSpace(encoder, new Collection("none", encoder.dimensions));
 * }
 * ```
 *
 * @module
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Encoder } from "../../encoders/encoder.ts";
import type { ImageSource } from "../../pictures/pictures.ts";
import { Matrix } from "../../compare/matrix.ts";
import { multiplyRows } from "../../compare/matrix_product.ts";
import { PixelGallery } from "../../compare/pixel_gallery.ts";
import { type MetricName, metrics } from "../../compare/metrics.ts";
import { pixelVector } from "../../compare/pixels.ts";
import type { Collection } from "../index/collection.ts";
import { QueryError, type SearchQuery } from "./query.ts";
import { blendSimilarities, blendVectors } from "./ranking.ts";

/** Side of the square to which pictures are brought to compare their pixels. */
export const PIXEL_SIZE = 64;

/** How many queries and pictures have their vectors remembered. */
const REMEMBERED = 500;

/** Rows compared before the server gets its turn. */
const ROWS_A_TURN = 2000;

/** An encoder and the pictures that it has embedded. */
export class EncoderSpace {
  readonly id: string;
  readonly label: string;
  readonly encoder: Encoder;
  readonly collection: Collection;
  readonly #texts = new Map<string, Promise<Float32Array>>();

  constructor(encoder: Encoder, collection: Collection) {
    this.id = encoder.id;
    this.label = encoder.describe();
    this.encoder = encoder;
    this.collection = collection;
  }

  /** A text's vector; remembered, since a reader asks the same again. */
  textVector(text: string): Promise<Float32Array> {
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
    { mode, metric, textWeight }: SearchQuery,
    limit: number = Infinity,
  ): Promise<Float32Array> {
    const { looks, words, wordsRow, agreement } = this.collection;
    if (metric !== "cosine") {
      return await this.#compareOneByOne(vector, mode, metric, textWeight);
    }
    const rows = Math.min(limit, this.collection.count);
    const query = new Matrix(vector, vector.length);
    const [{ data: pictures }, { data: titles }] = await Promise.all([
      multiplyRows(query, looks.slice(0, mode === "text" ? 0 : rows)),
      multiplyRows(query, words.slice(0, mode === "visual" ? 0 : rows)),
    ]);
    if (mode === "visual") return pictures;
    const written = new Float32Array(rows);
    for (let row = 0; row < rows; row++) {
      written[row] = titles[wordsRow[row]] ?? NaN;
    }
    return mode === "text"
      ? written
      : blendSimilarities(written, pictures, agreement, textWeight);
  }

  /** What a mode compares the query with: a row's picture, text, or both. */
  rowVector(
    row: number,
    mode: SearchQuery["mode"],
    weight: number,
  ): Float32Array | undefined {
    const { looks, words, wordsRow } = this.collection;
    if (mode === "visual" || !this.collection.hasWords(row)) {
      return mode === "text" ? undefined : looks.row(row);
    }
    return mode === "text"
      ? words.row(wordsRow[row])
      : blendVectors(words.row(wordsRow[row]), looks.row(row), weight);
  }

  async #compareOneByOne(
    vector: Float32Array,
    mode: SearchQuery["mode"],
    metric: MetricName,
    weight: number,
  ): Promise<Float32Array> {
    const values = new Float32Array(this.collection.count);
    for (let row = 0; row < values.length; row++) {
      const other = this.rowVector(row, mode, weight);
      values[row] = other ? metrics[metric].measure(vector, other) : NaN;
      if (row % ROWS_A_TURN === ROWS_A_TURN - 1) await nextTurn();
    }
    return values;
  }
}

/** Pictures compared by their pixels, as notebook 3 does. */
export class PixelSpace {
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
    if (this.collection.count === 0) {
      throw new QueryError("there are no pictures to compare pixels with yet");
    }
    const { count } = this.collection;
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
