import {
  deepEqual,
  equal,
  notDeepEqual,
  ok,
  rejects,
  throws,
} from "node:assert/strict";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import {
  estimateDifference,
  estimateMean,
  estimateMedian,
} from "#lib/evaluate/bootstrap.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { eachProduct } from "#lib/compare/matrix_product.ts";
import {
  rankRelevant,
  scoreCaptions,
  scoreRanks,
} from "#lib/evaluate/retrieval.ts";

Deno.test("scoreRanks() worked by hand", () => {
  // Four queries; their own items at these ranks.
  const scores = scoreRanks([[1], [3], [6, 7], [20]]);
  equal(scores.r1.value, 1 / 4);
  equal(scores.r5.value, 2 / 4);
  equal(scores.r10.value, 3 / 4);
  // First ranks 1, 3, 6, 20: the mean of the middle two.
  equal(scores.medianRank.value, 4.5);
  const averagePrecisions = [1, 1 / 3, (1 / 6 + 2 / 7) / 2, 1 / 20];
  const sum = averagePrecisions.reduce((a, b) => a + b);
  ok(Math.abs(scores.meanAveragePrecision.value - sum / 4) < 1e-15);
});

Deno.test("scoreCaptions() agrees with trec_eval, both ways", async () => {
  const pictures = Matrix.of(Array.from(
    { length: 12 },
    (_, p) =>
      Float32Array.from(
        { length: 8 },
        (_, d) =>
          (p * p * 37 + d * d * p * 11 + (p + 3) * (d + 5) * 101) % 1009 - 504,
      ),
  ));
  const pictureOf = Array.from({ length: 60 }, (_, c) => Math.floor(c / 5));
  const captions = Matrix.of(pictureOf.map((picture, c) =>
    Float32Array.from(
      { length: 8 },
      (_, d) =>
        (c * c * 53 + d * c * 29 + (c + 7) * (d + 2) * d * 67) % 997 - 498 +
        (pictures.row(picture)[d] >> 1),
    )
  ));
  const { textToImage, imageToText } = await scoreCaptions(
    pictures,
    captions,
    pictureOf,
  );
  // success_1, success_5, success_10, P_5, map and ndcg of pytrec_eval-terrier
  // 0.5.11 (trec_eval) over the same products, and the median of 1 / recip_rank.
  const values = ({ scores }: typeof textToImage) =>
    Object.values(scores).map(({ value }) => Number(value.toFixed(9)));
  deepEqual(
    values(textToImage),
    [0.366666667, 0.9, 0.983333333, 2, 0.18, 0.584729437, 0.68574614],
  );
  deepEqual(
    values(imageToText),
    [0.5, 1, 1, 1.5, 0.4, 0.448061492, 0.684174822],
  );
});

Deno.test("scoreCaptions() draws the captions of a picture together", async () => {
  const units = (count: number, seed: number) =>
    clusteredVectors(count, 16, { seed, clusters: 60 });
  const pictureOf = Array.from({ length: 60 }, (_, c) => Math.floor(c / 5));
  const { textToImage, imageToText } = await scoreCaptions(
    units(12, 1),
    units(60, 2),
    pictureOf,
  );
  const { ranks, scores } = textToImage;
  deepEqual(scores, scoreRanks(ranks, { groups: pictureOf }));
  notDeepEqual(scores, scoreRanks(ranks));
  deepEqual(imageToText.scores, scoreRanks(imageToText.ranks));
});

Deno.test("rankRelevant() keeps gallery order on ties", async () => {
  const same = Matrix.of(Array.from({ length: 37 }, () => [0.6, 0.8]));
  const ranks = await rankRelevant(same.slice(0, 1), same, [[36, 0, 5]]);
  deepEqual(ranks, [[1, 6, 37]]);
});

