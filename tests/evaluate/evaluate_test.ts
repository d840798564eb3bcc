import {
  deepEqual,
  deepStrictEqual,
  equal,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { dirname, join } from "node:path";
import {
  averagePrecision,
  chanceAveragePrecision,
  confusionMatrix,
  largestConfusions,
  normalizedGain,
  precisionAtK,
  recallAtK,
  relevantRanks,
  scoreRankings,
} from "#lib/evaluate/evaluate.ts";
import {
  easyAndHard,
  easyAndHardByPixels,
} from "#lib/evaluate/easy_and_hard.ts";
import { readResults, saveResults } from "#lib/evaluate/results.ts";
import { paths } from "#lib/paths.ts";
import type { DatasetPicture } from "#lib/records.ts";
import sharp from "sharp";

Deno.test("chanceAveragePrecision() is the mean over all orders of the gallery", () => {
  const orders = (items: boolean[]): boolean[][] =>
    items.length === 0
      ? [[]]
      : items.flatMap((item, i) =>
        orders(items.toSpliced(i, 1)).map((rest) => [item, ...rest])
      );
  for (const [relevant, count] of [[1, 1], [1, 4], [2, 5], [3, 3], [4, 6]]) {
    const all = orders(Array.from({ length: count }, (_, i) => i < relevant))
      .map((order) => averagePrecision(relevantRanks(order)));
    const mean = all.reduce((sum, value) => sum + value) / all.length;
    ok(Math.abs(chanceAveragePrecision(relevant, count) - mean) < 1e-12);
  }
  strictEqual(chanceAveragePrecision(0, 7), 0);
});

Deno.test("relevantRanks() counts from 1", () => {
  deepEqual(relevantRanks([true, false, false, true]), [1, 4]);
  deepEqual(relevantRanks([false]), []);
});

Deno.test("recallAtK() is 1 as soon as one relevant item is among the first k", () => {
  deepEqual([1, 2, 3, 10].map((k) => recallAtK([3, 4], k)), [0, 0, 1, 1]);
  equal(recallAtK([], 5), 0);
  throws(() => recallAtK([1], 1.5), /whole k of 1 or more, got 1.5/);
});

Deno.test("averagePrecision() divides by all relevant items, not by those found early", () => {
  // Relevant at ranks 1 and 4: (1/1 + 2/4) / 2.
  equal(averagePrecision([1, 4]), 0.75);
  equal(averagePrecision([]), 0);
  equal(averagePrecision([1, 2]), 1);
});

Deno.test("precisionAtK() divides by k, however many items there are", () => {
  equal(precisionAtK([1, 2], 5), 2 / 5);
  equal(precisionAtK([2, 3], 1), 0);
  equal(precisionAtK([2, 3, 7], 3), 2 / 3);
  throws(() => precisionAtK([1], 0), /k of 1 or more, got 0/);
});

Deno.test("normalizedGain() halves a lone relevant item's gain at rank 3", () => {
  // 1 / log2(1 + 3), over 1 / log2(1 + 1).
  equal(normalizedGain([3]), 1 / 2);
  equal(normalizedGain([1, 2, 3]), 1);
  equal(normalizedGain([]), 0);
});

Deno.test("the measures agree with trec_eval", () => {
  // map, ndcg, P_5 and success_5 of pytrec_eval-terrier 0.5.11, which wraps
  // trec_eval, for rankings of ten items; scikit-learn 1.9.1's
  // average_precision_score and ndcg_score give the same.
  const facts = [
    { ranks: [1, 4, 9], map: 0.6111111111, ndcg: 0.8126530454, p5: 0.4, s5: 1 },
    { ranks: [3], map: 0.3333333333, ndcg: 0.5, p5: 0.2, s5: 1 },
    {
      ranks: [2, 3, 4, 5, 10],
      map: 0.6433333333,
      ndcg: 0.7588790806,
      p5: 0.8,
      s5: 1,
    },
  ];
  for (const { ranks, map, ndcg, p5, s5 } of facts) {
    ok(Math.abs(averagePrecision(ranks) - map) < 1e-9);
    ok(Math.abs(normalizedGain(ranks) - ndcg) < 1e-9);
    equal(precisionAtK(ranks, 5), p5);
    equal(recallAtK(ranks, 5), s5);
  }
});

Deno.test("scoreRankings() is the mean over queries, worked by hand", () => {
  const scores = scoreRankings(
    [["cat", "dog", "cat"], ["cat", "dog", "cat"]],
    ["cat", "dog"],
  );
  deepEqual(scores, {
    top1: 1 / 2,
    precisionAt5: (2 / 5 + 1 / 5) / 2,
    meanAveragePrecision: ((1 + 2 / 3) / 2 + 1 / 2) / 2,
    averagePrecisions: [(1 + 2 / 3) / 2, 1 / 2],
  });
});

Deno.test("scoreRankings() refuses no queries, and lists of unequal length", () => {
  throws(() => scoreRankings([], []), /got 0 rankings and 0 queries/);
  throws(() => scoreRankings([["a"]], []), /got 1 rankings and 0 queries/);
});

Deno.test("confusionMatrix() counts truth by row and prediction by column", () => {
  const labels = ["cat", "dog"];
  deepEqual(
    confusionMatrix(["cat", "cat", "dog"], ["cat", "dog", "dog"], labels),
    [[1, 1], [0, 1]],
  );
  throws(() => confusionMatrix(["cat"], ["fox"], labels), /got "fox"/);
  throws(() => confusionMatrix(["cat"], [], labels), /got 1 and 0/);
});

Deno.test("results are kept method by method, a later run's in place of an earlier, and of one data set", async () => {
  const { results } = paths;
  paths.results = join(await Deno.makeTempDir(), "results.json");
  const row = (method: string, top1: number) => ({
    ...{ method, top1, precisionAt5: 0, meanAveragePrecision: 0 },
    averagePrecisions: [0],
  });
  try {
    await rejects(
      readResults("birds"),
      /results\.json not found: run notebook 3 first/,
    );
    await saveResults("birds", [row("a", 1), row("b", 2)]);
    await saveResults("birds", [row("c", 3), row("a", 4)]);
    deepStrictEqual(
      await readResults("birds"),
      [row("a", 4), row("b", 2), row("c", 3)],
    );
    await rejects(readResults("tools"), /another data set: run notebook 3/);
    await saveResults("tools", [row("a", 5)]);
    deepStrictEqual(await readResults("tools"), [row("a", 5)]);
    await Deno.remove(dirname(paths.results), { recursive: true });
  } finally {
    paths.results = results;
  }
});

Deno.test("easyAndHard() picks the best and the worst query, the first of several", () => {
  const averagePrecisions = [0.5, 0.9, 0.2, 0.9, 0.2];
  deepStrictEqual(easyAndHard({ averagePrecisions }), { easy: 1, hard: 2 });
  deepStrictEqual(
    easyAndHard({ averagePrecisions: [1] }),
    { easy: 0, hard: 0 },
  );
});

Deno.test("easyAndHardByPixels() ranks by the pixels alone", async () => {
  const { dataset } = paths;
  paths.dataset = await Deno.makeTempDir();
  const picture = async (path: string, background: string) => {
    const file = join(paths.dataset, path);
    await Deno.mkdir(dirname(file), { recursive: true });
    await sharp({ create: { width: 8, height: 8, channels: 3, background } })
      .png().toFile(file);
    return { path, term: path.split("/")[1] } as DatasetPicture;
  };
  try {
    const gallery = [
      await picture("train/red/a.png", "#d00"),
      await picture("train/blue/b.png", "#00d"),
      await picture("train/dark/c.png", "#000"),
    ];
    const queries = [
      await picture("test/dark/pink.png", "#f88"),
      await picture("test/blue/blue.png", "#00e"),
    ];
    deepStrictEqual(
      await easyAndHardByPixels(gallery, queries),
      { easy: 1, hard: 0 },
    );
  } finally {
    await Deno.remove(paths.dataset, { recursive: true });
    paths.dataset = dataset;
  }
});

Deno.test("largestConfusions() lists what lies beside the diagonal, the most first", () => {
  const matrix = [[5, 0, 2], [4, 1, 0], [0, 0, 3]];
  deepStrictEqual(largestConfusions(matrix, ["a", "b", "c"], 5), [
    { truth: "b", of: 5, predicted: "a", count: 4 },
    { truth: "a", of: 7, predicted: "c", count: 2 },
  ]);
  deepStrictEqual(largestConfusions(matrix, ["a", "b", "c"], 1).length, 1);
  deepStrictEqual(largestConfusions([[3]], ["a"], 5), []);
});
