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

/** Names at once: enough for texts of like length to meet in one batch. */
const AT_ONCE = 200;

// It ends with the set-up that started it and holds the other end of its input.
process.stdin.on("end", () => process.exit(1)).resume();

const folder = process.argv[2];
const classes: string[][] = JSON.parse(
  await readFile(join(folder, "classes.json"), "utf8"),
);
const groups = await readGroups();
const concepts = [...classes, ...groups.map(({ names }) => names)];
const all = [...new Set(concepts.flat())];
const meanings = new Map<string, Float32Array>();
const sentences = await openSentences(join(folder, "minilm"));
for (let start = 0; start < all.length; start += AT_ONCE) {
  console.log(`name ${start + 1} of ${all.length}`);
  const names = all.slice(start, start + AT_ONCE);
  // Each name by itself, and as the caption of a photo.
  const alone = await sentences.encode(names);
  const captions = names.map((name) => `a photo of a ${name}`);
  const captioned = await sentences.encode(captions);
  names.forEach((name, i) => {
    const sum = alone.row(i);
    addScaled(sum, captioned.row(i));
    meanings.set(name, sum);
  });
}
await sentences.close();
const vectors = concepts.map((names) => {
  const sum = new Float32Array(sentences.dimensions);
  for (const name of names) addScaled(sum, meanings.get(name)!);
  return l2Normalize(sum);
});
await writeNpy(join(folder, "name_vectors.npy"), Matrix.of(vectors));
process.exit(); // It would wait for its input to end.
