import { deepEqual, equal, ok } from "node:assert/strict";
import { cutOffs, quantile } from "#lib/search_page/engine/cut_off.ts";
import type { SearchQuery } from "#lib/search_page/engine/query.ts";
import { DEFAULT_QUERY, PIXELS } from "#lib/search_page/web/query.js";
import { vectorSpace } from "../../support/vector_space.ts";

const query = (part: Partial<SearchQuery>) => ({ ...DEFAULT_QUERY, ...part });
const near = (value: number | undefined, expected: number) =>
  ok(Math.abs(value! - expected) < 1e-6, `${value}, expected ${expected}`);

/** Half of the pictures lie on one axis, half on another. */
const onAxes = Array.from(
  { length: 24 },
  (_, i) => ({ vector: i % 2 ? [1, 0] : [0, 1] }),
);

/** Each new text comes a twentieth nearer to the first axis than the last one. */
function nearerAndNearer() {
  const known = new Map<string, number>();
  return (text: string) => {
    if (!known.has(text)) known.set(text, known.size + 1);
    const value = known.get(text)! / 20;
    return [value, -Math.sqrt(1 - value * value)];
  };
}

/** Pictures on a circle, ever further from one another. */
const angles = Array.from({ length: 40 }, (_, i) => (i * i) / 1600);
const onCircle = angles.map((angle) => ({
  vector: [Math.cos(angle), Math.sin(angle)],
}));

/** Of so many sorted values, the one that the share stays below. */
const below = (values: number[], place: number) =>
  values.toSorted((a, b) => a - b)[place];

/** What nineteen of twenty pictures stay below, for the middle of 12 queries. */
const circleCut = below(
  [1, 5, 8, 11, 15, 18, 21, 25, 28, 31, 35, 38].map((row) =>
    below(angles.map((angle) => Math.cos(angle - angles[row])), 37)
  ),
  5,
);

Deno.test("for words, the cut-off is what all but a tenth of unrelated texts stay below", async () => {
  const space = vectorSpace(onAxes, nearerAndNearer());
  // Of the best answers to 16 texts, 1/20 to 16/20, the fourteenth.
  near(await cutOffs()(space, query({ text: "x", mode: "visual" })), 14 / 20);
});

Deno.test("for a picture, it is what all but a twentieth of the pictures stay below", async () => {
  const space = vectorSpace(onCircle);
  near(await cutOffs()(space, query({ like: "3" })), circleCut);
});

Deno.test("for words and a picture, it lies between, by the text's weight", async () => {
  const cutOff = async (part: Partial<SearchQuery>) =>
    await cutOffs()(
      vectorSpace(onCircle, nearerAndNearer()),
      query({ like: "3", text: "x", textWeight: 0.3, ...part }),
    );
  const words = await cutOff({ like: "" });
  near(await cutOff({ mode: "smart" }), 0.3 * words! + 0.7 * circleCut);
  near(await cutOff({ mode: "visual" }), circleCut);
  const towards = await cutOff({ text: "", plus: ["y"], mode: "smart" });
  near(towards, 0.3 * words! + 0.7 * circleCut);
});

Deno.test("without words about the pictures, the mode of text has a cut-off all the same", async () => {
  const space = vectorSpace(onCircle);
  equal(await cutOffs()(space, query({ text: "x", mode: "text" })), -1);
  equal(await cutOffs()(space, query({ like: "3", mode: "text" })), -1);
});

Deno.test("there is no cut-off for few pictures, other metrics and pixels", async () => {
  const cutOff = cutOffs();
  const few = vectorSpace(onCircle.slice(0, 19));
  equal(await cutOff(few, query({ text: "x" })), undefined);
  const enough = vectorSpace(onCircle.slice(0, 20));
  ok(await cutOff(enough, query({ text: "x" })) !== undefined);
  equal(await cutOff(enough, query({ text: "x", metric: "l2" })), undefined);
  equal(await cutOff(enough, query({ like: "3", space: PIXELS })), undefined);
});

Deno.test("a cut-off is found once, and anew when the collection has grown", async () => {
  let texts = 0;
  const count = () => (texts++, [1, 0]);
  const space = vectorSpace(onCircle, count), cutOff = cutOffs();
  await cutOff(space, query({ text: "x", mode: "visual" }));
  const { compare } = space;
  let compared = 0;
  space.compare = (...given) => (compared++, compare.apply(space, given));
  await cutOff(space, query({ text: "y", mode: "visual" }));
  deepEqual([texts, compared], [16, 0]);
  await cutOff(space, query({ text: "y", mode: "smart" }));
  equal(compared, 16);
  const [picture] = space.collection.pictures;
  for (let i = 0; i < 5; i++) {
    space.collection.add(
      { ...picture, path: `new ${i}` },
      Float32Array.of(1, 0),
    );
  }
  await cutOff(space, query({ text: "z", mode: "smart" }));
  equal(compared, 32);
});

Deno.test("quantile() leaves out NaN, and is -1 of nothing", () => {
  equal(quantile([7], 0.9), 7);
  equal(quantile([3, NaN, 1, 2], 0.5), 2);
  equal(quantile([NaN], 0.5), -1);
});
