/**
 * How far a measured mean or median can be trusted, by the bootstrap.
 *
 * A measure over 200 queries would come out a little different over 200 other
 * ones. To see how different, queries are drawn again and again from those at
 * hand, with repetition, and the measure is taken over each draw: 95 of 100
 * draws lie between the two ends of the interval.
 *
 * Source: Efron, Tibshirani, An Introduction to the Bootstrap, 1993, chapter
 * 13 (the percentile interval).
 *
 * Touches no files.
 *
 * ```ts
 * import { estimateMean } from "#lib/evaluate/bootstrap.ts";
 * import { deepEqual, ok } from "node:assert/strict";
 *
 * const found = [1, 1, 0, 1, 0, 1, 1, 1];
 * const { value, low, high } = estimateMean(found);
 * ok(value === 6 / 8 && low < value && value < high);
 * deepEqual(estimateMean(found), { value, low, high }); // the same each time
 * ```
 *
 * @module
 */

/** A measured value and the interval around it. */
export interface Estimate {
  value: number;
  /** 2.5 % of the draws lie below, */
  low: number;
  /** and 2.5 % above. */
  high: number;
}

/** How draws are made. */
export interface BootstrapOptions {
  /**
   * Which values belong together and are drawn together, as whole numbers from
   * 0: the five captions of a picture tell less than those of five pictures.
   * @default each by itself
   */
  groups?: ArrayLike<number>;
  /** @default 1000 */
  draws?: number;
}

/** The mean, and where it would lie for other queries. */
export function estimateMean(
  values: ArrayLike<number>,
  options: BootstrapOptions = {},
): Estimate {
  return estimate("estimateMean", values, options, (groups, groupCount) => {
    const sums = new Float64Array(groupCount);
    const sizes = new Float64Array(groupCount);
    groups.forEach((group, index) => {
      sums[group] += values[index];
      sizes[group]++;
    });
    return (weights) => {
      let sum = 0, size = 0;
      for (let group = 0; group < groupCount; group++) {
        sum += weights[group] * sums[group];
        size += weights[group] * sizes[group];
      }
      return sum / size;
    };
  });
}

/**
 * How much better `a` did than `b` over the same queries: the mean of the
 * differences, query by query, and its interval. An interval that leaves out 0
 * is a difference that other queries would hardly undo.
 *
 * Queries that are hard for one method are mostly hard for the other. Taking
 * the difference within each query removes what both share, so it can be
 * clear where the two methods' own intervals overlap.
 *
 * Source: Efron, Tibshirani, chapter 8 (resampling pairs).
 *
 * @param a One method's values, a query each.
 * @param b The other's, in the same order.
 * @throws {RangeError} If there are none, or their lengths differ.
 */
export function estimateDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: BootstrapOptions = {},
): Estimate {
  if (a.length !== b.length) {
    throw new RangeError(
      `estimateDifference: expected values of the same queries, got ` +
        `${a.length} and ${b.length}`,
    );
  }
  return estimateMean(Array.from(a, (value, i) => value - b[i]), options);
}

/** The median (the mean of the two middle values of an even number), likewise. */
export function estimateMedian(
  values: ArrayLike<number>,
  options: BootstrapOptions = {},
): Estimate {
  return estimate("estimateMedian", values, options, (groups) => {
    const order = groups.map((_, index) => index)
      .sort((a, b) => values[a] - values[b]);
    const sorted = Float64Array.from(order, (index) => values[index]);
    const sortedGroups = order.map((index) => groups[index]);
    return (weights) => {
      let size = 0;
      for (const group of sortedGroups) size += weights[group];
      // The place of the lower and of the upper middle value.
      const lower = Math.ceil(size / 2), upper = Math.floor(size / 2) + 1;
      let seen = 0, low = NaN;
      for (let i = 0; i < sorted.length; i++) {
        seen += weights[sortedGroups[i]];
        if (Number.isNaN(low) && seen >= lower) low = sorted[i];
        if (seen >= upper) return (low + sorted[i]) / 2;
      }
      return low;
    };
  });
}

type Statistic = (weights: Uint32Array) => number;

/**
 * The statistic over all groups once, and over each draw.
 *
 * @param prepare Makes the statistic, of how often each group is drawn.
 */
function estimate(
  caller: string,
  values: ArrayLike<number>,
  { groups = Uint32Array.from(values, (_, i) => i), draws = 1000 }:
    BootstrapOptions,
  prepare: (groups: Uint32Array, groupCount: number) => Statistic,
): Estimate {
  if (values.length === 0 || groups.length !== values.length) {
    throw new RangeError(
      `${caller}: expected one value or more, and a group for each, got ` +
        `${values.length} values and ${groups.length} groups`,
    );
  }
  const ofValues = Uint32Array.from(groups);
  const groupCount = 1 + ofValues.reduce((a, b) => Math.max(a, b));
  const statistic = prepare(ofValues, groupCount);
  const weights = new Uint32Array(groupCount).fill(1);
  const value = statistic(weights);
  const random = seededRandom();
  const drawn = Float64Array.from({ length: draws }, () => {
    weights.fill(0);
    for (let i = 0; i < groupCount; i++) {
      weights[Math.floor(random() * groupCount)]++;
    }
    return statistic(weights);
  }).sort();
  const tail = Math.floor(draws * 0.025);
  return { value, low: drawn[tail], high: drawn[draws - 1 - tail] };
}

/**
 * Numbers in [0, 1) that look random and are the same each time: a counter
 * whose bits are stirred (the finalizer of MurmurHash3, by Austin Appleby).
 *
 * @returns Gives the next number at each call.
 */
export function seededRandom(): () => number {
  let counter = 0;
  return () => {
    let bits = counter = (counter + 0x9e3779b9) >>> 0;
    bits = Math.imul(bits ^ bits >>> 16, 0x85ebca6b);
    bits = Math.imul(bits ^ bits >>> 13, 0xc2b2ae35);
    return ((bits ^ bits >>> 16) >>> 0) / 2 ** 32;
  };
}
