/**
 * Questions to a collection: the rows nearest a vector, with filters.
 *
 * Chroma reports *squared* L2 distances, and cosine distances that are
 * 1 − cosine. Both become an L2 distance or a cosine similarity here and
 * nowhere else.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import type { EmbeddingIndex } from "#lib/chroma/collection.ts";
 * import { queryIndex } from "#lib/chroma/query.ts";
 *
 * async function owls(index: EmbeddingIndex<"cosine">, query: Float32Array) {
 *   const [nearest] = await queryIndex(index, query, { k: 5, term: "owl" });
 *   console.log(nearest.path, nearest.cosineSimilarity);
 * }
 * ```
 *
 * @module
 */
import type { Where } from "chromadb";
import type { Picture } from "../records.ts";
import { checkVector, type EmbeddingIndex, type Space } from "./collection.ts";

/** What each space's number is called once converted. */
export interface Measured {
  /** The L2 distance, 0 or more. */
  l2: { l2Distance: number };
  /** The cosine similarity, in [-1, 1]. */
  cosine: { cosineSimilarity: number };
}

/** One result of a query, with the measure of the index's space. */
export type DatabaseHit<S extends Space = Space> =
  & Pick<Picture, "path" | "category" | "term">
  & {
    /** As the server reports it: squared L2 distance, or 1 − cosine. */
    chromaDistance: number;
  }
  & Measured[S];

/** What to ask for. */
export interface QueryOptions {
  /** How many rows; fewer come back where fewer match. @default 10 */
  k?: number;
  /** Only rows of this category. */
  category?: string;
  /** Only rows of this term. */
  term?: string;
}

/**
 * The `k` nearest rows, nearest first.
 *
 * Approximate: HNSW looks at part of the rows, and can miss one.
 *
 * @param query A vector of the index's encoder.
 * @throws {RangeError} If the query has another length than the index.
 * @throws {Error} If the index is empty.
 */
export async function queryIndex<S extends Space>(
  index: EmbeddingIndex<S>,
  query: Float32Array,
  { k = 10, category, term }: QueryOptions = {},
): Promise<DatabaseHit<S>[]> {
  checkVector("queryIndex", index, query, "the query");
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(
      `queryIndex: expected a whole k of 1 or more, got ${k}`,
    );
  }
  const answer = await index.collection.query({
    queryEmbeddings: [Array.from(query)],
    nResults: k,
    where: whereEqual({ category, term }),
    include: ["distances", "metadatas"],
  });
  const [found] = answer.rows();
  if (found.length === 0 && await index.collection.count() === 0) {
    throw new Error(
      `queryIndex: ${index.collection.name} is empty: fill it with indexEmbeddings first`,
    );
  }
  return found.map(({ id, distance, metadata }) => ({
    path: id,
    category: String(metadata!.category),
    term: String(metadata!.term),
    chromaDistance: distance!,
    ...measured[index.space](distance!),
  }));
}

/** From Chroma's number to the field's. */
const measured: { [S in Space]: (chromaDistance: number) => Measured[S] } = {
  // Rounding can take a squared distance of 0 a little below it.
  l2: (squared) => ({ l2Distance: Math.sqrt(Math.max(0, squared)) }),
  cosine: (distance) => ({ cosineSimilarity: 1 - distance }),
};

/** Chroma's filter for the fields that are given; undefined for none. */
function whereEqual(
  fields: Record<string, string | undefined>,
): Where | undefined {
  const given = Object.entries(fields)
    .filter((field): field is [string, string] => field[1] !== undefined)
    .map(([key, value]) => ({ [key]: value }));
  return given.length > 1 ? { $and: given } : given[0];
}
