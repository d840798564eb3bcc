/**
 * The exercises of notebook 4: what unit vectors make of two metrics, a loss
 * that no scale breaks, and sentences that classify.
 *
 * ```ts
 * import { distanceExercise } from "#lib/exercises/clip_embedding.ts";
 * import { match } from "node:assert/strict";
 *
 * const half = (cosine: number) => Math.sqrt(1 - cosine);
 * match(`${await distanceExercise.check(half)}`, /Not yet.*at a cosine of/);
 * ```
 *
 * @module
 */
import { search } from "../compare/compare.ts";
import { Matrix } from "../compare/matrix.ts";
import {
  addScaled,
  dot,
  l2Distance,
  l2Normalize,
  metrics,
} from "../compare/metrics.ts";
import { formatChange } from "../display/table.ts";
import { contrastiveLoss } from "../encoders/contrastive_loss.ts";
import type { Encoder } from "../encoders/encoder.ts";
import { estimateDifference } from "../evaluate/bootstrap.ts";
import { Exercise, quoteAnswer } from "./exercises.ts";

/** The L2 distance of two unit vectors, from their cosine alone. */
export const distanceExercise: Exercise<(cosine: number) => number> =
  new Exercise<(cosine: number) => number>({
    signature: "(cosine) => distance",
    hint:
      "Expand ‖a − b‖² into dot products. For unit vectors a·a and b·b are 1.",
    answer: "(cosine) => Math.sqrt(Math.max(0, 2 - 2 * cosine))",
    lesson:
      "The larger the cosine, the smaller the distance, always: both rank " +
      "unit vectors alike. That is why an index for one serves the other.",
    findFault(answer) {
      for (const angle of [0, 0.1, 0.5, 1, Math.PI / 2, 2, 3, Math.PI]) {
        const a = [1, 0], b = [Math.cos(angle), Math.sin(angle)];
        const cosine = dot(a, b), expected = l2Distance(a, b);
        const given = answer(cosine);
        if (!isNear(given, expected)) {
          return `Two unit vectors at a cosine of ${cosine.toFixed(3)} are ` +
            `${expected.toFixed(3)} apart; your function says ` +
            `${quoteAnswer(given)}.`;
        }
      }
      const above = 1 + 2 ** -52, given = answer(above);
      if (!Number.isNaN(given)) return;
      return `Rounding can bring the cosine of a vector with itself to ${above}: ` +
        "your function then gives NaN, and the distance is 0.";
    },
  });

/** A contrastive loss, as `contrastiveLoss` is one. */
export type Loss = (cosines: number[][], logitScale: number) => number;

/** CLIP's loss, at scales at which `exp` leaves the range of numbers. */
export const lossExercise: Exercise<Loss> = new Exercise<Loss>({
  signature: "(cosines, logitScale) => loss",
  hint: "Softmax stays the same if all its scores move by one number. Which " +
    "number keeps every exp() at 1 or below?",
  answer: `(cosines, logitScale) => {
  const rows = cosines.map((row) => row.map((cosine) => logitScale * cosine));
  const columns = rows.map((_, j) => rows.map((row) => row[j]));
  const cost = (scores, right) => {
    const most = Math.max(...scores);
    const sum = scores.reduce((sum, one) => sum + Math.exp(one - most), 0);
    return most + Math.log(sum) - scores[right];
  };
  const costs = [...rows.map(cost), ...columns.map(cost)];
  return costs.reduce((sum, one) => sum + one, 0) / costs.length;
}`,
  lesson: "A large scale makes the loss look at the nearest rival only, a " +
    "small one at all of them: CLIP learns how large it should be.",
  findFault(answer) {
    const cosines = [[0.9, 0.1, 0.3], [0.2, 0.8, 0.1], [-0.3, 0.6, 0.7]];
    const loss = (matrix: number[][], scale: number) =>
      answer(matrix.map((row) => [...row]), scale);
    const turned = cosines.map((_, j) => cosines.map((row) => row[j]));
    const moved = cosines.map((_, i) => cosines[(i + 1) % 3]);
    const lifted = cosines.map((row) => row.map((cosine) => cosine + 0.1));

    const alike = cosines.map((row) => row.map(() => 0.4));
    const guessing = loss(alike, 100);
    if (!isNear(guessing, Math.log(3))) {
      return "Where all nine cosines are 0.4, each of three answers has a share " +
        `of 1/3 and the loss is ln 3 = 1.099; yours is ${
          quoteAnswer(guessing)
        }.`;
    }
    const right = loss(cosines, 10), wrong = loss(moved, 10);
    if (!(right < wrong)) {
      return `With the largest cosines on the diagonal your loss is ` +
        `${quoteAnswer(right)}, with its rows exchanged ${
          quoteAnswer(wrong)
        }: it should be smallest where each picture is nearest to its caption.`;
    }
    if (!isNear(right, loss(turned, 10))) {
      return "With rows and columns exchanged your loss is another one. Take " +
        "the cross entropy of the columns as well, and the mean of both.";
    }
    if (!isNear(right, loss(lifted, 10))) {
      return "With 0.1 added to every cosine the shares stay the same, and " +
        "your loss does not.";
    }
    if (isNear(right, loss(cosines, 1))) {
      return "Your loss is the same for the scales 10 and 1: multiply the " +
        "cosines by the scale before softmax.";
    }
    const even = loss(cosines.map((row) => row.map(() => 1)), 5000);
    if (!Number.isFinite(even)) {
      return "At a scale of 5000, where all nine cosines are 1, your loss is " +
        `${quoteAnswer(even)}: exp(5000) is infinite.`;
    }
    const [fine, bad] = [loss(cosines, 5000), loss(moved, 5000)];
    if (!Number.isFinite(fine) || !Number.isFinite(bad)) {
      return `At a scale of 5000 your loss is ${quoteAnswer(fine)}, or ${
        quoteAnswer(bad)
      } with the rows exchanged: exp(-1000) is 0, and log(0) infinite. ` +
        "Subtract the largest score of each row or column, and write " +
        "log(exp(x) / sum) as x - log(sum).";
    }
    for (const [matrix, scale] of [[cosines, 10], [moved, 5000]] as const) {
      const expected = contrastiveLoss(matrix, scale);
      const given = loss(matrix, scale);
      if (isNear(given, expected)) continue;
      return `For ${JSON.stringify(matrix)} at a scale of ${scale} the loss ` +
        `is ${expected.toFixed(4)}; yours is ${quoteAnswer(given)}.`;
    }
  },
});

