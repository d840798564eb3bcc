/**
 * Lists of addresses with what is known about the pictures, as data sets of the
 * web come: CSV, TSV, JSON Lines, or an address a line; also compressed (.gz).
 *
 * | lists of | columns |
 * | --- | --- |
 * | img2dataset | `url`, `caption` |
 * | LAION | `URL`, `TEXT`, `WIDTH`, `HEIGHT`, `LICENSE`, … |
 * | COYO | `url`, `text`, `width`, `height`, … |
 * | CC3M, CC12M | caption and address, or the other way round, without a header |
 * | classes | `url` and `class`, `label` or `term`; `category` as well |
 *
 * columns.ts has all names of columns. A list may have any length: rows are read
 * while the ones before are used. All of it is text from outside.
 *
 * ```ts
 * import { readList } from "#lib/dataset/lists.ts";
 * import { writeFileSync } from "node:fs";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * writeFileSync("/tmp/owls.csv", 'URL,TEXT\nhttps://example.org/1.jpg,"An owl, white"\n');
 * const [owl] = await Array.fromAsync(readList("/tmp/owls.csv"));
 * deepStrictEqual([owl.caption, owl.term], ["An owl, white", "owls"]);
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { basename } from "node:path";
import { parse } from "csv-parse/sync";
import { licenceName } from "../crawl/licences.ts";
import { isRegularFile } from "../files.ts";
import { webAddress } from "../http/http.ts";
import type { FoundPicture } from "../records.ts";
import { delimiterOf, type Field, type Places, placesOf } from "./columns.ts";
import {
  type Block,
  countLines,
  LONGEST_LINE,
  type OnBadLine,
  wholeLines,
} from "./whole_lines.ts";

/** How to read a list. */
export interface ListOptions {
  /** Told of each row that is left out: the line where it ends, and why. */
  onBadLine?: OnBadLine;
}

/** Files that `readList` reads. */
const LIST_NAME = /\.(csv|tsv|tab|jsonl|ndjson|txt)(\.gz)?$/i;

/** A row of a list. */
interface Row {
  cells: unknown[];
  /** Where in the file it ends. */
  line: number;
}

/** A row as csv-parse gives it, with what has been read up to its end. */
interface ParsedRow {
  record: string[];
  info: { lines: number; bytes: number };
}

/** Longest text that is kept of a cell, in characters. */
const LONGEST_TEXT = 5000;

/** After so many lines a quote is not one that merely spans lines. */
const MOST_QUOTED_LINES = 1000;

/** Whether a file is called as lists are. */
export function isListName(path: string): boolean {
  return LIST_NAME.test(path);
}

/**
 * Reads a list. Where no column names a class, all pictures are of one, which is
 * called as the file is.
 *
 * @throws {Error} If there is no such file, it is empty or no text, or no column
 *   holds addresses: names the columns found.
 */
export async function* readList(
  path: string,
  { onBadLine = () => {} }: ListOptions = {},
): AsyncGenerator<FoundPicture> {
  if (!isRegularFile(path)) throw new Error(`${path} is not there, or no file`);
  if (!isListName(path)) {
    throw new Error(
      `${path}: expected a list called .csv, .tsv, .jsonl or .txt, or one of ` +
        "these with .gz",
    );
  }
  const name = basename(path).replace(LIST_NAME, "");
  const read = /\.(jsonl|ndjson)(\.gz)?$/i.test(path) ? readJson : readCells;
  try {
    for await (const { places, row } of read(path, onBadLine)) {
      try {
        yield toPicture(places, row.cells, name);
      } catch (error) {
        onBadLine(row.line, (error as Error).message);
      }
    }
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** A row as a record. @throws {Error} If it has no address of the web. */
function toPicture(
  places: Places,
  cells: readonly unknown[],
  listName: string,
): FoundPicture {
  const text = (field: Field) => asText(cells[places[field] ?? -1]);
  const pixels = (field: Field) => {
    const number = Math.round(Number(text(field)));
    return number > 0 && number < 1e6 ? { [field]: number } : {};
  };
  const { href: url } = webAddress(text("url"));
  const license = text("license");
  return {
    category: text("category") || listName,
    term: text("term") || listName,
    ...{ url, page: text("page"), caption: text("caption") },
    author: text("author"),
    // What LAION and pandas write where there is none.
    license: /^(\?|nan|none|null|unknown)$/i.test(license)
      ? ""
      : licenceName(license),
    ...pixels("width"),
    ...pixels("height"),
  };
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : `${value}`;
  return text.trim().slice(0, LONGEST_TEXT).toWellFormed();
}

/** @throws {Error} If none holds addresses. */
function findUrls(columns: readonly string[]): Places {
  const places = placesOf(columns);
  if (places.url === undefined) {
    const shown = columns.slice(0, 20).map((name) => `"${shorten(name)}"`);
    throw new Error(
      "no column holds the pictures' addresses: expected one called url, " +
        `image_url, src or link, got ${shown.join(", ") || "no columns"}`,
    );
  }
  return places;
}

/** JSON Lines: each row has its own columns, the first one an address at least. */
async function* readJson(
  path: string,
  onBadLine: OnBadLine,
): AsyncGenerator<{ places: Places; row: Row }> {
  let isFirst = true;
  for await (const { bytes, line: first } of wholeLines(path, onBadLine)) {
    for (const [i, text] of bytes.toString().split("\n").entries()) {
      const line = first + i;
      if (text.trim() === "") continue;
      const record = parseRecord(text);
      if (!record) {
        onBadLine(line, `expected a record in JSON, got ${shorten(text)}`);
        continue;
      }
      let places: Places;
      try {
        places = findUrls(Object.keys(record));
      } catch (error) {
        if (isFirst) throw error;
        onBadLine(line, (error as Error).message);
        continue;
      }
      isFirst = false;
      yield { places, row: { cells: Object.values(record), line } };
    }
  }
}

function parseRecord(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && !Array.isArray(value)) {
      return value ?? undefined;
    }
  } catch { /* Whoever asked says it. */ }
}

