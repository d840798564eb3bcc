/**
 * Search by captions, measured both ways: from a caption to its picture, and
 * from a picture to its captions.
 *
 * | measure | for one query | over all queries |
 * | --- | --- | --- |
 * | R@k | 1 if one of its own is among the first k | mean: found ÷ queries |
 * | median rank | the rank of the first of its own, 1 at best | median |
 * | precision@5 | its own among the first five, ÷ 5 | mean |
 * | mAP | precision at the rank of each of its own, ÷ how many its own are | mean |
 * | nDCG | Σ 1 / log₂(1 + rank) of its own ÷ the largest possible such sum | mean |
 *
 * Each comes with a 95 % interval (bootstrap.ts). Captions of one picture are
 * drawn together, since they succeed and fail together.
 *
 * Touches no files.
 *
 * ```ts
 * import { scoreRanks } from "#lib/evaluate/retrieval.ts";
 * import { equal } from "node:assert/strict";
 *
 * const { r1, r5, medianRank } = scoreRanks([[1], [3], [7], [1]]);
 * equal(r1.value, 2 / 4);
 * equal(r5.value, 3 / 4);
 * equal(medianRank.value, 2);
 * ```
 *
 * @module
 */
import {
  type BootstrapOptions,
  type Estimate,
  estimateMean,
  estimateMedian,
} from "./bootstrap.ts";
import {
  averagePrecision,
  normalizedGain,
  precisionAtK,
  type Ranks,
  recallAtK,
} from "./evaluate.ts";
import type { Matrix } from "../compare/matrix.ts";
import { eachProduct } from "../compare/matrix_product.ts";

/** What a direction scored. */
export interface RetrievalScores {
  r1: Estimate;
  r5: Estimate;
  r10: Estimate;
  medianRank: Estimate;
  precisionAt5: Estimate;
  meanAveragePrecision: Estimate;
  normalizedGain: Estimate;
}

/** Both directions, with the ranks of each query's own. */
export interface RetrievalResult {
  textToImage: { scores: RetrievalScores; ranks: number[][] };
  imageToText: { scores: RetrievalScores; ranks: number[][] };
}

/** How a run is watched and stopped. */
export interface RetrievalOptions {
  /** Called now and then with the queries done, of captions and pictures together. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Searches with every caption among the pictures, and with every picture among
 * the captions.
 *
 * @param pictures Unit vectors, a row a picture.
 * @param captions Unit vectors, a row a caption.
 * @param pictureOf Each caption's picture: a position in `pictures`. A picture
 *   without captions is found, if by mistake, but not searched with.
 */
export async function scoreCaptions(
  pictures: Matrix,
  captions: Matrix,
  pictureOf: readonly number[],
  { onProgress, signal }: RetrievalOptions = {},
): Promise<RetrievalResult> {
  const captionsOf: number[][] = Array.from(pictures, () => []);
  pictureOf.forEach((picture, caption) => captionsOf[picture].push(caption));
  const captioned = captionsOf.flatMap((own, picture) =>
    own.length ? [picture] : []
  );
  const total = captions.count + captioned.length;
  const watched = (before: number): RetrievalOptions => ({
    onProgress: (done) => onProgress?.(before + done, total),
    signal,
  });
  const textRanks = await rankRelevant(
    captions,
    pictures,
    pictureOf.map((picture) => [picture]),
    watched(0),
  );
  const imageRanks = await rankRelevant(
    pictures.pick(captioned),
    captions,
    captioned.map((picture) => captionsOf[picture]),
    watched(captions.count),
  );
  const textScores = scoreRanks(textRanks, { groups: pictureOf });
  return {
    textToImage: { ranks: textRanks, scores: textScores },
    imageToText: { ranks: imageRanks, scores: scoreRanks(imageRanks) },
  };
}

/**
 * At which ranks each query finds the items that are relevant to it.
 *
 * Among equal similarities the earlier item comes first, as in topK().
 *
 * @param relevant For each query, positions in the gallery.
 * @returns For each query its ranks, from 1, ascending.
 */
export async function rankRelevant(
  queries: Matrix,
  gallery: Matrix,
  relevant: readonly (readonly number[])[],
  { onProgress, signal }: RetrievalOptions = {},
): Promise<number[][]> {
  const ranks: number[][] = [];
  for await (const values of eachProduct(queries, gallery, { signal })) {
    const own = relevant[ranks.length].map((item) => rankOf(item, values));
    ranks.push(own.sort((a, b) => a - b));
    if (ranks.length % 100 === 0) onProgress?.(ranks.length, queries.count);
  }
  onProgress?.(ranks.length, queries.count);
  return ranks;
}

/**
 * Scores queries by the ranks of their relevant items.
 *
 * @param options.groups Queries that succeed and fail together.
 */
export function scoreRanks(
  ranks: readonly Ranks[],
  options: BootstrapOptions = {},
): RetrievalScores {
  const meanOf = (measure: (ofQuery: Ranks) => number) =>
    estimateMean(ranks.map(measure), options);
  return {
    r1: meanOf((ofQuery) => recallAtK(ofQuery, 1)),
    r5: meanOf((ofQuery) => recallAtK(ofQuery, 5)),
    r10: meanOf((ofQuery) => recallAtK(ofQuery, 10)),
    medianRank: estimateMedian(ranks.map((ofQuery) => ofQuery[0]), options),
    precisionAt5: meanOf((ofQuery) => precisionAtK(ofQuery, 5)),
    meanAveragePrecision: meanOf(averagePrecision),
    normalizedGain: meanOf(normalizedGain),
  };
}

/** 1 and how many are ahead of the item. */
function rankOf(item: number, values: Float32Array): number {
  const own = values[item];
  let rank = 1;
  // Added, not branched on: the processor could not guess the branches.
  for (let i = 0; i < item; i++) rank += Number(values[i] >= own);
  for (let i = item + 1; i < values.length; i++) {
    rank += Number(values[i] > own);
  }
  return rank;
}
