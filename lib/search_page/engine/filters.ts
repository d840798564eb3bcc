/**
 * Filters by term, category and licence: a picture passes that has one of the
 * names chosen in each of the three, where any are chosen.
 *
 * Touches no files.
 *
 * ```ts
 * import { filterRows } from "#lib/search_page/engine/filters.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const pictures = [{ term: "owl" }, { term: "oak" }]
 *   .map((one) => ({ category: "", license: "", ...one }));
 * const query = { terms: ["oak"], categories: [], licenses: [] };
 * deepEqual([0, 1].filter(filterRows(pictures, query)), [1]);
 * ```
 *
 * @module
 */
import type { FoundPicture } from "../../records.ts";
import type { SearchQuery } from "./query.ts";

/** What can be filtered by. */
type Filtered = Pick<FoundPicture, "term" | "category" | "license">;

/** Tells which rows pass the query's filters. */
export function filterRows(
  pictures: readonly Filtered[],
  query: Pick<SearchQuery, "terms" | "categories" | "licenses">,
): (row: number) => boolean {
  const chosen: [keyof Filtered, Set<string>][] = [
    ["term", new Set(query.terms)],
    ["category", new Set(query.categories)],
    ["license", new Set(query.licenses)],
  ];
  const active = chosen.filter(([, names]) => names.size > 0);
  return (row) => active.every(([key, names]) => names.has(pictures[row][key]));
}
