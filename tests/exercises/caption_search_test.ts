import {
  largestPrecision,
  reciprocalRank,
  sameWords,
} from "#lib/exercises/caption_search.ts";
import { checkExercise } from "../support/exercises.ts";

Deno.test("largestPrecision: bounded by the answers there are and by the places", () =>
  checkExercise(largestPrecision, [
    [0.2, /Expected a function.*got 0\.2/],
    [() => 1, /k = 1 and 0 answers you say 1: that takes 1 answers/],
    [(k: number, answers: number) => answers / k, /between 0 and 1/],
    [() => 0, /a better ranking has 1 of them/],
    [(k: number) => 1 / (2 * k), /no whole number of hits/],
    [() => NaN, /between 0 and 1/],
    [
      (k: number, n: number) => (Math.min(k, n) / k).toFixed(2),
      /"0.00", which is no number/,
    ],
  ]));

Deno.test("reciprocalRank: the mean of 1 ÷ rank", () =>
  checkExercise(reciprocalRank, [
    ["1 / rank", /Expected a function/],
    [(ranks: number[]) => 1 / ranks[0], /mean of 1 ÷ 4 and 1/],
    [
      (ranks: number[]) => ranks.length / ranks.reduce((a, b) => a + b),
      /not 1 ÷ the mean rank/,
    ],
    [
      (ranks: number[]) => {
        const found = ranks.filter(Number.isFinite);
        return found.reduce((sum, rank) => sum + 1 / rank, 0) / found.length;
      },
      /finds nothing adds 0/,
    ],
    [(ranks: number[]) => ranks.filter((r) => r === 1).length, /you get 3/],
  ]));

Deno.test("sameWords: another order of the same words, the same each time", () =>
  checkExercise(sameWords, [
    [(caption: string) => caption, /stays as it is/],
    [(caption: string) => caption.toUpperCase(), /stays as it is/],
    [(caption: string) => caption.replace("A ", "No "), /has other words/],
    [() => undefined, /which is no text/],
    [7, /Expected a function/],
  ]));
