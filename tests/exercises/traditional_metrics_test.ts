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
  /** What a picture is known by, then L1. */
  const by =
    (numbersOf: (pixels: Uint8Array) => number[]) =>
    (a: Uint8Array, b: Uint8Array) => {
      const [x, y] = [numbersOf(a), numbersOf(b)];
      return x.reduce((sum, value, i) => sum + Math.abs(value - y[i]), 0);
    };
  const channels = (pixels: Uint8Array) =>
    [0, 1, 2].map((channel) => pixels.filter((_, i) => i % 3 === channel));
  const bins = (values: ArrayLike<number>) =>
    Array.from(values).reduce((counts, value) => {
      counts[Math.floor(value)]++;
      return counts;
    }, Array<number>(256).fill(0));
  const colours = (pixels: Uint8Array) =>
    Array.from({ length: pixels.length / 3 }, (_, i) => {
      const [red, green, blue] = pixels.subarray(3 * i);
      return { red, green, blue };
    });
  const keys = (pixels: Uint8Array) =>
    colours(pixels).map((one) => Object.values(one).join(" "));
  await checkExercise(forgetsPlaces, [
    [
      (a: Uint8Array, b: Uint8Array) =>
        new Set(keys(a)).symmetricDifference(new Set(keys(b))).size,
      /not how many of each: .* three quarters red.* are 0 apart/,
    ],
    [
      by((pixels) => channels(pixels).flatMap((values) => [...values.sort()])),
      /each channel by itself: .* half cyan.* are 0 apart/,
    ],
    [by((pixels) => channels(pixels).flatMap(bins)), /each channel by itself/],
    [
      by((pixels) =>
        channels(pixels).flatMap((values) => {
          const sorted = [...values].sort((x, y) => x - y), at = mean(sorted);
          return [at, mean(sorted.map((value) => (value - at) ** 2))];
        })
      ),
      /each channel by itself/,
    ],
    [
      by((pixels) =>
        bins(
          colours(pixels).map(({ red, green, blue }) =>
            0.299 * red + 0.587 * green + 0.114 * blue
          ),
        )
      ),
      /only how light a pixel is: a navy picture.* are 0 apart/,
    ],
    [
      by((pixels) =>
        bins(
          colours(pixels).map(({ red, green, blue }) =>
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.5
          ),
        )
      ),
      /only how light a pixel is/,
    ],
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
