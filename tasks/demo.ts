/**
 * `task demo`: every notebook in order on the bundled sample, offline.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import process from "node:process";
import { scoreTable } from "../lib/display/table.ts";
import { paths } from "../lib/paths.ts";
import { runOrFail } from "./child.ts";
import { runCommand } from "./command.ts";
import { demo, executeNotebooks } from "./execute.ts";
import { jupyterEnvironment } from "./kernel.ts";
import { progressOn } from "./progress.ts";
import { venvPython } from "./python.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task demo [--json]

Runs all notebooks in order on the bundled sample, without a network, after
installing what is missing. Prints what was found and where the executed
notebooks and a browsable copy lie. Ends with a status other than 0 if a cell
fails. Writes below data/demo/, which it empties first.

  --json  progress on standard error, and a last line of JSON:
          {"notebooks": 8, "cells": 140, "errors": 0, "images": 60,
           "seconds": 131.2, "encoder": "offline"}`;

await runCommand({
  help,
  options: { json: { type: "boolean" } },
}, async ({ values: { json }, signal }) => {
  await ensureSetup(signal);
  const progress = progressOn(json ? process.stderr : process.stdout);
  const run = await executeNotebooks(progress, signal);
  const { notebooks, cells, images, seconds, errors } = run;
  progress.line("");
  if (errors.length === 0) {
    await makeHtml(signal);
    progress.line(`${await resultsTable()}\n`);
  }
  progress.line(
    `${notebooks} notebooks, ${cells} cells, ${images} pictures, ${seconds} s`,
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

/** What the notebooks wrote down about each method. */
async function resultsTable(): Promise<string> {
  const path = join(demo.data, relative(paths.data, paths.results));
  const rows = await readFile(path, "utf8").catch(() => "[]");
  return `${scoreTable(JSON.parse(rows))}`;
}
