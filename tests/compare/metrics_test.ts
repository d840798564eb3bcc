import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  clampCosine,
  cosineOfSums,
  cosineSimilarity,
  dot,
  l1Distance,
  l2Distance,
  l2Normalize,
  metrics,
  pearsonCorrelation,
} from "#lib/compare/metrics.ts";

const a = Uint8Array.of(3, 200, 17, 90, 255, 0);
const b = Uint8Array.of(8, 180, 30, 60, 250, 9);

Deno.test("the four metrics agree with NumPy", () => {
  // numpy.abs(a - b).sum(), numpy.linalg.norm(a - b), the dot product over the
  // norms, and numpy.corrcoef(a, b)[0, 1], NumPy 2.4 with float64.
  const near = (x: number, y: number) => ok(Math.abs(x - y) < 1e-12, `${x}`);
  near(l1Distance(a, b), 82);
  near(l2Distance(a, b), 40);
  near(cosineSimilarity(a, b), 0.9946011382190602);
  near(pearsonCorrelation(a, b), 0.9898774495446117);
});

Deno.test("every metric is symmetric, and best for a vector and itself", () => {
  for (const { measure, better } of Object.values(metrics)) {
    ok(Math.abs(measure(a, b) - measure(b, a)) < 1e-12);
    equal(measure(a, a), better === "lower" ? 0 : 1);
  }
});

Deno.test("bytes do not wrap: 0 and 255 are as far apart as can be", () => {
  equal(l1Distance(Uint8Array.of(0), Uint8Array.of(255)), 255);
  equal(l2Distance(Uint8Array.of(0), Uint8Array.of(255)), 255);
});

Deno.test("cosine ignores contrast, and correlation brightness too", () => {
  const darker = Array.from(a, (value) => value / 2);
  const shifted = Array.from(a, (value) => value + 40);
  ok(Math.abs(cosineSimilarity(a, darker) - 1) < 1e-12);
  ok(cosineSimilarity(a, shifted) < 0.99);
  ok(Math.abs(pearsonCorrelation(a, shifted) - 1) < 1e-12);
});

Deno.test("cosines reach from -1 to 1, and no rounding carries them past", () => {
  equal(cosineSimilarity([0, 2], [0, -4]), -1);
  ok(Math.abs(pearsonCorrelation([1, 2, 3], [6, 4, 2]) + 1) < 1e-12);
  equal(cosineOfSums(1 + 1e-9, 1, 1), 1);
  equal(cosineOfSums(-1 - 1e-9, 1, 1), -1);
  equal(cosineOfSums(6, 4, 16), 0.75);
  const all = [1.0000002, -1.0000002, 0.5, NaN];
  deepEqual(all.map(clampCosine), [1, -1, 0.5, NaN]);
});

Deno.test("dot() is the sum of products, of equal lengths only", () => {
  equal(dot([1, 2, 3], Float32Array.of(4, -5, 6)), 12);
  throws(() => dot([1, 2], [1]), /dot: expected equal lengths, got 2 and 1/);
});

Deno.test("a vector without direction compares as 0, not as NaN", () => {
  equal(cosineSimilarity([0, 0], [1, 2]), 0);
  equal(pearsonCorrelation([7, 7], [1, 2]), 0);
  throws(() => l2Normalize([0, 0]), /length above 0, got 2 values/);
});

Deno.test("l2Normalize() makes the dot product the cosine", () => {
  const cosine = dot(l2Normalize(a), l2Normalize(b));
  ok(Math.abs(cosine - cosineSimilarity(a, b)) < 1e-6);
});

Deno.test("unequal lengths are refused, both quoted", () => {
  for (const { measure } of Object.values(metrics)) {
    throws(() => measure([1], [1, 2]), /expected equal lengths, got 1 and 2/);
  }
});
