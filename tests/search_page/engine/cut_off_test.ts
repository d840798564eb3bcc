import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { HnswIndex } from "#lib/engines/hnsw.ts";
import {
  cutOffs,
  lineAbove,
  quantile,
} from "#lib/search_page/engine/cut_off.ts";
import { EVERYDAY_WORDS } from "#lib/search_page/engine/everyday_words.ts";
import { SpaceIndex } from "#lib/search_page/engine/space_index.ts";
import { DEFAULT_QUERY } from "#lib/search_page/web/query.js";
import { withFolder } from "../../support/search_app.ts";
import { colourEncoder } from "../../support/colour_encoder.ts";
import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
import { vectorSpace } from "../../support/vector_space.ts";

const WORDS = { words: true, pictures: false };
const PICTURES = { words: false, pictures: true };
const BOTH = { words: true, pictures: true };
const visual = { ...DEFAULT_QUERY, mode: "visual" } as const;
const smart = { ...DEFAULT_QUERY, mode: "smart" } as const;
const text = { ...DEFAULT_QUERY, mode: "text" } as const;
const near = (value: number | undefined, expected: number) =>
  ok(Math.abs(value! - expected) < 1e-5, `${value}, expected ${expected}`);

/** Two words lie at an angle of .1 and .5, the others at right angles or further. */
const angleOf = (text: string) =>
  ({ dog: 0.1, cat: 0.5 })[text] ?? Math.PI / 2 + 1;
const embed = (text: string) => {
  const angle = angleOf(text);
  return [Math.cos(angle), Math.sin(angle)];
};
const at = (...angles: number[]) =>
  angles.map((angle) => ({ vector: [Math.cos(angle), Math.sin(angle)] }));

Deno.test("for words, the cut is what the second-best everyday word reaches for the median picture", async () => {
  // Nearest are dog, dog, cat; second are cat, cat, dog.
  const space = vectorSpace(at(0, 0.1, 0.6), embed);
  const second = [0.5, 0.4, 0.5].map(Math.cos).sort();
  near(await cutOffs()(space, visual, WORDS), second[1]);
});

Deno.test("for a picture, the cut is what 93 of 100 pairs of different pictures stay below", async () => {
  const angles = Array.from({ length: 30 }, (_, i) => i * i / 900);
  const pairs = angles.flatMap((a, i) =>
    angles.filter((_, j) => j !== i).map((b) => Math.cos(a - b))
  ).sort((a, b) => a - b);
  const cut = await cutOffs()(vectorSpace(at(...angles)), visual, PICTURES);
  near(cut, pairs[Math.floor(0.93 * (pairs.length - 1))]);
});

Deno.test("for words with a picture, the cut lies between: by the weight in smart mode, halfway in the others", async () => {
  const written = at(0, 0.4, 0.9, 1.3).map((one, i) => ({
    ...one,
    text: [1, i / 5],
  }));
  const cutOff = cutOffs(), space = vectorSpace(written, embed);
  for (
    const [query, weight] of [
      ...[[visual, 0.5], [text, 0.5], [{ ...smart, textWeight: 0.8 }, 0.8]],
    ] as [typeof smart, number][]
  ) {
    const words = await cutOff(space, query, WORDS);
    const pictures = await cutOff(space, query, PICTURES);
    ok(Math.abs(words! - pictures!) > 1e-3);
    near(
      await cutOff(space, query, BOTH),
      weight * words! + (1 - weight) * pictures!,
    );
  }
});

Deno.test("each mode and weight has a cut of its own, since each compares with something else", async () => {
  const written = at(0, 0.4, 0.9).map((one) => ({ ...one, text: [0.2, 1] }));
  const space = vectorSpace(written, embed), cutOff = cutOffs();
  const cuts = [
    await cutOff(space, visual, WORDS),
    await cutOff(space, text, WORDS),
    await cutOff(space, { ...smart, textWeight: 0.3 }, WORDS),
    await cutOff(space, { ...smart, textWeight: 0.6 }, WORDS),
  ];
  strictEqual(new Set(cuts).size, 4);
});

Deno.test("three pictures are enough for a cut, and two are not", async () => {
  const two = vectorSpace(at(0, 1)), three = vectorSpace(at(0, 1, 2));
  for (const parts of [WORDS, PICTURES, BOTH]) {
    strictEqual(await cutOffs()(two, visual, parts), undefined);
    ok(Number.isFinite(await cutOffs()(three, visual, parts)));
  }
  strictEqual(
    await cutOffs()(three, text, WORDS),
    undefined,
    "nothing is written about any",
  );
});

