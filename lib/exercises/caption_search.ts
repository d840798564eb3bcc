/**
 * The exercises of notebook 7, caption search.
 *
 * ```ts
 * import { reciprocalRank } from "#lib/exercises/caption_search.ts";
 * import { match } from "node:assert/strict";
 *
 * const wrong = (ranks: number[]) => ranks[0];
 * match(`${await reciprocalRank.check(wrong)}`, /Not yet/);
 * ```
 *
 * @module
 */
import { Exercise, quoteAnswer } from "./exercises.ts";

/** The largest precision at k that a query with so many answers can have. */
export const largestPrecision: Exercise<
  (k: number, answers: number) => number
> = new Exercise({
  signature: "(k, answers) => number",
  hint:
    "In the best ranking all answers come first. How many of them have a place " +
    "among the first k, and by what does precision divide?",
  answer: "(k, answers) => Math.min(k, answers) / k",
  lesson:
    "With one caption a picture, precision@5 ends at 0.2, and says no more " +
    "than R@5 ÷ 5.",
  findFault(bound) {
    for (const k of [1, 2, 5, 10]) {
      for (const answers of [0, 1, 2, 5, 30]) {
        const found = bound(k, answers);
        const said = `With k = ${k} and ${answers} answers you say ${
          quoteAnswer(found)
        }`;
        if (typeof found !== "number") {
          return `${said}, which is no number.`;
        }
        if (!(found >= 0 && found <= 1)) {
          return `${said}, but a precision lies between 0 and 1.`;
        }
        const places = Math.round(found * k);
        if (Math.abs(found * k - places) > 1e-9) {
          return `${said}, which is no whole number of hits divided by ${k}.`;
        }
        if (places > answers) {
          return `${said}: that takes ${places} answers among the first ${k}.`;
        }
        if (places < Math.min(k, answers)) {
          return `${said}, but a better ranking has ${
            Math.min(k, answers)
          } of them among the first ${k}.`;
        }
      }
    }
  },
});

/** The mean reciprocal rank (MRR) of some queries' ranks. */
export const reciprocalRank: Exercise<(ranks: number[]) => number> =
  new Exercise({
    signature: "(ranks) => number",
    hint:
      "One query's value is 1 ÷ its rank: 1 at rank 1, a half at rank 2. What " +
      "does a query that finds nothing, whose rank is Infinity, add?",
    answer:
      "(ranks) => ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length",
    lesson:
      "It is the mAP of queries with one answer each, and lies between R@1 " +
      "and 1: a near miss counts for something.",
    findFault(measure) {
      const fault = (ranks: number[], expected: number, why: string) => {
        const found = measure([...ranks]);
        return Math.abs(found - expected) < 1e-9
          ? undefined
          : `For the ranks ${ranks.join(", ")} you get ${
            quoteAnswer(found)
          }: ${why}.`;
      };
      return fault([1, 1, 1], 1, "when every answer comes first, it is 1") ??
        fault([2, 2], 0.5, "at rank 2 a query gets a half") ??
        fault(
          [4, 1],
          0.625,
          "it is the mean of 1 ÷ 4 and 1, not 1 ÷ the mean rank",
        ) ??
        fault([1, 4], 0.625, "the order of the queries must not matter") ??
        fault(
          [1, Infinity],
          0.5,
          "a query that finds nothing adds 0 and is counted",
        ) ??
        fault([10, 5, 2, 1], 0.45, "it is the mean of 0.1, 0.2, 0.5 and 1");
    },
  });

/** A change that keeps all of a sentence's words and breaks what it says. */
export const sameWords: Exercise<(caption: string) => string> = new Exercise({
  signature: "(caption) => caption",
  hint:
    "Split the sentence at its blanks, let two words change places, and join " +
    "them again. In a sentence of two words there is one pair.",
  answer: '(caption) => caption.split(" ").reverse().join(" ")',
  lesson:
    "Search with it: embed your broken captions, and count how often the " +
    "picture is nearer to the true one.",
  findFault(change) {
    for (const caption of SENTENCES) {
      const changed = change(caption);
      if (typeof changed !== "string") {
        return `"${caption}" becomes ${
          quoteAnswer(changed)
        }, which is no text.`;
      }
      if (sortedWords(changed).join(" ") !== sortedWords(caption).join(" ")) {
        return `"${caption}" becomes "${changed}", which has other words.`;
      }
      if (wordsOf(changed).join(" ") === wordsOf(caption).join(" ")) {
        return `"${caption}" stays as it is.`;
      }
      if (change(caption) !== changed) {
        return `"${caption}" becomes something else each time: results could ` +
          "not be repeated.";
      }
    }
  },
});

const SENTENCES = [
  "A black cat chases a white dog.",
  "Red fruit",
  "Two green parrots sit above an old, rusty bicycle.",
];

const wordsOf = (text: string) => text.toLowerCase().match(/\p{L}+/gu) ?? [];
const sortedWords = (text: string) => wordsOf(text).toSorted();
