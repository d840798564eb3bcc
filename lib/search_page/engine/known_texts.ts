/**
 * Vectors of what is written about a collection's pictures, here where they are
 * few: a folder's pictures often share their words, and a few thousand texts are
 * compared sooner than an index is asked.
 *
 * Touches no files.
 *
 * ```ts
 * import { KnownTexts } from "#lib/search_page/engine/known_texts.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const texts = new KnownTexts(new Collection(2), () => Promise.reject());
 * strictEqual(await texts.compare(Float32Array.of(1, 0)), undefined); // There is none.
 * ```
 *
 * @module
 */
import { Matrix } from "../../compare/matrix.ts";
import { multiplyRows } from "../../compare/matrix_product.ts";
import { clampCosine } from "../../compare/metrics.ts";
import type { Collection } from "../index/collection.ts";

/** Numbers that are kept here at most: 40 MB, or 20,000 texts of 512. */
const MOST_NUMBERS = 10_240_000;

/** Texts that a database is asked for at once. */
const AT_ONCE = 500;

/** A collection's texts, as far as they are few. */
export class KnownTexts {
  readonly #collection: Collection;
  readonly #fetch: (ids: readonly string[]) => Promise<Matrix>;
  /** Where the collection does not keep them: by id, and as rows. */
  readonly #kept = new Map<string, Float32Array>();
  #rows = Matrix.empty(1, 0);
  #rowsOf = -1;
  #isFetching = false;

  /** @param fetch Where texts are that another program has put in. */
  constructor(
    collection: Collection,
    fetch: (ids: readonly string[]) => Promise<Matrix>,
  ) {
    this.#collection = collection;
    this.#fetch = fetch;
  }

  /** Keeps a text's vector, unless there are many. */
  keep(id: string, vector: Float32Array): void {
    const { keepsVectors } = this.#collection;
    if (!keepsVectors && this.#areFew) this.#kept.set(id, vector);
  }

  /** Lets go of texts that are gone. */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#kept.delete(id);
  }

  /**
   * The cosine of every text, by its row in the collection; undefined where
   * there are many or none, or they are still on their way.
   */
  async compare(vector: Float32Array): Promise<Float32Array | undefined> {
    const rows = this.#all();
    if (!rows) return undefined;
    const asked = new Matrix(vector, vector.length);
    const values = (await multiplyRows(asked, rows)).row(0);
    return values.map(clampCosine);
  }

  get #areFew(): boolean {
    const { textIds, textEmbeddings } = this.#collection;
    return textIds.length * textEmbeddings.dimensions <= MOST_NUMBERS;
  }

  #all(): Matrix | undefined {
    const { keepsVectors, contents, textIds, textEmbeddings } =
      this.#collection;
    if (!this.#areFew) this.#kept.clear();
    if (!this.#areFew || textIds.length === 0) return undefined;
    if (keepsVectors) return textEmbeddings;
    if (this.#rowsOf === contents) return this.#rows;
    const missing = textIds.filter((id) => id !== "" && !this.#kept.has(id));
    if (missing.length > 0) {
      this.#fetchAll(missing);
      return undefined;
    }
    const { dimensions } = textEmbeddings;
    const none = new Float32Array(dimensions);
    this.#rows = Matrix.of(
      textIds.map((id) => this.#kept.get(id) ?? none),
      dimensions,
    );
    this.#rowsOf = contents;
    return this.#rows;
  }

  /** Meanwhile the index is asked; what fails now, the next search tries again. */
  async #fetchAll(ids: readonly string[]): Promise<void> {
    if (this.#isFetching) return;
    this.#isFetching = true;
    try {
      for (let start = 0; start < ids.length; start += AT_ONCE) {
        const part = ids.slice(start, start + AT_ONCE);
        const vectors = await this.#fetch(part);
        part.forEach((id, row) => {
          const vector = vectors.row(row);
          // None is there, or not yet.
          if (!Number.isNaN(vector[0])) this.keep(id, vector.slice());
        });
      }
    } catch {
      /* The database does not answer: a search says so. */
    } finally {
      this.#isFetching = false;
    }
  }
}
