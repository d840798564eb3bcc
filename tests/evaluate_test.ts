import { deepEqual, equal, throws } from "node:assert/strict";
import {
  averagePrecision,
  confusionMatrix,
  precisionAtK,
  scoreRankings,
} from "#lib/evaluate.ts";

Deno.test("averagePrecision() divides by all relevant items, not by those found early", () => {
  // Relevant at ranks 1 and 4 of 4: (1/1 + 2/4) / 2.
  equal(averagePrecision([true, false, false, true]), 0.75);
  equal(averagePrecision([false, false]), 0);
  equal(averagePrecision([true, true, false]), 1);
});

Deno.test("precisionAtK() divides by k, however many items there are", () => {
  equal(precisionAtK([true, true], 5), 2 / 5);
  equal(precisionAtK([false, true, true], 1), 0);
  throws(() => precisionAtK([true], 0), /k of 1 or more, got 0/);
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
