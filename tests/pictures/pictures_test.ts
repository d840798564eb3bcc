import { deepEqual, equal, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { pixelVector } from "#lib/compare/pixels.ts";
import { thumbnail } from "#lib/display/grid.ts";
import {
  decodePicture,
  encodePicture,
  type ImageSource,
  PictureError,
  type PictureSize,
} from "#lib/pictures/pictures.ts";
import { decodeSquare } from "#lib/pictures/square.ts";
import { thumbnailOf } from "#lib/search_page/served_pictures.ts";

const text = (markup: string) => new TextEncoder().encode(markup);

/** Two rows of three colours, none like another. */
const COLOURS = [
  [[200, 30, 30], [30, 200, 30], [30, 30, 200]],
  [[250, 250, 250], [120, 120, 20], [10, 10, 10]],
];

/** Those colours, `side` pixels each. */
function chequers(side = 1): Sharp {
  const pixels = Buffer.from(COLOURS.flat(2));
  return sharp(pixels, { raw: { width: 3, height: 2, channels: 3 } })
    .resize(3 * side, 2 * side, { fit: "fill", kernel: "nearest" });
}

function plain(background: string, width = 60, height = 60): Sharp {
  return sharp({ create: { width, height, channels: 4, background } });
}

/** A picture whose bytes are many: cut off, it is cut in its rows. */
function noise(width = 200, height = 100): Sharp {
  const pixels = Buffer.alloc(width * height * 3);
  let state = 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    pixels[i] = state >>> 24;
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** The pixels of a small picture, row by row. */
async function pixelsOf(image: ImageSource): Promise<number[][][]> {
  const { data, width, height } = await decodePicture(image, { longest: 99 });
  equal(data.length, 3 * width * height);
  return Array.from(
    { length: height },
    (_, y) =>
      Array.from({ length: width }, (_, x) => {
        const at = 3 * (y * width + x);
        return [...data.subarray(at, at + 3)];
      }),
  );
}

async function near(image: ImageSource, colour: number[], most: number) {
  const [[pixel]] = await pixelsOf(image);
  const gaps = pixel.map((value, i) => Math.abs(value - colour[i]));
  ok(Math.max(...gaps) <= most, `${pixel}, expected ${colour}`);
}

async function faultOf(image: ImageSource): Promise<PictureError> {
  const outcome = await decodePicture(image, { longest: 8 })
    .catch((error) => error);
  ok(outcome instanceof PictureError);
  return outcome;
}

Deno.test("a picture is turned as EXIF says, in all eight ways, pixels and files", async () => {
  type Rows = number[][][];
  const flop = (rows: Rows) => rows.map((row) => row.toReversed());
  const flip = (rows: Rows) => rows.toReversed();
  const swap = (rows: Rows) => rows[0].map((_, x) => rows.map((row) => row[x]));
  // What a camera stores so that each orientation shows the same.
  const stored = [
    COLOURS,
    flop(COLOURS),
    flip(flop(COLOURS)),
    flip(COLOURS),
    swap(COLOURS),
    flip(swap(COLOURS)),
    swap(flip(flop(COLOURS))),
    flop(swap(COLOURS)),
  ];
  for (const [i, rows] of stored.entries()) {
    const raw = { width: rows[0].length, height: rows.length, channels: 3 };
    const image = await sharp(Buffer.from(rows.flat(2)), {
      raw: raw as { width: number; height: number; channels: 3 },
    }).withMetadata({ orientation: i + 1 }).png().toBuffer();
    equal((await sharp(image).metadata()).orientation, i + 1);
    deepEqual(await pixelsOf(image), COLOURS, `orientation ${i + 1}`);
    const file = await encodePicture(image, { format: "png" });
    deepEqual([file.width, file.height], [3, 2]);
    equal((await sharp(file.data).metadata()).orientation, undefined);
    deepEqual(await pixelsOf(file.data), COLOURS, `orientation ${i + 1}`);
  }
});

Deno.test("thumbnails of notebook and page are turned as EXIF says", async () => {
  const image = await noise(200, 100).withMetadata({ orientation: 6 }).jpeg()
    .toBuffer();
  const { url, width, height } = await thumbnail(image, 50);
  deepEqual([width, height], [25, 50]);
  const small = await sharp(Buffer.from(url.split(",")[1], "base64"))
    .metadata();
  ok(small.height > small.width);
  const tile = await thumbnailOf(image);
  const upright = await sharp(image).autoOrient().extract({
    ...{ left: 0, top: 50, width: 100, height: 100 },
  }).toBuffer();
  const [shown, expected] = await Promise.all(
    [tile, upright].map((file) => sharp(file).resize(8, 8).raw().toBuffer()),
  );
  ok(shown.every((value, i) => Math.abs(value - expected[i]) < 30));
  for (const { orientation } of [small, await sharp(tile).metadata()]) {
    equal(orientation, undefined);
  }
});

Deno.test("transparency is laid on white, and of an animation the first frame is taken", async () => {
  await near(await plain("rgba(255,0,0,0)").png().toBuffer(), [
    255,
    255,
    255,
  ], 0);
  await near(
    await plain("rgba(255,0,0,0.5)").webp({ lossless: true })
      .toBuffer(),
    [255, 127, 127],
    1,
  );
  const frames = await Promise.all(
    ["#ff0000", "#00ff00"].map((colour) => plain(colour).png().toBuffer()),
  );
  const animated = () => sharp(frames, { join: { animated: true } });
  for (const format of ["gif", "webp"] as const) {
    const file = await animated().toFormat(format, { lossless: true })
      .toBuffer();
    equal((await sharp(file).metadata()).pages, 2);
    await near(file, [255, 0, 0], 0);
    equal((await encodePicture(file, { format: "jpeg" })).height, 60);
  }
});

Deno.test("every depth and number of inks becomes 8 bits of red, green and blue", async () => {
  const blue = () => plain("#406080").removeAlpha();
  const [rgb, grey] = [[64, 96, 128], [128, 128, 128]];
  const cases: [Sharp, number[], number][] = [
    [blue().toColourspace("rgb16").png(), rgb, 1],
    [blue().toColourspace("rgb16").tiff(), rgb, 1],
    [blue().png({ palette: true }), rgb, 0],
    // Inks have fewer colours: the nearest one comes back.
    [blue().toColourspace("cmyk").jpeg({ quality: 100 }), rgb, 12],
    [blue().toColourspace("cmyk").tiff(), rgb, 12],
    [plain("#808080").toColourspace("b-w").jpeg(), grey, 1],
    [plain("#808080").toColourspace("grey16").png(), grey, 1],
  ];
  for (const [picture, colour, most] of cases) {
    await near(await picture.toBuffer(), colour, most);
  }
});

Deno.test("colours are those of the picture's profile, for gallery and query alike", async () => {
  // The same colours, stored as other numbers.
  const plainly = await chequers(8).png().toBuffer();
  const wide = await chequers(8).withIccProfile("p3").png().toBuffer();
  const raw = await sharp(wide, { ignoreIcc: true }).raw().toBuffer();
  ok(Math.abs(raw[0] - COLOURS[0][0][0]) > 10, "stored as other numbers");
  const shown = await pixelsOf(wide);
  COLOURS.forEach((row, y) =>
    row.forEach((colour, x) =>
      colour.forEach((value, i) =>
        ok(Math.abs(shown[8 * y + 4][8 * x + 4][i] - value) <= 3)
      )
    )
  );
  const input = { size: 12, mean: [0, 0, 0], std: [1, 1, 1] };
  const pairs: (readonly ArrayLike<number>[])[] = [
    await Promise.all([plainly, wide].map((one) => pixelVector(one, 12))),
    (await Promise.all([plainly, wide].map((one) => decodeSquare(one, input))))
      .map((values) => values.map((value) => 255 * value)),
  ];
  for (const [query, gallery] of pairs) {
    ok(Array.from(query).every((v, i) => Math.abs(v - gallery[i]) <= 4));
  }
});

Deno.test("an SVG called .png is refused before it is read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "svg-"));
  const file = join(folder, "innocent.png");
  for (const start of ["", "\n", "<?xml version='1.0'?>", "\ufeff"]) {
    await writeFile(
      file,
      `${start}<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"/>`,
    );
    const error = await faultOf(file);
    equal(error.fault, "no picture");
    match(error.reason, /^(SVG|XML) is not supported, expected a JPEG/);
    equal(error.message, `${file} cannot be decoded: ${error.reason}`);
  }
  await rm(folder, { recursive: true });
});

Deno.test("a file that is gone, or a folder, says so and names no place in its reason", async () => {
  const gone = await faultOf("/nowhere/owl.jpg");
  deepEqual([gone.fault, gone.reason], ["gone", "file not found"]);
  equal(gone.message, "/nowhere/owl.jpg cannot be decoded: file not found");
  equal((await faultOf(tmpdir())).reason, "cannot read: EISDIR");
  match((await faultOf(text("x"))).message, /^a picture cannot be decoded: /);
});

Deno.test("a picture gets the size asked for, and is enlarged only to a square", async () => {
  const image = await noise(200, 100).png().toBuffer();
  const cases: [PictureSize, [number, number]][] = [
    [{ longest: 50 }, [50, 25]],
    [{ longest: 400 }, [200, 100]],
    [{ shortest: 50 }, [100, 50]],
    [{ shortest: 400 }, [200, 100]],
    [{ square: 50 }, [50, 50]],
    [{ square: 400 }, [400, 400]],
  ];
  for (const [size, expected] of cases) {
    const { data, width, height } = await decodePicture(image, size);
    deepEqual([width, height], expected);
    equal(data.length, 3 * width * height);
    const file = await encodePicture(image, { format: "webp" }, size);
    deepEqual([file.width, file.height], expected);
    const facts = await sharp(file.data).metadata();
    deepEqual([facts.format, facts.width], ["webp", width]);
  }
  const own = await encodePicture(image, { format: "jpeg" });
  deepEqual([own.width, own.height], [200, 100]);
  const line = await plain("red", 1, 10_000).png().toBuffer();
  const { width, height } = await decodePicture(line, { longest: 24 });
  deepEqual([width, height], [1, 24]);
  // The JPEG encoder ends at 65,500.
  const long = await plain("red", 70_000, 60).png().toBuffer();
  equal((await encodePicture(long, { format: "jpeg" })).width, 65_500);
});

Deno.test("encodePicture() holds no whole JPEG, to save some of its bytes, where a file is large", async () => {
  for (const side of [300, 900]) {
    const noise = { type: "gaussian", mean: 128, sigma: 60 } as const;
    const create = { width: side, height: side, channels: 3, noise } as const;
    const png = await sharp({ create: { ...create, background: "#808080" } })
      .png().toBuffer();
    const jpeg = { format: "jpeg", quality: 90 } as const;
    const { data } = await encodePicture(png, jpeg);
    const isLarge = png.length > 1_000_000;
    strictEqual(isLarge, side === 900);
    const optimiseCoding = !isLarge;
    const same = await encodePicture(png, { ...jpeg, optimiseCoding });
    strictEqual(data.length, same.data.length);
    const other = await encodePicture(png, {
      ...{ ...jpeg, optimiseCoding: isLarge },
    });
    strictEqual(other.data.length < data.length, isLarge);
  }
});
