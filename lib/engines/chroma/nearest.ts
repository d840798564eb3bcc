/**
 * The rows of a collection that are nearest to a query. The server finds them by
 * its own space; what it has no space for, and filters that it does not know,
 * are seen to here, over more of its rows than are wanted.
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
import { metrics } from "../../compare/metrics.ts";
import type { VectorFilter, VectorHit } from "../engines.ts";
import type { EmbeddingIndex } from "./collection.ts";
import { queryRows } from "./requests.ts";
import { withinLimit } from "./rows.ts";
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
}

/** The server counts in 32 bits. */
const MOST_RESULTS = 2 ** 32 - 1;

/**
 * The `k` nearest to each query, best first.
 *
 * @param queries One or more: the server takes none for a mistake.
 */
export async function nearestRows(
  index: EmbeddingIndex,
  queries: Matrix,
  k: number,
  { filter, l1Candidates }: NearestOptions = {},
): Promise<VectorHit[][]> {
  const byL1 = l1Candidates !== undefined;
  const passes = (id: string) => filter?.passes(id) ?? true;
  const query_embeddings = Array.from(
    queries,
    (query) => Array.from(asStored(index.space, query)),
  );
  let count = Infinity; // Not asked for unless it matters.
  // A filter that the server does not know leaves out rows that it found:
  // then it is asked for more, until there are enough or there are no more.
  for (let wanted = k * (l1Candidates ?? 1);; wanted *= 4) {
    const [answer, asked] = await withinLimit(
      index,
      Math.min(wanted, count, MOST_RESULTS),
      (n_results) =>
        queryRows(index, {
          query_embeddings,
          n_results,
          where: filter?.where,
          include: byL1 ? ["distances", "embeddings"] : ["distances"],
        }),
    );
    const passed = answer.ids.map((ids) =>
      [...ids.keys()].filter((row) => passes(ids[row]))
    );
    // Nothing more comes from a server, or a plan, that gave fewer or all.
    const isShort = passed.some((rows, i) =>
      rows.length < k && answer.ids[i].length === wanted
    );
    if (isShort && asked === wanted && wanted < count) {
      if (count === Infinity) count = await index.collection.count();
      continue;
    }
    return passed.map((rows, i) => {
      const ids = answer.ids[i];
      if (!byL1) {
        return rows.slice(0, k).map((row) => (
          {
            id: ids[row],
            value: valueOf(index.space, answer.distances[i][row]),
          }
        ));
      }
      const query = queries.row(i);
      const values = rows.map((row) =>
        metrics.l1.measure(query, answer.embeddings![i][row])
      );
      return topK(values, k, "lower").map(({ index, value }) => (
        { id: ids[rows[index]], value }
      ));
    });
  }
}
