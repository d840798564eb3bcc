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
import type { VectorIndex } from "./engines.ts";
import type { HnswNodes } from "./hnsw_nodes.ts";

/** Who has the exact vectors. */
export interface Owner extends Pick<VectorIndex, "compare" | "vectors"> {
  /** Among how many nodes a query looks. */
  readonly efSearch: number;
}

/** Vectors of which all are compared, whatever is asked for. */
const FEW = 160;

/** Who wants fewer links than this wants to see what is missed then. */
const LEAST_LINKS = 8;

/**
 * Of a graph that does not find more of its vectors, none is asked. Of some 200
 * that are tried, a good one may well miss one.
 */
const MOST_UNREACHED = .02;

/** Vectors that are tried: a share of 3 in 100 is seen, and one of .2 is not. */
const SAMPLE = 200;

/** Candidates among which a vector is to be. */
const CANDIDATES = 40;

/** Remembers of an index's graph whether it finds what is in it. */
export class HnswReach {
  readonly #owner: Owner;
  /** When the graph was last tried, and whether it was found wanting. */
  #tried?: { nodes: HnswNodes; changes: number; isSound: Promise<boolean> };
  #isTold = false;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /**
   * Whether the graph is to be asked; tried anew once a tenth has changed. That it
   * is not is said once, on standard error.
   */
  isSound(nodes: HnswNodes): Promise<boolean> {
    const { count, changes, graph } = nodes;
    const last = this.#tried;
    const isAsked = graph.settings.maxNeighbors >= LEAST_LINKS;
    if (!isAsked || count < FEW) return Promise.resolve(true);
    const isSame = last?.nodes === nodes &&
      changes - last.changes <= count / 10;
    if (isSame) return last.isSound;
    const isSound = shareUnreached(this.#owner, nodes).then((share) => {
      if (share > MOST_UNREACHED && !this.#isTold) {
        this.#isTold = true;
        console.warn(
          `HNSW: the graph does not find ${Math.round(100 * share)} of 100 ` +
            "vectors that are in it, so all vectors are compared",
        );
      }
      return share <= MOST_UNREACHED;
    });
    this.#tried = { nodes, changes, isSound };
    isSound.catch(() => this.#tried = undefined);
    return isSound;
  }
}

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
  const isReached = async (row: number, found: string[]) => {
    const vector = vectors.row(row);
    const [own, ...others] = await owner.compare(
      vector,
      [ids[row], ...found],
      metric,
    );
    // Its equal is as good as itself; and it may have been lost since.
    return Number.isNaN(own) ||
      others.some((value) => Math.abs(value - own) <= 1e-6 * own);
  };
  const ef = Math.max(owner.efSearch, CANDIDATES);
  let tried = 0, missed = 0;
  for (let start = 0; start < ids.length; start += 20) {
    if (start > 0) await setImmediate(); // Others get a turn.
    const end = Math.min(start + 20, ids.length);
    const rows = Array.from({ length: end - start }, (_, i) => start + i)
      // Of some its owner has lost the vector.
      .filter((row) => vectors.row(row).every(Number.isFinite));
    const lists = nodes.candidates(vectors.pick(rows), ef, CANDIDATES);
    for (const [i, row] of rows.entries()) {
      tried++;
      if (await isReached(row, lists[i])) continue;
      const query = vectors.slice(row, row + 1);
      const [found] = nodes.candidates(query, Math.max(ef, wide), CANDIDATES);
      if (!await isReached(row, found)) missed++;
    }
  }
  return tried === 0 ? 0 : missed / tried;
}
