import { ok, strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import sharp from "sharp";
import {
  formatOf,
  hasPictureName,
  isPicture,
  trimStart,
  whyNoPicture,
} from "#lib/pictures/formats.ts";
import { decodePicture, PictureError } from "#lib/pictures/pictures.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");

function dot() {
  const red = { width: 6, height: 4, channels: 3, background: "red" } as const;
  return sharp({ create: red });
}

/** The box that begins an MPEG-4 file: brands of four letters, the first counts. */
function boxOf(...brands: string[]) {
  const [major, ...others] = brands;
  const text = `ftyp${major}\0\0\0\0${others.join("")}`;
  return Buffer.concat([
    Buffer.of(0, 0, 0, 4 + text.length),
    latin1(text + "\0\0\0\x08free"),
  ]);
}

Deno.test("isPicture() goes by the first bytes, whatever the file is called", async () => {
  const files = {
    JPEG: dot().jpeg(),
    PNG: dot().png(),
    GIF: dot().gif(),
    WebP: dot().webp(),
    AVIF: dot().avif(),
    TIFF: dot().tiff(),
  };
  for (const [name, picture] of Object.entries(files)) {
    const bytes = await picture.toBuffer();
    equal(formatOf(bytes), name);
    ok(isPicture(bytes), name);
    ok(!isPicture(bytes.subarray(1)), name);
    equal((await decodePicture(bytes, { longest: 3 })).width, 3);
  }
  ok(isPicture(await dot().tiff({ bigtiff: true }).toBuffer()));
});

Deno.test("AVIF is known by any of its brands, and an animated one is named as such", async () => {
  const bytes = await dot().avif().toBuffer();
  const second = Buffer.from(bytes);
  second.write("mif1", 8, "latin1");
  second.write("avif", 16, "latin1");
  equal(formatOf(second), "AVIF");
  equal((await decodePicture(second, { longest: 3 })).width, 3);
  equal(formatOf(boxOf("mif1", "miaf", "MA1B", "msf1", "avif")), "AVIF");
  equal(formatOf(boxOf("avif", "avis", "mif1")), "AVIF");
  equal(formatOf(boxOf("avis", "avif", "msf1")), "animated AVIF");
  ok(!isPicture(boxOf("avis", "avif", "msf1")));
});

Deno.test("what is no picture, or of a format that is not decoded, is named", () => {
  const files: [string, string | Uint8Array][] = [
    ["HEIC", boxOf("heic", "mif1", "heic")],
    ["HEIC", boxOf("mif1", "heic")],
    ["HEIC", boxOf("heix", "mif1")],
    ["HEIC", boxOf("msf1", "hevc")],
    ["HEIF", boxOf("mif1", "miaf")],
    ["Canon CR3", boxOf("crx ", "isom")],
    ["video", boxOf("isom", "mp42")],
    ["video", boxOf("qt  ")],
    ["JPEG XL", "\xff\n\xfa\x7f"],
    ["JPEG XL", "\0\0\0\fJXL \r\n\x87\n"],
    ["JPEG 2000", "\0\0\0\fjP  \r\n\x87\n"],
    ["JPEG 2000", "\xffO\xffQ\0"],
    ["camera raw", "II*\0\x10\0\0\0CR\x02\0"],
    ["camera raw", "FUJIFILMCCD-RAW"],
    ["BMP", "BM6@\x02\0\0\0\0\x006\0"],
    ["icon", "\0\0\x01\0\x01\0"],
    ["Photoshop", "8BPS\0\x01"],
    ["Portable Anymap", "P6\n192 256\n255\n"],
    ["PDF", "%PDF-1.4\n"],
    ["ZIP", "PK\x03\x04"],
    ["Git LFS pointer", "version https://git-lfs.github.com/spec/v1\n"],
    ["SVG", `<svg xmlns="http://www.w3.org/2000/svg"/>`],
    ["SVG", `\n  <svg width="9"/>`],
    ["SVG", `<?xml version="1.0"?>\n<!-- a star -->\n<svg width="9"/>`],
    ["SVG", `\xef\xbb\xbf<!DOCTYPE svg PUBLIC "a" "b">\n<svg/>`],
    ["HTML", "<!DOCTYPE html><html>"],
    ["HTML", "<html><body>404</body></html>"],
    ["", "just words"],
    ["", ""],
  ];
  for (const [name, file] of files) {
    const bytes = typeof file === "string" ? latin1(file) : file;
    equal(formatOf(bytes), name);
    equal(isPicture(bytes), false, name);
  }
});

Deno.test("the reason names the format that was found and those expected", () => {
  equal(
    whyNoPicture(boxOf("heic")),
    "HEIC is not supported, expected a JPEG, PNG, GIF, WebP, AVIF or TIFF file",
  );
  equal(
    whyNoPicture(latin1("just words")),
    "not a JPEG, PNG, GIF, WebP, AVIF or TIFF file",
  );
  equal(
    whyNoPicture(new Uint8Array()),
    "an empty file, expected a JPEG, PNG, GIF, WebP, AVIF or TIFF file",
  );
});

Deno.test("an empty line or nulls before a picture are passed over", async () => {
  for (const start of ["\0", "\r\n", "\n\n \t", "\0".repeat(16)]) {
    for (const picture of [dot().jpeg(), dot().png(), dot().webp()]) {
      const bytes = await picture.toBuffer();
      const file = Buffer.concat([latin1(start), bytes]);
      ok(isPicture(file));
      equal(trimStart(file).length, bytes.length);
      equal((await decodePicture(file, { longest: 3 })).width, 3);
    }
  }
  ok(!isPicture(latin1("junk\xff\xd8\xff")));
});

Deno.test("markup is drawn behind no picture's first bytes", async () => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`;
  const starts = ["\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF89a", "II*\0"];
  for (const start of [...starts, "RIFF\x99\0\0\0WEBP", "\0\0\0\x1cftypavif"]) {
    const file = latin1(start + svg);
    const outcome = await decodePicture(file, { longest: 3 }).catch((e) => e);
    ok(outcome instanceof PictureError, start);
    equal(outcome.fault, "damaged");
  }
});

Deno.test("hasPictureName() goes by the end of a name", () => {
  const yes = ["a.jpg", "A.JPEG", "a.jfif", "a.JPE", "a.b.png", "a.gif"];
  for (const name of [...yes, "é.webp", "a.avif", "a.tif", "a.TIFF"]) {
    ok(hasPictureName(name), name);
  }
  for (const name of ["a.svg", "jpg", "a.jpg.txt", "a.heic", "a.pdf", ""]) {
    ok(!hasPictureName(name), name);
  }
});
