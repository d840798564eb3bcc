/**
 * One space for pictures and sentences, without training anything.
 *
 * A picture classifier knows a thousand classes by sight, a sentence model
 * knows their names. So the classes are what pictures and sentences have in
 * common, and either can be carried over to the other's side:
 *
 * ```text
 *            what it looks like                what words fit it
 * picture    its features, as they are         the names of its likeliest
 *                                              classes, mixed by probability
 * text       the classifier's weights for      its sentence vector, as it is
 *            the classes nearest in meaning,
 *            mixed by nearness
 *            └────── "looks" [1280] ──────┘    └─────── "words" [384] ──────┘
 * ```
 *
 * Both halves are scaled to length 1, weighted, and laid end to end. The dot
 * product of two such vectors compares words with words and looks with looks.
 * The words half of a picture is ConSE (Norouzi et al., Zero-Shot Learning by
 * Convex Combination of Semantic Embeddings, 2013); the looks half of a text
 * is the same idea the other way round.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { dot } from "#lib/compare/metrics.ts";
 * import { pictureVectors, textVectors } from "#lib/encoders/offline/joint_space.ts";
 * import { ok } from "node:assert/strict";
 *
 * // Two classes, "cat" and "dog", with made-up vectors of two numbers.
 * const classes = {
 *   vectors: Matrix.of([[1, 0], [0, 1]]),
 *   weights: Matrix.of([[0.6, 0.8], [0.8, -0.6]]),
 * };
 * const features = Matrix.of([[0.7, 0.7]]);
 * const logits = Matrix.of([[9, 2]]);
 * const [picture] = pictureVectors({ features, logits }, classes);
 * const [cat, dog] = await textVectors(classes.vectors, classes);
 * ok(dot(picture, cat) > dot(picture, dog));
 * ```
 *
 * @module
 */
import { Matrix } from "../../compare/matrix.ts";
import { multiplyRows } from "../../compare/matrix_product.ts";
import { l2Normalize, type Vector } from "../../compare/metrics.ts";
import type { Classified } from "./classifier.ts";

/** What pictures and sentences have in common: the classifier's classes. */
export interface Classes {
  /** Each class's name as a sentence vector, length 1. */
  vectors: Matrix;
  /**
   * Each class's weights in the classifier's last layer, length 1, as columns:
   * a row a feature.
   */
  weights: Matrix;
}

/** The four numbers of the joint space. */
export interface JointParameters {
  /**
   * Divides the logits before softmax: above 1, the classifier is less sure of
   * its first guess, and its other guesses describe the picture too.
   */
  temperature: number;
  /** How many of a picture's likeliest classes are mixed into its words. */
  classCount: number;
  /** Multiplies a text's similarity to each class before softmax. */
  sharpness: number;
  /** Share of the words half in every dot product, 0 to 1; looks get the rest. */
  wordsShare: number;
}

/**
 * The values in use. `deno task bench parameters` measures what each does;
 * docs/encoders.md has the figures.
 */
export const JOINT_PARAMETERS: Readonly<JointParameters> = {
  temperature: 1.5,
  classCount: 100,
  sharpness: 20,
  wordsShare: 0.5,
};

/**
 * Pictures' places in the joint space.
 *
 * @returns Unit vectors, one a row: words, then looks.
 */
export function pictureVectors(
  { features, logits }: Classified,
  classes: Classes,
  parameters: JointParameters = JOINT_PARAMETERS,
): Matrix {
  const { temperature, classCount } = parameters;
  const words = Array.from(logits, (row) => {
    const probabilities = softmax(row, 1 / temperature);
    const least = probabilities.toSorted().at(-classCount) ?? 0;
    const mixed = new Float32Array(classes.vectors.dimensions);
    probabilities.forEach((probability, i) => {
      if (probability < least) return;
      const vector = classes.vectors.row(i);
      for (let d = 0; d < mixed.length; d++) {
        mixed[d] += probability * vector[d];
      }
    });
    return mixed;
  });
  return joinHalves(words, features, parameters);
}

/**
 * Texts' places in the joint space.
 *
 * Each text's looks are the sum over all classes of share times weights. For
 * all texts at once that is a product of two matrices.
 *
 * @param sentences The texts' sentence vectors, length 1.
 * @returns Unit vectors, one a row: words, then looks.
 */
export async function textVectors(
  sentences: Matrix,
  classes: Classes,
  parameters: JointParameters = JOINT_PARAMETERS,
): Promise<Matrix> {
  const shares = await multiplyRows(sentences, classes.vectors);
  for (const row of shares) row.set(softmax(row, parameters.sharpness));
  const looks = await multiplyRows(shares, classes.weights);
  return joinHalves(sentences, looks, parameters);
}

/**
 * Turns numbers into probabilities: exp(scale xᵢ), divided by their sum.
 *
 * @param scale Above 1 favours the largest more, below 1 less.
 */
export function softmax(values: Vector, scale: number): Float32Array {
  // Less the largest, so that exp() cannot overflow; the ratio stays the same.
  const largest = Math.max(...Array.from(values));
  let sum = 0;
  const powers = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    sum += powers[i] = Math.exp(scale * (values[i] - largest));
  }
  return powers.map((power) => power / sum);
}

/** Both halves at length 1, weighted so that the whole has length 1 too. */
function joinHalves(
  words: Iterable<Vector>,
  looks: Matrix,
  { wordsShare }: JointParameters,
): Matrix {
  const scaled = (half: Vector, share: number) =>
    l2Normalize(half).map((value) => Math.sqrt(share) * value);
  const joint = Array.from(words, (half, row) => [
    ...scaled(half, wordsShare),
    ...scaled(looks.row(row), 1 - wordsShare),
  ]);
  return Matrix.of(joint);
}
