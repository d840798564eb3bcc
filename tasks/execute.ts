/**
 * Executes notebooks through execute.py, on a data folder emptied for them.
 *
 * Everything goes below `data/demo/`: `data/` is the notebooks' data folder,
 * `notebooks/` holds them executed, `html/` a copy to browse. The encoder is the offline one, so that no
 * run waits for a model hub or depends on what is cached.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { paths } from "../lib/paths.ts";
import { runChild } from "./child.ts";
import { CommandError } from "./command.ts";
import { jupyterEnvironment } from "./kernel.ts";
import { takeLock } from "./lock.ts";
import type { Progress } from "./progress.ts";
import { venvPython } from "./python.ts";

/** Where `executeNotebooks` works. */
export const demo = {
  folder: join(paths.root, "data", "demo"),
  data: join(paths.root, "data", "demo", "data"),
  notebooks: join(paths.root, "data", "demo", "notebooks"),
  html: join(paths.root, "data", "demo", "html"),
  encoder: "offline",
};

/** Where the notebooks lie. */
export const notebooksFolder: string = join(paths.root, "notebooks");

/** How a run of all notebooks went. */
export interface Execution {
  notebooks: number;
  /** Code cells that ran, the failed one included. */
  cells: number;
  /** Notebook, cell and message of what failed; the run ends at the first. */
  errors: string[];
  /** Pictures in the data set that the notebooks made. */
  images: number;
  seconds: number;
}

/** The notebooks' paths in the order of their numbers. */
export async function listNotebooks(): Promise<string[]> {
  const names = await readdir(notebooksFolder);
  return names.filter((name) => name.endsWith(".ipynb")).toSorted()
    .map((name) => join(notebooksFolder, name));
}

/**
 * Executes all notebooks in order.
 *
 * @param progress Gets a line a notebook, and the cell that runs.
 * @throws {CommandError} If the runner itself fails: quotes it.
 */
export async function executeNotebooks(
  progress: Progress,
  signal?: AbortSignal,
): Promise<Execution> {
  const sources = await listNotebooks();
  using _lock = await takeLock("A run of all notebooks");
  await rm(demo.folder, { recursive: true, force: true });
  await mkdir(demo.data, { recursive: true });

  const start = performance.now();
  const errors: string[] = [];
  let notebook = { name: "", cells: 0 };
  let cells = 0;
  const { code, output } = await runChild(venvPython, [
    fileURLToPath(new URL("execute.py", import.meta.url)),
    demo.notebooks,
    ...sources,
  ], {
    signal,
    env: {
      ...jupyterEnvironment,
      CONTACT_SHEET_DATA: demo.data,
      CONTACT_SHEET_ENCODER: demo.encoder,
    },
    onLine(line, stream) {
      if (stream === "stderr") return;
      const event: Event = JSON.parse(line);
      if (event.event === "notebook") {
        notebook = event;
      } else if (event.event === "cell") {
        cells++;
        progress.passing(
          `${notebook.name}  ${event.number}/${notebook.cells}  ${event.cell}`,
        );
      } else if (event.event === "error") {
        errors.push(`${notebook.name}, cell ${event.cell}: ${event.error}`);
      } else {
        progress.line(
          `${notebook.name}: ${notebook.cells} cells in ${event.seconds} s`,
        );
      }
    },
  });
  if (code !== 0 && errors.length === 0) {
    throw new CommandError(`execute.py ended at ${notebook.name}:\n${output}`);
  }
  return {
    notebooks: sources.length,
    cells,
    errors,
    images: await countImages(),
    seconds: Math.round((performance.now() - start) / 100) / 10,
  };
}

/** What execute.py prints. */
type Event =
  | { event: "notebook"; name: string; cells: number }
  | { event: "cell"; cell: string; number: number }
  | { event: "error"; cell: string; error: string }
  | { event: "written"; seconds: number };

async function countImages(): Promise<number> {
  const list = join(demo.data, "2_dataset", "filename.txt");
  if (!existsSync(list)) return 0;
  return (await readFile(list, "utf8")).trim().split("\n").length;
}
