import fc from "fast-check";
import { deepEqual, throws } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import { metrics } from "#lib/compare/metrics.ts";
import { search, topK } from "#lib/compare/compare.ts";

const indices = (hits: { index: number }[]) => hits.map(({ index }) => index);

Deno.test("topK() puts low distances and high similarities first", () => {
  deepEqual(indices(topK([3, 1, 2], 2, "lower")), [1, 2]);
  deepEqual(indices(topK([3, 1, 2], 2, "higher")), [0, 2]);
});

Deno.test("topK() keeps gallery order on ties", () => {
  deepEqual(indices(topK([5, 1, 5, 1, 5], 5, "higher")), [0, 2, 4, 1, 3]);
  deepEqual(indices(topK([5, 1, 5, 1, 5], 5, "lower")), [1, 3, 0, 2, 4]);
});

Deno.test("topK() ranks what is not a number last, either way", () => {
  deepEqual(indices(topK([NaN, 1, 2], 3, "lower")), [1, 2, 0]);
  deepEqual(indices(topK([NaN, 1, 2], 3, "higher")), [2, 1, 0]);
});

Deno.test("topK() gives what there is where k is larger, and refuses k < 1", () => {
  deepEqual(indices(topK([1], 9, "lower")), [0]);
  throws(() => topK([1], 0, "lower"), /k of 1 or more, got 0/);
  throws(() => topK([1], 1.5, "lower"), /got 1.5/);
});

Deno.test("search() finds the item itself first, by every metric", () => {
  const gallery = Matrix.of([[9, 1, 4], [2, 8, 8], [5, 5, 6]]);
  for (const metric of Object.values(metrics)) {
    deepEqual(search([2, 8, 8], gallery, metric, 1)[0].index, 1);
  }
});

Deno.test("search() refuses an empty gallery and unequal lengths", () => {
  throws(() => search([1], Matrix.of([]), metrics.l1), /gallery is empty/);
  throws(
    () => search([1], Matrix.of([[1, 2]]), metrics.l1),
    /equal lengths, got 1 and 2/,
  );
});

Deno.test("topK() finds in one pass what sorting finds, ties and NaN included", () => {
  const value = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constant(NaN));
  fc.assert(fc.property(
    fc.array(value, { minLength: 1, maxLength: 60, size: "max" }),
    fc.integer({ min: 1, max: 9 }),
    fc.constantFrom("higher" as const, "lower" as const),
    (values, k, better) => {
      const isAllowed = (index: number) => index % 3 !== 1;
      const sorted = topK(values, values.length, better)
        .filter(({ index }) => isAllowed(index)).slice(0, k);
      deepEqual(topK(values, k, better, isAllowed), sorted);
    },
  ));
});
