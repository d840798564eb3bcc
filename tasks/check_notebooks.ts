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
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { paths } from "../lib/paths.ts";

/** The largest notebook file, in bytes. */
const SIZE_LIMIT = 300_000;
/** The longest code cell, in lines. */
const CELL_LINES = 25;

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
 * keeps it away from them; so a copy is formatted here.
 */
export async function formatFaults(notebook: Notebook): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "format-"));
  const path = join(folder, `${notebook.name}.ipynb`);
  try {
    await writeFile(path, notebook.text);
    deno("fmt", ["--quiet", path]);
    const formatted = await readNotebook(path);
    return notebook.cells
      .filter(({ source }, index) =>
        source.join("") !== formatted.cells[index].source.join("")
      )
      .map(({ id }) => `${notebook.name}, cell ${id}: not formatted`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What `deno check` says about the notebooks' cells; empty if nothing. */
export async function typeFaults(notebooks: Notebook[]): Promise<string[]> {
  const parent = join(paths.root, ".cells");
  await mkdir(parent, { recursive: true });
  // Inside the project, so that its import map holds.
  const folder = await mkdtemp(join(parent, "check-"));
  try {
    const modules = notebooks.map((notebook) => joinCells(notebook, folder));
    for (const { path, text } of modules) await writeFile(path, text);
    const { status, stderr } = deno("check", modules.map(({ path }) => path));
    const faults = stderr.split(/^(?=TS\d+ \[ERROR\])/m)
      .filter((block) => block.startsWith("TS"))
      .map((block) => {
        const [, url, line] = block.match(/at (file:\S+):(\d+):\d+/) ?? [];
        const module = modules.find(({ path }) =>
          pathToFileURL(path).href === url
        );
        const [message] = block.split("\n");
        return module ? module.locate(Number(line), message) : block;
      });
    return status === 0 || faults.length > 0 ? faults : [stderr];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What `deno lint` says about the notebook's cells; empty if nothing. */
export function lintFaults(notebook: Notebook): string[] {
  const { text, locate } = joinCells(notebook, "");
  const { stdout } = deno("lint", ["--json", "-"], text);
  const { diagnostics, errors } = JSON.parse(stdout);
  return [
    ...diagnostics.map((
      { range, message, code }: {
        range: { start: { line: number } };
        message: string;
        code: string;
      },
    ) => locate(range.start.line, `${message} (${code})`)),
    ...errors.map(({ message }: { message: string }) =>
      `${notebook.name}: ${message}`
    ),
  ];
}

/** A notebook's code cells as one module. */
interface CellModule {
  path: string;
  text: string;
  /** Words a fault, given the module's line counted from 1. */
  locate(line: number, message: string): string;
}

function joinCells({ name, cells }: Notebook, folder: string): CellModule {
  const codes = cells.filter(({ cell_type }) => cell_type === "code");
  const lines = codes.flatMap(({ id, source }) =>
    source.join("").split("\n").map((text, index) => ({ id, index, text }))
  );
  // Makes a module of it even where no cell imports anything.
  const text = [...lines.map(({ text }) => text), "export {};", ""].join("\n");
  return {
    path: join(folder, `${name}.ts`),
    text,
    locate(line, message) {
      const { id, index } = lines[line - 1];
      return `${name}, cell ${id}, line ${index + 1}: ${message}`;
    },
  };
}

function deno(command: string, args: string[], input?: string) {
  return spawnSync(Deno.execPath(), [command, ...args], {
    cwd: paths.root,
    encoding: "utf8",
    input,
    env: { ...Deno.env.toObject(), NO_COLOR: "1", RUST_BACKTRACE: "0" },
  });
}
