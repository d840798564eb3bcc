/**
 * The course on data that the committed notebooks have never seen: nothing in it
 * may depend on a picture, a class or a category by name.
 */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { paths } from "#lib/paths.ts";
import { runChild } from "../../tasks/child.ts";
import { notebookKernel } from "../../tasks/kernel.ts";
import { isDone } from "../../tasks/step.ts";

const ignore = !isDone(notebookKernel) ||
  !existsSync(join(paths.models, "offline"));
if (ignore) console.warn("other_data_test: skipped, run task setup first");

Deno.test({
  name:
    "task demo --plan runs the course on two terms, one of which the site does not know",
  ignore,
  async fn() {
    const plan = join(await Deno.makeTempDir(), "plan.json");
    await Deno.writeTextFile(plan, '{"space": ["planet", "unicorn"]}');
    const { notebooks, errors } = await demo("--plan", plan);
    deepStrictEqual({ notebooks, errors }, { notebooks: 8, errors: 0 });
  },
});

Deno.test({
  name:
    "task demo --images runs the course on a folder of classes, from notebook 3 on",
  ignore,
  async fn() {
    const { notebooks, errors, images } = await demo(
      "--images",
      await drawClasses(),
    );
    deepStrictEqual(
      { notebooks, errors, images },
      { notebooks: 6, errors: 0, images: 21 },
    );
  },
});

async function demo(...args: string[]) {
  const script = join(paths.root, "tasks", "demo.ts");
  const { code, output } = await runChild(Deno.execPath(), [
    ...["run", "-A", script, "--json"],
    ...args,
  ]);
  strictEqual(code, 0, output);
  return JSON.parse(output.trim().split("\n").at(-1)!);
}

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
