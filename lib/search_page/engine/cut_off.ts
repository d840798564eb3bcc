/**
 * From which similarity on a result is worth showing.
 *
 * A cosine says little by itself: 0.3 is much for one encoder and nothing for
 * another. So the collection is asked for things that hardly any photograph
 * shows, and what the best answers to those reach is what chance reaches. For
 * a picture as query, most of the collection is unrelated to it, and what all
 * but a twentieth of all pairs stay below is taken.
 *
 * Touches no files.
 *
 * ```ts
 * import { quantile } from "#lib/search_page/engine/cut_off.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(quantile([3, 1, 2, 5, 4], 0.5), 3);
 * ```
 *
 * @module
 */
import type { SearchQuery } from "./query.ts";
import type { EncoderSpace } from "./spaces.ts";
import { DEFAULT_QUERY } from "./query.ts";

/** Finds the cut for a query; undefined where none can be told. */
export type CutOff = (
  space: EncoderSpace,
  query: SearchQuery,
) => Promise<number | undefined>;

/** Fewer pictures than this tell nothing. */
const FEWEST = 20;

/** Pictures that stand for all, where there are more. */
const SAMPLE = 5000;

/** Pictures that stand for all as queries. */
const PROBE_PICTURES = 12;

/** Things that photographs do not show. */
const PROBE_TEXTS = [
  "income tax return",
  "a lecture on quantum mechanics",
  "parliamentary debate",
  "the source code of a compiler",
  "double-entry bookkeeping",
  "freedom of speech",
  "rules of grammar",
  "an insurance contract",
  "the price of shares",
  "statistical significance",
  "qwx zzk vbn",
  "a proof by induction",
  "monetary policy",
  "minutes of the meeting",
  "terms and conditions",
  "a knitting pattern",
];

/** Makes a CutOff that remembers what it found as long as a collection stays. */
export function cutOffs(): CutOff {
  const known = new Map<string, Promise<number>>();
  return async (space, query) => {
    const { collection } = space;
    if (query.metric !== "cosine" || query.space === "pixels") return undefined;
    if (collection.count < FEWEST) return undefined;
    const of = (kind: "text" | "picture") => {
      // Growing by a tenth or so changes little; that is often enough.
      const rows = Math.min(SAMPLE, collection.count);
      const size = Math.floor(8 * Math.log2(rows));
      const key = [space.id, kind, query.mode, query.textWeight, size].join();
      let floor = known.get(key);
      if (!floor) {
        if (known.size > 200) known.clear();
        floor = kind === "text"
          ? textFloor(space, query)
          : pictureFloor(space, query);
        known.set(key, floor);
      }
      return floor;
    };
    const byText = query.text !== "" || query.plus.length > 0;
    const byPicture = Boolean(query.like || query.picture);
    if (!byPicture) return await of("text");
    if (!byText || query.mode === "visual") return await of("picture");
    const weight = query.mode === "text" ? 1 : query.textWeight;
    return weight * await of("text") + (1 - weight) * await of("picture");
  };
}

async function textFloor(
  space: EncoderSpace,
  query: SearchQuery,
): Promise<number> {
  const tops: number[] = [];
  for (const text of PROBE_TEXTS) {
    const vector = await space.textVector(text);
    tops.push(highest(await space.compare(vector, probe(query), SAMPLE)));
  }
  return quantile(tops, 0.9);
}

async function pictureFloor(
  space: EncoderSpace,
  query: SearchQuery,
): Promise<number> {
  const { collection } = space;
  const floors: number[] = [];
  for (let i = 0; i < PROBE_PICTURES; i++) {
    const row = Math.floor((i + 0.5) * collection.count / PROBE_PICTURES);
    const values = await space.compare(
      collection.looks.row(row),
      probe(query),
      SAMPLE,
    );
    floors.push(quantile(values.filter((value) => !Number.isNaN(value)), 0.95));
  }
  return quantile(floors, 0.5);
}

function probe({ mode, textWeight }: SearchQuery): SearchQuery {
  return { ...DEFAULT_QUERY, mode, textWeight };
}

function highest(values: Float32Array): number {
  let most = -1;
  for (const value of values) if (value > most) most = value;
  return most;
}

/** The value below which the given share of all values lies, 0 to 1. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(share * (sorted.length - 1))];
}
