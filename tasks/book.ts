/**
 * `task book`: the notebooks as a static site, with what they link to.
 *
 * book/render.py makes the pages; book/book.js is what they do in a browser:
 * the theme, the search by MiniSearch, and charts drawn alive by Plotly.
 *
 * @module
 */
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import process from "node:process";
import { paths } from "../lib/paths.ts";
import { runOrFail } from "./child.ts";
import { defineCommand, runCommand } from "./command.ts";
import { notebooksFolder } from "./execute.ts";
import { progressOn } from "./progress.ts";
import { venvPython } from "./python.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task book

Writes the notebooks, as they are committed, and the documents and sources that
they link to as a static site into data/book/ of the project, which it empties
first: with a search over all pages, light and dark, and charts that answer to
the mouse. The site needs no network and no server, and may be put under any
address. Ends with a status other than 0 where a link leads to no file.`;

/** The site's scripts, by the name that book.js loads each by. */
const SCRIPTS = {
  "book.js": "tasks/book/book.js",
  "minisearch.js": "node_modules/minisearch/dist/umd/index.js",
  "plotly.js":
    "node_modules/plotly.js-cartesian-dist-min/plotly-cartesian.min.js",
};

/**
 * Makes the site of a folder of notebooks.
 *
 * @param target Emptied first; the site begins at its index.html.
 * @throws {CommandError} If a link leads to no file: names it.
 */
export async function makeBook(
  notebooks: string,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const script = join(paths.root, "tasks", "book", "render.py");
  const args = [script, notebooks, target];
  await runOrFail("render.py", venvPython, args, { signal });
  for (const [name, source] of Object.entries(SCRIPTS)) {
    await copyFile(join(paths.root, source), join(target, name));
  }
}

export const command = defineCommand({ help }, async ({ signal }) => {
  await ensureSetup(signal);
  const target = join(paths.root, "data", "book");
  progressOn(process.stdout).passing("Rendering …");
  await makeBook(notebooksFolder, target, signal);
  const start = relative(process.cwd(), join(target, "index.html"));
  progressOn(process.stdout).line(`To browse: ${start}`);
});

if (import.meta.main) await runCommand(command);
