/**
 * `task pictures`: the README's pictures, from real runs.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { paths } from "../lib/paths.ts";
import {
  CommandError,
  defineCommand,
  importLater,
  runCommand,
} from "./command.ts";
import { inDemo } from "./execute.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task pictures

Makes the README's pictures in docs/ anew with the offline encoder: the search
page over the sample, light and dark, and the hits of the query that is hardest
by pixels, by pixels and by embedding, from the data set of the last task demo.
Prints what they show, for the text beside them.`;

export const command = defineCommand({ help }, async ({ signal }) => {
  await ensureSetup(signal);
  for (const name of ["dataset", "embeddings"] as const) {
    paths[name] = inDemo(paths[name]);
  }
  if (!existsSync(paths.dataset)) {
    const missing = relative(paths.root, paths.dataset);
    throw new CommandError(`${missing} not found: run deno task demo first`);
  }
  const { makePictures } = await importLater<
    typeof import("./readme_pictures.ts")
  >("./readme_pictures.ts");
  for (const fact of await makePictures(join(paths.root, "docs"))) {
    console.log(fact);
  }
});

if (import.meta.main) await runCommand(command);
