import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { topK } from "#lib/compare/compare.ts";
import { behind, bestFirst } from "#lib/search_page/engine/order.ts";

Deno.test("bestFirst() orders as topK() does, equal values by row, and leaves out NaN", () => {
  const value = fc.oneof(
    fc.float({ noNaN: true }),
    fc.constantFrom(NaN, 0, -0, 0.5, -0.5, Infinity, -Infinity),
  );
  const values = fc.array(value, { minLength: 1 });
  const better = fc.constantFrom("higher" as const, "lower" as const);
  fc.assert(fc.property(values, better, (values, better) => {
    const all = topK(values, values.length, better);
    deepStrictEqual(
      [...bestFirst(values, better)],
      all.filter(({ value }) => !Number.isNaN(value)).map(({ index }) => index),
    );
  }));
});

Deno.test("behind() leaves what was seen in its place, and puts what fits before the rest", () => {
  const fits = (row: number) => row < 10;
  const order = (seen: number) => [
    ...behind(
      Uint32Array.of(3, 1, 20, 21, 22),
      Uint32Array.of(2, 3, 1, 20, 22, 23),
      fits,
      seen,
    ),
  ];
  // Row 21 is gone.
  deepStrictEqual(order(0), [3, 1, 2, 20, 22, 23]);
  deepStrictEqual(order(2), [3, 1, 2, 20, 22, 23]);
  deepStrictEqual(order(3), [3, 1, 20, 2, 22, 23]);
});
