/**
 * A step of set-up, and how it is known whether it has been done.
 *
 * The last thing that a step writes is its stamp: what the results were made
 * from, and how large they are. A step is done where its stamp says what it
 * would say now; one that was stopped has none, or an old one, and runs again.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeAtomic } from "../lib/files.ts";
import { paths } from "../lib/paths.ts";

/** One part of set-up. */
export interface Step {
  name: string;
  /** The stamp's path: beside the results, to vanish with them. */
  stamp: string;
  /** The project's files that the results are made from or by. */
  files: string[];
  /** What else they are made from; if any of it changes, they are made anew. */
  inputs?: () => Record<string, unknown>;
  /** The results, as paths seen from the stamp. */
  outputs: string[];
  /**
   * Makes the results; what it throws is told to the user.
   *
   * @param onStage Told what is being done: "157 packages found".
   */
  run: (
    onStage: (stage: string) => void,
    signal?: AbortSignal,
  ) => Promise<void>;
}

/** Whether nothing is left to do; cheap. */
export function isDone(step: Step): boolean {
  try {
    return readFileSync(step.stamp, "utf8") === stampOf(step);
  } catch {
    return false; // No stamp, or a result is gone.
  }
}

/** Marks a step as done. */
export function writeStamp(step: Step): Promise<void> {
  return writeAtomic(step.stamp, stampOf(step));
}

function stampOf({ stamp, files, inputs, outputs }: Step): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(paths.root, file)));
  const bytes = outputs.map((path) =>
    [path, statSync(join(dirname(stamp), path)).size] as const
  );
  return JSON.stringify(
    {
      files: hash.digest("hex"),
      ...inputs?.(),
      bytes: Object.fromEntries(bytes),
    },
    null,
    2,
  );
}
