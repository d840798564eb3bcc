import { deepStrictEqual as deepEqual, equal, ok } from "node:assert/strict";
import { meanText, textsOf } from "#lib/search_page/index/collection.ts";
import { NO_FACTS } from "#lib/pictures/photo_facts.ts";
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
  const mean = (...texts: number[][]) =>
    meanText(texts.map((text) => Float32Array.from(text)));
  equal(mean(), undefined);
  deepEqual(mean([0, 1]), Float32Array.of(0, 1));
  const [x, y] = mean([1, 0], [0, 1])!;
  ok(Math.abs(x - Math.SQRT1_2) < 1e-6 && x === y);
  equal(mean([1, 0], [-1, 0]), undefined);
});

const vectorOf = (n: number) => Float32Array.of(n, 1 - n);

Deno.test("rows have no gaps after pictures go, and ids are never used again", () => {
  const { collection } = vectorSpace([
    { vector: [1, 0], path: "a", text: [0, 1], title: "owl" },
    { vector: [0, 1], path: "b", text: [0, 1], title: "owl" },
    { vector: [1, 0], path: "c", text: [1, 0], title: "oak" },
  ]);
  const [a, b, c] = [0, 1, 2].map((row) => collection.idOf(row));
  const { generation, layout } = collection;
  collection.remove("a");
  collection.remove("never there");
  equal(collection.generation, generation + 1);
  equal(collection.layout, layout + 1);
  deepEqual(collection.pictures.map(({ path }) => path), ["c", "b"]);
  deepEqual([...collection.pictureEmbeddings.data], [1, 0, 0, 1]);
  deepEqual(collection.agreement, [1, 1]);
  deepEqual(["a", "b", "c"].map((path) => collection.rowOf(path)), [
    ...[undefined, 1, 0],
  ]);
  deepEqual([a, b, c].map((id) => collection.rowOfId(id)), [undefined, 1, 0]);
  collection.add(collection.pictures[1], vectorOf(0.5));
  equal(collection.count, 2, "its row is its own still");
  equal(collection.layout, layout + 2);
  equal(collection.rowOfId(b), undefined, "it is another picture now");
  ok(![a, b, c].includes(collection.idOf(1)));
  equal(collection.pictureEmbeddings.row(1)[0], 0.5);
});

Deno.test("a thousand changes leave as many rows as there are pictures", () => {
  const { collection } = vectorSpace([{ vector: [1, 0], path: "stays" }]);
  const [picture] = collection.pictures;
  for (let i = 0; i < 1000; i++) {
    const title = `title ${i}`;
    collection.add({ ...picture, path: "a", title }, vectorOf(1), vectorOf(0));
    collection.add({ ...picture, path: `${i}` }, vectorOf(0));
    collection.remove(`${i - 1}`);
  }
  equal(collection.count, 3);
  equal(collection.pictureEmbeddings.count, 3);
  equal(collection.textEmbeddings.count, 1);
});

Deno.test("a hidden picture is no result, and shown again is one", () => {
  const { collection } = vectorSpace([
    { vector: [1], path: "a", term: "owl" },
    { vector: [1], path: "b", term: "owl" },
  ]);
  const { generation, layout } = collection;
  collection.hide("a", true);
  collection.hide("a", true);
  deepEqual([collection.isSearchable(0), collection.isSearchable(1)], [
    ...[false, true],
  ]);
  deepEqual(collection.facets().term, [["owl", 1]]);
  deepEqual([collection.generation, collection.layout], [
    ...[generation + 1, layout],
  ]);
  collection.hide("a", false);
  deepEqual(collection.facets().term, [["owl", 2]]);
});

Deno.test("facets count cameras and years", () => {
  const { collection } = vectorSpace([{ vector: [1] }]);
  const [picture] = collection.pictures;
  for (const [path, date] of [["a", "2019-06-01T12:00:00"], ["b", ""]]) {
    const facts = { ...NO_FACTS, date, camera: "Canon EOS 5D" };
    const vector = Float32Array.of(1);
    collection.add({ ...picture, path }, vector, undefined, undefined, facts);
  }
  const { camera, dates } = collection.facets();
  deepEqual([camera, dates], [[["Canon EOS 5D", 2]], [["2019", 1]]]);
});
