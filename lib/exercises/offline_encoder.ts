/**
 * The exercises of the appendix on the offline encoder: what a wide word tells,
 * softmax with a temperature, and a picture's words by ConSE.
 *
 * ```ts
 * import { halfInformation } from "#lib/exercises/offline_encoder.ts";
 * import { match } from "node:assert/strict";
 *
 * match(`${await halfInformation.check(500)}`, /too wide/);
 * ```
 *
 * @module
 */
import { Exercise, quoteAnswer } from "./exercises.ts";

/** ImageNet's classes. */
const CLASSES = 1000;

/** How wide is a group whose name tells half of what a class's name tells? */
export const halfInformation: Exercise<number> = new Exercise<number>({
  hint:
    "A group of n classes tells ln (1000 / n), a class by itself ln 1000. " +
    "For which n is the one half of the other? Half of a logarithm is the " +
    "logarithm of a square root.",
  answer: "Math.sqrt(1000)",
  lesson:
    "32 of a thousand, and not 500: each time that a group grows by the " +
    "same factor, its name loses the same amount.",
  findFault(count) {
    if (typeof count !== "number" || !(count >= 1 && count <= CLASSES)) {
      return `Expected a number of classes, 1 to ${CLASSES}, got ${
        quoteAnswer(count)
      }.`;
    }
    const half = Math.log(CLASSES) / 2;
    if (Math.abs(count - Math.exp(half)) < 1) return;
    const told = Math.log(CLASSES / count);
    return `A group of ${count} classes tells ln (1000 / ${count}) = ` +
      `${told.toFixed(2)}; half of ln 1000 is ${
        half.toFixed(2)
      }. The group is ` +
      `too ${told < half ? "wide" : "narrow"}.`;
  },
});

/** Shares of a row of logits at a temperature. */
export type SharesAt = (
  logits: Float32Array,
  temperature: number,
) => ArrayLike<number>;

/** Softmax with a temperature. */
export const softmaxAt: Exercise<SharesAt> = new Exercise<SharesAt>({
  signature: "(logits, temperature) => shares",
  hint: "Divide by the temperature, then Math.exp, then divide by the sum. " +
    "exp(1000) is Infinity, so subtract the largest logit first: every share " +
    "keeps its ratio to the others.",
  answer: `(logits, temperature) => {
  const largest = Math.max(...logits);
  const powers = Array.from(
    logits,
    (logit) => Math.exp((logit - largest) / temperature),
  );
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}`,
  lesson:
    "The order of the classes never changes, only how much the likeliest " +
    "leaves to the others.",
  findFault(answer) {
    for (const logits of [[3, 1, 0, -2], [5], [0, 0], [1000, 999, -1000]]) {
      for (const temperature of [1, 0.5, 4]) {
        const given = Float32Array.from(logits);
        const shares = answer(given, temperature);
        const fault = faultOfShares(logits, temperature, shares);
        if (fault) return fault;
        if (given.some((logit, i) => logit !== logits[i])) {
          return "It changes the logits that it is given; make a new array.";
        }
      }
    }
  },
});

function faultOfShares(
  logits: number[],
  temperature: number,
  shares: ArrayLike<number>,
): string | undefined {
  const said = `The logits ${quoteAnswer(logits)} at temperature ` +
    `${temperature} give ${quoteAnswer(shares)}`;
  if (shares?.length !== logits.length || typeof shares === "string") {
    return `${said}: expected a share for each logit.`;
  }
  const list = Array.from(shares);
  if (!list.every(Number.isFinite)) {
    return `${said}: expected numbers. exp() of a large one is Infinity.`;
  }
  const sum = list.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) > 1e-5) {
    return `${said}: expected a sum of 1, got ${sum.toFixed(3)}.`;
  }
  for (let i = 1; i < list.length; i++) {
    const ratio = list[i] / list[0];
    const expected = Math.exp((logits[i] - logits[0]) / temperature);
    if (Math.abs(ratio - expected) <= 1e-5) continue;
    return `${said}: expected share ${i + 1} ÷ share 1 to be exp((${
      logits[i]
    } ` +
      `− ${logits[0]}) / ${temperature}) = ${expected.toFixed(3)}, got ${
        ratio.toFixed(3)
      }. Hotter is flatter.`;
  }
}

