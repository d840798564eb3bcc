/**
 * How good a ranking is, in the field's own measures.
 *
 * A ranking is given as a list of true and false: whether the item at each
 * rank is relevant (of the query's class), best first.
 *
 * Used by notebooks 3, 4 and 7 and by `task evaluate`. Touches no files.
 *
 * ```ts
 * import { averagePrecision, precisionAtK } from "#lib/evaluate.ts";
 * import { equal } from "node:assert/strict";
 *
 * const relevant = [true, false, true, false]; // 2 relevant, at ranks 1 and 3
 * equal(precisionAtK(relevant, 2), 1 / 2);
 * equal(averagePrecision(relevant), (1 / 1 + 2 / 3) / 2);
 * ```
 *
 * @module
 */

/**
 * Precision at k: the share of relevant items among the first k.
 *
 * Divides by k even where fewer than k items are relevant or there at all, so
 * a class of three can reach 0.6 at k = 5 and no more.
 *
 * @throws {RangeError} If k is not a whole number of 1 or more.
 */
export function precisionAtK(relevant: readonly boolean[], k: number): number {
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(
      `precisionAtK: expected a whole k of 1 or more, got ${k}`,
    );
  }
  return count(relevant.slice(0, k)) / k;
}

/**
 * Average precision: the mean, over the relevant items, of the precision at
 * each one's rank.
 *
 * Divides by the number of relevant items in the whole ranking, which is not
 * cut off: an item that is never found counts as 0. (Dividing by those found,
 * as some projects do, gives 1 for one hit at rank 1 out of ten.)
 *
 * Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval,
 * section 8.4.
 *
 * @returns A number in [0, 1]; 0 where nothing is relevant.
 */
export function averagePrecision(relevant: readonly boolean[]): number {
  let found = 0, sum = 0;
  relevant.forEach((isRelevant, index) => {
    if (isRelevant) sum += ++found / (index + 1);
  });
  return found === 0 ? 0 : sum / found;
}

/** What a set of rankings scored: means over the queries, each in [0, 1]. */
export interface Scores {
  /** Share of queries whose first item is relevant. */
  top1: number;
  /** Mean precision at 5. */
  precisionAt5: number;
  /** Mean average precision. */
  meanAveragePrecision: number;
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
  const relevant = rankings.map((labels, query) =>
    labels.map((label) => label === queryLabels[query])
  );
  return {
    top1: mean(relevant.map((row) => precisionAtK(row, 1))),
    precisionAt5: mean(relevant.map((row) => precisionAtK(row, 5))),
    meanAveragePrecision: mean(relevant.map(averagePrecision)),
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
  const position = new Map(labels.map((label, index) => [label, index]));
  const at = (label: string) => {
    const index = position.get(label);
    if (index === undefined) {
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

function count(values: readonly boolean[]): number {
  return values.filter(Boolean).length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
