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
 * import { splitTerm } from "#lib/dataset/dataset.ts";
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
} from "../files.ts";
import { paths } from "../paths.ts";
import type { DatasetPicture } from "../records.ts";

/** A picture's absolute path. */
export function picturePath(picture: { path: string }): string {
  return join(paths.dataset, ...picture.path.split("/"));
}

/** Writes manifest.jsonl and filename.txt, sorted by path. */
export async function writeDataset(pictures: DatasetPicture[]): Promise<void> {
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
  { gallery: DatasetPicture[]; queries: DatasetPicture[] }
> {
  const manifest = join(paths.dataset, "manifest.jsonl");
  const pictures = await requireStage(
    manifest,
    2,
    readJsonLines<DatasetPicture>,
  );
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
