/**
 * A text file of any length, in blocks of whole lines: little of it is held at
 * once, and a line of the file is always in one block.
 *
 * ```text
 * .gz                     unpacked while it is read
 * UTF-8, or nearly so     as it is
 * UTF-16, Latin-1         becomes UTF-8
 * CR LF, or CR alone      becomes LF
 * ```
 *
 * ```ts
 * import { wholeLines } from "#lib/dataset/whole_lines.ts";
 * import { writeFileSync } from "node:fs";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * writeFileSync("/tmp/lines.txt", "one\r\ntwo\r\nthree");
 * const text = [];
 * for await (const { bytes } of wholeLines("/tmp/lines.txt", () => {})) {
 *   text.push(bytes.toString());
 * }
 * deepStrictEqual(text.join(""), "one\ntwo\nthree\n");
 * ```
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { formatOf } from "../pictures/formats.ts";

/** Some lines of a file. */
export interface Block {
  /** UTF-8; each line ends with LF. */
  bytes: Buffer;
  /** Number of the first one in the file, from 1. */
  line: number;
}

/** What is wrong with a line, by its number from 1. */
export type OnBadLine = (line: number, reason: string) => void;

/** Longest line that is read, in bytes. */
export const LONGEST_LINE = 5_000_000;

/** What is looked at to tell how the text is encoded. */
const SAMPLE_BYTES = 65_536;

const LF = 10, CR = 13;

/**
 * Reads a file block by block.
 *
 * @param onBadLine Told of lines that are too long, which are left out, and where
 *   a compressed file is damaged, from where nothing more comes.
 * @throws {Error} If it is empty or no text: says so.
 */
export async function* wholeLines(
  path: string,
  onBadLine: OnBadLine,
): AsyncGenerator<Block> {
  let line = 1;
  let rest = Buffer.alloc(0);
  /** Whether we are in a line that is left out. */
  let isSkipping = false;
  const onDamage = (reason: string) => onBadLine(line, reason);
  for await (const piece of inUtf8(unpacked(path, onDamage))) {
    rest = Buffer.concat([rest, piece]);
    if (isSkipping) {
      const end = rest.indexOf(LF) + 1;
      if (end > 0) line++;
      isSkipping = end === 0;
      rest = end > 0 ? rest.subarray(end) : Buffer.alloc(0);
    }
    const end = rest.lastIndexOf(LF) + 1;
    if (end > 0) {
      const bytes = rest.subarray(0, end);
      yield { bytes, line };
      line += countLines(bytes);
      rest = rest.subarray(end);
    }
    if (rest.length > LONGEST_LINE) {
      onBadLine(line, `longer than ${LONGEST_LINE} bytes`);
      isSkipping = true;
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0 && !isSkipping) {
    yield { bytes: Buffer.concat([rest, Buffer.of(LF)]), line };
  }
}

/** How many lines end in these bytes. */
export function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    count++;
  }
  return count;
}

/** The file's bytes; of a compressed one, what is in it. */
async function* unpacked(
  path: string,
  onDamage: (reason: string) => void,
): AsyncGenerator<Buffer> {
  const file = await open(path);
  const start = Buffer.alloc(2);
  try {
    await file.read(start, 0, 2, 0);
  } finally {
    await file.close();
  }
  const source = createReadStream(path);
  const isPacked = start[0] === 0x1f && start[1] === 0x8b;
  // Errors of either stream reach the loop.
  const stream = isPacked ? pipeline(source, createGunzip(), () => {}) : source;
  try {
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!code.startsWith("Z_")) throw error;
    onDamage("the file is cut off or damaged from here on");
  } finally {
    source.destroy();
  }
}

/** Any text as UTF-8 with LF, cut anywhere. */
async function* inUtf8(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | undefined;
  for await (const chunk of inPieces(chunks)) {
    if (!decoder) {
      refuseBytes(chunk);
      decoder = new TextDecoder(encodingOf(chunk));
    }
    const text = decoder.decode(chunk, { stream: true });
    yield Buffer.from(
      text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text,
    );
  }
  if (!decoder) throw new Error("is empty");
  yield Buffer.from(decoder.decode());
}

/** Chunks of at least SAMPLE_BYTES, but for the last; none ends with CR. */
async function* inPieces(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  let piece = Buffer.alloc(0);
  for await (const chunk of chunks) {
    piece = Buffer.concat([piece, chunk]);
    // What follows may be the LF that belongs to it.
    if (piece.length < SAMPLE_BYTES || piece.at(-1) === CR) continue;
    yield piece;
    piece = Buffer.alloc(0);
  }
  if (piece.length > 0) yield piece;
}

/** Throws for a file that is no text. */
function refuseBytes(start: Buffer): void {
  if (/^utf-16/.test(encodingOf(start)) || !start.includes(0)) return;
  const format = start.subarray(0, 4).toString() === "PAR1"
    ? "Parquet"
    : formatOf(start);
  throw new Error(
    `is no text${format ? ` but ${format}` : ""}: expected CSV, TSV, JSON ` +
      "Lines or an address a line",
  );
}

/** By the first bytes, as TextDecoder names it. */
function encodingOf(start: Buffer): string {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  if (isUtf8(start)) return "utf-8";
  // Of UTF-8 that is broken here and there, or cut at the end of these bytes,
  // some letters are whole.
  const isNearly = /[^\0-\x7f\ufffd]/.test(new TextDecoder().decode(start));
  const isCut = isUtf8(
    start.subarray(0, start.findLastIndex((byte) => byte < 0x80) + 1),
  );
  return isNearly || isCut ? "utf-8" : "windows-1252";
}
