/**
 * One space for pictures and sentences, without training anything.
 *
 * A picture classifier knows a thousand classes by sight, a sentence model
 * knows their names, and WordNet knows what groups they belong to: a tiger is a
 * big cat, a carnivore, an animal. So classes and groups, the *concepts*, are
 * what pictures and sentences have in common, and either can be carried over to
 * the other's side:
 *
 * ```text
 *            what it looks like                what words fit it
 * picture    its looks, as the                 the names of its likeliest
 *            classifier gives them             classes, mixed by probability,
 *                                              and, more softly, of all groups
 *                                              above them
 * text       the looks of the concepts         its sentence vector, and as much
 *            nearest in meaning, mixed         again of the nearest concepts'
 *            by nearness                       names, mixed by nearness
 *            └────── "looks" [600] ──────┘     └────── "words" [384] ──────┘
 * ```
 *
 * Both halves are scaled to length 1, weighted, and laid end to end; of two
 * networks each has its own looks, with half of the weight. The dot product of
 * two such vectors compares words with words and looks with looks. The words
 * half of a picture is ConSE (Norouzi et al., Zero-Shot Learning by Convex
 * Combination of Semantic Embeddings, 2013) with groups; the looks half of a
 * text is the same idea the other way round.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { dot } from "#lib/compare/metrics.ts";
 * import { conceptsOf, pictureVectors, textVectors } from "#lib/encoders/offline/joint_space.ts";
 * import { ok } from "node:assert/strict";
 *
 * // Three classes, "cat", "dog" and "car", and the group "animal", with
 * // made-up vectors.
 * const names = Matrix.of([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0]]);
 * const looks = Matrix.of([[1, 0, 0], [0.6, 0.8, 0], [0, 0, 1]]);
 * const groups = [{ names: ["animal"], classes: [0, 1] }];
 * const concepts = conceptsOf(names, [looks], groups);
 * const [cat, car] = pictureVectors({
 *   looks: [Matrix.of([[0.9, 0.1, 0], [0, 0.1, 0.9]])],
 *   logits: Matrix.of([[9, 2, 1], [1, 2, 9]]),
 * }, concepts);
 * const [animal] = await textVectors(names.slice(3), concepts);
 * ok(dot(animal, cat) > dot(animal, car));
 * ```
 *
 * @module
 */
import { topK } from "../../compare/compare.ts";
import { Matrix } from "../../compare/matrix.ts";
import { multiplyRows } from "../../compare/matrix_product.ts";
import { addScaled, l2Normalize, type Vector } from "../../compare/metrics.ts";
import { type Classified, endToEnd } from "./classifier.ts";
import type { Group } from "./groups.ts";

/** What pictures and sentences have in common: classes, then groups. */
export interface Concepts {
  /** Each concept's name as a sentence vector of length 1, [1853, 384]. */
  names: Matrix;
  /** What each class adds to a picture's words: names, from its own up, [1000, 384]. */
  classWords: Matrix;
  /** Names, looks to each network: a row a number, a column a concept. */
  columns: readonly Matrix[];
}

/** The five numbers of the joint space. */
export interface JointParameters {
  /**
   * Divides the logits before softmax: above 1, the classifier is less sure of
   * its first guess, and its other guesses describe the picture too.
   */
  temperature: number;
  /** How many of a picture's likeliest classes are mixed into its words. */
  classCount: number;
  /** How loud a group's name is in a picture's words, beside a class's. */
  groupWeight: number;
  /** Multiplies a text's similarity to each concept before softmax. */
  sharpness: number;
  /** Share of the words half in every dot product, 0 to 1; looks get the rest. */
  wordsShare: number;
}

/**
 * The values in use. `deno task bench offline_parameters` measures what each does;
 * docs/encoders.md has the figures.
 */
export const JOINT_PARAMETERS: Readonly<JointParameters> = {
  temperature: 1.5,
  classCount: 30,
  groupWeight: 0.03,
  sharpness: 20,
  wordsShare: 0.5,
};

/**
 * Joins the classes with the groups above them.
 *
 * A picture's probability climbs the tree: a group's is the sum of its
 * classes'. A group's name counts by that, and by what the word tells, its
 * information: the logarithm of all classes over the group's (Resnik, Using
 * Information Content to Evaluate Semantic Similarity, 1995). Both are sums over
 * classes, so each class can carry the names of all its groups beforehand.
 *
 * @param names Sentence vectors of length 1: the classes' names, the groups'.
 * @param classLooks What each class looks like, to each network.
 * @throws {RangeError} If there is not a name for each class and each group.
 */