/**
 * Sentences that stand for a term. What they are worth on the reader's own
 * pictures is measured and told; what is checked is that they name their term.
 *
 * @param encoder Made the vectors.
 * @param vectors The pictures', a row each.
 * @param truth Their terms, in the same order.
 */
export function promptExercise(
  encoder: Pick<Encoder, "encodeTexts" | "name">,
  vectors: Matrix,
  truth: readonly string[],
): Exercise<(term: string) => string[]> {
  const terms = [...new Set(truth)];
  /** 1 for each picture whose own term's sentences are nearest in the mean. */
  const classify = async (sentencesOf: (term: string) => string[]) => {
    const classes = Matrix.empty(vectors.dimensions, terms.length);
    for (const term of terms) {
      const sum = new Float32Array(vectors.dimensions);
      const sentences = await encoder.encodeTexts([...sentencesOf(term)]);
      for (const vector of sentences) addScaled(sum, vector);
      classes.append(l2Normalize(sum));
    }
    return Array.from(vectors, (vector, i) => {
      const [{ index }] = search(vector, classes, metrics.cosine, 1);
      return Number(terms[index] === truth[i]);
    });
  };
  const parts = {
    signature: "(term) => sentences",
    hint:
      "An encoder read captions from the web. Who would caption a picture " +
      "with the bare term? What else could the term mean?",
    answer: `(term) => {
  const article = /^[aeiou]/i.test(term) ? "an" : "a";
  return ["a photo of", "a close-up photo of", "a picture of"]
    .map((start) => \`\${start} \${article} \${term}\`);
}`,
    /** Filled in by what a right answer measures. */
    lesson: "",
    async findFault(answer: (term: string) => string[]) {
      const fault = [...ARTICLES.map(([term]) => term), ...terms]
        .map((term) => faultOfSentences(term, answer(term))).find(Boolean);
      if (fault) return fault;
      const ofSentences = await classify(answer);
      const ofNames = await classify((term) => [term]);
      parts.lesson = compare(encoder.name, ofSentences, ofNames);
    },
  };
  return new Exercise(parts);
}

/** What is wrong with the sentences for one term. */
function faultOfSentences(term: string, sentences: unknown) {
  if (!Array.isArray(sentences) || sentences.length === 0) {
    return `For "${term}" your function gives ${quoteAnswer(sentences)}: ` +
      "expected an array of one sentence or more.";
  }
  const other = sentences.find((one) => typeof one !== "string");
  if (other !== undefined) {
    return `For "${term}" one of your sentences is ${quoteAnswer(other)}: ` +
      "expected a text.";
  }
  const names = (sentence: string) => wordsOf(sentence).includes(wordsOf(term));
  const silent = sentences.find((sentence) => !names(sentence));
  if (silent !== undefined) {
    return `${quoteAnswer(silent)} does not name its term, "${term}".`;
  }
  if (sentences.every((sentence) => wordsOf(sentence) === wordsOf(term))) {
    return `For "${term}" there is the bare name only, which is what your ` +
      "sentences are compared with: say more.";
  }
  const [, right, wrong] = ARTICLES.find(([name]) => name === term) ?? [];
  const slip = sentences.find((sentence) => wrong?.test(sentence));
  return slip && `${quoteAnswer(slip)}: expected "${right}".`;
}

/** Terms that every answer is tried on: the spelling of others may mislead. */
const ARTICLES: [term: string, right: string, wrong: RegExp][] = [
  ["owl", "an owl", /\ba owl\b/i],
  ["steam train", "a steam train", /\ban steam train\b/i],
];

/** A text's words alone: a folder's "Faces_easy" is "faces easy" in a sentence. */
function wordsOf(text: string): string {
  return (text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).join(" ");
}

function compare(name: string, ofSentences: number[], ofNames: number[]) {
  const percent = (right: number[]) =>
    `${(100 * right.reduce((a, b) => a + b, 0) / right.length).toFixed(0)} %`;
  const change = estimateDifference(ofSentences, ofNames);
  const clear = change.low > 0 || change.high < 0;
  return `Of the ${ofNames.length} pictures ${percent(ofSentences)} are ` +
    `classified correctly by your sentences and ${percent(ofNames)} by the ` +
    `bare names (${name}): ${formatChange(change)}, which ${
      clear
        ? "leaves out 0, so other pictures would hardly undo it."
        : "has 0 inside, so these pictures cannot tell."
    }`;
}

/** Vectors are kept in float32, so nobody can be more exact. */
function isNear(given: unknown, expected: unknown): boolean {
  return typeof given === "number" && typeof expected === "number" &&
    Math.abs(given - expected) < 1e-6;
}
