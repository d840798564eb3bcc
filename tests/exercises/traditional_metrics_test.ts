import {
  cutOffPrecision,
  forgetsPlaces,
  unchanged,
} from "#lib/exercises/traditional_metrics.ts";
import { checkExercise } from "../support/exercises.ts";

const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

Deno.test("which metrics stay: the answer passes, a wrong or missing name is measured", async () => {
  await checkExercise(unchanged, [
    [
      { doubled: ["cosine"], raised: [] },
      /"doubled" one is missing.*before and after/,
    ],
    [
      { doubled: ["l1", "cosine"], raised: [] },
      /Not l1 under "doubled".*goes from/,
    ],
    [
      {
        doubled: ["cosine", "correlation"],
        raised: ["cosine", "correlation", "l1", "l2"],
      },
      /Not cosine under "raised"/,
    ],
    [{ doubled: ["pearson"], raised: [] }, /No metric is called "pearson"/],
    [["cosine"], /Expected \{ doubled/],
    ["cosine", /Expected \{ doubled.*got "cosine"/],
    [null, /Expected \{ doubled.*got null/],
    [3, /Expected \{ doubled.*got 3/],
  ]);
});

Deno.test("average precision of a cut ranking: dividing by the hits found is told why not", async () => {
  const sumOf = (relevant: boolean[]) => {
    let found = 0;
    return relevant.reduce(
      (sum, is, i) => is ? sum + ++found / (i + 1) : sum,
      0,
    );
  };
  const found = (relevant: boolean[]) => relevant.filter(Boolean).length;
  await checkExercise(cutOffPrecision, [
    [
      (relevant: boolean[]) => sumOf(relevant) / (found(relevant) || 1),
      /✓ ✗ ✗ ✗ out of 10 relevant pictures you get 1\. .* 1 ÷ 10/,
    ],
    [
      (relevant: boolean[], total: number) => sumOf(relevant) / total,
      /out of 0 relevant pictures you get NaN/,
    ],
    [
      (relevant: boolean[], total: number) =>
        found(relevant) / Math.max(1, total),
      /order counts/,
    ],
    [(relevant: boolean[]) => found(relevant) / relevant.length, /it is 1/],
    [
      (relevant: boolean[], total: number) =>
        total && relevant.includes(true)
          ? 1 / (relevant.indexOf(true) + 1) / total
          : 0,
      /you get 0\.5\. Nothing could be better/,
    ],
    [() => "0.5", /you get "0\.5"/],
    [0.5, /Expected a function.*got 0\.5/],
    [[1, 0], /Expected a function/],
  ]);
});

Deno.test("a metric that forgets places: a counterexample for each way to fail", async () => {
  const l1 = (a: Uint8Array, b: Uint8Array) =>
    a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0);
  const colour = (pixels: Uint8Array) =>
    [0, 1, 2].map((channel) =>
      mean(pixels.filter((_, i) => i % 3 === channel))
    );
  await checkExercise(forgetsPlaces, [
    [l1, /places still count/],
    [() => 0, /A black picture and a white one are 0 apart/],
    [
      (a: Uint8Array, b: Uint8Array) => l1(a.toSorted(), b.toSorted()),
      /mixes up the channels/,
    ],
    [
      (a: Uint8Array, b: Uint8Array) => l1(a.sort(), b.sort()),
      /changes the picture/,
    ],
    [
      (a: Uint8Array, b: Uint8Array) => {
        const [x, y] = [colour(a), colour(b)];
        return x.reduce((sum, value, i) => sum + Math.abs(value - y[i]), 0);
      },
      /only the mean colour/,
    ],
    [(a: Uint8Array, b: Uint8Array) => a[0] - b[0] + 300, /apart, not 0/],
    [
      (a: Uint8Array, b: Uint8Array) => l1(a, b) && mean(a) + 1,
      /the same both ways/,
    ],
    [() => "far", /a number of 0 or more, and is "far"/],
    [7, /Expected a function.*got 7/],
    [[0, 1], /Expected a function/],
  ]);
});
