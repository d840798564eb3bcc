import { deepEqual, equal, rejects } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  isRegularFile,
  readJsonLines,
  readRegularFile,
  requireStage,
  writeAtomic,
  writeJsonObject,
} from "#lib/files.ts";

Deno.test("writeAtomic() names what cannot be written, and leaves no part of it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "files-" });
  try {
    await writeFile(join(folder, "file"), "in the way");
    const below = join(folder, "file", "deeper", "a.json");
    await rejects(writeAtomic(below, "{}"), (error: Error) => {
      equal(
        error.message.split(":")[0],
        `${below} cannot be written (ENOTDIR)`,
      );
      return /CONTACT_SHEET_DATA/.test(error.message);
    });

    // Written in part already: the folder of that name refuses the renaming.
    await mkdir(join(folder, "taken"));
    await rejects(writeAtomic(join(folder, "taken"), "x"), /cannot be written/);
    deepEqual((await readdir(folder)).sort(), ["file", "taken"]);
    equal(await readFile(join(folder, "file"), "utf8"), "in the way");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("writeAtomic() writes pieces as they come, and nothing where they fail", async () => {
  const folder = await Deno.makeTempDir({ prefix: "files-" });
  try {
    const path = join(folder, "a.txt");
    const piece = "ä".repeat(50_000);
    const pieces = [piece, "", "b", piece];
    await writeAtomic(path, pieces);
    equal(await readFile(path, "utf8"), pieces.join(""));
    const failing = async function* () {
      yield* pieces;
      await Promise.reject(new Error("the source is gone"));
    };
    await rejects(writeAtomic(path, failing()), /the source is gone/);
    equal(await readFile(path, "utf8"), pieces.join(""));
    deepEqual(await readdir(folder), ["a.txt"]);

    const object = { "1": [2], "": {}, 'b"\n': { c: "d\n" }, "0": null };
    for (const entries of [Object.entries(object), []]) {
      await writeJsonObject(path, entries);
      const text = await readFile(path, "utf8");
      deepEqual(JSON.parse(text), Object.fromEntries(entries));
      equal(text, JSON.stringify(Object.fromEntries(entries), null, 2) + "\n");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("requireStage() says which notebook writes what is missing or damaged", async () => {
  const folder = await Deno.makeTempDir({ prefix: "files-" });
  try {
    const path = join(folder, "images.jsonl");
    const read = () => requireStage(path, 1, readJsonLines);
    await rejects(read, { message: `${path} not found: run notebook 1 first` });
    await writeFile(path, '{"a": 1}\n{"b"');
    await rejects(read, {
      message: `${path} cannot be read (${path}, line 2: expected JSON, got ` +
        '{"b"): run notebook 1 again',
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name:
    "readRegularFile() reads no pipe, device or folder, and says so at once",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "files-" });
    try {
      const pipe = join(folder, "pipe");
      equal(spawnSync("mkfifo", [pipe]).status, 0);
      await symlink(pipe, join(folder, "link"));
      await writeFile(join(folder, "file"), "text");
      equal(`${await readRegularFile(join(folder, "file"))}`, "text");
      for (const path of [pipe, join(folder, "link"), "/dev/zero"]) {
        await rejects(readRegularFile(path), { code: "not a regular file" });
        equal(isRegularFile(path), false);
      }
      equal(isRegularFile(folder), false);
      await rejects(readRegularFile(folder), { code: "EISDIR" });
      await rejects(readRegularFile(join(folder, "gone")), { code: "ENOENT" });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
