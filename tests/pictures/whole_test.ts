import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { pixelVector } from "#lib/compare/pixels.ts";
import { cleanPicture } from "#lib/dataset/clean.ts";
import { thumbnail } from "#lib/display/grid.ts";
import { paths } from "#lib/paths.ts";
import {
  decodePicture,
  type ImageSource,
  PictureError,
} from "#lib/pictures/pictures.ts";
import { decodeSquare } from "#lib/pictures/square.ts";
import { MAX_PIXELS } from "#lib/pictures/whole.ts";
import {
  largePicture,
  saveUpload,
  thumbnailOf,
} from "#lib/search_page/served_pictures.ts";
import { pngHeader } from "../support/png_header.ts";
import { tiff } from "../support/tiff.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");

/** A photograph of the sample, 256 pixels long. */
const photograph = () =>
  sharp(join(paths.sample, "animals/water bird/flamingo.jpg"));

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

async function outcomeOf(image: ImageSource): Promise<string> {
  return await decodePicture(image, { longest: 8 }).then(
    () => "whole",
    (error) => {
      ok(error instanceof PictureError);
      return error.reason;
    },
  );
}

/** A whole file and the same with `stray` before the marker `at`. */
function withStray(jpeg: Uint8Array, stray: string, ...marker: number[]) {
  const at = Buffer.from(jpeg).indexOf(Buffer.of(...marker));
  ok(at > 0);
  return Buffer.concat([
    jpeg.subarray(0, at),
    latin1(stray),
    jpeg.subarray(at),
  ]);
}

Deno.test("at most 150 megapixels are decoded, as the header says", async () => {
  equal(MAX_PIXELS, 150_000_000);
  match(await outcomeOf(pngHeader(15_000, 10_000)), /^the decoder/);
  const reason = "15000 × 10001 pixels, expected 150000000 or fewer in all";
  equal(await outcomeOf(pngHeader(15_000, 10_001)), reason);
  // As a phone's camera makes them.
  const blue = { channels: 3, background: "#406080" } as const;
  const large = sharp({ create: { width: 12_000, height: 9000, ...blue } });
  equal(await outcomeOf(await large.jpeg().toBuffer()), "whole");
});

Deno.test("what viewers show whole is accepted, though the decoder complains", async () => {
  const jpeg = await photograph().jpeg().toBuffer();
  const progressive = await photograph().jpeg({ progressive: true }).toBuffer();
  const png = await photograph().png().toBuffer();
  // A comment whose checksum is wrong, before the rows.
  const comment = latin1("\0\0\0\x05tEXta\0bcd\0\0\0\0");
  const commented = [png.subarray(0, 33), comment, png.subarray(33)];
  const files = [
    withStray(jpeg, "stray", 0xff, 0xc4),
    withStray(jpeg, "stray", 0xff, 0xd9),
    Buffer.concat([jpeg, latin1("after the end")]),
    Buffer.concat([progressive, latin1("after the end")]),
    Buffer.concat(commented),
    Buffer.concat([png, latin1("after the end")]),
    png.subarray(0, -12), // without its last, empty part
  ];
  await rejects(sharp(files[0], { failOn: "warning" }).raw().toBuffer());
  for (const [i, file] of files.entries()) {
    equal(await outcomeOf(file), "whole", `${i}`);
  }
  deepEqual(
    await decodePicture(files[0], { longest: 50 }),
    await decodePicture(jpeg, { longest: 50 }),
  );
});

Deno.test("lost rows are refused in the decoder's words, be they an error to it or a warning", async () => {
  const zeroed = (file: Buffer, share: number) =>
    Buffer.from(file).fill(0, share * file.length, share * file.length + 200);
  const jpeg = await photograph().jpeg().toBuffer();
  const png = await photograph().png().toBuffer();
  const gif = await photograph().gif().toBuffer();
  const lzw = await photograph().tiff({ compression: "lzw" }).toBuffer();

  const files: [Buffer, RegExp][] = [
    [jpeg.subarray(0, 0.6 * jpeg.length), /premature end of JPEG image/],
    [jpeg.subarray(0, -100), /premature end of JPEG image/],
    [zeroed(jpeg, 0.5), /Corrupt JPEG data: /],
    [png.subarray(0, 9000), /libpng read error/],
    [zeroed(png, 0.5), /libpng read error/],
    [gif.subarray(0, 0.6 * gif.length), /Unexpected end of GIF/],
    [zeroed(gif, 0.5), /Invalid frame data/],
    [zeroed(lzw, 0.5), /Not enough data|code not yet in table/],
  ];
  for (const [file, said] of files) {
    const reason = await outcomeOf(file);
    match(reason, said);
    match(reason, /^the decoder says "[^"\n]{1,150}"$/);
  }
});

