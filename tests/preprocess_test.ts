import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { decodeSquare, toTensor } from "#lib/encoders/preprocess.ts";

const fixture = join(import.meta.dirname!, "fixtures", "tiny_clip");
const golden = JSON.parse(await readFile(join(fixture, "golden.json"), "utf8"));
const landscape = join(fixture, "pictures", "landscape.jpg");

for (const name of Object.keys(golden.pictures)) {
  // The large one takes the short way, measured in clip_test.ts.
  if (name === "large.jpg") continue;
  Deno.test(`decodeSquare() gives Pillow's pixels of ${name}, bit for bit`, async () => {
    const pixels = await decodeSquare(join(fixture, "pictures", name), 40);
    const hash = createHash("sha256").update(pixels).digest("hex");
    equal(hash, golden.pictures[name].pixels);
  });
}

Deno.test("decodeSquare() takes bytes as well as a path", async () => {
  const bytes = await readFile(landscape);
  deepEqual(await decodeSquare(bytes, 40), await decodeSquare(landscape, 40));
});

Deno.test("decodeSquare() turns a picture as its EXIF says", async () => {
  const sideways = await sharp(landscape).rotate(90).withMetadata({
    orientation: 8,
  }).png().toBuffer();
  deepEqual(
    await decodeSquare(sideways, 40),
    await decodeSquare(landscape, 40),
  );
});

Deno.test("decodeSquare() lays transparency on white", async () => {
  const clear = await sharp({
    create: { width: 9, height: 9, channels: 4, background: "#0000" },
  }).png().toBuffer();
  ok((await decodeSquare(clear, 4)).every((value) => value === 255));
});

Deno.test("decodeSquare() leaves colour profiles alone", async () => {
  const wide = await sharp(landscape).withIccProfile("p3").png().toBuffer();
  const bare = await sharp(wide, { ignoreIcc: true }).png().toBuffer();
  ok((await sharp(wide).metadata()).icc);
  equal((await sharp(bare).metadata()).icc, undefined);
  deepEqual(await decodeSquare(wide, 40), await decodeSquare(bare, 40));
});

Deno.test("decodeSquare() takes grey, 16-bit, CMYK and very long pictures", async () => {
  const picture = () => sharp(landscape);
  for (
    const odd of [
      picture().grayscale().jpeg(),
      picture().toColourspace("rgb16").png(),
      picture().toColourspace("cmyk").jpeg(),
      picture().resize(1, 500, { fit: "fill" }).png(),
    ]
  ) {
    const pixels = await decodeSquare(await odd.toBuffer(), 40);
    equal(pixels.length, 40 * 40 * 3);
  }
});

Deno.test("decodeSquare() names a picture that it cannot decode", async () => {
  await rejects(
    decodeSquare("absent.jpg", 40),
    /^Error: absent\.jpg cannot be decoded: /,
  );
  const half = (await readFile(landscape)).subarray(0, 900);
  await rejects(decodeSquare(half, 40), /^Error: a picture cannot be decoded/);
});

Deno.test("toTensor() puts colours in planes, normalised", () => {
  const twoPixels = Uint8Array.of(0, 51, 102, 255, 204, 153);
  deepEqual(
    toTensor(twoPixels, [0, 0.2, 0.4], [1, 0.5, 0.1]),
    Float32Array.of(0, 1, 0, 1.2, 0, 2),
  );
});
