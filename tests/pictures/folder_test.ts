import { deepEqual, rejects } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listPictures } from "#lib/pictures/folder.ts";

Deno.test("listPictures() follows links once, and passes over what is hidden", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pictures-"));
  await mkdir(join(folder, "b"));
  await mkdir(join(folder, ".hidden"));
  for (
    const name of [
      "b/2.JPG",
      "a.png",
      ".hidden/1.jpg",
      "._a.png",
      "b/notes.txt",
    ]
  ) {
    await writeFile(join(folder, name), "x");
  }
  await symlink(folder, join(folder, "b", "loop"));
  await symlink(join(folder, "a.png"), join(folder, "link.jpg"));
  await symlink(join(folder, "gone"), join(folder, "dead.jpg"));
  // Reading one would wait for ever.
  spawnSync("mkfifo", [join(folder, "pipe.jpg")]);
  deepEqual(await listPictures(folder), [
    "a.png",
    "b/2.JPG",
    "dead.jpg",
    "link.jpg",
  ]);
  await rm(folder, { recursive: true });
  await rejects(listPictures(folder), /ENOENT/);
});
