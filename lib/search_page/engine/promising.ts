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
 *   ofPictures: new Map([[0, 0.9], [1, 0.5]]), // All others have .5 at most.
 *   ofTexts: Float32Array.of(0.1, 0.1, 0.9, 0.1),
 *   lacksText: () => false,
 *   agreement: [1, 1, 1, 1],
 *   textWeight: 0.5,
 * };
 * // Row 2 might have .7 and be the best; row 3 no more than row 1.
 * deepStrictEqual(promisingRows(known, 2, 10, () => true), [0, 1, 2]);
 * ```
 *
 * @module
 */
import { topK } from "../../compare/compare.ts";
import { blendSimilarities } from "./ranking.ts";

/** What is known of rows' similarities to a query. */
export interface KnownValues {
  /** Of the nearest pictures, by row. */
  ofPictures: ReadonlyMap<number, number>;
  /** By row: the text's value, or what it cannot exceed; NaN of no text. */
  ofTexts: Float32Array;
  /** Whether a row's text is not compared yet. */
  lacksText(row: number): boolean;
  /** By row; NaN where nothing is written. */
  agreement: ArrayLike<number>;
  textWeight: number;
}

/**
 * Rows of which both is known, and the most promising others of which one is.
 *
 * @param count So many are to be found.
 * @param others Of which one is known, so many at most.
 * @param isAllowed Whether a row may be a result.
 */
export function promisingRows(
  { ofPictures, ofTexts, lacksText, agreement, textWeight }: KnownValues,
  count: number,
  others: number,
  isAllowed: (row: number) => boolean,
): number[] {
  let least = 1;
  for (const value of ofPictures.values()) if (value < least) least = value;
  const pictures = new Float32Array(ofTexts.length).fill(least);
  for (const [row, value] of ofPictures) pictures[row] = value;
  const most = blendSimilarities(ofTexts, pictures, agreement, textWeight);
  const known = [...ofPictures.keys()].filter((row) => !lacksText(row));
  const values = known.map((row) => most[row]).sort((a, b) => b - a);
  const enough = values[count - 1] ?? -Infinity;
  const promising = topK(
    most,
    others,
    "higher",
    (row) =>
      most[row] > enough && lacksText(row) === ofPictures.has(row) &&
      isAllowed(row),
  );
  return [...known, ...promising.map(({ index }) => index)];
}
