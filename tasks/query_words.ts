/**
 * What is searched for, read from a command's words as rclip reads them: texts,
 * paths and addresses of pictures, added up by `+` and taken away by `-`.
 *
 * ```ts
 * import { readQueryWords } from "./query_words.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const words = ["a", "cat", "+", "2:night", "-", "people"];
 * const { text, plus, minus } = readQueryWords(words, {});
 * deepStrictEqual({ text, plus, minus }, {
 *   text: "a cat",
 *   plus: ["2:night"],
 *   minus: ["people"],
 * });
 * ```
 *
 * @module
 */
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { splitWeight } from "../lib/search_page/web/query.js";
import { CommandError, readPath } from "./command.ts";

/** What is searched for. */
export interface QueryWords {
  text: string;
  /** Texts to go towards and away from, with their weights: "2:night". */
  plus: string[];
  minus: string[];
  /** Absolute paths and addresses; a weight below 0 leads away. */
  pictures: { source: string; weight: number }[];
  /** All of it, as it was typed. */
  typed: string;
}

/** What is only a path with one of these before it, as in rclip. */
const PATH = /^(\.{0,2}[\\/]|~[\\/]|[a-z]:[\\/]|file:\/\/)/i;
const ADDRESS = /^https?:\/\//i;

/**
 * Reads the words and options of a query.
 *
 * @throws {CommandError} If nothing stands after a sign, or a file is not there.
 */
export function readQueryWords(
  words: readonly string[],
  { add = [], subtract = [], image }: {
    add?: string[];
    subtract?: string[];
    image?: string;
  },
): QueryWords {
  const query: QueryWords = {
    ...{ text: "", plus: [], minus: [], pictures: [] },
    typed: [
      ...words,
      ...add.flatMap((one) => ["+", one]),
      ...subtract.flatMap((one) => ["-", one]),
      ...image === undefined ? [] : [image],
    ].join(" "),
  };
  let sign = 1, part: string[] = [], isFirst = true;
  const end = () => {
    if (!isFirst && part.length === 0) {
      const name = sign > 0 ? "+" : "-";
      throw new CommandError(
        `search: expected words or a picture after ${name}, got nothing`,
      );
    }
    take(query, part, sign, isFirst);
    part = [];
    isFirst = false;
  };
  for (const word of words) {
    if (word !== "+" && word !== "-") {
      part.push(word);
      continue;
    }
    end();
    sign = word === "+" ? 1 : -1;
  }
  end();
  for (const one of add) take(query, [one], 1);
  for (const one of subtract) take(query, [one], -1);
  if (image !== undefined) {
    query.pictures.push({
      source: readPath("--image", image, "file"),
      weight: 1,
    });
  }
  return query;
}

/** Adds what stands between two signs. */
function take(
  query: QueryWords,
  part: readonly string[],
  sign: number,
  isFirst = false,
): void {
  const text: string[] = [];
  for (const word of part) {
    const { weight, of } = splitWeight(word);
    if (ADDRESS.test(of)) {
      query.pictures.push({ source: of, weight: sign * weight });
    } else if (PATH.test(of)) {
      const source = readPath("search", fileOf(of), "file");
      query.pictures.push({ source, weight: sign * weight });
    } else text.push(word);
  }
  const joined = text.join(" ").trim();
  if (joined === "") return;
  if (sign < 0) query.minus.push(joined);
  else if (isFirst && splitWeight(joined).of === joined) query.text = joined;
  else query.plus.push(joined);
}

/** A path, where a shell has left "~" in it, or an address of a file. */
function fileOf(path: string): string {
  if (/^file:/i.test(path)) return fileURLToPath(path);
  return path.replace(/^~(?=[\\/])/, homedir());
}
