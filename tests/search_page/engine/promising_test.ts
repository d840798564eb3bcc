import { deepStrictEqual, ok } from "node:assert/strict";
import { bestFirst } from "#lib/search_page/engine/order.ts";
import { promisingRows } from "#lib/search_page/engine/promising.ts";
import { blendSimilarities } from "#lib/search_page/engine/ranking.ts";

const COUNT = 2000;
const wave = (by: number) =>
  Float32Array.from({ length: COUNT }, (_, row) => Math.sin(row * by) / 2);
const pictures = wave(0.7), texts = wave(1.3), agreement = wave(0.1);

/** What is known once the nearest of each are: values, or the least of these. */
function named(values: Float32Array, count: number) {
  const near = new Set(bestFirst(values, "higher").subarray(0, count));
  const least = Math.min(...Array.from(near, (row) => values[row]));
  return {
    values: values.map((value, row) => near.has(row) ? value : least),
    lacks: Uint8Array.from(values, (_, row) => near.has(row) ? 0 : 1),
  };
}

Deno.test("the best of all texts and the nearest pictures are among the promising, whatever the weight", () => {
  const { values, lacks } = named(pictures, 300);
  for (const textWeight of [0, 0.1, 0.3, 0.5, 0.7]) {
    const { rows, most } = promisingRows(
      {
        ...{ ofPictures: values, lacksPicture: lacks },
        ...{ ofTexts: texts, lacksText: new Uint8Array(COUNT) },
        ...{ agreement, textWeight },
      },
      10,
      COUNT,
      () => true,
    );
    const truth = blendSimilarities(texts, pictures, agreement, textWeight);
    const best = [...bestFirst(truth, "higher").subarray(0, 10)];
    const found = new Set(rows);
    deepStrictEqual(best.filter((row) => !found.has(row)), [], `${textWeight}`);
    ok(rows.length < COUNT, `${textWeight}: ${rows.length}`);
    deepStrictEqual(found.size, rows.length);
    ok(truth.every((value, row) => found.has(row) || value <= most + 1e-6));
    ok(most < 1);
  }
});

Deno.test("no more others than are allowed, none that does not pass, none of which nothing is known", () => {
  const ofPictures = named(pictures, 100), ofTexts = named(texts, 100);
  const known = {
    ...{ ofPictures: ofPictures.values, lacksPicture: ofPictures.lacks },
    ...{ ofTexts: ofTexts.values, lacksText: ofTexts.lacks },
    ...{ agreement, textWeight: 0.5 },
  };
  const both = (row: number) => ofPictures.lacks[row] + ofTexts.lacks[row];
  const isEven = (row: number) => row % 2 === 0;
  const { rows } = promisingRows(known, 1000, 20, isEven);
  const others = rows.filter((row) => both(row) > 0);
  deepStrictEqual(others.length, 20);
  ok(others.every((row) => both(row) === 1 && isEven(row)));
});
