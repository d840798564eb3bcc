import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { topK } from "#lib/compare/compare.ts";
import { bestFirst } from "#lib/search_page/engine/order.ts";

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
