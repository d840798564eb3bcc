/**
 * What `task demo`, and its `--plan` and `--images`, change in a run of the
 * notebooks.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { paths } from "../lib/paths.ts";
import { CommandError, importLater } from "./command.ts";
import { type ExecutionOptions, inDemo } from "./execute.ts";
import { readPlan } from "./plan.ts";
import type { Progress } from "./progress.ts";

/** Notebook 8 measures fewer vectors: a demo shows that all runs. */
const FEWER_VECTORS = { "8_scale": { largest: "const largest = 10_000;" } };

/** Notebook 7 takes the data set of the course in place of the sample. */
const OWN_PICTURES = { data: 'const dataset = "course";' };

/**
 * What other terms or pictures change in the run.
 *
 * @throws {CommandError} If both are given, or there is nothing to run on.
 */
export async function ownData(
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
      insert: {
        ...FEWER_VECTORS,
        "1_crawler": { plan: code },
        "7_caption_search": OWN_PICTURES,
      },
    };
  }
  if (images === undefined) return { insert: FEWER_VECTORS };
  if (!existsSync(images)) {
    throw new CommandError(`--images: ${images} not found`);
  }
  return {
    wanted: (name) => !/^[12]_/.test(name),
    insert: { ...FEWER_VECTORS, "7_caption_search": OWN_PICTURES },
    prepare: () => prepare(images, progress, signal),
  };
}

/** Makes the demo's data set of a folder, in place of notebooks 1 and 2. */
async function prepare(
  folder: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { prepareFolder } = await importLater<
    typeof import("../lib/dataset/from_folder.ts")
  >("../lib/dataset/from_folder.ts");
  const { dataset } = paths;
  paths.dataset = inDemo(dataset);
  try {
    const { counts, refused, remarks } = await prepareFolder(folder, {
      signal,
      onProgress: (done) => progress.passing(`Cleaning pictures: ${done}`),
    });
    const classes = refused.map(({ term, reason }) => `${term}: ${reason}`);
    progress.remarks([...remarks, ...classes], 5);
    if (counts.test === 0) {
      throw new Error(
        `${folder} leaves nothing to search with: expected a class of two ` +
          "pictures or more that can be read",
      );
    }
    const kept = counts.train + counts.test;
    progress.line(`${kept} pictures of ${folder} are the data set`);
  } catch (error) {
    throw new CommandError(`--images: ${(error as Error).message}`);
  } finally {
    paths.dataset = dataset;
  }
}
