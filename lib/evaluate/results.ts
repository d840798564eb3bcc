/**
 * What each method scored on the data set, kept from notebook to notebook so
 * that one table can compare them all.
 *
 * Notebook 3 writes a row a metric, notebook 4 adds the encoder's, and
 * `task demo` prints them.
 *
 * ```ts
 * import { mergeResults, type Result } from "#lib/evaluate/results.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const row = (method: string, top1: number): Result => ({
 *   method, top1, precisionAt5: 0, meanAveragePrecision: 0,
 * });
 * deepEqual(mergeResults([row("a", 0), row("b", 0)], [row("a", 1)]), [
 *   row("a", 1),
 *   row("b", 0),
 * ]);
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

/**
 * The rows saved so far, in the order in which their methods came first.
 *
 * @throws {Error} If there are none: "… not found: run notebook 3 first".
 */
export function readResults(): Promise<Result[]> {
  return requireStage(
    paths.results,
    3,
    async (path) => JSON.parse(await readFile(path, "utf8")),
  );
}

/** Saves rows beside those of other methods. */
export async function saveResults(rows: readonly Result[]): Promise<void> {
  const earlier = await readResults().catch(() => []);
  await writeAtomic(
    paths.results,
    JSON.stringify(mergeResults(earlier, rows), null, 2) + "\n",
  );
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
