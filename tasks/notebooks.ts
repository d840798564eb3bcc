/**
 * `task notebooks`: executes the notebooks in place, as they are committed.
 *
 * @module
 */
import { copyFile } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { readArguments, runCommand } from "./command.ts";
import { demo, executeNotebooks, listNotebooks } from "./execute.ts";
import { progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";

const HELP = `Usage: deno task notebooks

Runs all notebooks in order on the bundled sample with the offline encoder, and
writes their outputs into notebooks/. If a cell fails, notebooks/ stays as it
was. The only way to change committed outputs.`;

if (import.meta.main) {
  await runCommand(async (signal) => {
    readArguments({ name: "notebooks", help: HELP, options: {} });
    await ensureSetup(signal);
    const run = await executeNotebooks(progressOn(process.stdout), signal);
    if (run.errors.length > 0) {
      console.error(`\nFailed: ${run.errors.join("\n")}`);
      return 1;
    }
    for (const path of await listNotebooks()) {
      await copyFile(join(demo.notebooks, basename(path)), path);
    }
    console.log(`${run.notebooks} notebooks written in ${run.seconds} s.`);
  });
}
