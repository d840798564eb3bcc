import { deepEqual, equal, rejects } from "node:assert/strict";
import sharp from "sharp";
import {
  pixelVector,
  pixelVectors,
  whiteEdgeShare,
} from "#lib/compare/pixels.ts";

/** A picture of one colour; rgba in CSS notation. */
function plain(width: number, height: number, background: string) {
  return sharp({ create: { width, height, channels: 4, background } })
    .png().toBuffer();
}

Deno.test("pixelVector() squeezes any shape to size x size x 3", async () => {
  const vector = await pixelVector(await plain(90, 30, "#102030"), 4);
  deepEqual([...vector], Array(16).fill([16, 32, 48]).flat());
});

Deno.test("pixelVector() lays transparency on white and makes grey RGB", async () => {
  const clear = await pixelVector(await plain(8, 8, "rgba(255, 0, 0, 0)"), 1);
  deepEqual([...clear], [255, 255, 255]);
  const grey = await sharp(await plain(8, 8, "#808080"))
    .toColourspace("b-w").jpeg().toBuffer();
  deepEqual([...await pixelVector(grey, 1)], [128, 128, 128]);
});

Deno.test("pixelVector() turns a picture as its camera says", async () => {
  const left = await plain(1, 2, "#ff0000");
  const both = await sharp({
    create: { width: 2, height: 2, channels: 3, background: "#0000ff" },
  }).composite([{ input: left, left: 0, top: 0 }]).png().toBuffer();
  // Orientation 6: the stored left column is shown as the top row.
  const turned = await sharp(both).withMetadata({ orientation: 6 }).png()
    .toBuffer();
  const [red, , blue] = await pixelVector(turned, 2);
  equal(red > blue, true);
  deepEqual([...(await pixelVector(turned, 2)).subarray(3, 6)], [255, 0, 0]);
});

Deno.test("pixelVectors() keeps the order given", async () => {
  const colours = ["#010101", "#020202", "#030303", "#040404", "#050505"];
  const images = await Promise.all(colours.map((c) => plain(4, 4, c)));
  const vectors = await pixelVectors(images, 1);
  deepEqual(Array.from(vectors, ([red]) => red), [1, 2, 3, 4, 5]);
});

Deno.test("pixelVector() names a corrupt picture and refuses an odd size", async () => {
  await rejects(
    pixelVector("tests/none.jpg", 8),
    /none\.jpg cannot be decoded/,
  );
  await rejects(pixelVector(Uint8Array.of(1, 2), 8), /cannot be decoded/);
  await rejects(pixelVector("a.jpg", 0), /size of 1 to 2048 pixels, got 0/);
});

Deno.test("whiteEdgeShare() looks at the outermost pixels only, each once", () => {
  const picture = new Uint8Array(5 * 5 * 3).fill(255);
  picture.fill(0, 3 * 12, 3 * 13); // the middle
  equal(whiteEdgeShare(picture), 1);
  picture.fill(239, 3 * 4, 3 * 4 + 1); // a little red short of white, in a corner
  equal(whiteEdgeShare(picture), 15 / 16);
  picture.fill(0, 0, 15); // the top row
  equal(whiteEdgeShare(picture), 11 / 16);
  equal(whiteEdgeShare(new Uint8Array([240, 240, 240])), 1);
});
