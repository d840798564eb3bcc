/**
 * From which similarity on a result is worth showing.
 *
 * A cosine says little by itself: 0.3 is much for one encoder and nothing for
 * another. So the collection is asked for things that hardly any photograph
 * shows, and what the best answers to those reach is what chance reaches. For
 * a picture as query, most of the collection is unrelated to it, and what all
 * but a twentieth of the pictures stay below is taken.
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
import { DEFAULT_QUERY, PIXELS } from "../web/query.js";
import type { SearchQuery } from "./query.ts";
import type { EncoderSpace } from "./spaces.ts";

/** Finds the cut-off for a query; undefined where none can be told. */
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
    const { mode, textWeight } = query;
    const { count } = space.collection;
    if (query.metric !== "cosine" || query.space === PIXELS) return undefined;
    if (count < FEWEST) return undefined;
    const reachedBy = (
      kind: "texts" | "pictures",
      measure: typeof reachedByTexts,
    ) => {
      // Growing by a tenth or so changes little; that is often enough.
      const size = Math.floor(8 * Math.log2(Math.min(SAMPLE, count)));
      const key = [space.id, kind, mode, textWeight, size].join();
      if (known.size > 200) known.clear();
      const value = known.get(key) ??
        measure(space, { ...DEFAULT_QUERY, mode, textWeight });
      known.set(key, value);
      return value;
    };
    const texts = () => reachedBy("texts", reachedByTexts);
    const pictures = () => reachedBy("pictures", reachedByPictures);
    const hasPicture = query.like.length > 0;
    if (!hasPicture) return await texts();
    const hasText = query.text !== "" || query.plus.length > 0;
    if (!hasText || mode === "visual") return await pictures();
    const weight = mode === "text" ? 1 : textWeight;
    return weight * await texts() + (1 - weight) * await pictures();
  };
}

/** What the best answer to nearly every unrelated text stays below. */
async function reachedByTexts(
  space: EncoderSpace,
  query: SearchQuery,
): Promise<number> {
  const best: number[] = [];
  for (const text of PROBE_TEXTS) {
    const values = await space.compare(
      await space.embedText(text),
      query,
      SAMPLE,
    );
    best.push(quantile(values, 1));
  }
  return quantile(best, 0.9);
}

/** What nearly every picture stays below, compared with a middling one. */
async function reachedByPictures(
  space: EncoderSpace,
  query: SearchQuery,
): Promise<number> {
  const { count, pictureEmbeddings } = space.collection;
  const limits: number[] = [];
  for (let i = 0; i < PROBE_PICTURES; i++) {
    const row = Math.floor((i + 0.5) * count / PROBE_PICTURES);
    const vector = pictureEmbeddings.row(row);
    limits.push(quantile(await space.compare(vector, query, SAMPLE), 0.95));
  }
  return quantile(limits, 0.5);
}

/**
 * The value below which the given share of all values lies, 0 to 1. NaN does not
 * count; of none it is -1, below which no cosine lies.
 */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value)).sort();
  return sorted[Math.floor(share * (sorted.length - 1))] ?? -1;
}
