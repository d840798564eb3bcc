import { deepEqual } from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileOfEach } from "#lib/captions/named_files.ts";

/** The file of each path, as the folder lists them. */
async function filesOf(paths: string[], files: string[], listed = files) {
  const folder = await Deno.makeTempDir();
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), "");
  }
  const found = fileOfEach(folder, listed, paths.map((path) => ({ path })));
  await Deno.remove(folder, { recursive: true });
  return found;
}

Deno.test("fileOfEach(): names in either Unicode form are the same, the exact one first", async () => {
  const composed = "S\u00e4ge/\u0439.jpg",
    apart = "Sa\u0308ge/\u0438\u0306.jpg";
  deepEqual(await filesOf([composed], [apart]), [apart]);
  deepEqual(await filesOf([apart], [composed]), [composed]);
  const both = [composed, apart];
  deepEqual(await filesOf(both, both), both);
  deepEqual(await filesOf(both.toReversed(), both), both.toReversed());
});

Deno.test("fileOfEach(): a file named with \\ is found by /", async () => {
  deepEqual(await filesOf(["sub/iris.jpg"], ["sub\\iris.jpg"]), [
    "sub\\iris.jpg",
  ]);
});

Deno.test("fileOfEach(): letters' case counts where it counts for the file system", async () => {
  const folder = await Deno.makeTempDir();
  await writeFile(join(folder, "owl.jpg"), "");
  const ignoresCase = await Deno.stat(join(folder, "OWL.JPG"))
    .then(() => true, () => false);
  await Deno.remove(folder, { recursive: true });
  deepEqual(await filesOf(["Owl.JPG"], ["owl.jpg"]), [
    ignoresCase ? "owl.jpg" : undefined,
  ]);
  // Such a system: it takes both names, and lists one.
  deepEqual(
    await filesOf(["Owl.JPG"], ["owl.jpg", "Owl.JPG"], ["owl.jpg"]),
    ["owl.jpg"],
  );
});

Deno.test("fileOfEach(): the last part alone tells where only one file has it", async () => {
  deepEqual(await filesOf(["val2014/9.jpg"], ["9.jpg"]), ["9.jpg"]);
  deepEqual(await filesOf(["9.jpg"], ["val2014/9.jpg"]), ["val2014/9.jpg"]);
  deepEqual(await filesOf(["c/9.jpg"], ["a/9.jpg", "b/9.jpg"]), [undefined]);
  deepEqual(await filesOf(["c/9.jpg"], ["a/9.jpg", "9.jpg"]), ["9.jpg"]);
});

Deno.test("fileOfEach(): a file is one picture's, of the one that names it exactly", async () => {
  deepEqual(await filesOf(["c/9.jpg", "a/9.jpg"], ["a/9.jpg"]), [
    undefined,
    "a/9.jpg",
  ]);
});

Deno.test("fileOfEach(): an unlisted file is found, a folder or a too long name is none", async () => {
  deepEqual(
    await filesOf(
      [".hidden/a.jfif", ".hidden", "x".repeat(5000)],
      [".hidden/a.jfif"],
      [],
    ),
    [".hidden/a.jfif", undefined, undefined],
  );
});