Deno.test("bad files at once have each the reason that it has alone, among good ones, 20 times", async () => {
  const jpeg = await photograph().jpeg().toBuffer();
  const png = await photograph().png().toBuffer();
  const gif = await photograph().gif().toBuffer();
  const files: ImageSource[] = [
    jpeg,
    withStray(jpeg, "stray", 0xff, 0xc4),
    withStray(jpeg, "\0\0\0", 0xff, 0xda),
    tiff(Uint16Array.from({ length: 9000 }, (_, i) => i / 3), 90, 1),
    jpeg.subarray(0, 3000),
    Buffer.from(jpeg).fill(0, 4000, 4200),
    Buffer.from(png).fill(0, 9000, 9100),
    Buffer.from(gif).fill(0, 9000, 9300),
    latin1("<svg/>"),
    "/nowhere/owl.jpg",
    pngHeader(20_000, 20_000),
    jpeg.subarray(0, 20),
  ];
  const alone: string[] = [];
  for (const file of files) alone.push(await outcomeOf(file));
  ok(new Set(alone).size >= 7);
  for (let time = 0; time < 20; time++) {
    deepEqual(await Promise.all(files.map(outcomeOf)), alone);
  }
  ok(alone.every((line) => line.length <= 200 && !line.includes("\n")));
});

const FORMATS: Record<string, (picture: Sharp) => Sharp> = {
  "JPEG": (picture) => picture.jpeg(),
  "progressive JPEG": (picture) => picture.jpeg({ progressive: true }),
  "PNG": (picture) => picture.png(),
  "interlaced PNG": (picture) => picture.png({ progressive: true }),
  "GIF": (picture) => picture.gif(),
  "WebP": (picture) => picture.webp(),
  "lossless WebP": (picture) => picture.webp({ lossless: true }),
  "AVIF": (picture) => picture.avif({ effort: 0 }),
  "LZW TIFF": (picture) => picture.tiff({ compression: "lzw" }),
  "JPEG TIFF": (picture) => picture.tiff({ compression: "jpeg" }),
};

type Damage = (file: Buffer, random: () => number) => Buffer;

const place = ({ length }: Buffer, random: () => number) =>
  Math.floor(length * (0.2 + 0.7 * random()));

const DAMAGES: Record<string, Damage> = {
  "cut": (file) => file.subarray(0, 0.6 * file.length),
  "cut at the end": (file) => file.subarray(0, -100),
  "one bit": (file, random) => {
    file[place(file, random)] ^= 1 << 8 * random();
    return file;
  },
  "64 bits": (file, random) => {
    for (let i = 0; i < 64; i++) file[place(file, random)] ^= 1 << 8 * random();
    return file;
  },
  "zeros": (file, random) => {
    const at = place(file, random);
    return file.fill(0, at, at + 256);
  },
  "bytes put in": (file, random) => {
    const at = place(file, random);
    const parts = [file.subarray(0, at), latin1("stray"), file.subarray(at)];
    return Buffer.concat(parts);
  },
  "bytes taken out": (file, random) => {
    const at = place(file, random);
    return Buffer.concat([file.subarray(0, at), file.subarray(at + 200)]);
  },
  "bytes behind": (file) => Buffer.concat([file, latin1("and more")]),
};

Deno.test("all callers say the same of 80 damaged files, many at a time", async () => {
  const input = { size: 224, mean: [0, 0, 0], std: [1, 1, 1] };
  const callers: ((file: Uint8Array) => Promise<unknown>)[] = [
    async (file) => {
      const result = await cleanPicture(file);
      if ("rejected" in result) throw new Error(result.reason);
    },
    (file) => decodeSquare(file, input),
    (file) => pixelVector(file, 448),
    (file) => pixelVector(file, 24),
    (file) => thumbnail(file, 64),
    largePicture,
    saveUpload,
  ];
  const random = randomFrom(10);
  const cases: [string, Buffer][] = [];
  for (const [format, encode] of Object.entries(FORMATS)) {
    const whole = await encode(photograph()).toBuffer();
    for (const [name, damage] of Object.entries(DAMAGES)) {
      cases.push([`${format}, ${name}`, damage(Buffer.from(whole), random)]);
    }
  }
  const accepted = new Set<boolean>();
  for (let at = 0; at < cases.length; at += 8) {
    await Promise.all(
      cases.slice(at, at + 8).map(async ([name, file]) => {
        const said = await Promise.all(
          callers.map((decode) =>
            decode(file).then(
              () => "whole",
              ({ message }) =>
                message.replace("a picture cannot be decoded: ", ""),
            )
          ),
        );
        deepEqual(
          said,
          said.map(() => said[0]),
          name,
        );
        ok(said[0].length <= 200, said[0]);
        accepted.add(said[0] === "whole");
      }),
    );
  }
  equal(accepted.size, 2);
});

Deno.test("the page shows what the data set accepts, and refuses what it refuses", async () => {
  const jpeg = await photograph().jpeg().toBuffer();
  const files: [Uint8Array, boolean][] = [
    [jpeg, true],
    [withStray(jpeg, "stray", 0xff, 0xc4), true],
    [jpeg.subarray(0, 3000), false],
    [pngHeader(15_000, 10_001), false],
    [latin1("<svg xmlns='http://www.w3.org/2000/svg'/>"), false],
    [new Uint8Array(), false],
  ];
  for (const [file, accepted] of files) {
    const isShown = await thumbnailOf(file).then(() => true, () => false);
    const isClean = !("rejected" in await cleanPicture(file));
    deepEqual([isShown, isClean], [accepted, accepted]);
  }
});
