import fc from "fast-check";
import { deepEqual, deepStrictEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import sharp from "sharp";
import { pngHeader } from "../support/png_header.ts";
import {
  type CleanOptions,
  type CleanPicture,
  cleanPicture,
} from "#lib/dataset/clean.ts";
import { hashDistance, perceptualHash } from "#lib/dataset/perceptual_hash.ts";
import { samplePath } from "#lib/photo_site/sample.ts";

/** A picture of fixed noise: nothing in it compresses away. */
function noise(width: number, height: number, channels: 1 | 2 | 3 | 4 = 3) {
  const pixels = new Uint8Array(width * height * channels);
  let state = 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    pixels[i] = state >>> 24;
  }
  return sharp(pixels, { raw: { width, height, channels } });
}

/** A picture of one colour; rgba in CSS notation. */
function plain(width: number, height: number, background: string) {
  return sharp({ create: { width, height, channels: 4, background } });
}

async function clean(
  image: string | Uint8Array,
  options?: CleanOptions,
): Promise<CleanPicture> {
  const result = await cleanPicture(image, options);
  if ("rejected" in result) throw new Error(JSON.stringify(result));
  return result;
}

async function firstPixel(jpeg: Uint8Array): Promise<number[]> {
  return [
    ...await sharp(jpeg).extract({ left: 0, top: 0, width: 1, height: 1 })
      .raw().toBuffer(),
  ];
}

/** Within what JPEG loses on an even colour. */
function near(actual: number[], expected: number[]) {
  equal(actual.length, expected.length);
  actual.forEach((value, i) =>
    ok(Math.abs(value - expected[i]) <= 3, `${actual} is not near ${expected}`)
  );
}

Deno.test("cleanPicture() makes 8-bit sRGB JPEG of every format and depth", async () => {
  const sources = {
    jpeg: noise(90, 60).jpeg(),
    png: noise(90, 60).png(),
    webp: noise(90, 60).webp(),
    avif: noise(90, 60).avif(),
    tiff: noise(90, 60).tiff(),
    gif: noise(90, 60).gif(),
    "grey": noise(90, 60, 1).toColourspace("b-w").jpeg(),
    "grey and alpha": noise(90, 60, 2).png(),
    "grey, 16 bit": noise(90, 60, 1).toColourspace("grey16").png(),
    "RGB, 16 bit": noise(90, 60).toColourspace("rgb16").png(),
    "RGB and alpha": noise(90, 60, 4).png(),
    palette: noise(90, 60).png({ palette: true }),
    CMYK: noise(90, 60).toColourspace("cmyk").jpeg(),
    "wide gamut": noise(90, 60).withIccProfile("p3").jpeg(),
  };
  for (const [name, source] of Object.entries(sources)) {
    const { jpeg, width, height, sha256 } = await clean(
      await source.toBuffer(),
    );
    const facts = await sharp(jpeg).metadata();
    deepEqual(
      [facts.format, facts.space, facts.depth, facts.channels],
      ["jpeg", "srgb", "uchar", 3],
      name,
    );
    equal(facts.chromaSubsampling, "4:4:4", name);
    deepEqual([facts.width, facts.height], [90, 60], name);
    deepEqual([width, height], [90, 60], name);
    equal(sha256, createHash("sha256").update(jpeg).digest("hex"));
  }
});

Deno.test("cleanPicture() lays transparency on white", async () => {
  const clear = await plain(60, 60, "rgba(255, 0, 0, 0)").png().toBuffer();
  near(await firstPixel((await clean(clear)).jpeg), [255, 255, 255]);
  const half = await plain(60, 60, "rgba(255, 0, 0, 0.5)").png().toBuffer();
  near(await firstPixel((await clean(half)).jpeg), [255, 127, 127]);
});

Deno.test("cleanPicture() keeps the colours of CMYK and 16-bit pictures", async () => {
  const blue = plain(60, 60, "#406080").removeAlpha();
  for (
    const source of [
      await blue.clone().toColourspace("cmyk").jpeg({ quality: 100 })
        .toBuffer(),
      await blue.clone().toColourspace("rgb16").png().toBuffer(),
    ]
  ) {
    const [red, green, blue] = await firstPixel((await clean(source)).jpeg);
    // CMYK has fewer colours, so the nearest one comes back.
    for (const [value, expected] of [[red, 64], [green, 96], [blue, 128]]) {
      ok(Math.abs(value - expected) <= 12, `${[red, green, blue]}`);
    }
  }
});

Deno.test("cleanPicture() turns a picture upright and drops the camera's data", async () => {
  const turned = await noise(200, 100)
    .withExif({ IFD0: { Copyright: "someone" } })
    .withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const { jpeg, width, height } = await clean(turned);
  deepEqual([width, height], [100, 200]);
  const facts = await sharp(jpeg).metadata();
  equal(facts.orientation, undefined);
  equal(facts.exif, undefined);
});

