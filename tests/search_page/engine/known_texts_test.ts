import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Matrix } from "#lib/compare/matrix.ts";
import { KnownTexts } from "#lib/search_page/engine/known_texts.ts";
import { Collection } from "#lib/search_page/index/collection.ts";
import { NO_FACTS } from "#lib/pictures/photo_facts.ts";

const picture = (path: string) => ({
  ...{ path, source: "", title: path, caption: "", term: "", category: "" },
  ...{ author: "", license: "", url: "", page: "" },
});
const query = Float32Array.of(1, 0);
const refuse = () => Promise.reject(new Error("gone"));

Deno.test("texts that another program has put in are fetched, once it answers, and then compared here", async () => {
  const collection = new Collection(2, 0, false);
  collection.adopt(picture("owl"), NO_FACTS, "x", 0.5);
  collection.adopt(picture("hen"), NO_FACTS, "x", 0.5);
  let asked = 0, isThere = false;
  const texts = new KnownTexts(collection, (ids) => {
    asked += ids.length;
    if (!isThere) return refuse();
    return Promise.resolve(Matrix.of([[0.6, 0.8], [0, 1]]));
  });
  strictEqual(await texts.compare(query), undefined, "not here yet");
  await setImmediate();
  isThere = true;
  strictEqual(await texts.compare(query), undefined);
  await setImmediate();
  const values = await texts.compare(query);
  deepStrictEqual([...values!].map((value) => value.toFixed(1)), [
    ...["0.6", "0.0"],
  ]);
  await texts.compare(query);
  strictEqual(asked, 4);
});

Deno.test("a text that goes is forgotten, and one in its place is compared", async () => {
  const collection = new Collection(2, 0, false);
  const texts = new KnownTexts(collection, refuse);
  const up = Float32Array.of(0, 1);
  collection.add(picture("owl"), up, up);
  texts.keep(collection.textIds[0], up);
  deepStrictEqual([...(await texts.compare(query))!], [0]);
  texts.forget([collection.textIds[0]]);
  collection.remove("owl");
  collection.add(picture("hen"), up, query);
  strictEqual(await texts.compare(query), undefined);
  texts.keep(collection.textIds[0], query);
  deepStrictEqual([...(await texts.compare(query))!], [1]);
});

Deno.test("more texts than memory is for are left to the index", async () => {
  const collection = new Collection(1_000_000, 0, false);
  const texts = new KnownTexts(collection, refuse);
  const none = new Float32Array(0);
  for (let i = 0; i < 11; i++) {
    collection.adopt(picture(`${i}`), NO_FACTS, "x", 0);
  }
  for (const id of collection.textIds) texts.keep(id, none);
  strictEqual(await texts.compare(query), undefined);
});
