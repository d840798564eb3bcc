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
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HEAVIEST, splitWeight } from "../lib/search_page/web/query.js";
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
  /** The same as one line to go on with: a path's spaces stand behind "\\". */
  line: string;
}

/** What is only a path with one of these before it, as in rclip. */
const PATH = /^(\.{0,2}[\\/]|~[\\/]|[a-z]:[\\/]|file:\/\/)/i;
const ADDRESS = /^https?:\/\//i;

/**
 * Reads the words and options of a query.
 *
 * @throws {CommandError} If nothing stands after a sign, a file is not there, or
 *   a weight is none.
 */
export function readQueryWords(
  words: readonly string[],
  { add = [], subtract = [], image }: {
    add?: string[];
    subtract?: string[];
    image?: string;
  },
): QueryWords {
  const signed = [
    ...words,
    ...add.flatMap((one) => ["+", one]),
    ...subtract.flatMap((one) => ["-", one]),
  ];
  const images = image === undefined ? [] : [image];
  const query: QueryWords = {
    ...{ text: "", plus: [], minus: [], pictures: [] },
    typed: [...signed, ...images].join(" "),
    // First, since what stands last may follow a "-".
    line: [...images.map((path) => resolve(path)), ...signed].map((word) =>
      PATH.test(splitWeight(word).of.trimStart())
        ? word.replace(/\s/g, "\\$&")
        : word
    ).join(" "),
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
  for (
    const [name, all, sign] of [["--add", add, 1], [
      "--subtract",
      subtract,
      -1,
    ]] as const
  ) {
    for (const one of all) {
      if (one.trim() === "") {
        throw new CommandError(
          `${name}: expected words or a picture, got ${JSON.stringify(one)}`,
        );
      }
      take(query, [one], sign);
    }
  }
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
    const { weight, of: weighed } = splitWeight(word);
    // "2: ./cat.jpg"; what a name ends with is its own.
    const of = weighed.trimStart();
    const isAddress = ADDRESS.test(of);
    if (isAddress || PATH.test(of)) {
      checkWeight(word);
      const source = isAddress ? of : readPath("search", fileOf(of), "file");
      query.pictures.push({ source, weight: sign * weight });
    } else text.push(word);
  }
  const joined = text.join(" ").trim();
  if (joined === "") return;
  checkWeight(joined);
  if (sign < 0) query.minus.push(joined);
  else if (isFirst && splitWeight(joined).of === joined) query.text = joined;
  else query.plus.push(joined);
}

/** @throws {CommandError} If something weighs nothing, too much, or is nothing. */
function checkWeight(typed: string): void {
  const { weight, of } = splitWeight(typed);
  if (weight > 0 && weight <= HEAVIEST && of.trim() !== "") return;
  throw new CommandError(
    `search: expected a weight above 0 and up to ${HEAVIEST} and something that ` +
      `it weighs, such as 2:cat, got ${typed.slice(0, 100)}`,
  );
}

/** A path, where a shell has left "~" in it, or an address of a file. */
function fileOf(path: string): string {
  if (/^file:/i.test(path)) {
    try {
      return fileURLToPath(path);
    } catch {
      throw new CommandError(
        `search: expected the address of a file on this machine, such as file:///photos/cat.jpg, got ${
          path.slice(0, 200)
        }`,
      );
    }
  }
  return path.replace(/^~(?=[\\/])/, homedir());
}
