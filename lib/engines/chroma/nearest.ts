/**
 * The rows of a collection that are nearest to a query. The server finds them by
 * its own space; what it has no space for, and filters that it does not know,
 * are seen to here, over more of its rows than are wanted. Many queries go in
 * parts that a server takes.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { startChroma } from "#lib/engines/chroma/chroma.ts";
 * import { openChromaIndex } from "#lib/engines/chroma/chroma_index.ts";
 * import { nearestRows } from "#lib/engines/chroma/nearest.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const chroma = await startChroma({ folder: await Deno.makeTempDir() });
 * const birds = { dataset: "birds", encoder: "by hand", dimensions: 2 };
 * const index = await openChromaIndex(chroma, { ...birds, metrics: ["l2"] });
 * await index.put(["owl", "hen"], Matrix.of([[3, 4], [9, 9]]));
 * const l2 = index.collections.get("l2")!, origin = Matrix.of([[0, 0]]);
 * const noOwl = { passes: (id: string) => id !== "owl" };
 * const [byL1] = await nearestRows(l2, origin, 1, { l1Candidates: 10 });
 * deepStrictEqual(byL1, [{ id: "owl", value: 7 }]);
 * const [left] = await nearestRows(l2, origin, 1, { filter: noOwl });
 * deepStrictEqual(left.map(({ id }) => id), ["hen"]);
 * await chroma.stop();
 * ```
 *
 * @module
 */
import { topK } from "../../compare/compare.ts";
import type { Matrix } from "../../compare/matrix.ts";
import type { VectorFilter, VectorHit } from "../engines.ts";
import type { EmbeddingIndex } from "./collection.ts";
import { compareRows } from "./named_rows.ts";
import { queryRows } from "./requests.ts";
import { rowsARequest, withinLimit } from "./rows.ts";
import { asStored, valueOf } from "./spaces.ts";

/** Which rows count, and by what. */
export interface NearestOptions {
  /** Left out, all rows count. */
  filter?: VectorFilter;
  /**
   * By l1, in a space of l2: so many of its nearest are compared for each that
   * is wanted. Left out, the space's own measure counts.
   */
  l1Candidates?: number;
  /** By l1, rows a request for their vectors. @default {vectors of 12 MB} */
  batchSize?: number;
}

/** The server counts in 32 bits. */
const MOST_RESULTS = 2 ** 32 - 1;
/** Numbers of all queries in a request: some 11 MB as text, and a server takes 40. */
const MOST_NUMBERS = 500_000;
/** Rows in an answer, of all its queries: some 10 MB as text. */
const MOST_ROWS = 200_000;

/** The `k` nearest to each query, best first. */
export async function nearestRows(
  index: EmbeddingIndex,
  queries: Matrix,
  k: number,
  {
    filter,
    l1Candidates,
    batchSize = rowsARequest(index.dimensions),
  }: NearestOptions = {},
): Promise<VectorHit[][]> {
  const byL1 = l1Candidates !== undefined;
  const passes = (id: string) => filter?.passes(id) ?? true;
  const hits: VectorHit[][] = [];
  // The rows of queries that are not answered yet.
  let open = Array.from({ length: queries.count }, (_, row) => row);
  let count = Infinity; // Not asked for unless it matters.
  // A filter that the server does not know leaves out rows that it found: then
  // it is asked for more, until there are enough or there are no more.
  for (let wanted = k * (l1Candidates ?? 1); open.length > 0; wanted *= 4) {
    const short: number[] = [];
    const most = Math.min(wanted, count, MOST_RESULTS);
    const size = Math.max(
      1,
      Math.floor(Math.min(MOST_NUMBERS / index.dimensions, MOST_ROWS / most)),
    );
    for (let start = 0; start < open.length; start += size) {
      const part = open.slice(start, start + size);
      const query_embeddings = part.map((row) =>
        Array.from(asStored(index.space, queries.row(row)))
      );
      const [answer] = await withinLimit(
        index,
        most,
        (n_results) =>
          queryRows(index, {
            query_embeddings,
            n_results,
            where: filter?.where,
            include: byL1 ? [] : ["distances"],
          }),
      );
      for (const [i, row] of part.entries()) {
        const ids = answer.ids[i];
        const found = [...ids.keys()].filter((n) => passes(ids[n]));
        // Nothing more comes from a server, or a plan, that gave fewer or all.
        if (found.length < k && ids.length === wanted && wanted < count) {
          short.push(row);
        } else if (byL1) {
          const passed = found.map((n) => ids[n]);
          hits[row] = await nearestByL1(
            index,
            queries.row(row),
            passed,
            k,
            batchSize,
          );
        } else {
          hits[row] = found.slice(0, k).map((n) => (
            { id: ids[n], value: valueOf(index.space, answer.distances[i][n]) }
          ));
        }
      }
    }
    if (short.length > 0) count = await index.collection.count();
    open = short;
  }
  return hits;
}

/** Of these rows, in a space of l2, the nearest by l1. */
async function nearestByL1(
  index: EmbeddingIndex,
  query: Float32Array,
  ids: string[],
  k: number,
  batchSize: number,
): Promise<VectorHit[]> {
  const values = await compareRows(index, query, ids, "l1", batchSize);
  return topK(values, k, "lower")
    .map(({ index, value }) => ({ id: ids[index], value }))
    // Another program may have deleted a row since it was found.
    .filter(({ value }) => !Number.isNaN(value));
}
