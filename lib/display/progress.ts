/**
 * A progress bar for anything over two seconds, with a way to stop it.
 *
 * In a notebook the bar is updated in place; where `signal` is asked for, a
 * Stop button stands below it. In a terminal it is a line on stderr, and Ctrl-C
 * aborts the signal. The finished bar says what was done, without times, so
 * that a notebook's output is the same each time.
 *
 * Touches no files.
 *
 * ```ts
 * import { progressBar } from "#lib/display/progress.ts";
 *
 * const bar = progressBar("Embedding pictures", 3);
 * for (let done = 1; done <= 3 && !bar.signal.aborted; done++) bar.update(done);
 * bar.finish("offline encoder");
 * ```
 *
 * @module
 */
import { openScreen, type ProgressState } from "./progress_screen.ts";

/** A bar under way. */
export interface ProgressBar {
  /**
   * Says how far the work is. Call it as often as you like: it draws four times
   * a second, or every ten seconds where stderr is a file.
   *
   * @param done Items so far, counted from the start.
   * @param note What is at work now: plain text.
   */
  update(done: number, note?: string): void;
  /**
   * Draws the last state and takes the Stop button away.
   *
   * @param note What came of it: plain text.
   */
  finish(note?: string): void;
  /** Aborted when the reader asks the work to stop. */
  readonly signal: AbortSignal;
}

/**
 * Starts a progress bar.
 *
 * @param label What is being done: plain text.
 * @param total How many items there are.
 * @throws {RangeError} If total is not a whole number from 0.
 */
export function progressBar(label: string, total: number): ProgressBar {
  if (!Number.isInteger(total) || total < 0) {
    throw new RangeError(
      `progressBar: expected total to be a whole number from 0, got ${total}`,
    );
  }
  const screen = openScreen();
  const abort = new AbortController();
  const state: ProgressState = { label, total, done: 0, stopped: false };
  let withdrawStop: (() => void) | undefined;
  let finished = false;
  let drawnAt = performance.now();
  screen.draw(state);

  const stop = () => {
    if (finished) return;
    // Asked once is enough: a second Ctrl-C is meant for the process.
    withdrawStop?.();
    state.stopped = true;
    abort.abort(new DOMException(`${label}: stopped`, "AbortError"));
    screen.draw(state);
  };
  return {
    update(done, note) {
      if (finished) return;
      const now = performance.now();
      // What was done before the first call came from a cache, not at a pace.
      state.paceFrom ??= { done, at: now };
      Object.assign(state, { done, note });
      if (now - drawnAt < screen.everyMs) return;
      drawnAt = now;
      screen.draw(state);
    },
    finish(note) {
      if (finished) return;
      finished = true;
      withdrawStop?.();
      screen.finish({ ...state, note });
    },
    get signal() {
      // Offered on demand: where nobody listens, a button would do nothing.
      if (!finished) withdrawStop ??= screen.offerStop(label, stop);
      return abort.signal;
    },
  };
}
