import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { pixelVector } from "#lib/compare/pixels.ts";
import { cleanPicture } from "#lib/dataset/clean.ts";
import { thumbnail } from "#lib/display/grid.ts";
import {
  decodePicture,
  encodePicture,
  hasPictureName,
  type ImageSource,
  isPicture,
  MAX_PIXELS,
  PictureError,
  type PictureSize,
} from "#lib/pictures/pictures.ts";
import { decodeSquare } from "#lib/pictures/square.ts";
import { saveUpload, thumbnailOf } from "#lib/search_page/served_pictures.ts";
import { pngHeader } from "../support/png_header.ts";

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

Deno.test("isPicture() goes by the first bytes, whatever the file is called", async () => {
  const formats = {
    jpeg: chequers().jpeg(),
    png: chequers().png(),
    gif: chequers().gif(),
    webp: chequers().webp(),
    avif: chequers().avif(),
    tiff: chequers().tiff(),
    "large tiff": chequers().tiff({ bigtiff: true }),
  };
  for (const [name, picture] of Object.entries(formats)) {
    const bytes = await picture.toBuffer();
    ok(isPicture(bytes), name);
    ok(!isPicture(bytes.subarray(1)), name);
    await decodePicture(bytes, { longest: 8 });
  }
  const avif = await chequers().avif().toBuffer();
  const branded = (brand: string) => {
    const copy = Buffer.from(avif);
    for (let at = 8; at < 32; at += 4) {
      if (at !== 12) copy.write(brand, at, "latin1");
    }
    return copy;
  };
  // Some programs name AVIF second.
  const second = branded("mif1");
  second.write("avif", 16, "latin1");
  ok(isPicture(second));
  for (
    const other of [
      branded("heic"),
      text("<svg xmlns='http://www.w3.org/2000/svg'/>"),
      text("<!DOCTYPE html>"),
      text("%PDF-1.7"),
      text("BM whatever"),
      new Uint8Array(),
    ]
  ) {
    equal(isPicture(other), false);
    equal((await faultOf(other)).fault, "no picture");
  }
});

