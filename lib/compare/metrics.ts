/**
 * Distances and similarities between two vectors of equal length.
 *
 * A vector is an image's pixels laid end to end (D = height × width × 3,
 * values 0–255) or an embedding (D = 512, say, length 1). A distance falls
 * as two images become more alike; a similarity rises.
 *
 * Readable, one pair at a time; pixel_gallery.ts compares a query with a whole
 * gallery of pixels, with the same results, many times faster.
 *
 * Touches no files.
 *
 * ```ts
 * import { cosineSimilarity, l1Distance } from "#lib/compare/metrics.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(l1Distance([0, 0], [3, 4]), 7);
 * equal(cosineSimilarity([1, 0], [0, 2]), 0);
 * ```
 *
 * @module
 */

/** Numbers to compare: pixels as bytes, embeddings as floats, or a plain array. */
export type Vector = ArrayLike<number>;

/**
 * L1 (Manhattan) distance: the sum of |aᵢ − bᵢ|.
 *
 * One very different pixel counts no more than its difference, so L1 forgives
 * small spots that L2 does not.
 *
 * @returns 0 (equal) or more; for pixels at most 255 D.
 * @throws {RangeError} If the lengths differ.
 */
export function l1Distance(a: Vector, b: Vector): number {
  checkLengths("l1Distance", a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum;
}

/**
 * L2 (Euclidean) distance: the square root of the sum of (aᵢ − bᵢ)².
 *
 * Squaring makes a few large differences outweigh many small ones.
 *
 * @returns 0 (equal) or more; for pixels at most 255 √D.
 * @throws {RangeError} If the lengths differ.
 */
export function l2Distance(a: Vector, b: Vector): number {
  checkLengths("l2Distance", a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i] - b[i];
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/**
 * Cosine similarity: the cosine of the angle between `a` and `b`.
 *
 * Ignores length: an evenly darker copy of an image (every value halved) still
 * scores 1. A black image has no direction, so it compares as 0 to everything.
 *
 * @returns A number in [-1, 1]; in [0, 1] for pixels, which are never negative.
 * @throws {RangeError} If the lengths differ.
 */
export function cosineSimilarity(a: Vector, b: Vector): number {
  checkLengths("cosineSimilarity", a, b);
  let dot = 0, squaresA = 0, squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    squaresA += a[i] * a[i];
    squaresB += b[i] * b[i];
  }
  return cosineOfSums(dot, squaresA, squaresB);
}

/**
 * Pearson's correlation: the cosine similarity after subtracting each
 * vector's mean.
 *
 * Ignores brightness as well as contrast: adding 20 to every pixel changes
 * nothing. A vector of one repeated value varies with nothing: it compares as 0.
 *
 * @returns A number in [-1, 1].
 * @throws {RangeError} If the lengths differ.
 */
export function pearsonCorrelation(a: Vector, b: Vector): number {
  checkLengths("pearsonCorrelation", a, b);
  const meanA = mean(a), meanB = mean(b);
  let products = 0, squaresA = 0, squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    const offsetA = a[i] - meanA, offsetB = b[i] - meanB;
    products += offsetA * offsetB;
    squaresA += offsetA * offsetA;
    squaresB += offsetB * offsetB;
  }
  return cosineOfSums(products, squaresA, squaresB);
}

/**
 * The dot product: the sum of aᵢ bᵢ. For vectors of length 1, as embeddings are,
 * it is their cosine similarity.
 *
 * @throws {RangeError} If the lengths differ.
 */
export function dot(a: Vector, b: Vector): number {
  checkLengths("dot", a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * The cosine of two vectors of which only these sums are known.
 *
 * @param product The sum of aᵢ bᵢ.
 * @param squaresA The sum of aᵢ².
 * @param squaresB The sum of bᵢ².
 * @returns A number in [-1, 1], past which rounding could carry it by a hair;
 *   0 for a vector of zeros, which has no direction.
 */
export function cosineOfSums(
  product: number,
  squaresA: number,
  squaresB: number,
): number {
  const lengths = Math.sqrt(squaresA) * Math.sqrt(squaresB);
  return lengths === 0 ? 0 : clampCosine(product / lengths);
}

/**
 * A cosine within [-1, 1]: rounding carries that of equal vectors a hair past
 * 1, where it is no angle's. NaN stays NaN.
 */
export function clampCosine(value: number): number {
  return Math.max(-1, Math.min(1, value));
}

/**
 * The vector scaled to length 1, so that its dot product with another such
 * vector is their cosine similarity.
 *
 * @throws {RangeError} If every value is 0: such a vector has no direction.
 */
export function l2Normalize(vector: Vector): Float32Array {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i] * vector[i];
  if (!(squares > 0)) {
    throw new RangeError(
      `l2Normalize: expected a vector with a length above 0, got ` +
        `${vector.length} values of length ${Math.sqrt(squares)}`,
    );
  }
  const scale = 1 / Math.sqrt(squares);
  const unit = new Float32Array(vector);
  for (let i = 0; i < unit.length; i++) unit[i] *= scale;
  return unit;
}

/** Adds `scale` times a vector of the same length to `sum`, in place. */
export function addScaled(
  sum: Float32Array | Float64Array,
  vector: Vector,
  scale: number = 1,
): void {
  for (let i = 0; i < sum.length; i++) sum[i] += scale * vector[i];
}

/** How two vectors are compared, and how a table or a chart names it. */
export interface Metric {
  /** "L1 distance" */
  label: string;
  /** Whether the most similar image has the lowest or the highest value. */
  better: "lower" | "higher";
  /** Compares two vectors. */
  measure: (a: Vector, b: Vector) => number;
}

/** A metric's name in code and on the command line. */
export type MetricName = "l1" | "l2" | "cosine" | "correlation";

/** The four metrics of the course. To add one, add a line here. */
export const metrics: Record<MetricName, Metric> = {
  l1: { label: "L1 distance", better: "lower", measure: l1Distance },
  l2: { label: "L2 distance", better: "lower", measure: l2Distance },
  cosine: {
    label: "Cosine similarity",
    better: "higher",
    measure: cosineSimilarity,
  },
  correlation: {
    label: "Correlation",
    better: "higher",
    measure: pearsonCorrelation,
  },
};

/**
 * The metric of a name.
 *
 * @throws {RangeError} If none is called so: names those there are.
 */
export function metricOf(name: MetricName): Metric {
  if (Object.hasOwn(metrics, name)) return metrics[name];
  throw new RangeError(
    `expected a metric (${Object.keys(metrics).join(", ")}), got ${name}`,
  );
}

function checkLengths(caller: string, a: Vector, b: Vector): void {
  if (a.length !== b.length) {
    throw new RangeError(
      `${caller}: expected equal lengths, got ${a.length} and ${b.length}`,
    );
  }
}

function mean(vector: Vector): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i];
  return sum / vector.length;
}
