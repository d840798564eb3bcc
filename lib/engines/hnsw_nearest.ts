/**
 * From a query to its hits: candidates of the graph, as many as make it likely
 * that the nearest are among them, and their exact values. Where that would take
 * longer than to compare all, or the graph is arranged by something else than is
 * asked for, all are compared.
 *
 * Touches no files.
 *
 * ```ts
 * import { nearestOf } from "#lib/engines/hnsw_nearest.ts";
 * import { HnswNodes } from "#lib/engines/hnsw_nodes.ts";
 * import { HnswIndex } from "#lib/engines/hnsw.ts";
 * import { clusteredVectors } from "#lib/compare/synthetic.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const vectors = clusteredVectors(300, 32);
 * const ids = Array.from(vectors, (_, row) => `${row}`);
 * const index = await HnswIndex.open({ dimensions: 32 });
 * await index.put(ids, vectors);
 * const nodes = new HnswNodes({ dimensions: 32 }, true);
 * nodes.insert(ids, vectors);
 * const [[first]] = await nearestOf(index, nodes, vectors.slice(7, 8), 1, {});
 * strictEqual(first.id, "7");
 * ```
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";
import { topK } from "../compare/compare.ts";
import { Matrix } from "../compare/matrix.ts";
import { type MetricName, metrics } from "../compare/metrics.ts";
import type { AskOptions, VectorHit, VectorIndex } from "./engines.ts";
import type { HnswNodes } from "./hnsw_nodes.ts";

/** Hits for which it takes more than twice as many candidates. */
const MANY = 100;

/** Who compares exactly. */
export interface Comparer extends Pick<VectorIndex, "compare"> {
  /** Among how many nodes a query looks. */
  readonly efSearch: number;
}

/**
 * The `k` best for each of some queries, which are asked at once.
 *
 * @param isSound Whether the graph finds what is in it; else all are compared.
 */
export async function nearestOf(
  comparer: Comparer,
  nodes: HnswNodes,
  queries: Matrix,
  k: number,
  { metric = "cosine", filter }: AskOptions,
  isSound = true,
): Promise<VectorHit[][]> {
  const passes = (id: string) => filter?.passes(id) ?? true;
  const wanted = wantedFor(nodes, comparer.efSearch, k, metric);
  // Of many, the last ones are the harder to find.
  const least = k > MANY ? 3 * k : wanted;
  const ef = Math.max(least, comparer.efSearch);
  const found = wanted > nodes.count / 4 || !isSound
    ? undefined
    : nodes.candidates(queries, ef, wanted, passes);
  const lists: VectorHit[][] = [];
  for (const [row, query] of Array.from(queries).entries()) {
    const ids = found && widened(nodes, query, found[row], ef, wanted, passes);
    lists.push(
      await (ids ? bestOf(comparer, query, ids, k, metric) : bestOfAll(
        comparer,
        query,
        [...nodes.ids()].filter(passes),
        k,
        metric,
      )),
    );
  }
  return lists;
}

/**
 * How many candidates are compared exactly for the `k` best; all vectors where
 * the graph is arranged by what ranks them otherwise.
 */
function wantedFor(
  { traits: { isUnit, isCentred }, graph }: HnswNodes,
  efSearch: number,
  k: number,
  metric: MetricName,
): number {
  const ofGraph = graph.settings.metric;
  const byLength = (name: MetricName) => name === "l1" || name === "l2";
  const isOther = byLength(metric) !== byLength(ofGraph) && !isUnit ||
    (metric === "correlation") !== (ofGraph === "correlation") && !isCentred;
  if (isOther) return Infinity;
  const isAlike = metric === ofGraph || metric === "l2" && isUnit;
  if (!isAlike) return Math.max(200, 10 * k, efSearch);
  // Rough numbers confuse the last of k with those after it.
  return Math.max(2 * k, Math.min(efSearch, 40));
}

/**
 * Enough candidates that pass, sought among ever more nodes; undefined where so
 * few pass that it takes less to compare all these.
 */
function widened(
  nodes: HnswNodes,
  query: Float32Array,
  ids: string[],
  ef: number,
  wanted: number,
  passes: (id: string) => boolean,
): string[] | undefined {
  const queries = new Matrix(query, query.length);
  while (ids.length < wanted) {
    // If they pass as often further off; and half as many more are sought.
    const passing = ids.length / ef * nodes.count;
    ef = Math.ceil(1.5 * ef * wanted / ids.length);
    if (!(ef < passing / 2)) return;
    [ids] = nodes.candidates(queries, ef, wanted, passes);
  }
  return ids;
}

/** The best of many, compared some at a time. */
async function bestOfAll(
  comparer: Comparer,
  query: Float32Array,
  all: string[],
  k: number,
  metric: MetricName,
): Promise<VectorHit[]> {
  let best: string[] = [];
  for (let start = 0; start < all.length; start += 5000) {
    if (start > 0) await setImmediate();
    const ids = [...best, ...all.slice(start, start + 5000)];
    best = (await bestOf(comparer, query, ids, k, metric)).map(({ id }) => id);
  }
  return await bestOf(comparer, query, best, k, metric);
}

/** The best of these; who has lost its vector since is none. */
async function bestOf(
  comparer: Comparer,
  query: Float32Array,
  ids: readonly string[],
  k: number,
  metric: MetricName,
): Promise<VectorHit[]> {
  const values = await comparer.compare(query, ids, metric);
  return topK(values, k, metrics[metric].better)
    .filter(({ value }) => !Number.isNaN(value))
    .map(({ index, value }) => ({ id: ids[index], value }));
}
