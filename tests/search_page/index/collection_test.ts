import { deepEqual, equal } from "node:assert/strict";
import { nameOf, textOf } from "#lib/search_page/index/collection.ts";
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

Deno.test("nameOf() makes words of a file's name, not of a camera's number", () => {
  equal(nameOf("a/king-penguin_2.jpg"), "king penguin 2");
  equal(nameOf("Grüße.aus.Köln.png"), "Grüße aus Köln");
  for (const name of ["IMG_1234", "DSC01", "dscf 7", "photo-3", "12", "ab"]) {
    equal(nameOf(`${name}.jpg`), "", name);
  }
});

Deno.test("textOf() says each thing once", () => {
  const text = (part: object) =>
    textOf({
      ...{ title: "", caption: "", term: "", category: "", author: "" },
      ...{ license: "", url: "", page: "", path: "", source: "" },
      ...part,
    });
  equal(text({}), "");
  equal(text({ title: "barn owl", term: "owl" }), "barn owl");
  equal(text({ title: "barn", term: "owl" }), "owl. barn");
  equal(
    text({ title: "barn owl", caption: "A barn owl flies.", term: "bird" }),
    "bird. A barn owl flies.",
  );
  equal(text({ title: "x", caption: "y", term: "z" }), "z. x. y");
});
