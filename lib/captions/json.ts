/**
 * JSON as programs write it, which is more than the standard allows:
 *
 * | written by | what | read as |
 * | --- | --- | --- |
 * | Python's json, pandas | `NaN`, `Infinity`, `-Infinity` | these numbers |
 * | whoever has long ids | whole numbers beyond 2⁵³, which a double would round | their digits, as text |
 * | loggers, jq, data sets (.jsonl) | a record a line, or one behind the other | several values |
 *
 * What is no JSON is named with its place; a bad line among lines is left out.
 *
 * ```ts
 * import { parseJson } from "#lib/captions/json.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * deepEqual(parseJson('{"a": NaN}\n{"a": }\n{"a": 2}'), {
 *   values: [{ a: NaN }, { a: 2 }],
 *   problems: ['line 2 is no JSON: expected a value, got "}": left out'],
 * });
 * ```
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { readRegularFile } from "../files.ts";
import { formatOf } from "../pictures/formats.ts";

/** What a text holds, and what was left out or is odd, a line each. */
export interface JsonText {
  /** One, or as many as stand one behind the other. */
  values: unknown[];
  problems: string[];
}

/**
 * Reads a file of JSON.
 *
 * @throws {Error} If it holds no value: says why.
 */
export async function readJson(path: string): Promise<JsonText> {
  const { text, problems } = await readText(path);
  const json = parseJson(text);
  return { ...json, problems: [...problems, ...json.problems] };
}

/**
 * Reads a file's text.
 *
 * @returns The text, without a byte order mark, and what is odd about it.
 * @throws {Error} If it is empty, compressed or in UTF-16: says so.
 */
export async function readText(
  path: string,
): Promise<{ text: string; problems: string[] }> {
  const bytes = await readRegularFile(path);
  const reason = NO_TEXT[formatOf(bytes)];
  if (reason) throw new Error(reason);
  if (UTF_16.some((start) => start.every((byte, i) => bytes[i] === byte))) {
    throw new Error("is text in UTF-16: save it as UTF-8");
  }
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === "") throw new Error("is empty");
  return {
    text,
    problems: isUtf8(bytes) ? [] : [
      "the file is not UTF-8 throughout: letters that are not stand as \uFFFD",
    ],
  };
}

/** What is no text in UTF-8, and what to do with it. */
const NO_TEXT: Record<string, string> = {
  "gzip": "is compressed (gzip): unpack it first",
  "ZIP": "is a ZIP archive: unpack it first",
  "Git LFS pointer": "is a Git LFS pointer: fetch the file itself",
};

/** UTF-16 begins with a byte order mark, or with a bracket of two bytes. */
const UTF_16 = [
  ...[[0xff, 0xfe], [0xfe, 0xff], [0x7b, 0], [0x5b, 0], [0, 0x7b], [0, 0x5b]],
];

/**
 * Reads a text of JSON.
 *
 * @throws {Error} If it holds no value: says where it is broken or cut off.
 */
export function parseJson(text: string): JsonText {
  try {
    // JSON.parse is ten times as fast, but rounds long numbers.
    if (!/\d{16}/.test(text)) {
      return { values: [JSON.parse(text)], problems: [] };
    }
  } catch { /* Read with more patience below. */ }
  const values: unknown[] = [];
  try {
    for (const value of new JsonReader(text)) values.push(value);
    return { values, problems: [] };
  } catch (error) {
    const { message } = error as Error;
    const lines = readLines(text);
    if (lines) return lines;
    if (values.length > 0) {
      return { values, problems: [`the file ${message}: left out from there`] };
    }
    if (error instanceof RangeError) {
      throw new Error("is nested too deep: lists in lists without end");
    }
    const isCut = message.startsWith("is cut off");
    throw isCut ? new Error(`${message}: download it again`) : error;
  }
}

/** A record a line, if more lines are records than not; else undefined. */
function readLines(text: string): JsonText | undefined {
  const values: unknown[] = [], problems: string[] = [];
  text.split(/\r\n|\r|\n/).forEach((line, index) => {
    try {
      values.push(...new JsonReader(line));
    } catch (error) {
      const reason = (error as Error).message.replace(
        / at line 1, column \d+/,
        "",
      );
      problems.push(`line ${index + 1} ${reason}: left out`);
    }
  });
  return values.length > problems.length ? { values, problems } : undefined;
}

/** Reads values one behind the other; throws at what is none. */
class JsonReader implements Iterable<unknown> {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  *[Symbol.iterator](): Generator<unknown> {
    while (this.#next() !== "") yield this.#value();
  }

  /** The next character that is no space, "" at the end. */
  #next(): string {
    while (/[\s\uFEFF]/.test(this.#text.charAt(this.#at))) this.#at++;
    return this.#text.charAt(this.#at);
  }

  #value(): unknown {
    const first = this.#next();
    if (first === "{") return this.#object();
    if (first === "[") return this.#list();
    return first === '"' ? this.#string() : this.#word();
  }

  #object(): object {
    const entries: [string, unknown][] = [];
    this.#members("}", () => {
      if (this.#next() !== '"') this.#fail('a name in "…"');
      const name = this.#string();
      if (this.#next() !== ":") this.#fail('":"');
      this.#at++;
      entries.push([name, this.#value()]);
    });
    // A name such as "__proto__" is one like any other here.
    return Object.fromEntries(entries);
  }

  #list(): unknown[] {
    const list: unknown[] = [];
    this.#members("]", () => list.push(this.#value()));
    return list;
  }

  /** What stands between brackets, with commas. */
  #members(end: string, read: () => void): void {
    this.#at++;
    if (this.#next() !== end) {
      read();
      while (this.#next() === ",") {
        this.#at++;
        read();
      }
    }
    if (this.#next() !== end) this.#fail(`"," or "${end}"`);
    this.#at++;
  }

  #string(): string {
    const start = this.#at;
    let end = start + 1;
    for (; this.#text[end] !== '"'; end++) {
      if (this.#text[end] === "\\") end++;
      if (end >= this.#text.length) {
        this.#at = end;
        this.#fail('"');
      }
    }
    try {
      const text = JSON.parse(this.#text.slice(start, end + 1));
      this.#at = end + 1;
      return text;
    } catch {
      return this.#fail("a text as JSON writes it");
    }
  }

  /** A number or one of the words that JSON and Python know. */
  #word(): unknown {
    WORD.lastIndex = this.#at;
    const [word] = WORD.exec(this.#text) ?? [""];
    try {
      const isRounded = /^-?\d{16,}$/.test(word) &&
        !Number.isSafeInteger(Number(word));
      const value = isRounded ? word : PYTHON.get(word) ?? JSON.parse(word);
      this.#at += word.length;
      return value;
    } catch {
      return this.#fail("a value");
    }
  }

  /** Throws: says what stands where something else was expected. */
  #fail(expected: string): never {
    const before = this.#text.slice(0, this.#at).split(/\r\n|\r|\n/);
    const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`;
    const rest = this.#text.slice(this.#at);
    if (rest.trim() === "") {
      throw new Error(`is cut off at ${place}`);
    }
    const [got] = rest.match(/^.{1,20}/s)!;
    throw new Error(
      `is no JSON at ${place}: expected ${expected}, got ${
        JSON.stringify(got)
      }`,
    );
  }
}

/** What a value that is no text, list or object may look like. */
const WORD = /-?(?:Infinity|NaN)|true|false|null|-?\d[\d.eE+-]*/y;

/** What Python's json writes beyond the standard. */
const PYTHON = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);
