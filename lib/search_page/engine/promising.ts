/**
 * Which rows are worth comparing, when of some the picture has been compared, of
 * some the text, and of none more than the nearest of each.
 *
 * Of a row that an index has not named, this much is known: it is no nearer than
 * the last one that it has named. So each row has a value that it cannot exceed.
 * What cannot reach the best that are known needs no look; of the others, those
 * that could be the best come first (Fagin's threshold algorithm, with an index
 * that can miss one).
 *
 * Touches no files.
 *
 * ```ts
 * import { promisingRows } from "#lib/search_page/engine/promising.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const known = {
 *   // Of rows 0 and 1 the picture is compared; all others have .5 at most.
 *   ofPictures: Float32Array.of(0.9, 0.5, 0.5, 0.5),
 *   lacksPicture: Uint8Array.of(0, 0, 1, 1),
 *   ofTexts: Float32Array.of(0.1, 0.1, 0.9, 0.1),
 *   lacksText: new Uint8Array(4),
 *   agreement: [1, 1, 1, 1],
 *   textWeight: 0.5,
 * };
 * // Row 2 might have .7 and be the best; row 3 no more than row 1.
 * const { rows } = promisingRows(known, 2, 10, () => true);
 * deepStrictEqual(rows, [0, 1, 2]);
 * ```
 *
 * @module
 */
import { topK } from "../../compare/compare.ts";
import { blendSimilarities } from "./ranking.ts";

/** What is known of rows' similarities to a query. */
export interface KnownValues {
  /** By row: the picture's value, or what it cannot exceed. */
  ofPictures: Float32Array;
  /** 1 where a row's picture is not compared yet. */
  lacksPicture: Uint8Array;
  /** By row: the text's value, or what it cannot exceed; NaN of no text. */
  ofTexts: Float32Array;
  /** 1 where a row's text is not compared yet. */
  lacksText: Uint8Array;
  /** By row; NaN where nothing is written. */
  agreement: ArrayLike<number>;
  textWeight: number;
}

/**
 * Rows of which both is known, and the most promising others of which one is;
 * and what no other row can exceed, as far as the index misses none.
 *
 * @param count So many are to be found.
 * @param others Of which one is known, so many at most.
 * @param isAllowed Whether a row may be a result.
 */
export function promisingRows(
  known: KnownValues,
  count: number,
  others: number,
  isAllowed: (row: number) => boolean,
): { rows: number[]; most: number } {
  const { ofPictures, lacksPicture, ofTexts, lacksText } = known;
  const { agreement, textWeight } = known;
  const most = blendSimilarities(ofTexts, ofPictures, agreement, textWeight);
  const rows: number[] = [];
  for (let row = 0; row < most.length; row++) {
    if (lacksPicture[row] + lacksText[row] === 0) rows.push(row);
  }
  const values = Float32Array.from(rows, (row) => most[row]).sort();
  const enough = values[values.length - count] ?? -Infinity;
  const promising = topK(
    most,
    others,
    "higher",
    (row) =>
      most[row] > enough && lacksText[row] + lacksPicture[row] === 1 &&
      isAllowed(row),
  );
  rows.push(...promising.map(({ index }) => index));
  const named = new Set(rows);
  let rest = -1;
  for (let row = 0; row < most.length; row++) {
    if (most[row] > rest && !named.has(row) && isAllowed(row)) rest = most[row];
  }
  return { rows, most: rest };
}
