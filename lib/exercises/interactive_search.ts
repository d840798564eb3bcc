/**
 * The exercises of notebook 6: the middle between a text and a picture, a cut
 * from what unrelated things reach, and a query that learns from likes.
 *
 * ```ts
 * import { middleWeight } from "#lib/exercises/interactive_search.ts";
 * import { match } from "node:assert/strict";
 *
 * match(`${await middleWeight.check(0.3)}`, /Not yet\. With w = 0\.3/);
 * ```
 *
 * @module
 */
import { cosineSimilarity, l2Normalize } from "../compare/metrics.ts";
import { blendVectors } from "../search_page/engine/ranking.ts";
import { Exercise, quoteAnswer } from "./exercises.ts";

/** The weight at which a mixture is as near to the text as to the picture. */
export const middleWeight: Exercise<number> = new Exercise<number>({
  hint:
    "Try some: const x = blendVectors(t, v, w), then cosineSimilarity(x, t) " +
    "and cosineSimilarity(x, v).",
  answer: "1 / 2",
  lesson: "That holds for any two unit vectors: their sum lies on the line " +
    "that halves the angle between them.",
  findFault(w) {
    if (typeof w !== "number" || !(w >= 0 && w <= 1)) {
      return `Expected a number from 0 to 1, got ${quoteAnswer(w)}.`;
    }
    for (const angle of [0.3, 1.2, 2.5]) {
      const text = Float32Array.of(1, 0, 0);
      const picture = Float32Array.of(Math.cos(angle), Math.sin(angle), 0);
      const mixture = blendVectors(text, picture, w);
      const toText = cosineSimilarity(mixture, text);
      const toPicture = cosineSimilarity(mixture, picture);
      if (Math.abs(toText - toPicture) < 1e-6) continue;
      const [nearText, nearPicture] = tellApart(toText, toPicture);
      return `With w = ${w}, the similarity of a mixture that we tried is ` +
        `${nearText} to its text and ${nearPicture} to its picture.`;
    }
  },
});

/** Two different numbers to as many places, from three on, as show that. */
function tellApart(a: number, b: number, places = 3): [string, string] {
  const [one, other] = [a.toFixed(places), b.toFixed(places)];
  return one === other ? tellApart(a, b, places + 1) : [one, other];
}

/**
 * The least of the scores above which no more than a share of them lie.
 *
 * @param scores What unrelated things reached.
 * @param share From 0, which lets none pass, up to 1.
 */
export type CutFromScores = (scores: number[], share: number) => number;

/** Where to cut, so that what is unrelated passes as rarely as one wants. */
export const cutFromScores: Exercise<CutFromScores> = new Exercise<
  CutFromScores
>({
  signature: "(scores, share) => cut",
  hint:
    "Sort a copy in rising order. Of n scores, how many may lie above the " +
    "cut? Then the cut stands that many places before the last.",
  answer: `(scores, share) => {
  const rising = scores.toSorted((a, b) => a - b);
  const above = Math.floor(share * scores.length);
  return rising[Math.max(0, scores.length - 1 - above)];
}`,
  lesson:
    "A quantile. It says how often what is unrelated passes, and nothing " +
    "about how much of what fits is lost: that takes pictures known to fit.",
  findFault(answer) {
    for (const scores of BACKGROUNDS) {
      for (const share of [0, 0.125, 0.25, 0.5, 0.75, 1]) {
        const fault = faultOfCut(answer, scores, share);
        if (fault) return fault;
      }
    }
  },
});

/** Not sorted; negative and positive, where sorting as text goes wrong; alike. */
const BACKGROUNDS = [
  [0.31, 0.12, 0.27, 0.4, 0.08, 0.22, 0.35, 0.19],
  [-0.1, 0.02, 0.3, -0.25, 0.11, 10, 9, -0.02],
  [0.2, 0.2, 0.2, 0.2, 0.5, 0.5, 0.1, 0.1],
];

function faultOfCut(
  answer: CutFromScores,
  scores: number[],
  share: number,
): string | undefined {
  const given = [...scores];
  const cut = answer(given, share);
  if (given.some((score, i) => score !== scores[i])) {
    return "Your function sorts the scores that it was given. Work on a copy: " +
      "toSorted().";
  }
  const asked = `Of the scores ${scores.join(", ")} and a share of ${share} ` +
    `you get ${quoteAnswer(cut)}`;
  if (!scores.includes(cut)) return `${asked}, which is none of the scores.`;
  const above = (limit: number) =>
    scores.filter((score) => score > limit).length;
  const allowed = share * scores.length;
  if (above(cut) > allowed) {
    return `${asked}: ${above(cut)} of ${scores.length} lie above it, ` +
      `${allowed} may.`;
  }
  const lower = scores.filter((score) => score < cut);
  const next = Math.max(...lower);
  if (lower.length > 0 && above(next) <= allowed) {
    return `${asked}: ${next} is lower, and no more than ${allowed} lie above ` +
      "it either. A cut that is too high leaves out what fits.";
  }
}

