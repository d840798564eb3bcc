/**
 * Writes what each of ImageNet's classes means, as a sentence vector.
 *
 * usage: deno run -A tasks/class_vectors.ts FOLDER, where classes.json and
 * minilm/ are. A program of its own, because it needs the packages that set-up
 * installs. Prints a line now and then about how far it is.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Matrix } from "../lib/compare/matrix.ts";
import { l2Normalize } from "../lib/compare/metrics.ts";
import { writeNpy } from "../lib/compare/npy.ts";
import { openSentences } from "../lib/encoders/offline/sentences.ts";

/** Classes at once: enough for texts of like length to meet in one batch. */
const GROUP = 100;

const folder = process.argv[2];
const classes: string[][] = JSON.parse(
  await readFile(join(folder, "classes.json"), "utf8"),
);
const sentences = await openSentences(join(folder, "minilm"));
const vectors = Matrix.empty(sentences.dimensions, classes.length);
for (let start = 0; start < classes.length; start += GROUP) {
  console.log(`class ${start + 1} of ${classes.length}`);
  // Each name by itself, and as the caption of a photo.
  const group = classes.slice(start, start + GROUP)
    .map((names) => names.flatMap((name) => [name, `a photo of a ${name}`]));
  const encoded = await sentences.encode(group.flat());
  let row = 0;
  for (const texts of group) {
    const sum = new Float32Array(sentences.dimensions);
    for (const _ of texts) {
      encoded.row(row++).forEach((value, d) => sum[d] += value);
    }
    vectors.append(l2Normalize(sum));
  }
}
await sentences.close();
await writeNpy(join(folder, "class_vectors.npy"), vectors);