/** CSV and the like: the first row names the columns, or is a picture itself. */
async function* readCells(
  path: string,
  onBadLine: OnBadLine,
): AsyncGenerator<{ places: Places; row: Row }> {
  const blocks = wholeLines(path, onBadLine);
  const { value: first } = await blocks.next();
  if (!first) return;
  const [start] = first.bytes.toString().trimStart().split("\n", 1);
  const isPlain = /\.txt(\.gz)?$/i.test(path);
  const delimiter = isPlain ? "\t" : delimiterOf(start);
  const names = start.split(delimiter);
  const hasHeader = !names.some(isAddress) && !(isPlain && names.length === 1);
  // Without a header, tabs separate what people wrote, quotes and all.
  const quote = hasHeader || delimiter !== "\t";
  let places: Places | undefined;
  let width = 0;
  const all = async function* () {
    yield first;
    yield* blocks;
  };
  for await (const row of rowsOf(all(), { delimiter, quote }, onBadLine)) {
    const isFirst = !places;
    if (isFirst) width = row.cells.length;
    places ??= hasHeader ? findUrls(row.cells) : guessPlaces(row.cells);
    if (isFirst && hasHeader) continue;
    if (row.cells.slice(width).every((cell) => asText(cell) === "")) {
      yield { places, row };
      continue;
    }
    // They may stand in other columns than their own.
    const got = `${width} cells, got ${row.cells.length}`;
    const sign = JSON.stringify(delimiter);
    onBadLine(row.line, `expected ${got}: quote what has ${sign} in it`);
  }
}

/** Of a row without a header: its address, and the first other text. */
function guessPlaces(cells: readonly string[]): Places {
  const url = Math.max(0, cells.findIndex(isAddress));
  const caption = cells.findIndex((cell, i) =>
    i !== url && /\p{L}/u.test(cell) && !isAddress(cell)
  );
  return caption < 0 ? { url } : { url, caption };
}

function isAddress(cell: string): boolean {
  return /^\s*"?https?:\/\//i.test(cell);
}

/** The rows of text in blocks. */
async function* rowsOf(
  blocks: AsyncIterable<Block>,
  { delimiter, quote }: { delimiter: string; quote: boolean },
  onBadLine: OnBadLine,
): AsyncGenerator<Row & { cells: string[] }> {
  let rest = Buffer.alloc(0);
  /** Number of the first line of `rest`. */
  let line = 1;

  /** Takes the rows that are whole, or all where nothing more comes. */
  function* take(isEnd: boolean): Generator<Row & { cells: string[] }> {
    while (rest.length > 0) {
      let isOpen = false;
      // Its types know no rows of lists with `info`.
      const rows = parse(rest, {
        ...{ delimiter, quote: quote && '"', record_delimiter: "\n" },
        ...{ relax_quotes: true, relax_column_count: true },
        ...{ skip_empty_lines: true, info: true },
        // With all this, a quote that is not closed is the only error.
        skip_records_with_error: true,
        on_skip() {
          isOpen = true;
        },
      }) as unknown as ParsedRow[];
      for (const { record, info } of rows) {
        yield { cells: record, line: line - 1 + info.lines };
      }
      drop(isOpen ? rows.at(-1)?.info.bytes ?? 0 : rest.length);
      if (!isOpen) return;
      const isLong = rest.length > LONGEST_LINE ||
        countLines(rest) > MOST_QUOTED_LINES;
      if (!isEnd && !isLong) return; // What comes may close it.
      onBadLine(line, "a quote is not closed");
      drop(rest.indexOf("\n") + 1);
    }
  }

  function drop(bytes: number): void {
    line += countLines(rest.subarray(0, bytes));
    rest = rest.subarray(bytes);
  }

  for await (const block of blocks) {
    if (rest.length === 0) line = block.line;
    rest = Buffer.concat([rest, block.bytes]);
    yield* take(false);
  }
  yield* take(true);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
