/**
 * A file of JSON Lines that is only added to, and that several processes can
 * share: each adds whole lines, and a line that a crash has cut short is passed
 * over.
 *
 * ```ts
 * import { Journal } from "#lib/embeddings/journal.ts";
 * import { deepEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const journal = new Journal<{ id: number }>(`${await mkdtemp("/tmp/journal-")}/a.jsonl`);
 * journal.add({ id: 1 });
 * await journal.save();
 * deepEqual(await journal.read(), [{ id: 1 }]);
 * ```
 *
 * @module
 */
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseLines } from "../files.ts";

/** Rows of a file that grows. */
export class Journal<Row> {
  readonly #path: string;
  #unsaved: string[] = [];

  /** @param path Where it lies; it need not be there yet. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The rows that are there, in their order; whoever uses them takes the last. */
  async read(): Promise<Row[]> {
    const text = await readFile(this.#path, "utf8").catch(() => "");
    const lines = text.split("\n").filter((line) => line !== "");
    return parseLines<Row>(lines) ??
      lines.flatMap((line) => parseLines<Row>([line]) ?? []);
  }

  /** Adds a row; it is on disk after the next `save()`. */
  add(row: Row): void {
    this.#unsaved.push(JSON.stringify(row));
  }

  /** Writes what was added since the last time. */
  async save(): Promise<void> {
    const lines = this.#unsaved.splice(0);
    if (lines.length === 0) return;
    await mkdir(dirname(this.#path), { recursive: true });
    // Begins a line of its own, whatever a crash has left there.
    await appendFile(this.#path, `\n${lines.join("\n")}\n`);
  }
}
