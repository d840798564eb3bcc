/**
 * Executes notebooks through execute.py, on a data folder emptied for them.
 *
 * Everything goes below `data/demo/`: `data/` is the notebooks' data folder,
 * `notebooks/` holds them executed, `html/` a copy to browse. The encoder is the
 * offline one, so that no run waits for a model hub or depends on what is cached.
 *
 * @module
 */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { paths } from "../lib/paths.ts";
import { runChild } from "./child.ts";
import { CommandError } from "./command.ts";
import { jupyterEnvironment } from "./kernel.ts";
import { takeLock } from "./lock.ts";
import type { Progress } from "./progress.ts";
import { venvPython } from "./python.ts";

const folder = join(paths.root, "data", "demo");

/** Where `executeNotebooks` works, and with which encoder. */
export const demo = {
  data: join(folder, "data"),
  notebooks: join(folder, "notebooks"),
  html: join(folder, "html"),
  encoder: "offline",
};

/** Where the demo has what lies here in the reader's data folder. */
export function inDemo(path: string): string {
  return join(demo.data, relative(paths.data, path));
}

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

/** The notebooks' paths in the order of their numbers, then the appendices. */
export async function listNotebooks(): Promise<string[]> {
  const names = await readdir(notebooksFolder);
  return names.filter((name) => name.endsWith(".ipynb")).toSorted()
    .map((name) => join(notebooksFolder, name));
}

/** What execute.py prints, a line each. */
type Event =
  | { event: "notebook"; name: string; cells: number }
  | { event: "cell"; cell: string; number: number }
  | { event: "error"; cell: string; error: string }
  | { event: "written"; seconds: number };

/** How to run them otherwise. */
export interface ExecutionOptions {
  /** Which notebooks, by name; all if left out. */
  wanted?: (name: string) => boolean;
  /** Code by notebook and cell, run behind that cell: see execute.py. */
  insert?: Record<string, Record<string, string>>;
  /** Fills the emptied data folder before the first notebook. */
  prepare?: () => Promise<void>;
}

/**
 * Executes notebooks in order.
 *
 * @param progress Gets a line a notebook, and the cell that runs.
 * @throws {CommandError} If the runner itself fails: quotes it.
 */
export async function executeNotebooks(
  { line, passing }: Progress,
  signal?: AbortSignal,
  { wanted = () => true, insert = {}, prepare }: ExecutionOptions = {},
): Promise<Execution> {
  const sources = (await listNotebooks()).filter((path) =>
    wanted(basename(path, ".ipynb"))
  );
  using _lock = await takeLock("A run of all notebooks");
  await rm(folder, { recursive: true, force: true });
  await mkdir(demo.data, { recursive: true });
  await prepare?.();

  const start = performance.now();
  const errors: string[] = [];
  let name = "", total = 0, cells = 0;
  const script = join(paths.root, "tasks", "execute.py");
  const args = [script, demo.notebooks, JSON.stringify(insert), ...sources];
  const { code, output } = await runChild(venvPython, args, {
    signal,
    env: {
      ...jupyterEnvironment,
      CONTACT_SHEET_DATA: demo.data,
      CONTACT_SHEET_ENCODER: demo.encoder,
    },
    onLine(text, stream) {
      if (stream === "stderr") return;
      const event: Event = JSON.parse(text);
      if (event.event === "notebook") {
        [name, total] = [event.name, event.cells];
      } else if (event.event === "cell") {
        cells++;
        passing(`${name}  ${event.number}/${total}  ${event.cell}`);
      } else if (event.event === "error") {
        errors.push(`${name}, cell ${event.cell}: ${event.error}`);
      } else {
        line(`${name}: ${total} cells in ${event.seconds} s`);
      }
    },
  });
  if (code !== 0 && errors.length === 0) {
    throw new CommandError(`execute.py ended at ${name}:\n${output}`);
  }
  const list = join(demo.data, "2_dataset", "filename.txt");
  const images = await readFile(list, "utf8").catch(() => "");
  return {
    notebooks: sources.length,
    cells,
    errors,
    images: images.match(/.+/g)?.length ?? 0,
    seconds: Math.round((performance.now() - start) / 100) / 10,
  };
}
