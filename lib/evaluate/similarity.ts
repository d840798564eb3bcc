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
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { similarities } from "#lib/evaluate/similarity.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const queries = Matrix.of([[1, 0]]);
 * const gallery = Matrix.of([[0, 1], [1, 0]]);
 * for await (const { query, values } of similarities(queries, gallery)) {
 *   deepEqual([query, [...values]], [0, [0, 1]]);
 * }
 * ```
 *
 * @module
 */
import type { Matrix } from "../compare/matrix.ts";
import { multiplyRows } from "../compare/matrix_product.ts";

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
  queries: Matrix,
  gallery: Matrix,
  { signal }: { signal?: AbortSignal } = {},
): AsyncGenerator<QuerySimilarities> {
  if (queries.count === 0 || gallery.count === 0) return;
  checkNumbers("gallery", gallery);
  checkNumbers("query", queries);
  const blockRows = Math.max(1, Math.floor(BLOCK_VALUES / gallery.count));
  for (let start = 0; start < queries.count; start += blockRows) {
    signal?.throwIfAborted();
    const end = Math.min(start + blockRows, queries.count);
    const block = await multiplyRows(queries.slice(start, end), gallery);
    let query = start;
    for (const values of block) yield { query: query++, values };
  }
}

function checkNumbers(what: string, { data, dimensions }: Matrix): void {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new RangeError(
      `similarities: expected numbers, got ${data[bad]} in ${what} ` +
        Math.floor(bad / dimensions),
    );
  }
}
