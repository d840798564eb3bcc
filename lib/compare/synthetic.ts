/**
 * Made-up embeddings, for measuring search at sizes that the sample does not
 * have. They stand for no pictures.
 *
 * Unit vectors in clusters, as embeddings of pictures lie: a random direction
 * for each cluster, and noise around it.
 *
 * Touches no files.
 *
 * ```ts
 * import { clusteredVectors } from "#lib/compare/synthetic.ts";
 * import { deepEqual, equal } from "node:assert/strict";
 *
 * const vectors = clusteredVectors(1000, 128);
 * equal(vectors.count, 1000);
 * deepEqual(vectors.row(7), clusteredVectors(1000, 128).row(7));
 * ```
 *
 * @module
 */
import { Matrix } from "./matrix.ts";
import { l2Normalize } from "./metrics.ts";

/** How the vectors are drawn. */
export interface ClusterOptions {
  /** How many clusters. @default 50 */
  clusters?: number;
  /** Another seed, other vectors; a whole number of 1 or more. @default 1 */
  seed?: number;
}

/**
 * Draws vectors; equal arguments give equal vectors.
 *
 * @param count How many.
 * @param dimensions Length of each.
 * @returns Unit vectors, a row each, clusters mixed.
 */
export function clusteredVectors(
  count: number,
  dimensions: number,
  options?: ClusterOptions,
): Matrix {
  const vectors = Matrix.empty(dimensions, count);
  const drawn = eachClusteredVector(dimensions, options);
  while (vectors.count < count) vectors.append(drawn.next().value);
  return vectors;
}

/** The same vectors one by one, without end: for more than memory holds. */
export function* eachClusteredVector(
  dimensions: number,
  { clusters = 50, seed = 1 }: ClusterOptions = {},
): Generator<Float32Array, never, undefined> {
  const random = lehmer(seed);
  // Box and Muller: two uniform numbers make a normal one.
  const gaussian = () =>
    Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  const gaussians = () => Float64Array.from({ length: dimensions }, gaussian);
  const centres = Array.from(
    { length: clusters },
    () => l2Normalize(gaussians()),
  );
  // The noise, too, has an expected length of 1.
  const scale = 1 / Math.sqrt(dimensions);
  while (true) {
    const centre = centres[Math.floor(random() * clusters)];
    yield l2Normalize(gaussians().map((noise, i) => centre[i] + scale * noise));
  }
}

/** Uniform numbers in (0, 1): Lehmer's generator with 48271 modulo 2³¹ − 1. */
function lehmer(seed: number): () => number {
  const modulus = 2 ** 31 - 1;
  let state = seed % modulus || 1;
  return () => (state = state * 48271 % modulus) / modulus;
}
