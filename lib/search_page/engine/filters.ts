/**
 * Which pictures a query's filters let pass: those that have one of the names
 * chosen of each kind, where any are chosen, and were taken between the dates.
 *
 * Touches no files.
 *
 * ```ts
 * import { passes } from "#lib/search_page/engine/filters.ts";
 * import { DEFAULT_QUERY } from "#lib/search_page/web/query.js";
 * import { strictEqual } from "node:assert/strict";
 *
 * const picture = { term: "owl", category: "", license: "" };
 * const facts = { camera: "", date: "2019-06-01T12:00:00" };
 * const owls = passes({ ...DEFAULT_QUERY, terms: ["owl"], before: "2019-06" });
 * strictEqual(owls(picture, facts), true);
 * strictEqual(owls(picture, { ...facts, date: "" }), false);
 * ```
 *
 * @module
 */
import type { PhotoFacts } from "../../pictures/photo_facts.ts";
import type { FoundPicture } from "../../records.ts";
import type { Collection } from "../index/collection.ts";
import type { SearchQuery } from "./query.ts";

/** What can be filtered by. */
export type Filters = Pick<
  SearchQuery,
  "terms" | "categories" | "licenses" | "cameras" | "after" | "before"
>;

type Filtered = Pick<FoundPicture, "term" | "category" | "license">;
type FilteredFacts = Pick<PhotoFacts, "camera" | "date">;

/** Makes what tells whether a picture passes; one without a date passes no date. */
export function passes(
  { terms, categories, licenses, cameras, after, before }: Filters,
): (picture: Filtered, facts: FilteredFacts) => boolean {
  const all = [terms, categories, licenses, cameras, after, before];
  // Mostly there are none: 100,000 pictures need not be looked at.
  if (all.every(({ length }) => length === 0)) return () => true;
  const has = [terms, categories, licenses, cameras].map(oneOf);
  const [term, category, license, camera] = has;
  const isDated = after !== "" || before !== "";
  return (picture, facts) =>
    term(picture.term) && category(picture.category) &&
    license(picture.license) && camera(facts.camera) &&
    // "2019-06" takes all of June: the day and the hour are not looked at.
    (!isDated || facts.date !== "" &&
        facts.date.slice(0, after.length) >= after &&
        (before === "" || facts.date.slice(0, before.length) <= before));
}

/** The same by a collection's rows. */
export function rowFilter(
  query: Filters,
  { pictures, facts }: Pick<Collection, "pictures" | "facts">,
): (row: number) => boolean {
  const pass = passes(query);
  return (row) => pass(pictures[row], facts[row]);
}

/** A query without its filters. */
export function unfiltered<Query extends Filters>(query: Query): Query {
  return {
    ...query,
    ...{ terms: [], categories: [], licenses: [], cameras: [] },
    ...{ after: "", before: "" },
  };
}

/** Tells whether a name is one of these, or none are chosen. */
function oneOf(names: readonly string[]): (name: string) => boolean {
  if (names.length === 0) return () => true;
  // A letter with its accent is one code point or two, by who wrote it.
  const chosen = new Set(names.map((name) => name.normalize("NFC")));
  return (name) => chosen.has(name) || chosen.has(name.normalize("NFC"));
}
