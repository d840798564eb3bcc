/**
 * The course on data that the committed notebooks have never seen: nothing in it
 * may depend on a picture, a class or a category by name.
 */
import { deepStrictEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { paths } from "#lib/paths.ts";
import { executeNotebooks } from "../../tasks/execute.ts";
import { notebookKernel } from "../../tasks/kernel.ts";
import { ownData } from "../../tasks/own_data.ts";
import { progressOn } from "../../tasks/progress.ts";
import { isDone } from "../../tasks/step.ts";

const ignore = !isDone(notebookKernel) ||
  !existsSync(join(paths.models, "offline"));
if (ignore) console.warn("other_data_test: skipped, run task setup first");

/** Synthetic vectors are no other data: fewer of them save time. */
const SMALL_CROWD = {
  linear: "const drawn = clusteredVectors(2_100, 128); " +
    "const questions = drawn.slice(0, 100), crowd = drawn.slice(100); " +
    "const names = Array.from(crowd, (_, row) => `${row}`);",
};

const { signal } = new AbortController();
const progress = progressOn({ write() {} });

Deno.test({
  name: "the course runs on one term, beside one that the site does not know",
  ignore,
  async fn() {
    const plan = join(await Deno.makeTempDir(), "plan.json");
    await Deno.writeTextFile(plan, '{"space": ["planet", "unicorn"]}');
    const { notebooks, errors } = await executeNotebooks(progress, signal, {
      ...await ownData(plan, undefined, progress, signal),
      wanted: (name) => /^[1-3]_/.test(name), // the rest is tested below
    });
    deepStrictEqual({ notebooks, errors }, { notebooks: 3, errors: [] });
  },
});

Deno.test({
  name: "the course runs on a folder of classes, from notebook 3 on",
  ignore,
  async fn() {
    const options = await ownData(
      ...[undefined, await drawClasses(), progress, signal] as const,
    );
    const insert = { ...options.insert, "5_vector_database": SMALL_CROWD };
    const { notebooks, errors, images } = await executeNotebooks(
      progress,
      signal,
      { ...options, insert },
    );
    deepStrictEqual(
      { notebooks, errors, images },
      { notebooks: 7, errors: [], images: 21 },
    );
  },
});

/** Three classes of drawn pictures, of several shapes, with a split of its own. */
async function drawClasses(): Promise<string> {
  const folder = await Deno.makeTempDir();
  const shapes: Record<string, (size: number) => string> = {
    disc: (size) => `<circle cx="100" cy="75" r="${size}" fill="tomato"/>`,
    bars: (size) =>
      `<path d="M0 ${size}h200M0 ${
        2 * size
      }h200" stroke="navy" stroke-width="9"/>`,
    "Kästchen": (size) =>
      `<rect x="${size}" y="20" width="${size}" height="90" fill="olive"/>`,
  };
  for (const [name, draw] of Object.entries(shapes)) {
    for (let i = 0; i < 7; i++) {
      const split = join(folder, i < 2 ? "test" : "train", name);
      await mkdir(split, { recursive: true });
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${
        150 + 20 * i
      }" height="150"><rect width="400" height="150" fill="hsl(${
        60 * i
      } 40% 80%)"/>${draw(20 + 6 * i)}</svg>`;
      await sharp(new TextEncoder().encode(svg)).png().toFile(
        join(split, `${i}.png`),
      );
    }
  }
  return folder;
}
