/**
 * Writes what the names of ImageNet's classes, and of the groups above them,
 * mean: a sentence vector each, the classes first.
 *
 * usage: deno run -A tasks/name_vectors.ts FOLDER, where classes.json and
 * minilm/ are. A program of its own, because it needs the packages that set-up
 * installs. Prints a line now and then about how far it is.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Matrix } from "../lib/compare/matrix.ts";
import { addScaled, l2Normalize } from "../lib/compare/metrics.ts";
import { writeNpy } from "../lib/compare/npy.ts";
import { readGroups } from "../lib/encoders/offline/groups.ts";
import { openSentences } from "../lib/encoders/offline/sentences.ts";

/** Concepts at once: enough for texts of like length to meet in one batch. */
const AT_ONCE = 100;

const folder = process.argv[2];
const classes: string[][] = JSON.parse(
  await readFile(join(folder, "classes.json"), "utf8"),
);
const groups = await readGroups();
const concepts = [...classes, ...groups.map(({ names }) => names)];
const sentences = await openSentences(join(folder, "minilm"));
const vectors = Matrix.empty(sentences.dimensions, concepts.length);
for (let start = 0; start < concepts.length; start += AT_ONCE) {
  console.log(`name ${start + 1} of ${concepts.length}`);
  // Each name by itself, and as the caption of a photo.
  const some = concepts.slice(start, start + AT_ONCE)
    .map((names) => names.flatMap((name) => [name, `a photo of a ${name}`]));
  const encoded = await sentences.encode(some.flat());
  let row = 0;
  for (const texts of some) {
    const sum = new Float32Array(sentences.dimensions);
    for (const _ of texts) addScaled(sum, encoded.row(row++));
    vectors.append(l2Normalize(sum));
  }
}
await sentences.close();
await writeNpy(join(folder, "name_vectors.npy"), vectors);
