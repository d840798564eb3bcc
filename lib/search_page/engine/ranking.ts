/**
 * What a query's vectors and similarities are made of: combining text and
 * picture, steering towards and away from things, the distribution of scores. No
 * files, no server.
 *
 * "Smart" looks at text and picture together. On the query's side that is
 * normalise(w text + (1 − w) picture); a gallery picture is likewise
 * normalise(w title + (1 − w) picture), whose similarity to the query follows
 * from the two similarities, so that w can be moved without a new index.
 *
 * ```ts
 * import { blendVectors } from "#lib/search_page/engine/ranking.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const text = Float32Array.of(1, 0), picture = Float32Array.of(0, 1);
 * deepEqual([...blendVectors(text, picture, 0.5)].map((x) => x.toFixed(3)), ["0.707", "0.707"]);
 * ```
 *
 * @module
 */
import { clampCosine, l2Normalize } from "../../compare/metrics.ts";

/**
 * normalise(w text + (1 − w) picture).
 *
 * @param weight The text's share w, 0 to 1.
 */
export function blendVectors(
  text: Float32Array,
  picture: Float32Array,
  weight: number,
): Float32Array {
  return l2Normalize(
    text.map((value, i) => weight * value + (1 - weight) * picture[i]),
  );
}

/**
 * The similarity to normalise(w title + (1 − w) picture) for each row.
 *
 * @param titles Similarity of the query to each row's title; NaN without one.
 * @param pictures Similarity of the query to each row's picture.
 * @param agreement Similarity of each row's title to its picture.
 */
export function blendSimilarities(
  titles: ArrayLike<number>,
  pictures: ArrayLike<number>,
  agreement: ArrayLike<number>,
  weight: number,
): Float32Array {
  const other = 1 - weight;
  const values = new Float32Array(pictures.length);
  for (let row = 0; row < values.length; row++) {
    const title = titles[row], picture = pictures[row];
    // Nothing is written about it: it is found by its picture alone.
    if (Number.isNaN(title)) {
      values[row] = picture;
      continue;
    }
    const squares = weight * weight + other * other +
      2 * weight * other * agreement[row];
    values[row] = clampCosine(
      (weight * title + other * picture) / Math.sqrt(Math.max(squares, 1e-12)),
    );
  }
  return values;
}

/**
 * What is left is rounding if it is shorter than this share of all lengths that
 * went in: things that cancel leave some 1e-7 of them, "dog − puppy" a quarter.
 */
const CANCELLED = 1e-3;

/**
 * normalise(query + Σ plus − Σ minus): towards some things, away from others.
 *
 * @throws {RangeError} If they cancel out, in whatever number.
 */
export function steer(
  query: Float32Array | undefined,
  plus: readonly Float32Array[],
  minus: readonly Float32Array[],
): Float32Array {
  const towards = query ? [query, ...plus] : plus;
  const all = [...towards, ...minus];
  const sumOf = (vectors: readonly Float32Array[], i: number) =>
    vectors.reduce((sum, vector) => sum + vector[i], 0);
  const left = Float64Array.from(
    all[0],
    (_, i) => sumOf(towards, i) - sumOf(minus, i),
  );
  const lengths = all.map((vector) => Math.hypot(...vector));
  const wentIn = lengths.reduce((sum, length) => sum + length, 0);
  if (!(Math.hypot(...left) > CANCELLED * wentIn)) {
    throw new RangeError(
      `steer: expected vectors of which something is left, got ` +
        `${towards.length} and ${minus.length} that cancel out`,
    );
  }
  return l2Normalize(left);
}

/** How values are distributed. */
export interface Distribution {
  /** How many values there are, without those that are no number. */
  count: number;
  least: number;
  most: number;
  mean: number;
  /** Standard deviation. */
  deviation: number;
  /** How many values lie in each of the equal parts from least to most. */
  bins: number[];
}

/** The distribution of values in equal bins. */
export function distribution(
  values: ArrayLike<number>,
  binCount = 40,
): Distribution {
  let count = 0, least = Infinity, most = -Infinity, sum = 0, squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) continue;
    count++;
    sum += value;
    squares += value * value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const bins: number[] = new Array(binCount).fill(0);
  if (count === 0) {
    return { count, least: 0, most: 0, mean: 0, deviation: 0, bins };
  }
  const width = (most - least) / binCount || 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) continue;
    bins[Math.min(binCount - 1, Math.floor((value - least) / width))]++;
  }
  const mean = sum / count;
  const deviation = Math.sqrt(Math.max(0, squares / count - mean * mean));
  return { count, least, most, mean, deviation, bins };
}
