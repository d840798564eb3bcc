/**
 * A progress bar for each stage of some work, one after the other.
 *
 * Touches no files.
 *
 * ```ts
 * import { progressStages } from "#lib/display/progress_stages.ts";
 *
 * const onProgress = progressStages();
 * for (let done = 1; done <= 3; done++) onProgress("Reading", done, 3);
 * for (let done = 1; done <= 2; done++) onProgress("Writing", done, 2);
 * ```
 *
 * @module
 */
import { type ProgressBar, progressBar } from "./progress.ts";

/**
 * What to call as work goes on: with the stage, how many of its items are done,
 * and how many there are. A new stage finishes the bar of the one before.
 */
export function progressStages(): (
  stage: string,
  done: number,
  total: number,
) => void {
  let current = "";
  let bar: ProgressBar | undefined;
  return (stage, done, total) => {
    if (stage !== current) {
      bar?.finish();
      bar = progressBar(stage, total);
      current = stage;
    }
    bar?.update(done);
    if (done === total) bar?.finish();
  };
}