Deno.test("scoreCaptions() does not search with a picture that has no caption", async () => {
  const units = (...xs: number[]) =>
    Matrix.of(xs.map((x) => [x, Math.sqrt(1 - x * x)]));
  const pictures = units(0.1, 0.9, 0.5);
  const { textToImage, imageToText } = await scoreCaptions(
    pictures,
    units(0.45, 0.12),
    [2, 0],
  );
  deepEqual(textToImage.ranks, [[1], [1]]);
  deepEqual(imageToText.ranks, [[1], [1]]);
});

Deno.test("eachProduct() refuses what no ranking could place, and reports where", async () => {
  const run = (queries: number[][], gallery: number[][]) =>
    eachProduct(Matrix.of(queries), Matrix.of(gallery)).next();
  await rejects(run([[1, 2]], [[1], [2]]), /equal length, got 2 and 1/);
  await rejects(
    run([[1]], [[2], [NaN]]),
    /expected numbers, got NaN in the gallery, row 1/,
  );
  await rejects(
    run([[1], [Infinity]], [[2]]),
    /expected numbers, got Infinity in a query, row 1/,
  );
  equal((await run([], [[1]])).done, true);
});

Deno.test("eachProduct() stops when it is asked to", async () => {
  const vectors = Matrix.of([[1]]);
  const signal = AbortSignal.abort(new Error("enough"));
  await rejects(eachProduct(vectors, vectors, { signal }).next(), /enough/);
});

Deno.test("estimateDifference() is clear where two methods' own intervals overlap", () => {
  // One method is a little better on each of 40 queries, easy and hard alike.
  const worse = Array.from({ length: 40 }, (_, i) => (i % 10) / 10);
  const better = worse.map((value, i) => value + (i % 3) / 40);
  ok(estimateMean(worse).high > estimateMean(better).low);
  const { value, low, high } = estimateDifference(better, worse);
  ok(Math.abs(value - 0.024375) < 1e-12);
  ok(0.01 < low && low < value && value < high && high < 0.04);
  throws(() => estimateDifference([1], [1, 2]), /got 1 and 2/);
});

Deno.test("estimateMean() gives the interval that SciPy gives", () => {
  const found = Array.from({ length: 100 }, (_, i) => i < 30 ? 1 : 0);
  // scipy.stats.bootstrap, percentile, 200,000 draws: 0.21 to 0.39.
  const { value, low, high } = estimateMean(found, { draws: 20_000 });
  equal(value, 0.3);
  ok(Math.abs(low - 0.21) <= 0.01 && Math.abs(high - 0.39) <= 0.01);
});

Deno.test("estimateMedian() gives the interval that SciPy gives", () => {
  const values = Array.from({ length: 101 }, (_, i) => (i + 1) ** 1.5);
  // scipy.stats.bootstrap, percentile, 50,000 draws: 262.53 to 476.43, which
  // are the values of 41 and 61; one neighbour is near enough.
  const { value, low, high } = estimateMedian(values, { draws: 20_000 });
  equal(value, 51 ** 1.5);
  const place = (of: number) => Math.round(of ** (2 / 3));
  ok(Math.abs(place(low) - 41) <= 1 && Math.abs(place(high) - 61) <= 1);
});

Deno.test("an estimate over groups is wider: five like captions tell as much as one", () => {
  const perPicture = Array.from({ length: 60 }, (_, i) => i % 3 === 0 ? 1 : 0);
  const perCaption = perPicture.flatMap((value) => new Array(5).fill(value));
  const groups = perCaption.map((_, i) => Math.floor(i / 5));
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  deepEqual(estimateMean(perCaption, { groups }), estimateMean(perPicture));
  ok(width(estimateMean(perCaption)) < 0.7 * width(estimateMean(perPicture)));
  deepEqual(
    estimateMedian(perCaption, { groups }),
    estimateMedian(perPicture),
  );
});

Deno.test("an estimate refuses nothing, and groups that do not fit", () => {
  throws(() => estimateMean([]), /one value or more.*got 0 values/);
  throws(
    () => estimateMedian([1], { groups: [0, 1] }),
    /1 values and 2 groups/,
  );
});