Deno.test("hasPictureName() goes by the end of a name", () => {
  const yes = ["a.jpg", "A.JPEG", "a.jfif", "a.b.png", "a.gif", "é.webp"];
  for (const name of [...yes, "a.avif", "a.tif", "a.TIFF"]) {
    ok(hasPictureName(name), name);
  }
  for (const name of ["a.svg", "jpg", "a.jpg.txt", "a.heic", "a.pdf", ""]) {
    ok(!hasPictureName(name), name);
  }
});

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
  const shown = [
    Buffer.from(url.split(",")[1], "base64"),
    Buffer.from(await thumbnailOf(image)),
  ];
  for (const file of shown) {
    const facts = await sharp(file).metadata();
    ok(facts.height > facts.width);
    equal(facts.orientation, undefined);
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

Deno.test("at most 150 megapixels are decoded, as the header says", async () => {
  equal(MAX_PIXELS, 150_000_000);
  const most = await faultOf(pngHeader(15_000, 10_000));
  equal(most.fault, "damaged");
  const { fault, reason } = await faultOf(pngHeader(15_000, 10_001));
  equal(fault, "too large");
  equal(reason, "15000 × 10001 pixels, expected 150000000 or fewer in all");
  // As a phone's camera makes them.
  const large = plain("#406080", 12_000, 9000).removeAlpha().jpeg();
  await near(await large.toBuffer(), [64, 96, 128], 2);
  // Cleaning has no limit of its own.
  deepEqual(await cleanPicture(pngHeader(15_000, 10_000)), {
    rejected: "corrupt",
    reason: "cannot be decoded to its end",
  });
});

Deno.test("a file is decoded to its end, and what viewers pass over is passed over", async () => {
  const jpeg = await noise().jpeg().toBuffer();
  const png = await noise().png().toBuffer();
  const damaged = Buffer.from(png);
  damaged[5000] ^= 255;
  // The last byte before the end's 12 is of the sum over the rows.
  const wrongSum = Buffer.from(png);
  wrongSum[png.length - 13] ^= 255;
  const cut = [jpeg.subarray(0, -100), png.subarray(0, 9000)];
  for (const bytes of [...cut, damaged, wrongSum]) {
    const { fault, reason } = await faultOf(bytes);
    deepEqual([fault, reason], ["damaged", "cannot be decoded to its end"]);
  }
  // Stray bytes before a marker, and after the end.
  const at = jpeg.indexOf(Buffer.of(0xff, 0xc4));
  const strays = [jpeg.subarray(0, at), text("stray"), jpeg.subarray(at)];
  const odd = Buffer.concat([...strays, text("and more")]);
  await rejects(sharp(odd, { failOn: "warning" }).raw().toBuffer());
  deepEqual(
    await decodePicture(odd, { longest: 50 }),
    await decodePicture(jpeg, { longest: 50 }),
  );
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
    equal(error.reason, "not a JPEG, PNG, GIF, WebP, AVIF or TIFF file");
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

Deno.test("bad files at once have each its own reason, among good ones, 20 times", async () => {
  const jpeg = await noise().jpeg().toBuffer();
  const none = "not a JPEG, PNG, GIF, WebP, AVIF or TIFF file";
  const large = "20000 × 20000 pixels, expected 150000000 or fewer in all";
  const files: [ImageSource, string][] = [
    [jpeg, "whole"],
    [jpeg.subarray(0, 3000), "cannot be decoded to its end"],
    [text("<svg/>"), none],
    ["/nowhere/owl.jpg", "file not found"],
    [pngHeader(20_000, 20_000), large],
    [jpeg.subarray(0, 20), none],
  ];
  const reason = ({ reason }: PictureError) => reason;
  for (let time = 0; time < 20; time++) {
    const said = await Promise.all(
      files.map(([image]) =>
        decodePicture(image, { longest: 8 }).then(() => "whole", reason)
      ),
    );
    deepEqual(said, files.map(([, expected]) => expected));
    ok(said.every((line) => line.length <= 200 && !line.includes("\n")));
  }
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

Deno.test("what one caller accepts, every other accepts", async () => {
  const jpeg = await noise().jpeg().toBuffer();
  const stray = jpeg.indexOf(Buffer.of(0xff, 0xc4));
  const png = await noise().png().toBuffer();
  const damaged = Buffer.from(png);
  damaged[5000] ^= 255;
  const cases: [string, Uint8Array, boolean][] = [
    ["whole", jpeg, true],
    ["16 bits", await noise().toColourspace("rgb16").png().toBuffer(), true],
    [
      "stray bytes",
      Buffer.concat([
        jpeg.subarray(0, stray),
        text("stray"),
        jpeg.subarray(stray),
      ]),
      true,
    ],
    ["above 150 megapixels", pngHeader(15_000, 10_001), false],
    ["cut off", jpeg.subarray(0, 3000), false],
    ["damaged", damaged, false],
    ["SVG", text("<svg xmlns='http://www.w3.org/2000/svg'/>"), false],
    ["empty", new Uint8Array(), false],
  ];
  const input = { size: 8, mean: [0, 0, 0], std: [1, 1, 1] };
  const callers: Record<string, (image: Uint8Array) => Promise<unknown>> = {
    clean: async (image) => {
      const result = await cleanPicture(image);
      if ("rejected" in result) throw new Error(result.reason);
    },
    encoder: (image) => decodeSquare(image, input),
    pixels: (image) => pixelVector(image, 8),
    notebook: (image) => thumbnail(image, 64),
    page: thumbnailOf,
    upload: saveUpload,
  };
  for (const [name, image, accepted] of cases) {
    for (const [caller, decode] of Object.entries(callers)) {
      const done = await decode(image).then(() => true, () => false);
      equal(done, accepted, `${name}: ${caller}`);
    }
  }
});
