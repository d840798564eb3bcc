/**
 * Says which cell of a Run All failed first.
 *
 * The Deno kernel goes on after an error. Each later cell that needs what the
 * failed one should have made fails as well, and what the reader sees last is
 * the last of these, while the one to mend has scrolled away. So the first
 * error is repeated below each that follows from it, and at the end.
 *
 * The kernel does not tell its cells about errors. But when it reports one, V8
 * writes the error's stack, and calls `Error.prepareStackTrace` for it with no
 * function of ours under way; that is how an error that nobody caught is told
 * from one that a program handles.
 *
 * ```ts
 * import { firstOfRun } from "#lib/display/first_error.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const first = new RangeError("expected a size of 1 or more, got 0");
 * const follower = new ReferenceError("vectors is not defined");
 * strictEqual(firstOfRun({ error: first, lastAt: 0 }, follower, 300), first);
 * ```
 *
 * @module
 */
import {
  type Displayable,
  displayable,
  escapeHtml,
  jupyterDisplay,
  oneLine,
} from "./display.ts";

/** A cell that fails within this time of another belongs to the same run. */
const SAME_RUN_MS = 60_000;

/** The errors of one run: the first, and when the last was. */
export interface ErrorRun {
  /** The first. */
  error: Error;
  /** Milliseconds, as of performance.now(). */
  lastAt: number;
}

/** Watches the cells' errors. */
export interface ErrorWatch {
  /**
   * Shows the first error since the start or since the last report, or that
   * there was none.
   */
  report(): Displayable;
}

/**
 * The error to mend first: that of the run, if there is one and it is not over.
 *
 * What follows from an error can be of any kind: a name that is missing, an
 * empty list, a wait for what never comes.
 *
 * @param run The errors so far; undefined if there are none.
 * @param error The next one.
 * @param now Milliseconds, as of performance.now().
 */
export function firstOfRun(
  run: ErrorRun | undefined,
  error: Error,
  now: number,
): Error {
  return run && now - run.lastAt < SAME_RUN_MS ? run.error : error;
}

/** Watches from here on; outside of a kernel there is nothing to see. */
export function watchErrors(): ErrorWatch {
  let run: ErrorRun | undefined;
  Error.prepareStackTrace = (error: Error, sites: unknown[]) => {
    if (!isProgramRunning()) {
      const now = performance.now();
      const first = firstOfRun(run, error, now);
      run = { error: first, lastAt: now };
      if (`${first}` !== `${error}`) {
        broadcast(
          describe("An earlier error, of which this may be a result", first),
        );
      }
    }
    return [`${error}`, ...sites.map((site) => `    at ${site}`)].join("\n");
  };
  return {
    report() {
      const first = run?.error;
      run = undefined;
      return first ? describe("The first error", first) : displayable({
        "text/plain": "✓ No cell that ran threw an error.",
        "text/html": "<p><b>✓ No cell that ran threw an error.</b></p>",
      });
    },
  };
}

/** Whether any function but `prepareStackTrace` and this one is under way. */
function isProgramRunning(): boolean {
  const { prepareStackTrace } = Error;
  Reflect.deleteProperty(Error, "prepareStackTrace"); // or it would call itself
  const frames = new Error().stack!.match(/^ +at /gm)?.length ?? 0;
  Error.prepareStackTrace = prepareStackTrace;
  return frames > 2;
}

function describe(name: string, error: Error): Displayable {
  const text = oneLine(`${error}`);
  const remedy = error instanceof ReferenceError
    ? "Look at the cell that makes this name: it failed, or did not run."
    : "Mend the cell that shows it, then run all cells again.";
  return displayable({
    "text/plain": `✗ ${name}: ${text}\n${remedy}`,
    "text/html": `<p><b>✗ ${name}:</b> ${escapeHtml(text)}<br>${remedy}</p>`,
  });
}

/** Shows something below the cell that runs, not as its result. */
function broadcast(shown: Displayable): void {
  const content = {
    data: shown[jupyterDisplay](),
    metadata: {},
    transient: {},
  };
  Deno.jupyter.broadcast("display_data", content);
}
