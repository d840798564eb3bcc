import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import sharp from "sharp";
import { paths } from "#lib/paths.ts";
import { readSample, samplePath } from "#lib/photo_site/sample.ts";

const pictures = await readSample();

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

Deno.test("readSample() gives about 170 pictures, 8 or more a term, sorted", () => {
  assert.ok(pictures.length >= 160 && pictures.length <= 190);
  const terms = Map.groupBy(pictures, ({ term }) => term);
  assert.ok(terms.size >= 12);
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
    [...pictures.map(({ path }) => path), "LICENSE", "captions.json", "make.ts"]
      .sort(),
  );
});

Deno.test("the sample's pictures are JPEG of 100 to 256 px, 2.5 MB in all", async () => {
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
    assert.ok(Math.max(info.width, info.height) <= 256, path);
    assert.ok(Math.min(info.width, info.height) >= 100, path);
  }
  assert.ok(bytes <= 2.5e6, `${bytes} bytes`);
});

Deno.test("no two of the sample's pictures, sources or captions are the same", async () => {
  const files = await Promise.all(
    pictures.map((picture) => readFile(samplePath(picture), "base64")),
  );
  assert.equal(new Set(files).size, pictures.length);
  for (const field of ["path", "source", "caption"] as const) {
    const values = new Set(pictures.map((picture) => picture[field]));
    assert.equal(values.size, pictures.length, field);
  }
});

Deno.test("each sample picture has a sentence of its own, an author and a licence", () => {
  for (const picture of pictures) {
    const { caption, author, license, source } = picture;
    const words = caption.split(" ").length;
    assert.ok(words >= 5 && words <= 15, `${picture.path}: ${words} words`);
    assert.match(caption, /^[A-Z].*\.$/, picture.path);
    assert.ok(author, picture.path);
    assert.ok(["GPL-2.0-or-later", "public domain"].includes(license));
    assert.match(source, /^[\w/-]+\.png$/, picture.path);
  }
});

Deno.test("the sample's LICENSE holds the whole licence and its public domain pictures", async () => {
  const license = await readFile(join(paths.sample, "LICENSE"), "utf8");
  assert.match(license, /tuxpaint-stamps-default/);
  assert.match(license, /GNU GENERAL PUBLIC LICENSE\s+Version 2, June 1991/);
  assert.match(license, /END OF TERMS AND CONDITIONS/);
  const exceptions = pictures.filter(({ license }) =>
    license === "public domain"
  );
  assert.equal(exceptions.length, 2);
  for (const picture of exceptions) assert.ok(license.includes(picture.path));
});

Deno.test("make.ts explains itself, and refuses a folder without stamps in one line", async () => {
  const make = (...args: string[]) =>
    promisify(execFile)(process.execPath, [
      "run",
      "-A",
      join(paths.sample, "make.ts"),
      ...args,
    ]);
  assert.match((await make("--help")).stdout, /STAMPS_FOLDER/);
  const empty = await Deno.makeTempDir();
  try {
    await assert.rejects(make(empty), (error: { stderr: string }) => {
      assert.match(error.stderr, /^make\.ts: .* has no folder animals\/.*\n$/);
      return true;
    });
  } finally {
    await Deno.remove(empty);
  }
});
