import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { decodeSquare, resizeToSquare } from "#lib/pictures/square.ts";

const fixture = join(import.meta.dirname!, "..", "fixtures", "tiny_clip");
const golden = JSON.parse(await readFile(join(fixture, "golden.json"), "utf8"));
const landscape = join(fixture, "pictures", "landscape.jpg");

/** The input of a model that takes bytes as they are. */
const bytesOf = (size: number) => ({
  size,
  mean: [0, 0, 0],
  std: [1 / 255, 1 / 255, 1 / 255],
});
const decode40 = (image: string | Uint8Array) =>
  decodeSquare(image, bytesOf(40));

/** Planes of colours as red, green, blue pixel by pixel. */
function interleave(planes: Float32Array): Uint8Array {
  const area = planes.length / 3;
  return Uint8Array.from(
    planes,
    (_, i) => planes[i % 3 * area + Math.floor(i / 3)],
  );
}

for (const name of Object.keys(golden.pictures)) {
  // The large one takes the short way, measured in clip_test.ts.
  if (name === "large.jpg") continue;
  Deno.test(`decodeSquare() gives Pillow's pixels of ${name}, bit for bit`, async () => {
    const planes = await decode40(join(fixture, "pictures", name));
    const pixels = interleave(planes);
    const hash = createHash("sha256").update(pixels).digest("hex");
    equal(hash, golden.pictures[name].pixels);
  });
}

Deno.test("decodeSquare() takes bytes as well as a path", async () => {
  const bytes = await readFile(landscape);
  deepEqual(await decode40(bytes), await decode40(landscape));
});

Deno.test("decodeSquare() turns a picture as its EXIF says", async () => {
  const sideways = await sharp(landscape).rotate(90).withMetadata({
    orientation: 8,
  }).png().toBuffer();
  deepEqual(
    await decode40(sideways),
    await decode40(landscape),
  );
});

Deno.test("decodeSquare() lays transparency on white", async () => {
  const clear = await sharp({
    create: { width: 9, height: 9, channels: 4, background: "#0000" },
  }).png().toBuffer();
  ok((await decodeSquare(clear, bytesOf(4))).every((value) => value === 255));
});

Deno.test("decodeSquare() converts colours from the profile of the picture", async () => {
  const wide = await sharp(landscape).withIccProfile("p3").png().toBuffer();
  ok((await sharp(wide).metadata()).icc);
  const [ours, plain] = [await decode40(wide), await decode40(landscape)];
  ok(ours.every((value, i) => Math.abs(value - plain[i]) <= 3));
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
    const pixels = await decode40(await odd.toBuffer());
    equal(pixels.length, 40 * 40 * 3);
  }
});

Deno.test("decodeSquare() names a picture that it cannot decode", async () => {
  await rejects(
    decode40("absent.jpg"),
    /^Error: absent\.jpg cannot be decoded: /,
  );
  const half = (await readFile(landscape)).subarray(0, 900);
  await rejects(decode40(half), /^Error: a picture cannot be decoded/);
});

Deno.test("resizeToSquare() puts colours in planes, normalised", () => {
  const fourPixels = Uint8Array.of(
    ...[0, 51, 102, 255, 204, 153],
    ...[0, 51, 102, 255, 204, 153],
  );
  const planes = resizeToSquare({ data: fourPixels, width: 2, height: 2 }, {
    size: 2,
    mean: [0, 0.2, 0.4],
    std: [1, 0.5, 0.1],
  });
  const expected = [[0, 1, 0, 1], [0, 1.2, 0, 1.2], [0, 2, 0, 2]].flat();
  expected.forEach((value, i) => ok(Math.abs(planes[i] - value) < 1e-6));
});

Deno.test("resizeToSquare() has room for larger and smaller pictures in turn", () => {
  const grey = (width: number, height: number) =>
    resizeToSquare(
      { data: new Uint8Array(width * height * 3).fill(128), width, height },
      bytesOf(24),
    );
  for (const [width, height] of [[900, 700], [1, 1], [2000, 3], [31, 1500]]) {
    ok(grey(width, height).every((value) => Math.abs(value - 128) < 1e-3));
  }
});

Deno.test("resizeToSquare() cuts before resizing at whole pixels of the picture", () => {
  const noise = (width: number, height: number) => ({
    data: Uint8Array.from(
      { length: 3 * width * height },
      (_, i) => Math.imul(i, 0x9e3779b1) >>> 24,
    ),
    width,
    height,
  });
  for (const [width, height] of [[31, 20], [20, 31], [64, 21]]) {
    const picture = noise(width, height);
    const side = Math.min(width, height);
    const [left, top] = [(width - side) >> 1, (height - side) >> 1];
    const data = picture.data.filter((_, i) => {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      return x >= left && x < left + side && y >= top && y < top + side;
    });
    deepEqual(
      resizeToSquare(picture, { ...bytesOf(12), cut: "before" }),
      resizeToSquare({ data, width: side, height: side }, bytesOf(12)),
    );
  }
});
