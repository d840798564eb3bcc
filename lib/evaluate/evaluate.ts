/**
 * How good a ranking is, in the field's own measures.
 *
 * A ranking is given as the ranks of its relevant items (those of the query's
 * class, or its own captions): 1 is the first place, ascending, all of them,
 * however far down. Each measure is a number in [0, 1] for one query; a set of
 * queries has their mean, the median for ranks.
 *
 * Touches no files.
 *
 * ```ts
 * import { averagePrecision, precisionAtK, relevantRanks } from "#lib/evaluate/evaluate.ts";
 * import { deepEqual, equal } from "node:assert/strict";
 *
 * const ranks = relevantRanks([true, false, true, false]);
 * deepEqual(ranks, [1, 3]);
 * equal(precisionAtK(ranks, 2), 1 / 2);
 * equal(averagePrecision(ranks), (1 / 1 + 2 / 3) / 2);
 * ```
 *
 * @module
 */

/** Ranks of the relevant items, from 1, ascending. */
export type Ranks = ArrayLike<number>;

/** The ranks of the items that are marked as relevant, best first. */
export function relevantRanks(relevant: readonly boolean[]): number[] {
  return relevant.flatMap((isRelevant, index) => isRelevant ? [index + 1] : []);
}

/**
 * Recall at k as image-text retrieval reports it (R@k): 1 if any relevant item
 * is among the first k, else 0.
 *
 * Its mean divides by the number of queries. Where a query has one relevant
 * item, this is recall in the usual sense, found ÷ relevant; for a picture with
 * five captions it is not, since one of the five is enough.
 */
export function recallAtK(ranks: Ranks, k: number): number {
  checkK("recallAtK", k);
  return ranks.length > 0 && ranks[0] <= k ? 1 : 0;
}

/**
 * Precision at k: the share of relevant items among the first k.
 *
 * Divides by k even where fewer than k items are relevant or there at all, so
 * a class of three can reach 0.6 at k = 5 and no more.
 *
 * @throws {RangeError} If k is not a whole number of 1 or more.
 */
export function precisionAtK(ranks: Ranks, k: number): number {
  checkK("precisionAtK", k);
  let found = 0;
  while (found < ranks.length && ranks[found] <= k) found++;
  return found / k;
}

/**
 * Average precision: the mean, over the relevant items, of the precision at
 * each one's rank.
 *
 * Divides by the number of relevant items in the whole ranking, which is not
 * cut off: an item that is found late still counts. (Dividing by those found
 * early, as some projects do, gives 1 for one hit at rank 1 out of ten.)
 *
 * Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval,
 * section 8.4.
 *
 * @returns A number in [0, 1]; 0 where nothing is relevant.
 */
export function averagePrecision(ranks: Ranks): number {
  return mean(Array.from(ranks, (rank, index) => (index + 1) / rank));
}

/**
 * The average precision of a gallery in random order: the mean over all orders.
 *
 * Whatever rank k a relevant picture has, it is itself relevant, and each of
 * the k − 1 places before it holds one of the other relevant ones with the same
 * probability, (relevant − 1) / (count − 1).
 *
 * @param relevant How many of the gallery are relevant.
 * @param count How many there are in the gallery.
 * @returns A number in [0, 1]; 0 where nothing is relevant.
 */
export function chanceAveragePrecision(
  relevant: number,
  count: number,
): number {
  if (relevant === 0) return 0;
  const others = count === 1 ? 0 : (relevant - 1) / (count - 1);
  return mean(
    Array.from(
      { length: count },
      (_, before) => (1 + before * others) / (before + 1),
    ),
  );
}

/**
 * Normalised discounted cumulative gain (nDCG): the sum of 1 / log₂(1 + rank)
 * over the relevant items, divided by that sum for the best possible ranking,
 * which has all relevant items first.
 *
 * Gains are 1 or 0 and the ranking is not cut off, as trec_eval's `ndcg`.
 *
 * Source: Järvelin, Kekäläinen, Cumulated gain-based evaluation of IR
 * techniques, 2002, with the discount that trec_eval uses.
 *
 * @returns A number in [0, 1]; 0 where nothing is relevant.
 */
