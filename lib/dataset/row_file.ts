/**
 * Rows that lie in a file, a line of JSON each: as many as there are, while
 * memory holds no more than where each begins.
 *
 * A row is in the file when `append` returns, so it outlives a killed run; a half
 * line at the end is cut off when the file is opened again.
 *
 * ```ts
 * import { RowFile } from "#lib/dataset/row_file.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 * import { mkdtempSync } from "node:fs";
 *
 * const path = `${mkdtempSync("/tmp/rows-")}/a.jsonl`;
 * const rows = RowFile.open<{ name: string }>(path);
 * rows.append({ name: "owl" });
 * rows.close();
 * deepStrictEqual(RowFile.open<{ name: string }>(path).read(0), { name: "owl" });
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** Rows in a file, numbered from 0 in the order in which they came. */
export class RowFile<Row> {
  readonly #file: number;
  /** Where each row begins, and the end of the last one. */
  readonly #starts = [0];
  #line = Buffer.alloc(1024);

  private constructor(file: number) {
    this.#file = file;
  }

  /** Opens a file with the rows that it has; missing folders are made. */
  static open<Row>(path: string): RowFile<Row> {
    mkdirSync(dirname(path), { recursive: true });
    // For reading and appending, and made where it is not.
    const rows = new RowFile<Row>(openSync(path, "a+"));
    rows.#findRows();
    return rows;
  }

  /** How many there are. */
  get count(): number {
    return this.#starts.length - 1;
  }

  /** Adds a row; returns its number. */
  append(row: Row): number {
    const line = Buffer.from(JSON.stringify(row) + "\n");
    for (let done = 0; done < line.length;) {
      done += writeSync(this.#file, line, done);
    }
    return this.#starts.push(this.#starts.at(-1)! + line.length) - 2;
  }

  /** The row of a number. */
  read(number: number): Row {
    const start = this.#starts[number];
    const length = this.#starts[number + 1] - start;
    // One buffer for all: of many, memory would be given back too late.
    if (length > this.#line.length) this.#line = Buffer.alloc(2 * length);
    readSync(this.#file, this.#line, 0, length, start);
    return JSON.parse(this.#line.toString("utf8", 0, length));
  }

  /** Forgets all rows. */
  clear(): void {
    ftruncateSync(this.#file, 0);
    this.#starts.length = 1;
  }

  /** Closes the file, which stays. */
  close(): void {
    closeSync(this.#file);
  }

  #findRows(): void {
    const block = Buffer.alloc(65_536);
    for (let at = 0;;) {
      const length = readSync(this.#file, block, 0, block.length, at);
      if (length === 0) break;
      const part = block.subarray(0, length);
      for (let i = part.indexOf(10); i >= 0; i = part.indexOf(10, i + 1)) {
        this.#starts.push(at + i + 1);
      }
      at += length;
    }
    ftruncateSync(this.#file, this.#starts.at(-1)!);
  }
}
