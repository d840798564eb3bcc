/**
 * `task demo`: every notebook in order, offline, on the bundled sample, on other
 * terms of it, or on a folder of pictures.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { cp, readFile, rename } from "node:fs/promises";
import { dirname, relative } from "node:path";
import process from "node:process";
import { scoreTable } from "../lib/display/table.ts";
import type { Result } from "../lib/evaluate/results.ts";
import { paths } from "../lib/paths.ts";
import { makeBook } from "./book.ts";
import { defineCommand, runCommand } from "./command.ts";
import { demo, executeNotebooks, inDemo } from "./execute.ts";
import { ownData } from "./own_data.ts";
import { progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task demo [--plan FILE | --images DIR] [--json]

Runs all notebooks in order on the bundled sample, without a network, after
installing what is missing. Prints what was found and where the executed
notebooks and a browsable copy lie. Ends with a status other than 0 if a cell
fails. Writes into data/demo/ of the project, which it empties first. The first
run's data set and embeddings are put into the data folder as well, if it has
none, so that each notebook can be opened and run by itself.

  --plan FILE   searches the practice site for these terms, JSON by category:
                {"food": ["fruit", "vegetable"], "space": ["planet"]}
  --images DIR  runs on a folder of yours, from notebook 3 on: the class of a
                picture is the folder that it lies in. A split into DIR/train/
                and DIR/test/ is kept
  --json        progress on standard error, and a last line of JSON:
                {"notebooks": 9, "cells": 426, "errors": 0, "images": 60,
                 "seconds": 131.2, "encoder": "offline"}`;

export const command = defineCommand({
  help,
  options: {
    plan: { type: "string" },
    images: { type: "string" },
    json: { type: "boolean" },
  },
}, async ({ values: { plan, images, json }, signal }) => {
  const progress = progressOn(json ? process.stderr : process.stdout);
  const options = await ownData(plan, images, progress, signal);
  await ensureSetup(signal);
  const run = await executeNotebooks(progress, signal, options);
  const { notebooks, cells, images: pictures, seconds, errors } = run;
  progress.line("");
  if (errors.length === 0) {
    await makeBook(demo.notebooks, demo.html, signal);
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

/** What the notebooks wrote down about each method, beside the best of pixels. */
async function resultsTable(): Promise<string> {
  const text = await readFile(inDemo(paths.results), "utf8");
  const { rows }: { rows: Result[] } = JSON.parse(text);
  const best = rows.filter(({ method }) => method.startsWith("pixels"))
    .toSorted((a, b) => b.meanAveragePrecision - a.meanAveragePrecision)[0];
  return `${scoreTable(rows, { against: best.method })}`;
}

if (import.meta.main) await runCommand(command);
