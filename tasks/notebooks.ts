/**
 * `task notebooks`: executes the notebooks in place, as they are committed.
 *
 * @module
 */
import { copyFile } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import { readNotebook } from "./check_notebooks.ts";
import { runOrFail } from "./child.ts";
import { defineCommand, runCommand } from "./command.ts";
import { demo, executeNotebooks, listNotebooks } from "./execute.ts";
import { progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task notebooks [--check]

Formats the notebooks' cells, runs all in order on the bundled sample with the
offline encoder, and writes their outputs into notebooks/, none if a cell fails.
The only way to change committed outputs.

  --check  writes nothing, and names each cell whose output differs from the
           one in notebooks/; cells tagged "timing" may differ`;

export const command = defineCommand({
  help,
  options: { check: { type: "boolean" } },
}, async ({ values: { check }, signal }) => {
  await ensureSetup(signal);
  const paths = await listNotebooks();
  if (!check) {
    // Without deno.json, which keeps `deno fmt` away from notebooks.
    const format = ["fmt", "--no-config", "--quiet", ...paths];
    await runOrFail("deno fmt", Deno.execPath(), format);
  }
  const run = await executeNotebooks(progressOn(process.stdout), signal);
  if (run.errors.length > 0) {
    console.error(`\nFailed: ${run.errors.join("\n")}`);
    return 1;
  }
  if (!check) {
    for (const path of paths) await copyFile(executed(path), path);
    console.log(`${paths.length} notebooks written in ${run.seconds} s.`);
    return 0;
  }
  const differing = (await Promise.all(paths.map(differences))).flat();
  for (const cell of differing) console.log(`Output differs: ${cell}`);
  console.log(`${differing.length} outputs differ.`);
  return differing.length === 0 ? 0 : 1;
});

/** Where the executed copy of a notebook lies. */
function executed(path: string): string {
  return join(demo.notebooks, basename(path));
}

/** The cells whose outputs are not as committed, those about time left out. */
async function differences(path: string): Promise<string[]> {
  const committed = await readNotebook(path);
  const { cells } = await readNotebook(executed(path));
  return committed.cells
    .filter(({ metadata, outputs }, index) =>
      !metadata.tags?.includes("timing") &&
      !isDeepStrictEqual(outputs, cells[index].outputs)
    )
    .map(({ id }) => `${committed.name}, cell ${id}`);
}

if (import.meta.main) await runCommand(command);
