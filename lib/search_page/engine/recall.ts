/**
 * How much of what exact search lists first an engine lists, for queries as the
 * page asks them: by picture, by text, or by both with any weight.
 *
 * Touches no files.
 *
 * ```ts
 * import { recallOf } from "#lib/search_page/engine/recall.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(recallOf([7, 3, 5, 1], [3, 7, 9, 5]), 0.75);
 * ```
 *
 * @module
 */
import { metrics } from "../../compare/metrics.ts";
import { bestFirst } from "./order.ts";
import { readQuery, type SearchQuery } from "./query.ts";
import type { EncoderSpace } from "./spaces.ts";

/** Which part of `truth` is found, whatever the order; 1 where there is none. */
export function recallOf(
  found: readonly number[],
  truth: readonly number[],
): number {
  const listed = new Set(found);
  const count = truth.filter((row) => listed.has(row)).length;
  return truth.length === 0 ? 1 : count / truth.length;
}

/** What is asked, and how. */
export interface RecallOptions {
  /** So many of the first are looked for. @default 10 */
  k?: number;
  /** Candidates that the index is asked for. @default 200 */
  candidates?: number;
}

/**
 * The mean recall of a space's index over queries; 1 where it has none, since
 * all vectors are compared then.
 *
 * @param vectors A query each, unit vectors.
 */
export async function measureRecall(
  space: EncoderSpace,
  vectors: Iterable<Float32Array>,
  query: SearchQuery,
  { k = 10, candidates = 200 }: RecallOptions = {},
): Promise<number> {
  const { collection } = space;
  const { better } = metrics[query.metric];
  const isAllowed = (row: number) => collection.isSearchable(row);
  const first = (
    values: Float32Array,
  ) => [...bestFirst(values, better).filter(isAllowed).subarray(0, k)];
  let sum = 0, count = 0;
  for (const vector of vectors) {
    const [all, few] = await Promise.all(
      [Infinity, candidates].map((asked) =>
        space.find(vector, query, asked, isAllowed)
      ),
    );
    sum += recallOf(first(few.values), first(all.values));
    count++;
  }
  return count === 0 ? 1 : sum / count;
}

/** Words that are asked, evenly from all everyday words. */
const WORDS = 10;

/** Where a server compares all, it may have so many: more would take seconds. */
const MOST_COMPARED = 5000;

/**
 * The recall of a space's index for some everyday words, asked as the page asks
 * by itself; undefined where there is no index, or too much to compare.
 */
export async function recallByWords(
  space: EncoderSpace,
): Promise<number | undefined> {
  const { collection, isApproximate } = space;
  const isMuch = !collection.keepsVectors && collection.count > MOST_COMPARED;
  if (!isApproximate || isMuch || collection.count === 0) return undefined;
  const words = await space.everydayWords();
  const step = Math.max(1, Math.floor(words.count / WORDS));
  const rows = [...words].filter((_, row) => row % step === 0).slice(0, WORDS);
  return await measureRecall(space, rows, readQuery({ text: "a word" }));
}