export function conceptsOf(
  names: Matrix,
  classLooks: readonly Matrix[],
  groups: readonly Group[],
  { groupWeight }: JointParameters = JOINT_PARAMETERS,
): Concepts {
  const { count } = classLooks[0];
  if (names.count !== count + groups.length) {
    throw new RangeError(
      `conceptsOf: expected names of ${count} classes and ${groups.length} ` +
        `groups, got ${names.count}`,
    );
  }
  const classWords = names.pick([...Array(count).keys()]);
  const looks = classLooks.map((ofClasses) => {
    const all = Matrix.zeros(names.count, ofClasses.dimensions);
    all.data.set(ofClasses.data);
    return all;
  });
  groups.forEach(({ classes }, i) => {
    const group = count + i;
    const weight = groupWeight * Math.log(count / classes.length);
    for (const one of classes) {
      addScaled(classWords.row(one), names.row(group), weight);
      // A group looks like the mean of its classes.
      for (const all of looks) {
        addScaled(all.row(group), all.row(one), 1 / classes.length);
      }
    }
  });
  return { names, classWords, columns: [names, ...looks].map(transpose) };
}

/**
 * Pictures' places in the joint space.
 *
 * @returns Unit vectors, one a row: words, then looks.
 */
export function pictureVectors(
  { looks, logits }: Classified,
  { classWords }: Concepts,
  parameters: JointParameters = JOINT_PARAMETERS,
): Matrix {
  const { temperature, classCount } = parameters;
  const joint = Array.from(logits, (row, picture) => {
    const likely = topK(softmax(row, 1 / temperature), classCount, "higher");
    const words = new Float32Array(classWords.dimensions);
    for (const { index, value } of likely) {
      addScaled(words, classWords.row(index), value);
    }
    const ofPicture = looks.map((all) => all.row(picture));
    return joinHalves(words, ofPicture, parameters);
  });
  return Matrix.of(joint);
}

/**
 * Texts' places in the joint space.
 *
 * Each text's looks are the sum over all concepts of share times looks, and the
 * same is done with the names. For all texts at once that is a product of two
 * matrices.
 *
 * @param sentences The texts' sentence vectors, length 1.
 * @returns Unit vectors, one a row: words, then looks.
 */
export async function textVectors(
  sentences: Matrix,
  concepts: Concepts,
  parameters: JointParameters = JOINT_PARAMETERS,
): Promise<Matrix> {
  const shares = await multiplyRows(sentences, concepts.names);
  for (const row of shares) row.set(softmax(row, parameters.sharpness));
  const [names, ...looks] = await Promise.all(
    concepts.columns.map((columns) => multiplyRows(shares, columns)),
  );
  const joint = Array.from(sentences, (sentence, text) => {
    const words = l2Normalize(names.row(text));
    addScaled(words, sentence);
    return joinHalves(words, looks.map((all) => all.row(text)), parameters);
  });
  return Matrix.of(joint);
}

/**
 * Turns numbers into probabilities: exp(scale xᵢ), divided by their sum.
 *
 * @param scale Above 1 favours the largest more, below 1 less.
 * @throws {RangeError} If the scale is not above 0, or has no end.
 */
export function softmax(values: Vector, scale: number): Float32Array {
  if (!(scale > 0 && scale < Infinity)) {
    throw new RangeError(
      `softmax: expected a finite scale above 0, got ${scale}`,
    );
  }
  // Less the largest, so that exp() cannot overflow; the ratio stays the same.
  const largest = Math.max(...Array.from(values));
  let sum = 0;
  const powers = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    sum += powers[i] = Math.exp(scale * (values[i] - largest));
  }
  return powers.map((power) => power / sum);
}

/** All at length 1, weighted so that the whole has length 1 too. */
function joinHalves(
  words: Vector,
  looks: readonly Vector[],
  { wordsShare }: JointParameters,
): Float32Array {
  const scaled = (part: Vector, share: number) =>
    l2Normalize(part).map((value) => Math.sqrt(share) * value);
  if (!(wordsShare >= 0 && wordsShare <= 1)) {
    throw new RangeError(`expected wordsShare from 0 to 1, got ${wordsShare}`);
  }
  const looksShare = (1 - wordsShare) / looks.length;
  return endToEnd([
    scaled(words, wordsShare),
    ...looks.map((one) => scaled(one, looksShare)),
  ]);
}

/** Rows become columns. */
function transpose({ data, count, dimensions }: Matrix): Matrix {
  const columns = Matrix.zeros(dimensions, count);
  for (let row = 0; row < count; row++) {
    for (let place = 0; place < dimensions; place++) {
      columns.data[place * count + row] = data[row * dimensions + place];
    }
  }
  return columns;
}
