import { deepStrictEqual as deepEqual, equal, ok } from "node:assert/strict";
import { meanText, textsOf } from "#lib/search_page/index/collection.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { vectorSpace } from "../../support/vector_space.ts";

Deno.test("a text that pictures share is kept once", () => {
  const text = [0, 1];
  const { collection } = vectorSpace([
    { vector: [1, 0], text, title: "owl" },
    { vector: [1, 0], text, title: "owl" },
    { vector: [1, 0] },
    { vector: [0, 1], text, title: "an owl" },
  ]);
  deepEqual(collection.textRows, [0, 0, -1, 1]);
  equal(collection.textEmbeddings.count, 2);
  deepEqual(collection.agreement, [0, 0, NaN, 1]);
  equal(collection.rowOf("2"), 2);
  equal(collection.rowOf("9"), undefined);
});

Deno.test("facets are the most frequent names, in alphabetical order", () => {
  const terms = Array.from({ length: 600 }, (_, i) => `t${i}`);
  const { collection } = vectorSpace(
    [...terms, ...terms.slice(100), "", "t599"]
      .map((term) => ({ vector: [1], term })),
  );
  const { term, category } = collection.facets();
  equal(term.length, 500);
  deepEqual(term, term.toSorted(([a], [b]) => a < b ? -1 : 1));
  deepEqual(term.find(([name]) => name === "t599"), ["t599", 3]);
  equal(term.some(([name]) => name === "t0" || name === ""), false);
  deepEqual(category, []);
});

Deno.test("textsOf() says each thing once, and no device's name", () => {
  const texts = (part: object) =>
    textsOf({
      ...{ title: "", caption: "", term: "", category: "", author: "" },
      ...{ license: "", url: "", page: "", path: "", source: "" },
      ...part,
    });
  deepEqual(texts({}), []);
  deepEqual(texts({ title: "barn owl", term: "owl" }), ["barn owl"]);
  deepEqual(texts({ title: "barn", term: "owl" }), ["owl. barn"]);
  deepEqual(
    texts({ title: "barn owl", caption: "A barn owl flies.", term: "bird" }),
    ["bird. A barn owl flies."],
  );
  deepEqual(texts({ title: "x", caption: "y", term: "zoo" }), ["zoo. x. y"]);
  deepEqual(texts({ term: "100CANON" }), []);
  deepEqual(texts({ term: "ox" }), ["ox"]);
  const captions = ["An owl.", "A bird by night."];
  deepEqual(
    texts({ title: "owl", term: "bird", caption: "An owl.", captions }),
    [
      "bird. An owl.",
      "owl. A bird by night.",
    ],
  );
});

Deno.test("meanText() is the direction that texts share", () => {
  const mean = (...texts: number[][]) => meanText(Matrix.of(texts, 2));
  equal(mean(), undefined);
  deepEqual(mean([0, 1]), Float32Array.of(0, 1));
  const [x, y] = mean([1, 0], [0, 1])!;
  ok(Math.abs(x - Math.SQRT1_2) < 1e-6 && x === y);
  equal(mean([1, 0], [-1, 0]), undefined);
});
