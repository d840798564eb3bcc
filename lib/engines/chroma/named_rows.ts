/**
 * What is asked of rows that are named by their ids: their vectors, how they
 * compare with a query, what is kept beside them. An id that no row has, or that
 * none can have, is no mistake: nothing is known of it.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { startChroma } from "#lib/engines/chroma/chroma.ts";
 * import { openChromaIndex } from "#lib/engines/chroma/chroma_index.ts";
 * import { compareRows } from "#lib/engines/chroma/named_rows.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const chroma = await startChroma({ folder: await Deno.makeTempDir() });
 * const birds = { dataset: "birds", encoder: "by hand", dimensions: 2 };
 * const index = await openChromaIndex(chroma, { ...birds, metrics: ["l2"] });
 * await index.put(["owl"], Matrix.of([[3, 4]]));
 * const l2 = index.collections.get("l2")!, origin = Float32Array.of(0, 0);
 * const values = await compareRows(l2, origin, ["owl", "elk"], "l2", 2000);
 * deepStrictEqual([...values], [5, NaN]);
 * await chroma.stop();
 * ```
 *
 * @module
 */
import type { Metadata } from "chromadb";
import { Matrix } from "../../compare/matrix.ts";
import { type MetricName, metrics } from "../../compare/metrics.ts";
import type { EmbeddingIndex } from "./collection.ts";
import { queryRows } from "./requests.ts";
import { inBatches, readRows } from "./rows.ts";
import { asStored, valueOf } from "./spaces.ts";

/** Vectors of so many come sooner than the server's distances to them. */
export const FETCHED_SOONER = 500;

/** Each once, without what the server takes for no id, which none can have. */
export function possibleIds(ids: readonly string[]): string[] {
  return [...new Set(ids)].filter((id) => id !== "" && id.isWellFormed());
}

/** The vectors of these ids, a row each; NaN throughout where there is none. */
export async function vectorsOfRows(
  index: EmbeddingIndex,
  ids: readonly string[],
  batchSize: number,
): Promise<Matrix> {
  const found = new Map<string, number[]>();
  await inBatches(index, possibleIds(ids), { batchSize }, async (batch) => {
    const include = ["embeddings" as const];
    const page = await index.collection.get({ ids: batch, include });
    page.ids.forEach((id, i) => found.set(id, page.embeddings[i]!));
  });
  const vectors = Matrix.zeros(ids.length, index.dimensions);
  ids.forEach((id, row) => {
    const vector = found.get(id);
    if (vector) vectors.set(row, vector);
    else vectors.row(row).fill(NaN);
  });
  return vectors;
}

/** What is kept beside the vectors of these ids, by id. */
export async function metadataOfRows(
  index: EmbeddingIndex,
  ids: readonly string[],
  batchSize: number,
): Promise<Map<string, Metadata>> {
  const found = new Map<string, Metadata>();
  const rows = readRows(index, batchSize, possibleIds(ids));
  for await (const [id, kept] of rows) found.set(id, kept ?? {});
  return found;
}

/**
 * How these rows compare with a vector, in the order of the ids; NaN where
 * there is none.
 *
 * @param metric The space's own, or l1 in a space of l2.
 */
export async function compareRows(
  index: EmbeddingIndex,
  vector: Float32Array,
  ids: readonly string[],
  metric: MetricName,
  batchSize: number,
): Promise<Float32Array> {
  const stored = asStored(index.space, vector);
  // A server looks over all that it has for the few that are named.
  if (metric === "l1" || ids.length <= FETCHED_SOONER) {
    const { measure } = metrics[metric];
    const vectors = await vectorsOfRows(index, ids, batchSize);
    return Float32Array.from(vectors, (row) => measure(stored, row));
  }
  const values = new Map<string, number>();
  const query = Array.from(stored);
  await inBatches(index, possibleIds(ids), { batchSize }, async (batch) => {
    const { ids, distances } = await distancesTo(index, query, batch);
    ids.forEach((id, i) => values.set(id, valueOf(index.space, distances[i])));
  });
  return Float32Array.from(ids, (id) => values.get(id) ?? NaN);
}

/** The server's distances to these rows; none for a row that is not there. */
async function distancesTo(
  index: EmbeddingIndex,
  query: number[],
  ids: string[],
): Promise<{ ids: string[]; distances: number[] }> {
  for (let attempt = 1;; attempt++) {
    // It takes an id that it does not know for a mistake of its own.
    const known = await index.collection.get({ ids, include: [] });
    if (known.ids.length === 0) return { ids: [], distances: [] };
    try {
      const answer = await queryRows(index, {
        query_embeddings: [query],
        ids: known.ids,
        n_results: known.ids.length,
        include: ["distances"],
      });
      return { ids: answer.ids[0], distances: answer.distances[0] };
    } catch (error) {
      // Another program has deleted one meanwhile.
      const isGone = /finding id/i.test((error as Error).message);
      if (!isGone || attempt === 5) throw error;
    }
  }
}