Deno.test("cleanPicture() takes the first frame of an animation", async () => {
  const frames = await Promise.all(
    ["#ff0000", "#00ff00"].map((colour) =>
      plain(60, 60, colour).png().toBuffer()
    ),
  );
  const gif = await sharp(frames, { join: { animated: true } }).gif()
    .toBuffer();
  equal((await sharp(gif).metadata()).pages, 2);
  const { jpeg, height } = await clean(gif);
  equal(height, 60);
  near(await firstPixel(jpeg), [255, 0, 0]);
});

Deno.test("cleanPicture() draws the line at 50 pixels a side", async () => {
  const cases: [number, number, boolean][] = [
    [50, 50, true],
    [49, 50, false],
    [50, 49, false],
    [900, 49, false],
  ];
  for (const [width, height, kept] of cases) {
    const result = await cleanPicture(
      await noise(width, height).png().toBuffer(),
    );
    deepEqual(
      "rejected" in result ? result : undefined,
      kept ? undefined : {
        rejected: "too small",
        reason: `${width} × ${height} pixels, expected 50 or more a side`,
      },
    );
  }
  await clean(await noise(20, 20).png().toBuffer(), { minSide: 20 });
});

Deno.test("cleanPicture() does not decode what is too large", async () => {
  const bomb = pngHeader(15_000, 10_001);
  const start = performance.now();
  deepEqual(await cleanPicture(bomb), {
    rejected: "too large",
    reason: "15000 × 10001 pixels, expected 150000000 or fewer in all",
  });
  ok(performance.now() - start < 100);
});

Deno.test("cleanPicture() rejects what cannot be decoded to the end", async () => {
  const jpeg = await noise(200, 100).jpeg().toBuffer();
  const png = await noise(200, 100).png().toBuffer();
  const damaged = Uint8Array.from(png);
  damaged[5000] ^= 255;
  const cut = 'the decoder says "premature end of JPEG image"';
  const damage = 'the decoder says "libpng read error"';
  const expected = "expected a JPEG, PNG, GIF, WebP, AVIF or TIFF file";
  const cases: [string | Uint8Array, string][] = [
    [jpeg.subarray(0, jpeg.length / 2), cut],
    [png.subarray(0, png.length / 2), damage],
    [damaged, damage],
    [jpeg.subarray(0, 20), 'the decoder says "premature end of JPEG image"'],
    [new Uint8Array(), `an empty file, ${expected}`],
    [
      new TextEncoder().encode("<html></html>"),
      `HTML is not supported, ${expected}`,
    ],
    [
      new TextEncoder().encode(
        '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"/>',
      ),
      `SVG is not supported, ${expected}`,
    ],
    ["/no/such/file.jpg", "file not found"],
  ];
  for (const [image, reason] of cases) {
    deepEqual(await cleanPicture(image), { rejected: "corrupt", reason });
  }
});

Deno.test("cleanPicture() gives equal pixels equal sums, and leaves the file alone", async () => {
  const png = await noise(80, 80).png().toBuffer();
  const webp = await sharp(png).webp({ lossless: true }).toBuffer();
  const other = await noise(80, 81).png().toBuffer();
  const before = Uint8Array.from(png);
  equal((await clean(png)).sha256, (await clean(webp)).sha256);
  ok((await clean(png)).sha256 !== (await clean(other)).sha256);
  deepEqual(new Uint8Array(png), before);
});

Deno.test("cleanPicture() never throws, whatever the bytes", async () => {
  const jpeg = new Uint8Array(await noise(64, 64).jpeg().toBuffer());
  const spoilt = fc.array(
    fc.tuple(fc.nat(jpeg.length - 1), fc.nat(255)),
    { maxLength: 30 },
  ).map((changes) => {
    const bytes = jpeg.slice();
    for (const [at, value] of changes) bytes[at] = value;
    return bytes;
  });
  await fc.assert(
    fc.asyncProperty(spoilt, async (bytes) => {
      const result = await cleanPicture(bytes);
      if ("jpeg" in result) ok(Math.min(result.width, result.height) >= 50);
      else ok(result.reason.length > 0);
    }),
    { numRuns: 60 },
  );
});

Deno.test("cleanPicture() gives the hash of perceptualHash() and the same file, and of what it writes, nearly the same hash", async () => {
  const lemon = await Deno.readFile(
    samplePath({ path: "food/fruit/lemon.jpg" }),
  );
  // Beyond the side that is decoded in full.
  const large = await sharp(lemon).resize(2100).png().toBuffer();
  for (const picture of [lemon, large]) {
    for (const maxSide of [undefined, 256]) {
      const plain = await cleanPicture(picture, { maxSide });
      const hashed = await cleanPicture(picture, { maxSide, hash: true });
      ok("jpeg" in plain && "jpeg" in hashed);
      const { hash, ...same } = hashed;
      deepStrictEqual(same, plain);
      const asked = await perceptualHash(picture);
      // Where a picture is not shrunk, to the bit.
      ok(hashDistance(hash!, asked) <= (picture === lemon && !maxSide ? 0 : 6));
      ok(hashDistance(hash!, await perceptualHash(plain.jpeg)) <= 6);
    }
  }
});
