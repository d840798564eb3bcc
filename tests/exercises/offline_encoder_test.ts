import {
  halfInformation,
  mixNames,
  softmaxAt,
} from "#lib/exercises/offline_encoder.ts";
import { checkExercise } from "../support/exercises.ts";

Deno.test("half the information: a width that is off is told which way", async () => {
  await checkExercise(halfInformation, [
    [500, /= 0\.69; half of ln 1000 is 3\.45\. The group is too wide/],
    [10, /too narrow/],
    [0, /1 to 1000, got 0/],
    [NaN, /got NaN/],
    ["32", /got "32"/],
    [() => 32, /got a function/],
  ]);
});

const exps = (logits: Float32Array, temperature: number) =>
  Array.from(logits, (logit) => Math.exp(logit / temperature));
const shared = (powers: number[]) => {
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
};

Deno.test("softmax with a temperature: no sum, no temperature, overflow are told apart", async () => {
  await checkExercise(softmaxAt, [
    [exps, /expected a sum of 1/],
    [(logits: Float32Array) => shared(exps(logits, 1)), /Hotter is flatter/],
    [
      (logits: Float32Array, t: number) => shared(exps(logits, 1 / t)),
      /at temperature 0\.5 .*Hotter is flatter/,
    ],
    [
      (logits: Float32Array, t: number) => shared(exps(logits, t)),
      /\[1000,999,-1000\].*exp\(\) of a large one is Infinity/,
    ],
    [
      (logits: Float32Array, t: number) => {
        const largest = Math.max(...logits);
        logits.forEach((logit, i) => logits[i] = logit - largest);
        return shared(exps(logits, t));
      },
      /changes the logits/,
    ],
    [
      (logits: Float32Array, t: number) =>
        shared(exps(logits, t)).toSorted((a, b) => a - b),
      /expected share 2 ÷ share 1/,
    ],
    [() => 1, /a share for each logit/],
    [() => undefined, /a share for each logit/],
    [1.5, /Expected a function.*got 1\.5/],
    ["softmax", /Expected a function/],
  ]);
});

Deno.test("a picture's words: unweighted, unscaled and unsorted mixtures are told apart", async () => {
  const mix = (weights: number[], names: Float32Array[]) =>
    [0, 1, 2].map((at) =>
      weights.reduce((sum, weight, i) => sum + weight * names[i][at], 0)
    );
  const unit = (vector: number[]) =>
    vector.map((value) => value / Math.hypot(...vector));
  await checkExercise(mixNames, [
    [
      (shares: Float32Array, names: Float32Array[]) =>
        unit(mix([...shares], names)),
      /Of the likeliest class alone/,
    ],
    [
      (shares: Float32Array, names: Float32Array[], count: number) =>
        unit(mix(
          [...shares].map((share) =>
            Number([...shares].filter((s) => s > share).length < count)
          ),
          names,
        )),
      /weigh names by shares/,
    ],
    [
      (shares: Float32Array, names: Float32Array[], count: number) =>
        mix(
          [...shares].map((share) =>
            [...shares].filter((s) => s > share).length < count ? share : 0
          ),
          names,
        ),
      /has length 0\.500, not 1.*Of the likeliest class alone/,
    ],
    [
      (shares: Float32Array, names: Float32Array[], count: number) => {
        shares.sort().reverse();
        return unit(mix([...shares.subarray(0, count)], names));
      },
      /points elsewhere|changes the shares/,
    ],
    [
      (shares: Float32Array, names: Float32Array[]) =>
        names[shares.indexOf(Math.max(...shares))],
      /weigh names by shares/,
    ],
    [() => [1, 0], /3 numbers/],
    [() => [NaN, 0, 0], /expected numbers/],
    [[0.5, 0.5], /Expected a function/],
    [30, /Expected a function.*got 30/],
  ]);
});