/**
 * A query led towards what the reader liked and away from the rest.
 *
 * @returns A unit vector.
 */
export type Feedback = (
  query: Float32Array,
  liked: Float32Array[],
  disliked: Float32Array[],
) => Float32Array;

/** A search that learns from its results: Rocchio's feedback. */
export const feedback: Exercise<Feedback> = new Exercise<Feedback>({
  signature: "(query, liked, disliked) => vector",
  hint:
    "Add the mean of the liked ones to the query and take a smaller share " +
    "of the disliked ones' mean away; then l2Normalize. Mind the empty list.",
  answer: `(query, liked, disliked) => {
  const meanAt = (vectors, i) =>
    vectors.reduce((sum, vector) => sum + vector[i], 0) / (vectors.length || 1);
  return l2Normalize(query.map((value, i) =>
    value + 0.75 * meanAt(liked, i) - 0.25 * meanAt(disliked, i)
  ));
}`,
  lesson: "Rocchio's formula of 1971, and its usual weights if you took 0.75 " +
    "and 0.25. Towards and away from, on the page, do the same with words.",
  findFault(answer) {
    const [query, liked, disliked] = [unit(1, 1, 1, 0), [
      unit(0, 1, 0, 4),
      unit(0, 1, 0, 2),
    ], [unit(1, 0, 0, 0), unit(3, 0, 0, -1)]];
    const given = quoteAll(query, liked, disliked);
    const cases: [string, Float32Array[], Float32Array[]][] = [
      ["With nothing liked or disliked", [], []],
      ["With two liked", liked, []],
      ["With two disliked", [], disliked],
      ["With two liked and two disliked", liked, disliked],
    ];
    for (const [when, likes, dislikes] of cases) {
      const led = answer(query, likes, dislikes);
      if (quoteAll(query, liked, disliked) !== given) {
        return "Your function changes the vectors that it was given. Make new " +
          "ones: map() does.";
      }
      const fault = faultOfShape(led, query.length) ??
        faultOfDirection(led, query, likes, dislikes);
      if (fault) return `${when}, ${fault}`;
    }
    const once = answer(query, liked, disliked);
    const twice = answer(query, [...liked, ...liked], disliked);
    if (cosineSimilarity(once, twice) < 1 - 1e-6) {
      return "Liking the same two pictures twice changes the result: take the " +
        "mean and not the sum, or ten likes drown the query.";
    }
  },
});

const unit = (...values: number[]) => l2Normalize(values);

const quoteAll = (
  query: Float32Array,
  ...lists: Float32Array[][]
) => [query, ...lists.flat()].map((vector) => vector.join()).join(";");

function faultOfShape(led: unknown, length: number): string | undefined {
  const isVector = Array.isArray(led) || led instanceof Float32Array ||
    led instanceof Float64Array;
  if (!isVector || led.length !== length) {
    return `a vector of ${length} numbers is expected; you return ` +
      `${quoteAnswer(led)}.`;
  }
  const size = Math.hypot(...led);
  if (Math.abs(size - 1) < 1e-5) return;
  return `your vector has the length ${quoteAnswer(size)}, not 1` +
    (Number.isNaN(size) ? ": is something divided by 0?" : ".");
}

function faultOfDirection(
  led: Float32Array,
  query: Float32Array,
  liked: Float32Array[],
  disliked: Float32Array[],
): string | undefined {
  if (liked.length + disliked.length === 0) {
    return cosineSimilarity(led, query) > 1 - 1e-6
      ? undefined
      : "the query should stay as it is, and yours turns.";
  }
  const nearness = (vector: Float32Array, others: Float32Array[]) =>
    others.reduce((sum, other) => sum + cosineSimilarity(vector, other), 0) /
    others.length;
  for (
    const [others, sign, word] of [
      [liked, 1, "liked"],
      [disliked, -1, "disliked"],
    ] as const
  ) {
    if (others.length === 0) continue;
    const before = nearness(query, others), after = nearness(led, others);
    if (sign * (after - before) > 1e-6) continue;
    return `the mean similarity to the ${word} ones goes from ` +
      `${before.toFixed(3)} to ${after.toFixed(3)}, and it should ` +
      `${sign > 0 ? "rise" : "fall"}.`;
  }
  if (nearness(led, [query]) > 0.3) return;
  return "little is left of the query itself: its similarity to yours is " +
    `${nearness(led, [query]).toFixed(3)}. Add to it, and do not replace it.`;
}
