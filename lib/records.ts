/**
 * The data set: one record a picture, and where pictures and records lie.
 *
 * ```text
 * 2_dataset/
 *   train/<term>/…jpg   the gallery, which is searched
 *   test/<term>/…jpg    the queries
 *   filename.txt        every picture's path, sorted, one a line
 *   manifest.jsonl      every picture's record, in the same order
 * ```
 *
 * Written by notebook 2, read by every later one.
 *
 * ```ts
 * import { splitTerm } from "#lib/records.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * deepEqual(splitTerm(["b", "a", "c"], 1), { test: ["b"], train: ["a", "c"] });
 * ```
 *
 * @module
 */
import { join } from "node:path";
import {
  readJsonLines,
  requireStage,
  writeAtomic,
  writeJsonLines,
} from "./files.ts";
import { paths } from "./paths.ts";

/** What the crawler found out about one picture on a photo site. */
export interface FoundPicture {
  /** First level of the search plan: "birds". */
  category: string;
  /** What was searched for, and the picture's class from here on: "owl". */
  term: string;
  /** Address of the picture file. */
  url: string;
  /** Address of the page that shows and credits it; "" if unknown. */
  page: string;
  /** The picture's title on the site: text from outside, never markup. */
  caption: string;
  /** Who made it; "" if unknown. */
  author: string;
  /** Under which terms, as the site says; "" if unknown. */
  license: string;
}

/** One picture of the data set. */
export interface Picture extends FoundPicture {
  /** Path below the data set's folder, with "/": "train/owl/snowy.jpg". */
  path: string;
  /** Gallery ("train") or query ("test"). */
  split: "train" | "test";
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** SHA-256 of the file's bytes, hexadecimal: the picture's identity. */
  sha256: string;
}

/** A picture's absolute path. */
export function picturePath(picture: { path: string }): string {
  return join(paths.dataset, ...picture.path.split("/"));
}

/** Writes manifest.jsonl and filename.txt, sorted by path. */
export async function writeDataset(pictures: Picture[]): Promise<void> {
  const sorted = pictures.toSorted((a, b) => a.path < b.path ? -1 : 1);
  await writeJsonLines(join(paths.dataset, "manifest.jsonl"), sorted);
  await writeAtomic(
    join(paths.dataset, "filename.txt"),
    sorted.map(({ path }) => path + "\n").join(""),
  );
}

/**
 * Reads the data set that notebook 2 made.
 *
 * @returns The gallery (train) and the queries (test), each sorted by path.
 * @throws {Error} If notebook 2 has not run, or the data set is empty.
 */
export async function readDataset(): Promise<
  { gallery: Picture[]; queries: Picture[] }
> {
  const manifest = join(paths.dataset, "manifest.jsonl");
  const pictures = await requireStage(manifest, 2, readJsonLines<Picture>);
  if (pictures.length === 0) {
    throw new Error(`${manifest} lists no pictures: run notebooks 1 and 2`);
  }
  return {
    gallery: pictures.filter(({ split }) => split === "train"),
    queries: pictures.filter(({ split }) => split === "test"),
  };
}

/**
 * Splits one term's pictures: the first ones are queries, the rest the gallery.
 *
 * The order given decides, so sort first where it must be the same each time.
 *
 * @param testCount How many go to test, at least one picture being left to train.
 */
export function splitTerm<Item>(
  items: readonly Item[],
  testCount: number,
): { test: Item[]; train: Item[] } {
  const count = Math.max(0, Math.min(testCount, items.length - 1));
  return { test: items.slice(0, count), train: items.slice(count) };
}
