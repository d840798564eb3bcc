/**
 * What holds for every committed notebook: its cells are sound TypeScript, its
 * shape is as CONTRIBUTING.md says, and its outputs come from a whole run.
 *
 * Deno neither checks nor lints notebooks, so a notebook's code cells are put
 * together to one module and that is checked. A fault reads
 * "3_traditional_metrics, cell l1-by-hand, line 2: …".
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { paths } from "../lib/paths.ts";

/** The largest notebook file, in bytes. */
const SIZE_LIMIT = 300_000;
/** The longest code cell, in lines. */
const CELL_LINES = 25;
/** The median of code cells' lengths; exercises do not count. */
const MEDIAN_LINES = 8;
/** What every notebook has: a watch over errors, and checked exercises. */
const EXPECTED_CELLS = [
  ...["before", "watch", "exercise-1", "exercise-2", "exercise-3", "report"],
];

/** A cell, as nbformat 4.5 writes it. */
export interface Cell {
  cell_type: "code" | "markdown" | "raw";
  id: string;
  metadata: { tags?: string[]; [stray: string]: unknown };
  source: string[];
  /** Of code cells only. */
  execution_count?: number | null;
  /** Of code cells only. */
  outputs?: { output_type: string }[];
}

/** A notebook and its file. */
export interface Notebook {
  /** The file's name without ".ipynb". */
  name: string;
  /** The file's content. */
  text: string;
  cells: Cell[];
  metadata: Record<string, unknown>;
}

/** Reads a notebook file. */
export async function readNotebook(path: string): Promise<Notebook> {
  const text = await readFile(path, "utf8");
  return { name: basename(path, ".ipynb"), text, ...JSON.parse(text) };
}

/** Faults of shape and outputs; empty if there are none. */
export function shapeFaults(notebook: Notebook): string[] {
  const { name, text, cells } = notebook;
  const faults: string[] = [];
  const seen = new Set<string>();
  let executed = 0;
  for (const [index, cell] of cells.entries()) {
    const fault = (problem: string) =>
      faults.push(`${name}, cell ${cell.id}: ${problem}`);
    if (seen.has(cell.id)) fault("id used twice");
    seen.add(cell.id);
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(cell.id)) {
      fault("expected an id of lower-case words joined by -");
    }
    for (const key of Object.keys(cell.metadata)) {
      if (key !== "tags") fault(`stray metadata ${key}`);
    }
    if (cell.cell_type !== "code") continue;
    if (cells[index - 1]?.cell_type === "code") {
      fault("follows a code cell without prose between");
    }
    if (cell.source.length > CELL_LINES) {
      fault(`${cell.source.length} lines, at most ${CELL_LINES} are allowed`);
    }
    if (cell.execution_count !== ++executed) {
      fault(
        `execution count ${cell.execution_count}, expected ${executed}: run deno task notebooks`,
      );
    }
    for (const { output_type } of cell.outputs ?? []) {
      if (output_type === "error") fault("its output is an error");
    }
  }

  for (const id of EXPECTED_CELLS) {
    if (!seen.has(id)) faults.push(`${name}: expected a cell ${id}`);
  }
  const median = medianLines(cells);
  if (median > MEDIAN_LINES) {
    faults.push(
      `${name}: half of its code cells have ${median} lines or more, ` +
        `expected ${MEDIAN_LINES} at most`,
    );
  }
  if (!cells[0]?.source[0]?.startsWith("# ")) {
    faults.push(`${name}: expected the first cell to begin with a title, "# "`);
  }
  for (const key of Object.keys(notebook.metadata)) {
    if (key !== "kernelspec" && key !== "language_info") {
      faults.push(`${name}: stray metadata ${key}`);
    }
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > SIZE_LIMIT) {
    faults.push(`${name}: ${bytes} bytes, at most ${SIZE_LIMIT} are allowed`);
  }
  const path = findMachinePath(text);
  if (path) faults.push(`${name}: holds a path of one machine, ${path}`);
  if (text.includes("\\u001b")) faults.push(`${name}: holds escape codes`);
  return faults;
}

