/**
 * The two queries that the course looks at most closely, chosen by a rule and
 * not by name, so that it holds for any pictures: the query for which pixels do
 * best and the one for which they do worst.
 *
 * ```ts
 * import { easyAndHard } from "#lib/evaluate/easy_and_hard.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const scores = { averagePrecisions: [0.5, 0.1, 0.9] };
 * deepStrictEqual(easyAndHard(scores), { easy: 2, hard: 1 });
 * ```
 *
 * @module
 */
import { search } from "../compare/compare.ts";
import { metrics } from "../compare/metrics.ts";
import { pixelVectors } from "../compare/pixels.ts";
import { picturePath } from "../dataset/dataset.ts";
import type { DatasetPicture } from "../records.ts";
import { scoreRankings, type Scores } from "./evaluate.ts";

/** Positions of two queries. */
export interface EasyAndHard {
  /** Where the average precision is highest. */
  easy: number;
  /** Where it is lowest. */
  hard: number;
}

/** The best and the worst query of a method; the first of several alike. */
export function easyAndHard(
  { averagePrecisions }: Pick<Scores, "averagePrecisions">,
): EasyAndHard {
  return {
    easy: averagePrecisions.indexOf(Math.max(...averagePrecisions)),
    hard: averagePrecisions.indexOf(Math.min(...averagePrecisions)),
  };
}

/**
 * The best and the worst query by L1 distance over 64 × 64 pixels, as notebook
 * 3 finds them. Decodes every picture: some seconds a thousand.
 *
 * @throws {PictureError} If a picture of the data set cannot be read.
 */
export async function easyAndHardByPixels(
  gallery: readonly DatasetPicture[],
  queries: readonly DatasetPicture[],
): Promise<EasyAndHard> {
  const searched = await pixelVectors(gallery.map(picturePath), 64);
  const asked = await pixelVectors(queries.map(picturePath), 64);
  const rankings = Array.from(
    asked,
    (query) =>
      search(query, searched, metrics.l1).map(({ index }) =>
        gallery[index].term
      ),
  );
  return easyAndHard(scoreRankings(rankings, queries.map(({ term }) => term)));
}
