import { match } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import { contrastiveLoss } from "#lib/encoders/contrastive_loss.ts";
import {
  distanceExercise,
  lossExercise,
  promptExercise,
} from "#lib/exercises/clip_embedding.ts";
import { checkExercise } from "../support/exercises.ts";

Deno.test("the distance exercise knows the formula, and what rounding does to it", () =>
  checkExercise(distanceExercise, [
    [7, /Expected a function \(cosine\) => distance, got 7/],
    ["2 - 2 * cosine", /Expected a function/],
    [() => [1, 2], /at a cosine of 1\.000 are 0\.000 apart.*\[1,2\]/],
    [(cosine: number) => 2 - 2 * cosine, /your function says/],
    [(cosine: number) => 1 - cosine, /at a cosine of 0\.995 are 0\.100 apart/],
    [(cosine: number) => Math.sqrt(2 - 2 * cosine), /gives NaN/],
  ]));

type Loss = (cosines: number[][], scale: number) => number;

/** The loss of rows as a beginner writes it. */
const ofRows: Loss = (cosines, scale) =>
  cosines.reduce((sum, row, i) => {
    const shares = row.map((cosine) => Math.exp(scale * cosine));
    const all = shares.reduce((a, b) => a + b);
    return sum - Math.log(shares[i] / all) / cosines.length;
  }, 0);
const turned = (cosines: number[][]) =>
  cosines.map((_, j) => cosines.map((row) => row[j]));
const naive: Loss = (cosines, scale) =>
  (ofRows(cosines, scale) + ofRows(turned(cosines), scale)) / 2;

/** Each score's share, the largest score subtracted. */
function softmax(scores: number[]): number[] {
  const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
}

/** The mean of what the rows and columns cost. */
const inTurns =
  (cost: (scores: number[], right: number) => number): Loss =>
  (cosines, scale) => {
    const rows = cosines.map((row) => row.map((cosine) => scale * cosine));
    const costs = [...rows.map(cost), ...turned(rows).map(cost)];
    return costs.reduce((a, b) => a + b) / costs.length;
  };

Deno.test("the loss exercise tells one direction, one scale, another sign and overflow apart", async () => {
  await checkExercise(lossExercise, [
    [1.386, /Expected a function \(cosines, logitScale\) => loss/],
    [() => "0", /ln 3 = 1\.099; yours is "0"/],
    [() => Math.log(3), /smallest where each picture is nearest/],
    [(cosines: number[][], scale: number) => -naive(cosines, scale), /ln 3/],
    [ofRows, /cross entropy of the columns as well/],
    [(cosines: number[][]) => naive(cosines, 1), /multiply the cosines/],
    [naive, /At a scale of 5000, .* is NaN: exp\(5000\) is infinite/],
    [
      inTurns((scores, right) => -Math.log(softmax(scores)[right])),
      /is 0, or Infinity with the rows exchanged: exp\(-1000\) is 0, and log/,
    ],
    [
      inTurns((scores, right) => -Math.log(softmax(scores)[right] + 1e-12)),
      /at a scale of 5000 the loss is \d+\.\d{4}; yours is/,
    ],
    [
      (cosines: number[][], scale: number) =>
        contrastiveLoss(cosines, scale / 2),
      /the loss is 0\.\d{4}; yours is/,
    ],
  ]);
  match(`${await lossExercise.check(contrastiveLoss)}`, /^✓ Right\./);
});

/** Knows two terms by name, and finds either only in a sentence on photos. */
const encoder = {
  name: "stand-in",
  encodeTexts: (texts: string[]) =>
    Promise.resolve(Matrix.of(texts.map((text) => {
      if (!/photo|picture/.test(text)) return [0, 0, 1];
      return text.includes("owl") ? [1, 0, 0] : [0, 1, 0];
    }))),
};
const vectors = Matrix.of([[0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]]);
const truth = ["apple", "owl", "apple", "owl"];

Deno.test("the prompt exercise wants sentences that name their term, and says what they are worth", async () => {
  const exercise = promptExercise(encoder, vectors, truth);
  await checkExercise(exercise, [
    ["a photo of {}", /Expected a function \(term\) => sentences/],
    [(term: string) => `a photo of ${term}`, /expected an array of one/],
    [() => [], /For "owl" your function gives \[\]/],
    [() => [3], /one of your sentences is 3/],
    [() => ["a photo of a thing"], /does not name its term, "owl"/],
    [(term: string) => [term], /bare name only/],
    [(term: string) => [`${term}.`], /bare name only/],
    [(term: string) => [`a photo of a ${term}`], /expected "an owl"/],
    [
      (term: string) => [`a photo of an ${term}`],
      /"a photo of an steam train": expected "a steam train"/,
    ],
    [
      (term: string) => Promise.resolve([`a photo of the ${term}`]),
      /For "owl" your function gives a promise/,
    ],
  ]);
  const sentences = (term: string) => [`a photo: ${term}`];
  match(
    `${await exercise.check(sentences)}`,
    /Of the 4 pictures 100 % .* and 50 % by the bare names \(stand-in\)/,
  );
});

Deno.test("the prompt exercise takes a folder's name with blanks for its term", async () => {
  const folder = truth.map((term) => `${term}_easy`);
  const exercise = promptExercise(encoder, vectors, folder);
  const spaced = (term: string) => [`a photo: ${term.replaceAll("_", " ")}`];
  match(`${await exercise.check(spaced)}`, /^✓ Right\./);
  const bare = (term: string) =>
    term.includes("_") ? [term.replace("_", " ")] : spaced(term);
  match(`${await exercise.check(bare)}`, /"apple_easy" .* bare name only/);
});

Deno.test("the prompt exercise can be answered where there is one term only", async () => {
  const exercise = promptExercise(encoder, vectors, truth.map(() => "owl"));
  match(
    `${await exercise.check((term: string) => [`a photo: ${term}`])}`,
    /^✓ Right\. .* has 0 inside, so these pictures cannot tell/,
  );
});
