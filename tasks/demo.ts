/**
 * `task demo`: every notebook in order on the bundled sample, offline.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { paths } from "../lib/paths.ts";
import type { Result } from "../lib/evaluate/results.ts";
import { runChild } from "./child.ts";
import { CommandError, readArguments, runCommand } from "./command.ts";
import { demo, executeNotebooks } from "./execute.ts";
import { jupyterEnvironment } from "./kernel.ts";
import { progressOn } from "./progress.ts";
import { venvPython } from "./python.ts";
import { ensureSetup } from "./setup.ts";

const HELP = `Usage: deno task demo [--json]

Runs all notebooks in order on the bundled sample, without a network, after
installing what is missing. Prints what was found and where the executed
notebooks and a browsable copy lie. Ends with a status other than 0 if a cell
fails. Writes below data/demo/, which it empties first.

  --json  progress on standard error, and a last line of JSON:
          {"notebooks": 8, "cells": 140, "errors": 0, "images": 60,
           "seconds": 131.2, "encoder": "offline"}`;

if (import.meta.main) {
  await runCommand(async (signal) => {
    const { values: { json } } = readArguments({
      name: "demo",
      help: HELP,
      options: { json: { type: "boolean", default: false } },
    });
    await ensureSetup(signal);
    const { line, passing } = progressOn(
      json ? process.stderr : process.stdout,
    );
    const run = await executeNotebooks({ line, passing }, signal);
    const { notebooks, cells, images, seconds } = run;
    line("");
    if (run.errors.length === 0) {
      await makeHtml(signal);
      line(await resultsTable());
    }
    line(
      `${notebooks} notebooks, ${cells} cells, ${images} pictures, ${seconds} s`,
    );
    line(`Executed notebooks: ${relative(process.cwd(), demo.notebooks)}`);
    if (run.errors.length === 0) {
      line(`To browse: ${relative(process.cwd(), demo.html)}/index.html`);
    }
    for (const error of run.errors) console.error(`\nFailed: ${error}`);
    if (json) {
      console.log(JSON.stringify({
        ...run,
        errors: run.errors.length,
        encoder: demo.encoder,
      }));
    }
    return run.errors.length === 0 ? 0 : 1;
  });
}

/** Makes the browsable copy of the executed notebooks. */
async function makeHtml(signal: AbortSignal): Promise<void> {
  const script = fileURLToPath(new URL("to_html.py", import.meta.url));
  const { code, output } = await runChild(
    venvPython,
    [script, demo.notebooks, demo.html],
    { signal, env: jupyterEnvironment },
  );
  if (code !== 0) throw new CommandError(`to_html.py failed:\n${output}`);
}

/** What the notebooks wrote down about each method, as a table of text. */
async function resultsTable(): Promise<string> {
  const path = join(demo.data, relative(paths.data, paths.results));
  if (!existsSync(path)) return "";
  const rows: Result[] = JSON.parse(await readFile(path, "utf8"));
  const table = [
    ["method", "top-1", "precision@5", "mAP"],
    ...rows.map(({ method, top1, precisionAt5, meanAveragePrecision }) => [
      method,
      ...[top1, precisionAt5, meanAveragePrecision].map((x) => x.toFixed(3)),
    ]),
  ];
  const widths = table[0].map((_, column) =>
    Math.max(...table.map((row) => row[column].length))
  );
  return table.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])
    ).join("  ") + "\n"
  ).join("");
}
