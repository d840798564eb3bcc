/**
 * Where in the data set a picture lies, by its class, its name and its sum.
 *
 * ```text
 * train/water bird/kestrel-0123456789ab.jpg
 * ```
 *
 * A class's folder is called as the class, in whatever language, where every
 * disk takes that for a name of its own. Where not, a sum of the whole class
 * tells it from others: "a/b" becomes "a_b-c14cddc0".
 *
 * Touches no files.
 *
 * ```ts
 * import { folderNames } from "#lib/dataset/names.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(
 *   folderNames(["water bird", "a/b", "Owl", "owl"]),
 *   ["water bird", "a_b-c14cddc0", "Owl", "owl-10f7127b"],
 * );
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { DatasetPicture } from "../records.ts";

/** The sides of the data set. */
export const SPLITS = ["train", "test"] as const;

/** What of a picture its place depends on. */
export interface Named {
  /** The downloaded file. */
  file: string;
  /** The clean file's sum, hexadecimal. */
  sha256: string;
}

/** Where a picture lies, below the data set's folder. */
export function pathOf(
  split: DatasetPicture["split"],
  folder: string,
  { file, sha256 }: Named,
): string {
  const name = basename(file).replace(/(\.\w+)?$/, "")
    .replace(/-[0-9a-f]{16}$/, "");
  // With its own sum in its name, a picture never takes another's place.
  return `${split}/${folder}/${plainName(name)}-${sha256.slice(0, 12)}.jpg`;
}

/** The folders of classes, each class's own; the earlier class has the choice. */
export function folderNames(classes: readonly string[]): string[] {
  const taken = new Set<string>();
  return classes.map((name) => {
    const folder = possibleNames(name).find((one) => !taken.has(folded(one)))!;
    taken.add(folded(folder));
    return folder;
  });
}

/** Where a picture may lie, whichever classes and sides there are. */
export function possiblePaths(term: string, picture: Named): string[] {
  return possibleNames(term).take(2).flatMap((folder) =>
    SPLITS.map((split) => pathOf(split, folder, picture))
  ).toArray();
}

/** A class's folder: as it is called, or that with a sum, whichever is free. */
function* possibleNames(name: string): Generator<string, never> {
  const text = name.normalize("NFC");
  const plain = plainName(text);
  if (plain === text && !RESERVED.test(plain)) yield plain;
  // Only a class that somebody calls "a_b-c14cddc0" comes to a second sum.
  for (let summed = text;; summed += " ") {
    const sum = createHash("sha256").update(summed).digest("hex");
    yield `${plain}-${sum.slice(0, 8)}`;
  }
}

/** Names that Windows keeps for devices. */
const RESERVED = /^(con|prn|aux|nul|(com|lpt)[0-9¹²³])$/i;

/** Most letters of a name, and most bytes: with a sum, a disk takes 255. */
const LETTERS = 60, BYTES = 180;

/** A text as the name of a file or folder, in whatever language it is. */
function plainName(text: string): string {
  const plain = text.normalize("NFC").replace(/[^\p{L}\p{M}\p{N} _-]+/gu, "_");
  const letters = [...plain].slice(0, LETTERS);
  // A letter has four bytes at most.
  while (4 * letters.length > BYTES && byteLength(letters) > BYTES) {
    letters.pop();
  }
  return letters.join("").trim() || "_";
}

function byteLength(letters: readonly string[]): number {
  return Buffer.byteLength(letters.join(""));
}

/** The same for what some disk takes for the same name: "Owl" and "owl". */
export function folded(path: string): string {
  // By way of capitals, in which "ß" and "ẞ" are "SS".
  return path.normalize("NFC").toLowerCase().toUpperCase().toLowerCase()
    .normalize("NFC");
}
