/**
 * A line that is typed, as shells edit one: what comes at once, be it pasted or
 * typed fast, counts key by key.
 *
 * ```ts
 * import { typeInto } from "./typed_line.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(typeInto("cat", "s\x7f and dog\x17owl"), "cat and owl");
 * strictEqual(typeInto("cat", "\x15owl"), "owl");
 * ```
 *
 * @module
 */

/** Ctrl-U, and Ctrl-W. */
export const CLEAR_LINE = "\x15", DELETE_WORD = "\x17";

/** The line after these keys. */
export function typeInto(line: string, keys: string): string {
  for (const key of keys) {
    if (key === "\x7f" || key === "\b") line = withoutLast(line);
    else if (key === CLEAR_LINE) line = "";
    else if (key === DELETE_WORD) line = line.replace(/\S*\s*$/, "");
    // What is pasted may have line breaks and more that terminals obey.
    else line += /\p{Cc}/u.test(key) ? " " : key;
  }
  return line;
}

/** Of what is one letter to its reader, several characters may be. */
function withoutLast(line: string): string {
  const letters = [...new Intl.Segmenter().segment(line)];
  return line.slice(0, letters.at(-1)?.index ?? 0);
}
