import {
  deepEqual,
  deepStrictEqual,
  equal,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import {
  chmod,
  mkdir,
  mkdtemp,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import sharp from "sharp";
import { listPictures, remarksOn } from "#lib/pictures/folder.ts";

/** Runs `body` over a folder with these files. */
async function withFiles(
  files: Record<string, string | Uint8Array>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pictures-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(folder, dirname(name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const jpeg = await sharp({
  create: { width: 2, height: 2, channels: 3, background: "red" },
}).jpeg().toBuffer();

Deno.test("listPictures() follows links once, and passes over what is hidden", () =>
  withFiles({
    ...{ "a.png": "x", "b/2.JPG": "x", "b/notes.txt": "x" },
    ...{ ".hidden/1.jpg": "x", "._a.png": "x" },
  }, async (folder) => {
    await symlink(folder, join(folder, "b", "loop"));
    await symlink(join(folder, "a.png"), join(folder, "link.jpg"));
    await symlink(join(folder, "gone"), join(folder, "dead.jpg"));
    await symlink("self", join(folder, "self"));
    const { pictures, leftOut } = await listPictures(folder);
    deepEqual(pictures, ["a.png", "b/2.JPG", "dead.jpg", "link.jpg"]);
    deepEqual(leftOut, []);
    await rejects(listPictures(join(folder, "gone")), /ENOENT/);
    await rejects(listPictures(join(folder, "a.png")), /ENOTDIR/);
  }));

Deno.test("listPictures() lists by content what the name does not tell", () =>
  withFiles({
    ...{ "a.jfif": jpeg, "b.jpe": jpeg, c: jpeg, "d.bak": jpeg },
    ...{ "e.heic": jpeg, "f.bmp": jpeg, "g.txt": "no picture", h: "" },
    "i.jpg": "no picture, as the decoder will say",
  }, async (folder) => {
    const { pictures, leftOut } = await listPictures(folder);
    deepEqual(pictures, [
      ...["a.jfif", "b.jpe", "c", "d.bak", "e.heic", "f.bmp", "i.jpg"],
    ]);
    deepEqual(leftOut, []);
  }));

Deno.test("formats that are not decoded are left out, and counted by ending", () =>
  withFiles({
    ...{ "1.HEIC": "x", "sub/2.heic": "x", "a.jp2": "x", "b.svg": "<svg/>" },
    // By its first bytes a TIFF, in which only a small preview can be seen.
    "raw.NEF": Buffer.from("II*\0 and so on"),
    ...{ "captions.json": "{}", "README.md": "x", "Thumbs.db": "x" },
  }, async (folder) => {
    const { pictures, leftOut } = await listPictures(folder);
    deepEqual(pictures, []);
    deepEqual(leftOut.map(({ path }) => path), [
      ...["1.HEIC", "a.jp2", "b.svg", "raw.NEF", "sub/2.heic"],
    ]);
    deepEqual(remarksOn(leftOut), [
      "left out: 2 .heic, 1 .jp2, 1 .svg, 1 .nef: not JPEG, PNG, GIF, WebP, " +
      "AVIF or TIFF",
    ]);
    deepEqual(remarksOn([]), []);
  }));

Deno.test({
  name: "pipes and sockets are left out and said, and wait for nobody",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFiles({ "a.jpg": "x" }, async (folder) => {
      for (const name of ["pipe.jpg", "pipe", "raw.dng"]) {
        equal(spawnSync("mkfifo", [join(folder, name)]).status, 0);
      }
      await symlink("pipe", join(folder, "to-pipe.png"));
      const { pictures, leftOut } = await listPictures(folder);
      deepEqual(pictures, ["a.jpg"]);
      deepEqual(remarksOn(leftOut), [
        "left out: pipe.jpg, raw.dng, to-pipe.png: not a regular file",
      ]);
    }),
});

Deno.test({
  name: "what cannot be read is left out by its own name, and the rest listed",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFiles({ "a.jpg": "x", "b/c.jpg": "x" }, async (folder) => {
      // Longer than any path may be, which stops even the administrator.
      let place = folder;
      const long = "d".repeat(250);
      const script =
        `cd "$1" && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
        do mkdir ${long} && cd ${long} || exit 1; done`;
      const made = spawnSync("bash", ["-c", script, "", join(folder, "b")]);
      equal(made.status, 0, `${made.stderr}`);
      const { pictures, leftOut } = await listPictures(folder);
      deepEqual(pictures, ["a.jpg", "b/c.jpg"]);
      equal(leftOut.length, 1);
      ok(leftOut[0].path.startsWith(`b/${long}/`));
      equal(leftOut[0].reason, "cannot be read (ENAMETOOLONG)");

      if (process.getuid?.() === 0) return;
      place = join(folder, "closed");
      await mkdir(place, { mode: 0 });
      match(
        remarksOn((await listPictures(folder)).leftOut).join("\n"),
        /closed: cannot be read \(EACCES\)/,
      );
      await rejects(listPictures(place), /EACCES/);
      await chmod(place, 0o700);
    }),
});

Deno.test({
  name: "names that are not UTF-8 are said, and any other name is listed",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withFiles({
      ...{ '%#?"<>.jpg': "x", "a\nb.jpg": "x", "\x1b[31m.jpg": "x" },
      ...{ "\u202egpj.jpg": "x", "鸟.jpg": "x", "\ufffd.jpg": "x" },
    }, async (folder) => {
      const listed = (await listPictures(folder)).pictures;
      equal(listed.length, 6);
      const script = `cd "$1" && mkdir $'\\xe9t\\xe9' .git other &&
        touch caf$'\\xe9'.jpg caf$'\\xe9'.txt .$'\\xe9'.jpg .git/$'\\xe9'.jpg &&
        touch $'\\xe9t\\xe9'/1.jpg $'\\xe9t\\xe9'/2 other/$'\\xe9'.heic &&
        ln -s ../other other/again`;
      const made = spawnSync("bash", ["-c", script, "", folder]);
      equal(made.status, 0, `${made.stderr}`);
      const { pictures, leftOut } = await listPictures(folder);
      deepEqual(pictures, listed);
      deepEqual(leftOut.map(({ path }) => path), [
        ...["caf\ufffd.jpg", "other/\ufffd.heic"],
        ...["\ufffdt\ufffd/1.jpg", "\ufffdt\ufffd/2"],
      ]);
      equal(remarksOn(leftOut).length, 1);
      match(leftOut[0].reason, /not UTF-8/);
    }),
});

Deno.test("remarksOn() names a few of many", () => {
  const leftOut = Array.from({ length: 9 }, (_, i) => ({
    path: `${i}`,
    reason: "cannot be read (EACCES)",
  }));
  deepEqual(remarksOn(leftOut), [
    "left out: 0, 1, 2, 3, and 5 more: cannot be read (EACCES)",
  ]);
});

Deno.test("listPictures() passes over folders by name or path and large pictures, and looks into hidden ones, where it is told to", async () => {
  const large = await sharp({
    create: { width: 400, height: 300, channels: 3, background: "red" },
  }).jpeg().toBuffer();
  await withFiles({
    "a.jpg": jpeg,
    "large.jpg": large,
    "old/a.jpg": jpeg,
    "new/old/a.jpg": jpeg,
    ".secret/a.jpg": jpeg,
  }, async (folder) => {
    const listed = await listPictures(folder, {
      excludeDirs: ["old"],
      includeHidden: true,
      maxMegapixels: 0.1,
    });
    deepStrictEqual(listed.pictures, [".secret/a.jpg", "a.jpg"]);
    deepStrictEqual(listed.leftOut, [
      { path: "large.jpg", reason: "more than 0.1 megapixels" },
    ]);
    strictEqual((await listPictures(folder)).pictures.length, 4);
    const byPath = await listPictures(folder, { excludeDirs: ["new/old"] });
    deepStrictEqual(byPath.pictures, ["a.jpg", "large.jpg", "old/a.jpg"]);
    deepStrictEqual(byPath.folders.sort(), ["", "new", "old"]);
  });
});
