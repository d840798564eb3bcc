/**
 * What an index has told of a query, as promising.ts takes it: a value for every
 * row, known or the most that it can be.
 *
 * Touches no files.
 *
 * ```ts
 * import { leastOf, picturesByRow } from "#lib/search_page/engine/values_by_row.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const near = new Map([[2, 0.75], [0, 0.5]]);
 * const { ofPictures, lacksPicture } = picturesByRow([-1, -1, -1], near);
 * deepStrictEqual([...ofPictures], [0.5, 0.5, 0.75]); // Row 1 has .5 at most.
 * deepStrictEqual([...lacksPicture], [0, 1, 0]);
 * ```
 *
 * @module
 */
import type { TextValues } from "./indexed_texts.ts";
import type { KnownValues } from "./promising.ts";

/**
 * Pictures' values by row; the least of those that were named where there is none.
 *
 * @param textRows Each row's text.
 * @param near Cosines of the rows that were named.
 * @param nearOfTexts The same of those named among the pictures of `texts`.
 */
export function picturesByRow(
  textRows: readonly number[],
  near: ReadonlyMap<number, number>,
  nearOfTexts: ReadonlyMap<number, number> = new Map(),
  texts: ReadonlySet<number> = new Set(),
): Pick<KnownValues, "ofPictures" | "lacksPicture"> {
  const ofPictures = new Float32Array(textRows.length).fill(leastOf(near));
  if (texts.size > 0) {
    const least = leastOf(nearOfTexts);
    textRows.forEach((text, row) => {
      if (texts.has(text)) ofPictures[row] = least;
    });
  }
  const lacksPicture = new Uint8Array(textRows.length).fill(1);
  for (const named of [near, nearOfTexts]) {
    for (const [row, value] of named) {
      ofPictures[row] = value;
      lacksPicture[row] = 0;
    }
  }
  return { ofPictures, lacksPicture };
}

/**
 * The same of texts, by the rows of pictures; NaN where nothing is written.
 *
 * @param users The rows that each text is about, by its id.
 */
export function textsByRow(
  textRows: readonly number[],
  { values, all }: TextValues,
  users: () => ReadonlyMap<string, readonly number[]>,
): Pick<KnownValues, "ofTexts" | "lacksText"> {
  const ofTexts = new Float32Array(textRows.length).fill(NaN);
  const lacksText = new Uint8Array(textRows.length);
  const least = all ? NaN : leastOf(values);
  for (let row = 0; row < textRows.length; row++) {
    if (textRows[row] < 0) continue;
    ofTexts[row] = all ? all[textRows[row]] : least;
    lacksText[row] = all ? 0 : 1;
  }
  if (all) return { ofTexts, lacksText };
  const rowsOf = users();
  for (const [id, value] of values) {
    for (const row of rowsOf.get(id) ?? []) {
      ofTexts[row] = value;
      lacksText[row] = 0;
    }
  }
  return { ofTexts, lacksText };
}

/** The least of some cosines, which those of all others do not exceed. */
export function leastOf(values: ReadonlyMap<unknown, number>): number {
  let least = 1;
  for (const value of values.values()) if (value < least) least = value;
  return least;
}
