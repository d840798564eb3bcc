import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import sharp from "sharp";
import { paths } from "#lib/paths.ts";
import {
  readSample,
  samplePath,
  type SamplePicture,
} from "#lib/photo_site/sample.ts";

const pictures = await readSample();

/** Whether a picture is a thing on white, or a photograph as it was taken. */
const isCutOut = ({ source }: SamplePicture) => source.endsWith(".png");

/** What one may copy, change and pass on. */
const FREE_LICENSES = [
  ...["public domain", "CC0-1.0", "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0"],
  ...["CC-BY-SA-4.0", "GPL-2.0-or-later"],
];

/** The sample's files, as paths below its folder with "/". */
async function sampleFiles(): Promise<string[]> {
  const entries = await readdir(paths.sample, {
    recursive: true,
    withFileTypes: true,
  });
  return entries.filter((entry) => entry.isFile()).map((entry) =>
    relative(paths.sample, join(entry.parentPath, entry.name))
      .replaceAll("\\", "/")
  );
}

Deno.test("readSample() gives about 300 pictures in 26 terms or more, 8 or more a term, sorted", () => {
  assert.ok(pictures.length >= 290 && pictures.length <= 330);
  const terms = Map.groupBy(pictures, ({ term }) => term);
  assert.ok(terms.size >= 26);
  for (const [term, group] of terms) {
    assert.ok(group.length >= 8, `${term}: ${group.length} pictures`);
    // A term of two categories would become one class further on.
    assert.equal(new Set(group.map(({ category }) => category)).size, 1, term);
  }
  assert.ok(new Set(pictures.map(({ category }) => category)).size >= 4);
  const sorted = pictures.map(({ path }) => path);
  assert.deepEqual(sorted, sorted.toSorted());
  for (const { path, category, term } of pictures) {
    assert.ok(path.startsWith(`${category}/${term}/`), path);
  }
});

Deno.test("the sample's folder holds what captions.json lists and nothing else", async () => {
  assert.deepEqual(
    (await sampleFiles()).sort(),
    [
      ...pictures.map(({ path }) => path),
      ...["LICENSE", "captions.json", "make.ts", "rcc.ts"],
    ].sort(),
  );
});

Deno.test("the sample's cut-outs are JPEG of 100 to 256 px, its photographs of up to 320, under 9 MB in all", async () => {
  let bytes = 0;
  for (const picture of pictures) {
    const path = samplePath(picture);
    bytes += (await stat(path)).size;
    const { format } = await sharp(path).metadata();
    // Decodes all of it, which the metadata alone would not.
    const { info } = await sharp(path).raw().toBuffer({
      resolveWithObject: true,
    });
    assert.equal(format, "jpeg", path);
    const longest = Math.max(info.width, info.height);
    if (isCutOut(picture)) assert.ok(longest <= 256, path);
    else assert.equal(longest, 320, path);
    assert.ok(Math.min(info.width, info.height) >= 100, path);
  }
  for (const file of ["captions.json", "LICENSE", "make.ts", "rcc.ts"]) {
    bytes += (await stat(join(paths.sample, file))).size;
  }
  assert.ok(bytes < 9e6, `${bytes} bytes`);
});

Deno.test("no two of the sample's pictures, sources or captions are the same", async () => {
  const files = await Promise.all(
    pictures.map((picture) => readFile(samplePath(picture), "base64")),
  );
  assert.equal(new Set(files).size, pictures.length);
  for (const field of ["path", "source"] as const) {
    const values = new Set(pictures.map((picture) => picture[field]));
    assert.equal(values.size, pictures.length, field);
  }
  const captions = new Set(pictures.flatMap(({ captions }) => captions));
  assert.equal(captions.size, 2 * pictures.length);
});

Deno.test("each sample picture has two sentences of its own, an author and a free licence", () => {
  for (const picture of pictures) {
    const { path, caption, captions, author, license, source } = picture;
    assert.strictEqual(captions.length, 2, path);
    assert.strictEqual(caption, captions[0], path);
    for (const sentence of captions) {
      const words = sentence.split(" ").length;
      assert.ok(words >= 5 && words <= 15, `${path}: ${words} words`);
      assert.match(sentence, /^[A-Z].*\.$/, path);
    }
    assert.ok(author, path);
    assert.ok(FREE_LICENSES.includes(license), `${path}: ${license}`);
    assert.match(source, /^[\w/-]+\.(png|webp)$/, path);
  }
});

Deno.test("each photograph has the page that it is from", () => {
  const photographs = pictures.filter((picture) => !isCutOut(picture));
  assert.ok(photographs.length >= 120);
  for (const { path, page } of photographs) {
    assert.match(page, /^https:\/\//, path);
  }
});

Deno.test("the sample's LICENSE holds the GPL, each photograph's licence, and the cut-outs in the public domain", async () => {
  const license = await readFile(join(paths.sample, "LICENSE"), "utf8");
  assert.match(license, /tuxpaint-stamps-default/);
  assert.match(license, /GNU GENERAL PUBLIC LICENSE\s+Version 2, June 1991/);
  assert.match(license, /END OF TERMS AND CONDITIONS/);
  assert.match(license, /gcompris-qt-data/);
  const [cutOuts, photographs] = [
    pictures.filter((picture) => isCutOut(picture)),
    pictures.filter((picture) => !isCutOut(picture)),
  ];
  for (const picture of photographs) {
    assert.ok(license.includes(`\n  ${picture.license} `), picture.license);
  }
  const exceptions = cutOuts.filter(({ license }) =>
    license === "public domain"
  );
  assert.equal(exceptions.length, 2);
  for (const picture of exceptions) assert.ok(license.includes(picture.path));
});

Deno.test("make.ts explains itself, and refuses a folder without the packages in one line", async () => {
  const make = (...args: string[]) =>
    promisify(execFile)(process.execPath, [
      "run",
      "-A",
      join(paths.sample, "make.ts"),
      ...args,
    ]);
  assert.match((await make("--help")).stdout, /UNPACKED_FOLDER/);
  const empty = await Deno.makeTempDir();
  try {
    await assert.rejects(make(empty), (error: { stderr: string }) => {
      assert.match(
        error.stderr,
        /^make\.ts: .* has no folder usr\/share\/tuxpaint.*\n$/,
      );
      return true;
    });
  } finally {
    await Deno.remove(empty);
  }
});
