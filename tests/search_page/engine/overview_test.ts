import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
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

Deno.test("mapOf() spreads places from 0 to 1, the alike near one another", async () => {
  const space = vectorSpace(line(20));
  const { collection } = space;
  const points = await mapOf(space);
  deepStrictEqual(
    points.map(({ path }) => path),
    line(20).map((_, i) => `${i}`),
  );
  const xs = points.map(({ x }) => x);
  deepStrictEqual([Math.min(...xs), Math.max(...xs)], [0, 1]);
  const order = xs[0] < xs[1] ? xs : xs.toReversed();
  deepStrictEqual(order, order.toSorted((a, b) => a - b));
  deepStrictEqual(Object.keys(points[3]), [
    "id",
    "path",
    "title",
    "term",
    "x",
    "y",
  ]);
  strictEqual(points[3].id, collection.idOf(3));
});

Deno.test("mapOf() places every one of many pictures, but for the hidden", async () => {
  const space = vectorSpace(line(2000));
  const { collection } = space;
  const all = await mapOf(space);
  strictEqual(all.length, 2000);
  const xs = all.map(({ x }) => x);
  const order = xs[0] < xs[1] ? xs : xs.toReversed();
  deepStrictEqual(order, order.toSorted((a, b) => a - b));
  collection.hide("7", true);
  const others = await mapOf(space);
  strictEqual(others.length, 1999);
  ok(!others.some(({ path }) => path === "7"));
});

Deno.test("mapOf() takes one picture, equal ones and none", async () => {
  for (const count of [1, 2, 3]) {
    const same = Array.from({ length: count }, () => ({ vector: [1, 0] }));
    const points = await mapOf(vectorSpace(same));
    ok(points.every(({ x, y }) => x === 0 && y === 0));
  }
  const space = vectorSpace(line(1));
  space.collection.remove("0");
  deepStrictEqual(await mapOf(space), []);
});

Deno.test("similarityOfPairs() looks at each pair once, of many at a sample", async () => {
  const space = vectorSpace([
    { vector: [1, 0] },
    { vector: [1, 0] },
    { vector: [0, 1] },
  ]);
  const { count, mean, least, most } = await similarityOfPairs(space);
  deepStrictEqual([count, least, most], [3, 0, 1]);
  ok(Math.abs(mean - 1 / 3) < 1e-6);
  const many = vectorSpace(line(1000));
  const sample = await similarityOfPairs(many);
  ok(sample.count >= 18_000 && sample.count <= 22_000, `${sample.count}`);
  ok(sample.least < 0.75 && sample.most > 0.999);
});

Deno.test("detailOf() brings twelve neighbours, not the picture itself, and its numbers", async () => {
  const space = vectorSpace(line(20));
  const detail = await detailOf(new Searcher([space]), 0);
  deepStrictEqual(
    detail.neighbours.map(({ path }) => path),
    Array.from({ length: 12 }, (_, i) => `${i + 1}`),
  );
  deepStrictEqual(detail.vector, [1, 0, 0, 0]);
  deepStrictEqual(
    [detail.space, detail.dimensions, detail.path],
    ["known", 4, "0"],
  );
  const wide = vectorSpace([{ vector: Array(200).fill(1) }]);
  strictEqual((await detailOf(new Searcher([wide]), 0)).vector.length, 96);
});

Deno.test("detailOf() brings near copies, and what the file tells", async () => {
  const space = vectorSpace([
    ...[[1, 0], [1, 0.01], [1, 0.02], [1, 1]].map((vector) => ({ vector })),
    { vector: [1, 0.03], source: "/pictures/owl.jpg" },
  ]);
  const { facts } = space.collection;
  facts[4] = {
    ...{ width: 30, height: 20, bytes: 99, date: "2019-06-01T12:00:00" },
    ...{ dateFrom: "EXIF", camera: "Canon EOS 5D", lens: "50 mm" },
    ...{ exposure: "1/250 s", place: { latitude: 1, longitude: 2 } },
  };
  const searcher = new Searcher([space]);
  const { nearCopies, file, place, ...detail } = await detailOf(searcher, 4);
  deepStrictEqual(nearCopies.map(({ path }) => path), ["2", "1", "0"]);
  strictEqual(file, "/pictures/owl.jpg");
  deepStrictEqual(place, { latitude: 1, longitude: 2 });
  const { width, height, bytes, date, dateFrom, camera, lens, exposure } =
    detail;
  deepStrictEqual(
    { width, height, bytes, date, dateFrom, camera, lens, exposure, place },
    facts[4],
  );
  ok(!("source" in detail));
  ok(!("place" in await detailOf(searcher, 0)));
});