Deno.test("pictures about which nothing is written have no part in the cut of the texts", async () => {
  const written = at(0, 0.3, 0.6, 0.9).map((one, i) => ({
    ...one,
    ...(i < 3 && { text: [1, i / 9] }),
  }));
  strictEqual(
    await cutOffs()(vectorSpace(written, embed), text, WORDS),
    await cutOffs()(vectorSpace(written.slice(0, 3), embed), text, WORDS),
  );
});

Deno.test("a cut is found once, and anew when a tenth of the collection has come, gone or changed", async () => {
  let asked = 0;
  const space = vectorSpace(at(...Array(40).keys()), embed);
  const words = await space.everydayWords();
  space.everydayWords = () => (asked++, Promise.resolve(words));
  const cutOff = cutOffs(), { collection } = space;
  const add = (path: string) =>
    collection.add(
      { ...collection.pictures[0], path },
      Float32Array.of(1, 0),
    );
  const again = async () => {
    await cutOff(space, visual, WORDS);
    return asked;
  };
  strictEqual(await again(), 1);
  strictEqual(await again(), 1);
  for (let i = 0; i < 4; i++) add(`new ${i}`);
  strictEqual(await again(), 1);
  add("one more");
  strictEqual(await again(), 2);
  for (let i = 0; i < 5; i++) collection.remove(`${i}`);
  strictEqual(await again(), 3);
});

Deno.test("where a server has the vectors, the cut is the same, and they are fetched once", async () => {
  const vectors = clusteredVectors(2500, 8);
  const many = Array.from(vectors, (vector) => ({ vector: [...vector] }));
  const words = clusteredVectors(EVERYDAY_WORDS.length, 8, { seed: 5 });
  const [here, there] = [true, false].map((keepsVectors) =>
    vectorSpace(many, undefined, keepsVectors)
  );
  there.everydayWords = here.everydayWords = () => Promise.resolve(words);
  const open = () => HnswIndex.open({ dimensions: 8 });
  const pictures = await open();
  there.index = new SpaceIndex(there.collection, pictures, await open());
  await there.index.sync();
  let fetched = 0;
  const fetch = pictures.vectors.bind(pictures);
  pictures.vectors = (ids) => (fetched += ids.length, fetch(ids));
  const cutOff = cutOffs();
  for (const query of [visual, smart, { ...smart, textWeight: 0.9 }]) {
    for (const parts of [WORDS, PICTURES]) {
      const cut = await cutOff(there, query, parts);
      near(cut, (await cutOffs()(here, query, parts))!);
    }
  }
  strictEqual(fetched, 2500);
});

Deno.test("a cut that could not be found is looked for again", async () => {
  const space = vectorSpace(at(0, 1, 2), embed), cutOff = cutOffs();
  const { everydayWords } = space;
  space.everydayWords = () => Promise.reject(new Error("no memory"));
  strictEqual(
    await cutOff(space, visual, WORDS).catch(({ message }) => message),
    "no memory",
  );
  space.everydayWords = everydayWords;
  ok(await cutOff(space, visual, WORDS));
});

Deno.test("the everyday words are embedded once for good", () =>
  withFolder(async () => {
    const counted = { pictures: 0, texts: 0 };
    const words = async () =>
      await new EncoderSpace(colourEncoder(counted)).everydayWords();
    const first = await words(), second = await words();
    strictEqual(counted.texts, EVERYDAY_WORDS.length);
    strictEqual(first.count, 102);
    ok(first.data.every((value, i) => value === second.data[i]));
  }));

Deno.test("lineAbove() is three tenths of the way to the best, whatever the scores' scale", () => {
  strictEqual(lineAbove(0.2, 0.1), 0.2);
  const number = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(fc.property(number, number, (cut, top) => {
    const scale = (value: number) => 0.1 * value + 0.2;
    const line = lineAbove(cut, top);
    ok(Math.abs(lineAbove(scale(cut), scale(top)) - scale(line)) < 1e-9);
  }));
});

Deno.test("quantile() takes the lower of two values, leaves out NaN, and is undefined of nothing", () => {
  strictEqual(quantile(Float32Array.of(7), 0.9), 7);
  strictEqual(quantile(Float32Array.of(4, 1, 3, 2), 0.5), 2);
  strictEqual(quantile(Float32Array.of(3, NaN, 1, 2), 0.5), 2);
  strictEqual(quantile(Float32Array.of(NaN), 0.5), undefined);
});