export function normalizedGain(ranks: Ranks): number {
  let gain = 0, best = 0;
  for (let i = 0; i < ranks.length; i++) {
    gain += 1 / Math.log2(1 + ranks[i]);
    best += 1 / Math.log2(2 + i);
  }
  return best === 0 ? 0 : gain / best;
}

/** What a set of rankings scored: means over the queries, each in [0, 1]. */
export interface Scores {
  /** Share of queries whose first item is relevant. */
  top1: number;
  /** Mean precision at 5. */
  precisionAt5: number;
  /** Mean average precision. */
  meanAveragePrecision: number;
  /**
   * Each query's average precision, in the queries' order, so that two methods
   * can be compared query by query: `estimateDifference` of bootstrap.ts.
   */
  averagePrecisions: number[];
}

/**
 * Scores whole rankings, one a query.
 *
 * @param rankings Each query's gallery labels, best first.
 * @param queryLabels Each query's own label.
 * @throws {RangeError} If there are no queries, or the two lengths differ.
 */
export function scoreRankings(
  rankings: readonly (readonly string[])[],
  queryLabels: readonly string[],
): Scores {
  if (rankings.length === 0 || rankings.length !== queryLabels.length) {
    throw new RangeError(
      `scoreRankings: expected one ranking a query and at least one query, ` +
        `got ${rankings.length} rankings and ${queryLabels.length} queries`,
    );
  }
  const ranks = rankings.map((labels, query) =>
    relevantRanks(labels.map((label) => label === queryLabels[query]))
  );
  const averagePrecisions = ranks.map(averagePrecision);
  return {
    top1: mean(ranks.map((ofQuery) => precisionAtK(ofQuery, 1))),
    precisionAt5: mean(ranks.map((ofQuery) => precisionAtK(ofQuery, 5))),
    meanAveragePrecision: mean(averagePrecisions),
    averagePrecisions,
  };
}

/**
 * How often each class was taken for each other one.
 *
 * @param truth Each item's class.
 * @param predicted What it was taken for, in the same order.
 * @param labels The classes, in the order of rows and columns.
 * @returns Counts: row is the true class, column the predicted one.
 * @throws {RangeError} If the lists differ in length or hold an unknown class.
 */
export function confusionMatrix(
  truth: readonly string[],
  predicted: readonly string[],
  labels: readonly string[],
): number[][] {
  if (truth.length !== predicted.length) {
    throw new RangeError(
      `confusionMatrix: expected equal lengths, got ${truth.length} and ` +
        `${predicted.length}`,
    );
  }
  const at = (label: string) => {
    const index = labels.indexOf(label);
    if (index < 0) {
      throw new RangeError(
        `confusionMatrix: expected one of ${labels.join(", ")}, got "${label}"`,
      );
    }
    return index;
  };
  const matrix = labels.map(() => labels.map(() => 0));
  truth.forEach((label, i) => matrix[at(label)][at(predicted[i])]++);
  return matrix;
}

/** Items of one class that were taken for another. */
export interface Confusion {
  /** Their class, and how many of it there are. */
  truth: string;
  of: number;
  /** What they were taken for. */
  predicted: string;
  count: number;
}

/**
 * The largest counts of a confusion matrix beside its diagonal.
 *
 * @param most How many; fewer come where fewer are above 0.
 */
export function largestConfusions(
  matrix: readonly (readonly number[])[],
  labels: readonly string[],
  most: number,
): Confusion[] {
  return matrix.flatMap((row, i) => {
    const of = row.reduce((a, b) => a + b, 0);
    return row.flatMap((count, j) =>
      i === j || count === 0
        ? []
        : [{ truth: labels[i], of, predicted: labels[j], count }]
    );
  }).toSorted((a, b) => b.count - a.count).slice(0, most);
}

function checkK(caller: string, k: number): void {
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(
      `${caller}: expected a whole k of 1 or more, got ${k}`,
    );
  }
}

/** The mean; 0 of nothing. */
function mean(values: readonly number[]): number {
  const sum = values.reduce((sum, value) => sum + value, 0);
  return values.length === 0 ? 0 : sum / values.length;
}