/** A picture's words: names of its likeliest classes, mixed by share. */
export type MixNames = (
  shares: Float32Array,
  names: Float32Array[],
  count: number,
) => ArrayLike<number>;

/** ConSE: the weighted mean of the likeliest classes' names, at length 1. */
export const mixNames: Exercise<MixNames> = new Exercise<MixNames>({
  signature: "(shares, names, count) => vector",
  hint: "Sort the places of the shares, not the shares: " +
    "[...shares.keys()].sort((i, j) => shares[j] - shares[i]). Add up share " +
    "times name of the first ones, then divide by the length of the sum.",
  answer: `(shares, names, count) => {
  const likely = [...shares.keys()]
    .sort((i, j) => shares[j] - shares[i])
    .slice(0, count);
  const mixture = Array.from(
    names[0],
    (_, at) => likely.reduce((sum, i) => sum + shares[i] * names[i][at], 0),
  );
  const length = Math.hypot(...mixture);
  return mixture.map((value) => value / length);
}`,
  lesson:
    "This is what pictureVectors does where groups are silent: a picture " +
    "of something between two classes lies between their names.",
  findFault(answer) {
    for (const [shares, count, why] of MIXTURES) {
      const given = Float32Array.from(shares);
      const names = NAMES.map((name) => Float32Array.from(name));
      const mixed = answer(given, names, count);
      const fault = faultOfMixture(shares, count, mixed);
      if (fault) return `${fault} ${why}`;
      if (
        given.some((share, i) => share !== Math.fround(shares[i])) ||
        names.some((name, i) => name.some((x, at) => x !== NAMES[i][at]))
      ) {
        return "It changes the shares or the names that it is given; make new " +
          "arrays.";
      }
    }
  },
});

/** Names of three classes, not at right angles, of length 1. */
const NAMES = [[1, 0, 0], [0.5, 0.5, Math.SQRT1_2].map(Math.fround), [0, 1, 0]];

/** Shares, how many classes are kept, and what to think of. */
const MIXTURES: [number[], number, string][] = [
  [
    [0, 0, 1],
    1,
    "The third class has all of the share, so the words are its name.",
  ],
  [[0.2, 0.3, 0.5], 1, "Of the likeliest class alone the words are its name."],
  [[0.3, 0.1, 0.6], 3, "A likelier class counts more: weigh names by shares."],
  [[0.5, 0.1, 0.4], 2, "The unlikeliest of the three is left out."],
  [[0.1, 0.1, 0.1], 3, "Shares need not add up to 1; the length is 1 still."],
];

function faultOfMixture(
  shares: number[],
  count: number,
  mixed: ArrayLike<number>,
): string | undefined {
  const said = `For the shares ${quoteAnswer(shares)} and ${count} ` +
    `${count === 1 ? "class" : "classes"} it gives ${quoteAnswer(mixed)}`;
  if (mixed?.length !== 3 || typeof mixed === "string") {
    return `${said}: expected a vector as long as a name, 3 numbers.`;
  }
  const vector = Array.from(mixed);
  if (!vector.every(Number.isFinite)) return `${said}: expected numbers.`;
  const length = Math.hypot(...vector);
  if (Math.abs(length - 1) > 1e-5) {
    return `${said}, which has length ${length.toFixed(3)}, not 1.`;
  }
  const kept = [...shares.keys()].sort((i, j) => shares[j] - shares[i])
    .slice(0, count);
  const sum = [0, 1, 2].map((at) =>
    kept.reduce((all, i) => all + shares[i] * NAMES[i][at], 0)
  );
  const expected = sum.map((value) => value / Math.hypot(...sum));
  if (vector.every((value, at) => Math.abs(value - expected[at]) < 1e-5)) {
    return;
  }
  return `${said}, which points elsewhere.`;
}
