/**
 * Whether a graph finds what is in it. Vectors that lie in clumps can be linked to
 * each other alone, and no walk comes to such an island: 5,000 vectors with one
 * number other than 0 among 64, by L2, found themselves in 34 of 200 cases, and of
 * 6,000 vectors of which 2,000 differ by length alone, by cosine, in 187.
 *
 * A graph that is but asked with a small `efSearch` misses some, too, but not
 * these: so what is not found is sought again among an eighth of all nodes, or
 * 2,000.
 *
 * Touches no files.
 *
 * ```ts
 * import { shareUnreached } from "#lib/engines/hnsw_reach.ts";
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
 * strictEqual(await shareUnreached(index, nodes), 0);
 * ```
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";
import { Matrix } from "../compare/matrix.ts";
import type { VectorIndex } from "./engines.ts";
import type { HnswNodes } from "./hnsw_nodes.ts";

/** Who has the exact vectors. */
export interface Owner extends Pick<VectorIndex, "compare" | "vectors"> {
  /** Among how many nodes a query looks. */
  readonly efSearch: number;
}

/** Vectors that are tried: a share of 3 in 100 is seen, and one of .2 is not. */
const SAMPLE = 200;

/** Candidates among which a vector is to be. */
const CANDIDATES = 40;

/** Of a sample of the vectors, the share that no walk through the graph comes to. */
export async function shareUnreached(
  owner: Owner,
  nodes: HnswNodes,
): Promise<number> {
  const all = [...nodes.ids()];
  // By the golden ratio: spread, whatever comes back every so many rows.
  const ids = Array.from(
    { length: Math.min(SAMPLE, all.length) },
    (_, i) => all[Math.floor((i * .618033988749895 % 1) * all.length)],
  );
  const { metric } = nodes.graph.settings;
  const vectors = await owner.vectors(ids);
  const wide = Math.min(2000, Math.ceil(all.length / 8));
  let tried = 0, missed = 0;
  for (const [row, id] of ids.entries()) {
    if (row % 20 === 19) await setImmediate(); // Others get a turn.
    const vector = vectors.row(row);
    if (!vector.every(Number.isFinite)) continue; // Its owner has lost it.
    const query = new Matrix(vector, vector.length);
    const isReached = async (ef: number) => {
      const [found] = nodes.candidates(query, ef, CANDIDATES);
      const [own, ...others] = await owner.compare(
        vector,
        [id, ...found],
        metric,
      );
      // Its equal is as good as itself; and it may have been lost since.
      return Number.isNaN(own) ||
        others.some((value) => Math.abs(value - own) <= 1e-6 * own);
    };
    tried++;
    const ef = Math.max(owner.efSearch, CANDIDATES);
    if (!await isReached(ef) && !await isReached(Math.max(ef, wide))) missed++;
  }
  return tried === 0 ? 0 : missed / tried;
}
