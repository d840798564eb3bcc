import { ok, strictEqual, throws } from "node:assert/strict";
import { contrastiveLoss } from "#lib/encoders/contrastive_loss.ts";

const near = (a: number, b: number) => ok(Math.abs(a - b) < 1e-12, `${a} ${b}`);

Deno.test("contrastiveLoss() is the mean of both cross entropies", () => {
  // By their definition, with
  // l = [[2, 1], [0, 3]], t = [0, 1].
  const ofRows = (Math.log(1 + Math.exp(-1)) + Math.log(1 + Math.exp(-3))) / 2;
  const ofColumns = (Math.log(1 + Math.exp(-2)) + Math.log(1 + Math.exp(-2))) /
    2;
  const cosines = [[0.2, 0.1], [0, 0.3]];
  near(contrastiveLoss(cosines, 10), (ofRows + ofColumns) / 2);
});

Deno.test("contrastiveLoss() asks pictures and captions alike, and guessing costs ln N", () => {
  const cosines = [[0.5, 0.1, 0.3], [0.2, 0.1, 0.4], [-0.3, 0.2, 0.6]];
  const turned = cosines.map((_, j) => cosines.map((row) => row[j]));
  near(contrastiveLoss(cosines), contrastiveLoss(turned));
  near(contrastiveLoss(cosines, 0), Math.log(3));
  strictEqual(contrastiveLoss([[0.7]]), 0);
});

Deno.test("contrastiveLoss() stays a number at any scale", () => {
  strictEqual(contrastiveLoss([[1, -1], [-1, 1]], 1e6), 0);
  strictEqual(contrastiveLoss([[-1, 1], [1, -1]], 1e6), 2e6);
});

Deno.test("contrastiveLoss() refuses what is not square", () => {
  throws(() => contrastiveLoss([]), /got 0 rows$/);
  throws(() => contrastiveLoss([[1, 2]]), /got 1 rows, one of 2/);
});
