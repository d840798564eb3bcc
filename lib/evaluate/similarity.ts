/**
 * Every query with the whole gallery: cosine similarities of embeddings, block
 * by block, so that memory stays bounded however many queries there are.
 *
 * Embeddings are unit vectors, so the cosine is the dot product. 25,000 queries
 * over 5,000 pictures are 25,000 rows of 5,000 numbers, of which some hundred
 * rows are in memory at a time.
 *
 * Touches no files.
 *
 * ```ts
 * import { similarities } from "#lib/evaluate/similarity.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const queries = [Float32Array.of(1, 0)];
 * const gallery = [Float32Array.of(0, 1), Float32Array.of(1, 0)];
 * for await (const { query, values } of similarities(queries, gallery)) {
 *   deepEqual([query, [...values]], [0, [0, 1]]);
 * }
 * ```
 *
 * @module
 */
import { type Matrix, multiplyRows } from "../compare/matrix_product.ts";

/** Similarities in memory at once, 4 bytes each. */
const BLOCK_VALUES = 2 ** 22;

/** One query's similarities. */
export interface QuerySimilarities {
  /** Position among the queries. */
  query: number;
  /** One a gallery item. */
  values: Float32Array;
}

/**
 * Compares each query with the whole gallery, in the queries' order.
 *
 * @param queries Unit vectors of length D.
 * @param gallery Unit vectors of length D.
 * @param signal Stops between two blocks, by throwing its reason.
 * @throws {RangeError} If a length differs, or a vector holds something that is
 *   no number, which no ranking could place.
 */
export async function* similarities(
  queries: readonly Float32Array[],
  gallery: readonly Float32Array[],
  { signal }: { signal?: AbortSignal } = {},
): AsyncGenerator<QuerySimilarities> {
  if (queries.length === 0 || gallery.length === 0) return;
  const length = gallery[0].length;
  checkVectors("gallery", gallery, length);
  checkVectors("query", queries, length);
  const blockRows = Math.max(1, Math.floor(BLOCK_VALUES / gallery.length));
  const columns = toMatrix(gallery, length);
  for (let start = 0; start < queries.length; start += blockRows) {
    signal?.throwIfAborted();
    const rows = toMatrix(queries.slice(start, start + blockRows), length);
    const values = await multiplyRows(rows, columns);
    for (let row = 0; row < rows.rows; row++) {
      const from = row * gallery.length;
      yield {
        query: start + row,
        values: values.subarray(from, from + gallery.length),
      };
    }
  }
}

function toMatrix(vectors: readonly Float32Array[], length: number): Matrix {
  const data = new Float32Array(vectors.length * length);
  vectors.forEach((vector, row) => data.set(vector, row * length));
  return { data, rows: vectors.length };
}

function checkVectors(
  what: string,
  vectors: readonly Float32Array[],
  length: number,
): void {
  vectors.forEach((vector, index) => {
    if (vector.length !== length) {
      throw new RangeError(
        `similarities: expected vectors of ${length} numbers, got ` +
          `${vector.length} in ${what} ${index}`,
      );
    }
    let sum = 0;
    for (let i = 0; i < length; i++) sum += vector[i];
    if (!Number.isFinite(sum)) {
      throw new RangeError(
        `similarities: expected numbers, got ${
          vector.find((value) => !Number.isFinite(value))
        } in ${what} ${index}`,
      );
    }
  });
}
