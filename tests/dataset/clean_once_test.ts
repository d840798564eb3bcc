import { strictEqual } from "node:assert/strict";
import { appendFile, copyFile, truncate, utimes } from "node:fs/promises";
import { join } from "node:path";
import { CleanOnce } from "#lib/dataset/clean_once.ts";
import { samplePath } from "#lib/photo_site/sample.ts";

const fruits = ["lemon", "pear", "kiwi", "mango"].map((name) =>
  samplePath({ path: `food/fruit/${name}.jpg` })
);

/** How many of these it has to decode in a run. */
async function decodedIn(
  folder: string,
  files: readonly string[],
  options = {},
): Promise<number> {
  const cleaner = CleanOnce.open(folder, options);
  for (const file of files) await cleaner.clean(file);
  cleaner.close();
  return cleaner.decoded;
}

Deno.test("CleanOnce decodes again what is new, and nothing else", async () => {
  const folder = await Deno.makeTempDir();
  strictEqual(await decodedIn(folder, fruits.slice(0, 3)), 3);
  strictEqual(await decodedIn(folder, fruits), 1);
  strictEqual(await decodedIn(folder, fruits), 0);
  strictEqual(await decodedIn(folder, fruits, { maxSide: 90 }), 4);
});

Deno.test("CleanOnce decodes a file again that has changed", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "own.jpg");
  await copyFile(fruits[0], file);
  strictEqual(await decodedIn(folder, [file]), 1);
  await utimes(file, 1, 1);
  strictEqual(await decodedIn(folder, [file]), 1);
});

Deno.test("CleanOnce goes on after half a line, and after a picture was lost", async () => {
  const folder = await Deno.makeTempDir();
  const journal = join(folder, ".cleaned.jsonl");
  await decodedIn(folder, fruits);
  await appendFile(journal, '{"key":"ab');
  strictEqual(await decodedIn(folder, fruits), 0);
  // As after a power cut: a picture without its bytes, a line without its own.
  const [one] = Deno.readDirSync(join(folder, ".new"));
  await truncate(join(folder, ".new", one.name));
  strictEqual(await decodedIn(folder, fruits), 1);
  await appendFile(journal, "\0\0\n");
  strictEqual(await decodedIn(folder, fruits), 4);
});
