/**
 * What a database keeps of a picture beside its vector, so that another page can
 * show it, and a query's filters as a database asks for them.
 *
 * Touches no files.
 *
 * ```ts
 * import { readQuery } from "#lib/search_page/engine/query.ts";
 * import { whereOf } from "#lib/search_page/engine/database_rows.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(whereOf(readQuery({ terms: ["owl"] })), { term: { $in: ["owl"] } });
 * ```
 *
 * @module
 */
import { hostname } from "node:os";
import type { Metadata, Where } from "chromadb";
import type { Collection } from "../index/collection.ts";
import type { Filters } from "./filters.ts";

/** What a database keeps of a picture: its record, and what filters ask for. */
export function metadataOf(collection: Collection, row: number): Metadata {
  const { source: _, captions, sha256, ...picture } = collection.pictures[row];
  const { camera, date, width, height } = collection.facts[row];
  const textRow = collection.textRows[row];
  const all = {
    ...picture,
    ...{ width, height, camera, date, day: dayOf(date) },
    text: textRow < 0 ? "" : collection.textIds[textRow],
    machine: hostname(),
    ...(textRow >= 0 && { agreement: collection.agreement[row] }),
    ...(captions && { captions: JSON.stringify(captions) }),
    ...(sha256 && { sha256 }),
    // Filters take a letter with its accent as one code point.
    ...Object.fromEntries(
      ["term", "category", "license"].map((name) => [
        name,
        String(picture[name as "term"]).normalize("NFC"),
      ]),
    ),
  };
  const kept: Metadata = {};
  for (const [name, value] of Object.entries(all)) {
    // A database keeps no numbers that are none, and no halves of characters.
    if (typeof value === "string") kept[name] = value.toWellFormed();
    else if (Number.isFinite(value)) kept[name] = value;
  }
  return kept;
}

/** A date as a number that has its order: 2019-06-01 is 20190601; 0 of none. */
function dayOf(date: string): number {
  return Number(date.slice(0, 10).replaceAll("-", "")) || 0;
}

/** A query's filters as a database takes them; undefined for none. */
export function whereOf(query: Filters): Where | undefined {
  const { terms, categories, licenses, cameras, after, before } = query;
  const lists = { term: terms, category: categories, license: licenses };
  const all: Where[] = Object.entries({ ...lists, camera: cameras })
    .filter(([, names]) => names.length > 0)
    .map(([name, names]) =>
      (
        { [name]: { $in: names.map((one) => one.normalize("NFC")) } }
      ) as Where
    );
  // "2019-06" takes all of June.
  if (after !== "") all.push({ day: { $gte: dayOf(after.padEnd(10, "-00")) } });
  if (before !== "") {
    all.push({ day: { $lte: dayOf(before.padEnd(10, "-99")) } });
    all.push({ day: { $gt: 0 } });
  }
  return all.length > 1 ? { $and: all } as Where : all[0];
}
