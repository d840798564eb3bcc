/**
 * What each method scored on the data set, kept from notebook to notebook so
 * that one table can compare them all.
 *
 * Notebook 3 writes a row a metric, notebook 4 adds the encoder's, and
 * `task demo` prints them. Rows of another data set are not mixed in: the file
 * holds those of one, known by its id.
 *
 * ```ts
 * import { mergeResults } from "#lib/evaluate/results.ts";
 * import { scoreRankings } from "#lib/evaluate/evaluate.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const row = (method: string, first: string) => (
 *   { method, ...scoreRankings([[first]], ["owl"]) }
 * );
 * const merged = mergeResults([row("a", "cat"), row("b", "cat")], [row("a", "owl")]);
 * deepStrictEqual(merged.map(({ method, top1 }) => [method, top1]), [["a", 1], ["b", 0]]);
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import type { Scores } from "./evaluate.ts";
import { requireStage, writeAtomic } from "../files.ts";
import { paths } from "../paths.ts";

/** One row: a method and its scores. */
export interface Result extends Scores {
  /** What was compared and how: "pixels, L1 distance". */
  method: string;
}

/** What results.json holds. */
interface SavedResults {
  /** The id of the data set that was searched. */
  dataset: string;
  rows: Result[];
}

/**
 * The rows saved so far, in the order in which their methods came first.
 *
 * @param dataset The data set's id, as `readDataset` gives it.
 * @throws {Error} If there are none of this data set: "run notebook 3 first".
 */
export async function readResults(dataset: string): Promise<Result[]> {
  const saved = await requireStage(paths.results, 3, readSaved);
  if (saved.dataset !== dataset) {
    throw new Error(
      `${paths.results} has the results of another data set: run notebook 3 again`,
    );
  }
  return saved.rows;
}

/** Saves rows beside those of other methods over the same data set. */
export async function saveResults(
  dataset: string,
  rows: readonly Result[],
): Promise<void> {
  const earlier = await readResults(dataset).catch(() => []);
  const saved: SavedResults = { dataset, rows: mergeResults(earlier, rows) };
  await writeAtomic(paths.results, JSON.stringify(saved, null, 2) + "\n");
}

async function readSaved(path: string): Promise<SavedResults> {
  return JSON.parse(await readFile(path, "utf8"));
}

/** `rows` in place of earlier rows of the same method, new methods at the end. */
export function mergeResults(
  earlier: readonly Result[],
  rows: readonly Result[],
): Result[] {
  const merged = new Map(
    [...earlier, ...rows].map((row) => [row.method, row]),
  );
  return [...merged.values()];
}
