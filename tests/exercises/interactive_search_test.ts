import { l2Normalize } from "#lib/compare/metrics.ts";
import {
  cutFromScores,
  type Feedback,
  feedback,
  middleWeight,
} from "#lib/exercises/interactive_search.ts";
import { checkExercise } from "../support/exercises.ts";

Deno.test("the middle weight: another weight is told both similarities", async () => {
  await checkExercise(middleWeight, [
    [0.3, /With w = 0\.3, .* 0\.\d{3} to its text and 0\.\d{3} to its picture/],
    [1, /With w = 1, .* 1\.000 to its text/],
    [0.4999, /0\.9887\d to its text and 0\.9887\d to its picture/],
    [1.5, /from 0 to 1, got 1\.5/],
    [NaN, /got NaN/],
    ["half", /got "half"/],
    [() => 0.5, /got a function/],
  ]);
});

Deno.test("a cut from scores: too low, too high and sorting as text are told", async () => {
  const rising = (scores: number[]) => scores.toSorted((a, b) => a - b);
  await checkExercise(cutFromScores, [
    [(scores: number[]) => Math.max(...scores), /is lower, and no more than 1/],
    [(scores: number[]) => Math.min(...scores), /7 of 8 lie above it, 0 may/],
    [
      (scores: number[], share: number) =>
        scores.toSorted()[
          Math.max(0, scores.length - 1 - Math.floor(share * scores.length))
        ],
      /-0\.25.* you get/,
    ],
    [
      (scores: number[], share: number) =>
        rising(scores)[Math.floor((1 - share) * scores.length)],
      /you get undefined, which is none of the scores/,
    ],
    [
      (scores: number[], share: number) =>
        rising(scores).reverse()[Math.floor(share * scores.length)],
      /a share of 1 you get undefined/,
    ],
    [
      (scores: number[]) => scores.sort((a, b) => a - b)[scores.length - 1],
      /toSorted/,
    ],
    [0.3, /Expected a function .* got 0\.3/],
    ["the best", /Expected a function/],
  ]);
});

Deno.test("feedback: lengths, empty lists, sums, wrong ways and lost queries are told", async () => {
  const meanAt = (vectors: Float32Array[], i: number) =>
    vectors.reduce((sum, vector) => sum + vector[i], 0) /
    (vectors.length || 1);
  const led =
    (like: number, dislike: number): Feedback => (query, liked, disliked) =>
      l2Normalize(
        query.map((value, i) =>
          value + like * meanAt(liked, i) + dislike * meanAt(disliked, i)
        ),
      );
  const summed: Feedback = (query, liked, disliked) =>
    l2Normalize(
      query.map((value, i) =>
        value + 0.3 * liked.reduce((sum, vector) => sum + vector[i], 0) -
        0.2 * meanAt(disliked, i)
      ),
    );
  const unscaled: Feedback = (query, liked) =>
    query.map((value, i) => value + meanAt(liked, i));
  const onlyMean: Feedback = (query, liked) =>
    liked.length > 0
      ? l2Normalize(query.map((_, i) => meanAt(liked, i)))
      : query;
  const nothingForNone: Feedback = (query, liked, disliked) =>
    l2Normalize(query.map((value, i) =>
      value +
      (liked.reduce((sum, vector) => sum + vector[i], 0) / liked.length) -
      meanAt(disliked, i)
    ));
  const inPlace: Feedback = (query, liked, disliked) => {
    const vector = led(0.75, -0.25)(query, liked, disliked);
    liked[0]?.set([9]);
    return vector;
  };
  await checkExercise(feedback, [
    [led(-0.5, 0), /two liked, the mean similarity to the liked .*should rise/],
    [led(0.75, 0.25), /two disliked, .* should fall/],
    [led(0.75, 0), /two disliked, .* should fall/],
    [unscaled, /two liked, your vector has the length 1\.\d+, not 1/],
    [summed, /take the mean and not the sum/],
    [onlyMean, /little is left of the query/],
    [led(20, -0.25), /little is left of the query/],
    [nothingForNone, /threw an error: .*NaN/],
    [inPlace, /changes the vectors/],
    [() => [1, 2], /a vector of 4 numbers is expected; you return \[1,2\]/],
    [1, /Expected a function/],
    ["query", /Expected a function/],
  ], { l2Normalize });
});
