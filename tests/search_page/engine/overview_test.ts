import { deepEqual, equal, ok } from "node:assert/strict";
import {
  detailOf,
  mapOf,
  similarityOfPairs,
} from "#lib/search_page/engine/overview.ts";
import { Searcher } from "#lib/search_page/engine/searcher.ts";
import { vectorSpace } from "../../support/vector_space.ts";

/** Pictures along a line, each a little further. */
const line = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ vector: [1, i / count, 0, 0] }));

Deno.test("mapOf() spreads places from 0 to 1, the alike near one another", () => {
  const { collection } = vectorSpace(line(20));
  const points = mapOf(collection);
  deepEqual(points.map(({ row }) => row), [...Array(20).keys()]);
  const xs = points.map(({ x }) => x);
  deepEqual([Math.min(...xs), Math.max(...xs)], [0, 1]);
  const order = xs[0] < xs[1] ? xs : xs.toReversed();
  deepEqual(order, order.toSorted((a, b) => a - b));
  equal(points[3].path, "3");
});

Deno.test("mapOf() takes 800 of many pictures, spread over all of them", () => {
  const { collection } = vectorSpace(line(2000));
  const rows = mapOf(collection).map(({ row }) => row);
  equal(rows.length, 800);
  equal(new Set(rows).size, 800);
  ok(rows[0] === 0 && rows.at(-1)! >= 1995, `${rows.at(-1)}`);
  const steps = rows.slice(1).map((row, i) => row - rows[i]);
  ok(steps.every((step) => step === 2 || step === 3));
});

Deno.test("similarityOfPairs() looks at each pair once, of many at a sample", () => {
  const { collection } = vectorSpace([
    { vector: [1, 0] },
    { vector: [1, 0] },
    { vector: [0, 1] },
  ]);
  const { count, mean, least, most } = similarityOfPairs(collection);
  deepEqual([count, least, most], [3, 0, 1]);
  ok(Math.abs(mean - 1 / 3) < 1e-6);
  const many = vectorSpace(line(1000)).collection;
  const sample = similarityOfPairs(many);
  ok(sample.count >= 18_000 && sample.count <= 22_000, `${sample.count}`);
  ok(sample.least < 0.75 && sample.most > 0.999);
});

Deno.test("detailOf() brings eight neighbours, not the picture itself, and its numbers", async () => {
  const space = vectorSpace(line(20));
  const detail = await detailOf(new Searcher([space]), 0);
  deepEqual(
    detail.neighbours.map(({ path }) => path),
    ["1", "2", "3", "4", "5", "6", "7", "8"],
  );
  deepEqual(detail.vector, [1, 0, 0, 0]);
  deepEqual([detail.space, detail.dimensions, detail.path], ["known", 4, "0"]);
  ok(!("source" in detail), "where files lie is nobody's business");
  const wide = vectorSpace([{ vector: Array(200).fill(1) }]);
  equal((await detailOf(new Searcher([wide]), 0)).vector.length, 96);
});
