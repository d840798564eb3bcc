/**
 * What columns of a list, or fields of a record beside pictures, are called by
 * those who write them. Case and signs do not count: "Image URL" is `image_url`.
 *
 * ```ts
 * import { placesOf } from "#lib/dataset/columns.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(placesOf(["Image URL", "Photographer"]), { url: 0, author: 1 });
 * ```
 *
 * @module
 */

/** Names without case and signs; the first one there counts. */
const COLUMNS = {
  url:
    "url imageurl imgurl photoimageurl contenturl originalurl image src link",
  caption: "caption text toptext topcaption title alttext alt description",
  author: "author creator photographer owner artist",
  license: "license licence licenseurl licenceurl rights",
  page:
    "page pageurl photourl landingpage foreignlandingurl originallandingurl",
  width: "width originalwidth",
  height: "height originalheight",
  term: "term class classname label labelname category",
  category: "category supercategory superclass group",
};

/** What is known of a picture. */
export type Field = keyof typeof COLUMNS;

/** In which column, from 0, each field stands. */
export type Places = Partial<Record<Field, number>>;

/** Finds the fields among names of columns. */
export function placesOf(columns: readonly string[]): Places {
  const folded = columns.map(foldColumn);
  const places: Places = {};
  for (const [field, names] of Object.entries(COLUMNS)) {
    const found = names.split(" ").find((name) => folded.includes(name));
    if (found) places[field as Field] = folded.indexOf(found);
  }
  // A category that is the class says nothing more.
  if (places.category === places.term) delete places.category;
  return places;
}

/** A column's name without case and signs. */
export function foldColumn(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "");
}

/** What separates the cells of a line: what it has most of. */
export function delimiterOf(line: string): string {
  const count = (sign: string) => line.split(sign).length;
  // Addresses have commas and semicolons in them, but no tabs.
  if (line.includes("\t")) return "\t";
  return [",", ";", "|"].reduce((a, b) => count(b) > count(a) ? b : a);
}