/** The median of the code cells' lengths, the exercises' left out. */
function medianLines(cells: Notebook["cells"]): number {
  const lengths = cells
    .filter(({ cell_type, id }) =>
      cell_type === "code" && !id.startsWith("exercise-")
    )
    .map(({ source }) => source.length)
    .sort((a, b) => a - b);
  return lengths[lengths.length >> 1] ?? 0;
}

/** The first absolute path in `text` that names a person's or a machine's folder. */
export function findMachinePath(text: string): string | undefined {
  const folders = ["home", "root", "Users", "tmp", "var", "work", "mnt"];
  const path = new RegExp(`(?<![\\w.:/+])/(${folders.join("|")})/[\\w.-]+`);
  return text.includes(paths.root) ? paths.root : text.match(path)?.[0];
}

/**
 * The cells that are not as `deno fmt` writes them; empty if there are none.
 *
 * `deno fmt --check` finds fault with every notebook, for which reason deno.json
 * keeps it away from them; so copies are formatted here.
 */
export function formatFaults(notebooks: Notebook[]): Promise<string[]> {
  return inFolder(async (folder) => {
    const pathOf = ({ name }: Notebook) => join(folder, `${name}.ipynb`);
    for (const one of notebooks) await writeFile(pathOf(one), one.text);
    deno("fmt", "--no-config", "--quiet", ...notebooks.map(pathOf));
    const faults = notebooks.map(async (notebook) => {
      const formatted = await readNotebook(pathOf(notebook));
      return notebook.cells
        .filter(({ source }, index) =>
          source.join("") !== formatted.cells[index].source.join("")
        )
        .map(({ id }) => `${notebook.name}, cell ${id}: not formatted`);
    });
    return (await Promise.all(faults)).flat();
  });
}

/** What `deno check` says about the notebooks' cells; empty if nothing. */
export function typeFaults(notebooks: Notebook[]): Promise<string[]> {
  return moduleFaults(notebooks, ["check"], /^(?=TS\d+ \[ERROR\])/m);
}

/** What `deno lint` says about the notebooks' cells; empty if nothing. */
export function lintFaults(notebooks: Notebook[]): Promise<string[]> {
  return moduleFaults(notebooks, ["lint", "--compact"], /\n/);
}

/**
 * Writes each notebook's code cells as one module, and has Deno check these.
 *
 * @param between What stands between two faults that Deno tells.
 */
function moduleFaults(
  notebooks: Notebook[],
  command: string[],
  between: RegExp,
): Promise<string[]> {
  return inFolder(async (folder) => {
    // By a module's address, the cell and the line that its lines come from.
    const places = new Map<string, string[]>();
    for (const { name, cells } of notebooks) {
      const path = join(folder, `${name}.ts`);
      const codes = cells.filter(({ cell_type }) => cell_type === "code");
      const texts = codes.map(({ source }) => source.join(""));
      // The end makes a module of it even where no cell imports anything.
      await writeFile(path, [...texts, "export {};", ""].join("\n"));
      const lines = codes.flatMap(({ id }, cell) =>
        texts[cell].split("\n").map((_, line) =>
          `${name}, cell ${id}, line ${line + 1}`
        )
      );
      places.set(pathToFileURL(path).href, lines);
    }
    const { status, stderr } = deno(...command, folder);
    if (status === 0) return [];
    const faults = stderr.split(between).flatMap((fault) => {
      const at = fault.match(/(file:\S+\.ts)(?:: line |:)(\d+)/);
      const place = at && places.get(at[1])?.[Number(at[2]) - 1];
      const [message] = fault.replace(/^file:.* col \d+ - /, "").split("\n");
      return place ? [`${place}: ${message}`] : [];
    });
    return faults.length > 0 ? faults : [stderr];
  });
}

/** Works in a folder inside the project, so that its import map holds. */
async function inFolder(
  work: (folder: string) => Promise<string[]>,
): Promise<string[]> {
  const parent = join(paths.root, ".cells");
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, "check-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function deno(...args: string[]) {
  return spawnSync(Deno.execPath(), args, {
    cwd: paths.root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", RUST_BACKTRACE: "0" },
  });
}
