/**
 * The rankings of the last queries, kept for a while: a next page of one, or
 * another order of folding, takes a moment.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { Ranker } from "#lib/search_page/engine/ranker.ts";
 * import { Rankings } from "#lib/search_page/engine/rankings.ts";
 * import { readQuery } from "#lib/search_page/engine/query.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const rankings = new Rankings(new Ranker(space.collection));
 * const first = await rankings.of(readQuery({ text: "an owl" }), space);
 * const next = await rankings.of(readQuery({ text: "an owl", from: 12 }), space);
 * strictEqual(next, first);
 * await encoder.close();
 * ```
 *
 * @module
 */
import type { SearchQuery } from "./query.ts";
import type { Ranker, Ranking } from "./ranker.ts";
import type { EncoderSpace } from "./spaces.ts";

/** Rankings kept: 1 MB each where there are 100,000 pictures. */
const KEPT = 8;

/** Rankings by their queries, whichever page is wanted. */
export class Rankings {
  readonly #ranker: Ranker;
  readonly #kept = new Map<string, Promise<Ranking>>();

  constructor(ranker: Ranker) {
    this.#ranker = ranker;
  }

  /** A query's ranking, of the collection as it is. */
  of(query: SearchQuery, space: EncoderSpace): Promise<Ranking> {
    const key = keyOf(query, space);
    const known = this.#kept.get(key);
    const ranking = known ?? this.#ranker.rank(query, space);
    // The last one used goes to the end.
    this.#kept.delete(key);
    this.#kept.set(key, ranking);
    if (!known) ranking.catch(() => this.#kept.delete(key));
    if (this.#kept.size > KEPT) {
      this.#kept.delete(this.#kept.keys().next().value!);
    }
    return ranking;
  }

  /** A ranking with more candidates, in its place. */
  longer(
    query: SearchQuery,
    space: EncoderSpace,
    ranking: Ranking,
  ): Promise<Ranking> {
    const longer = this.#ranker.lengthen(query, space, ranking);
    const key = keyOf(query, space);
    if (this.#kept.has(key)) this.#kept.set(key, longer);
    longer.catch(() => this.#kept.delete(key));
    return longer;
  }
}

/** What a ranking is kept under: its query, whichever page is wanted. */
function keyOf(query: SearchQuery, space: EncoderSpace): string {
  const all = { ...query, from: 0, k: 0, fold: 0 };
  const { id, collection: { generation }, isApproximate } = space;
  return JSON.stringify([id, generation, isApproximate, all]);
}
