/**
 * `task demo`: every notebook in order, offline, on the bundled sample, on other
 * terms of it, or on a folder of pictures.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { cp, readFile, rename } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { scoreTable } from "../lib/display/table.ts";
import type { Result } from "../lib/evaluate/results.ts";
import { paths } from "../lib/paths.ts";
import { runOrFail } from "./child.ts";
import { CommandError, runCommand } from "./command.ts";
import { demo, executeNotebooks, type ExecutionOptions } from "./execute.ts";
import { jupyterEnvironment } from "./kernel.ts";
import { type Progress, progressOn } from "./progress.ts";
import { readPlan } from "./plan.ts";
import { venvPython } from "./python.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task demo [--plan FILE | --images DIR] [--json]

Runs all notebooks in order on the bundled sample, without a network, after
installing what is missing. Prints what was found and where the executed
notebooks and a browsable copy lie. Ends with a status other than 0 if a cell
fails. Writes below data/demo/, which it empties first. The first run's data set
and embeddings are put into data/ as well, if there are none, so that each
notebook can be opened and run by itself.

  --plan FILE   searches the practice site for these terms, JSON by category:
                {"food": ["fruit", "vegetable"], "space": ["planet"]}
  --images DIR  runs on a folder of yours, DIR/CLASS/ or DIR/train/CLASS/ and
                DIR/test/CLASS/, from notebook 3 on
  --json        progress on standard error, and a last line of JSON:
                {"notebooks": 8, "cells": 140, "errors": 0, "images": 60,
                 "seconds": 131.2, "encoder": "offline"}`;

/** Notebook 7 takes the data set of the course in place of the sample. */
const OWN_PICTURES = { data: 'const dataset = "course";' };

await runCommand({
  help,
  options: {
    plan: { type: "string" },
    images: { type: "string" },
    json: { type: "boolean" },
  },
}, async ({ values: { plan, images, json }, signal }) => {
  const progress = progressOn(json ? process.stderr : process.stdout);
  const options = await readOptions(plan, images, progress, signal);
  await ensureSetup(signal);
  const run = await executeNotebooks(progress, signal, options);
  const { notebooks, cells, images: pictures, seconds, errors } = run;
  progress.line("");
  if (errors.length === 0) {
    await makeHtml(signal);
    progress.line(`${await resultsTable()}\n`);
    if (!plan && !images) await shareData();
  }
  progress.line(
    `${notebooks} notebooks, ${cells} cells, ${pictures} pictures, ${seconds} s`,
  );
  progress.line(`Executed notebooks: ${fromHere(demo.notebooks)}`);
  if (errors.length === 0) {
    progress.line(`To browse: ${fromHere(demo.html)}/index.html`);
  }
  for (const error of errors) console.error(`\nFailed: ${error}`);
  if (json) {
    const { encoder } = demo;
    console.log(JSON.stringify({ ...run, errors: errors.length, encoder }));
  }
  return errors.length === 0 ? 0 : 1;
});

/**
 * What other terms or pictures change in the run.
 *
 * @throws {CommandError} If both are given, or there is nothing to run on.
 */
async function readOptions(
  plan: string | undefined,
  images: string | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<ExecutionOptions> {
  if (plan !== undefined && images !== undefined) {
    throw new CommandError(
      "demo: expected --plan or --images, got both: a folder is not crawled",
    );
  }
  if (plan !== undefined) {
    const terms = await readPlan(plan, progress);
    const code = `const plan = ${JSON.stringify(terms, null, 2)};`;
    return {
      insert: { "1_crawler": { plan: code }, "7_caption_search": OWN_PICTURES },
    };
  }
  if (images === undefined) return {};
  if (!existsSync(images)) {
    throw new CommandError(`--images: ${images} not found`);
  }
  return {
    wanted: (name) => !/^[12]_/.test(name),
    insert: { "7_caption_search": OWN_PICTURES },
    prepare: () => prepare(images, progress, signal),
  };
}

/** Makes the demo's data set of a folder, in place of notebooks 1 and 2. */
async function prepare(
  folder: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  // Not before set-up: it needs packages.
  const { prepareFolder } = await import("../lib/dataset/from_folder.ts");
  const { dataset } = paths;
  paths.dataset = inDemo(dataset);
  try {
    const { accounts, remarks } = await prepareFolder(folder, {
      signal,
      onProgress: (done) => progress.passing(`Cleaning pictures: ${done}`),
    });
    progress.remarks(remarks, 5);
    const kept = accounts.filter(({ reason }) => reason === "").length;
    progress.line(`${kept} pictures of ${folder} are the data set`);
  } catch (error) {
    throw new CommandError(`--images: ${(error as Error).message}`);
  } finally {
    paths.dataset = dataset;
  }
}

/** Where the demo has what lies here in the reader's data folder. */
function inDemo(path: string): string {
  return join(demo.data, relative(paths.data, path));
}

/** Lets the reader's notebooks start from what the demo made. */
async function shareData(): Promise<void> {
  if (existsSync(paths.dataset)) return;
  const { crawled, downloads, dataset, embeddings, results } = paths;
  const shared = [dirname(crawled), downloads, embeddings, results, dataset];
  for (const path of shared) {
    if (existsSync(path)) continue;
    await cp(inDemo(path), `${path}.part`, { recursive: true });
    await rename(`${path}.part`, path);
  }
}

function fromHere(path: string): string {
  return relative(process.cwd(), path);
}

/** Makes the browsable copy of the executed notebooks. */
function makeHtml(signal: AbortSignal): Promise<void> {
  const script = join(paths.root, "tasks", "to_html.py");
  const args = [script, demo.notebooks, demo.html];
  const options = { signal, env: jupyterEnvironment };
  return runOrFail("to_html.py", venvPython, args, options);
}

/** What the notebooks wrote down about each method, beside the best of pixels. */
async function resultsTable(): Promise<string> {
  const text = await readFile(inDemo(paths.results), "utf8");
  const { rows }: { rows: Result[] } = JSON.parse(text);
  const best = rows.filter(({ method }) => method.startsWith("pixels"))
    .toSorted((a, b) => b.meanAveragePrecision - a.meanAveragePrecision)[0];
  return `${scoreTable(rows, { against: best.method })}`;
}
