import fc from "fast-check";
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  blendSimilarities,
  blendVectors,
  distribution,
  steer,
} from "#lib/search_page/engine/ranking.ts";
import { cosineSimilarity, l2Normalize } from "#lib/compare/metrics.ts";

const values = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1 });
const vector = fc.array(fc.integer({ min: -9, max: 9 }), {
  minLength: 4,
  maxLength: 4,
}).filter((numbers) => numbers.some((number) => number !== 0))
  .map((numbers) => l2Normalize(numbers));

Deno.test("blendSimilarities() is the cosine to the blended vectors", () => {
  fc.assert(fc.property(
    ...[vector, vector, vector] as const,
    fc.double({ min: 0.05, max: 0.45, noNaN: true }),
    (query, title, picture, weight) => {
      const [value] = blendSimilarities(
        [cosineSimilarity(query, title)],
        [cosineSimilarity(query, picture)],
        [cosineSimilarity(title, picture)],
        weight,
      );
      const blended = blendVectors(title, picture, weight);
      ok(Math.abs(value - cosineSimilarity(query, blended)) < 1e-3);
    },
  ));
});

Deno.test("blendSimilarities() goes by the picture where nothing is written", () => {
  deepEqual([...blendSimilarities([NaN], [0.5], [NaN], 0.3)], [0.5]);
});

Deno.test("steer() adds and takes away, and refuses what cancels out", () => {
  const x = Float32Array.of(1, 0), y = Float32Array.of(0, 1);
  deepEqual([...steer(x, [y], [x])], [0, 1]);
  throws(() => steer(x, [], [x]), RangeError);
});

Deno.test("steer() refuses what cancels out in any number, by what is left", () => {
  fc.assert(fc.property(fc.array(vector, { minLength: 1 }), (vectors) => {
    // As an encoder gives them another time, beside other texts.
    const again = vectors.toReversed().map((one) =>
      one.map((value, i) => value + (i % 2 ? 1e-6 : -1e-6))
    );
    throws(() => steer(undefined, vectors, again), RangeError);
  }));
  const dog = l2Normalize([1, 0.2]), puppy = l2Normalize([1, 0.21]);
  const [x, y] = steer(dog, [], [puppy]);
  ok(x > 0 && y < 0, "near one another, and two things still");
});

Deno.test("blendSimilarities() stays a cosine where rounding would carry it past 1", () => {
  const past = 1.0000002;
  equal(blendSimilarities([past], [past], [1], 0.3)[0], 1);
  equal(blendSimilarities([-past], [-past], [1], 0.3)[0], -1);
});

Deno.test("distribution() counts every value once", () => {
  fc.assert(fc.property(values, (numbers) => {
    const { bins, count, mean, least, most } = distribution(numbers, 7);
    equal(bins.reduce((sum, bin) => sum + bin, 0), numbers.length);
    equal(count, numbers.length);
    ok(least <= mean + 1e-9 && mean <= most + 1e-9);
  }));
  equal(distribution([NaN]).count, 0);
});
