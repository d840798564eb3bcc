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
 * deepEqual([0, 1].filter(filterRows(pictures, query)!), [1]);
 * ```
 *
 * @module
 */
import type { SourcePicture } from "../index/collection.ts";
import type { SearchQuery } from "./query.ts";

/** Whether a row passes the query's filters; undefined where all do. */
export function filterRows(
  pictures: readonly Pick<SourcePicture, "term" | "category" | "license">[],
  { terms, categories, licenses }: Pick<
    SearchQuery,
    "terms" | "categories" | "licenses"
  >,
): ((row: number) => boolean) | undefined {
  const chosen = [
    ["term", new Set(terms)],
    ["category", new Set(categories)],
    ["license", new Set(licenses)],
  ] as const;
  const active = chosen.filter(([, names]) => names.size > 0);
  if (active.length === 0) return undefined;
  return (row) => active.every(([key, names]) => names.has(pictures[row][key]));
}
