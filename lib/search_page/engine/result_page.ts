/**
 * The results of a ranking that a reader asked for: from one place to another,
 * copies folded.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { Ranker } from "#lib/search_page/engine/ranker.ts";
 * import { readQuery } from "#lib/search_page/engine/query.ts";
 * import { resultPage } from "#lib/search_page/engine/result_page.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder); // Of no pictures.
 * const query = readQuery({ text: "an owl" });
 * const ranking = await new Ranker(space.collection).rank(query, space);
 * const { result } = await resultPage(query, space, ranking, space.collection);
 * deepStrictEqual(result.hits, []);
 * await encoder.close();
 * ```
 *
 * @module
 */
import type { Collection } from "../index/collection.ts";
import type { FoldedRow } from "./folding.ts";
import { Listing } from "./listing.ts";
import type { SearchQuery } from "./query.ts";
import { fitting, type Ranking } from "./ranker.ts";
import { hitOf, type SearchHit, type SearchResult } from "./search_result.ts";
import type { EncoderSpace } from "./spaces.ts";

/** Copies of a hit that are looked after: a low threshold folds thousands. */
const COPIES_CHECKED = 12;

/** Some results, and what tells whether they are right. */
export interface ResultPage {
  result: Omit<SearchResult, "ms">;
  /** The rows that they are made of. */
  rows: number[];
  /** Whether more candidates may change it. */
  isShort: boolean;
}

/**
 * The results that are wanted.
 *
 * @param first The collection of which hits have their ids.
 */
export async function resultPage(
  query: SearchQuery,
  space: EncoderSpace,
  ranking: Ranking,
  first: Collection,
): Promise<ResultPage> {
  const { collection } = space;
  const { said, values } = ranking;
  const { from, k } = query;
  const inOrder = listingOf(query, space, ranking);
  await inOrder.reach(from + k + 1);
  const found = inOrder.slice(from, from + k + 1);
  const isOpen = ranking.asked !== undefined;
  if (isOpen && from > 0) {
    const [last] = inOrder.slice(from - 1, from);
    const seen = last ? ranking.order.indexOf(last.row) + 1 : 0;
    ranking.seen = Math.max(ranking.seen, seen);
  }
  const shown = found.slice(0, k)
    // Rows may have moved while vectors were fetched.
    .filter(({ row }) => row < collection.count);
  const fits = fitting(said);
  const hits = shown.map(({ row, copies }: FoldedRow): SearchHit => {
    const inFirst = first.rowOf(collection.pictures[row].path);
    return {
      ...inFirst === undefined ? hitOf(collection, row) : hitOf(first, inFirst),
      value: values[row],
      fits: fits(values[row]),
      copies: copies.map((copy) => collection.pictures[copy].path),
    };
  });
  const result = {
    ...{ query, ...said, hits, from, more: found.length > k },
    listed: {
      total: isOpen ? undefined : inOrder.count(said.total),
      fitting: said.candidates?.mayFitMore
        ? undefined
        : inOrder.count(said.fitting),
    },
  };
  const rows = shown.flatMap(({ row, copies }) => [
    ...[row, ...copies.slice(0, COPIES_CHECKED)],
  ]);
  // Copies of these may be among what an index has not named yet.
  const isShort = isOpen && !inOrder.isSettled(from + k + 1);
  return { result, rows, isShort };
}

/** A ranking with its copies folded by the query's threshold. */
function listingOf(
  { fold }: SearchQuery,
  space: EncoderSpace,
  { order, folded, vectors }: Ranking,
): Listing {
  const known = folded.get(fold);
  if (known) return known;
  const { keepsVectors, pictureEmbeddings } = space.collection;
  const listing = new Listing(
    order,
    fold,
    keepsVectors
      ? { all: pictureEmbeddings }
      : { fetch: (rows) => space.vectorsOf(rows, vectors) },
  );
  // Of the thresholds that a slider passes, the last two.
  if (folded.size >= 2) folded.clear();
  folded.set(fold, listing);
  return listing;
}
