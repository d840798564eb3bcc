/**
 * Where a progress bar is drawn: a notebook's output, a terminal, a log.
 *
 * Writes to the kernel's outputs or to stderr.
 *
 * ```ts
 * import { progressText } from "#lib/display/progress_screen.ts";
 * import { equal } from "node:assert/strict";
 *
 * const state = { label: "Embedding", total: 60, done: 20, stopped: false };
 * equal(progressText(state), "Embedding: 20 of 60");
 * const paceFrom = { done: 0, at: 1000 };
 * equal(
 *   progressText({ ...state, paceFrom }, 3000),
 *   "Embedding: 20 of 60 · 10 a second · 4 s left",
 * );
 * ```
 *
 * @module
 */
import process from "node:process";
import { escapeHtml, type MimeBundle, oneLine } from "./display.ts";
import { stopButton } from "./stop_button.ts";

/** What a bar shows. */
export interface ProgressState {
  /** What is being done: plain text. */
  label: string;
  /** Items in all. */
  total: number;
  /** Items so far. */
  done: number;
  /** Plain text behind the numbers. */
  note?: string;
  /** Whether the reader has asked to stop. */
  stopped: boolean;
  /** Where the pace is counted from: items, and milliseconds as performance.now(). */
  paceFrom?: { done: number; at: number };
}

/** A place to draw one bar. */
export interface ProgressScreen {
  /** Milliseconds between two drawings. */
  everyMs: number;
  /** Draws a state in place of the one before. */
  draw(state: ProgressState): void;
  /** Draws the last state, which stays. */
  finish(state: ProgressState): void;
  /** Lets the reader stop the work; returns how to withdraw that. */
  offerStop(label: string, onStop: () => void): () => void;
}

/** Opens the place that fits: notebook, terminal or log. */
export function openScreen(): ProgressScreen {
  const jupyter = findKernel();
  if (jupyter) return notebookScreen(jupyter);
  return process.stderr.isTTY ? terminalScreen() : logScreen();
}

/**
 * A bar's line of text. The pace appears after a second of work.
 *
 * @param now Milliseconds as performance.now(); left out, no pace is given.
 */
export function progressText(state: ProgressState, now?: number): string {
  const { label, total, done, note, stopped, paceFrom } = state;
  const count = (items: number) => items.toLocaleString("en");
  const parts = [`${label}: ${count(done)} of ${count(total)}`];
  if (stopped) parts.push(now === undefined ? "stopped" : "stopping …");
  else if (paceFrom && now !== undefined && now - paceFrom.at >= 1000) {
    const perSecond = (done - paceFrom.done) / (now - paceFrom.at) * 1000;
    if (perSecond > 0) {
      parts.push(
        perSecond >= 1
          ? `${round(perSecond)} a second`
          : `${round(1 / perSecond)} s each`,
      );
      const left = (total - done) / perSecond;
      parts.push(
        left < 100
          ? `${Math.ceil(left)} s left`
          : `${Math.ceil(left / 60)} min left`,
      );
    }
  }
  if (note) parts.push(note);
  return oneLine(parts.join(" · "));
}

function notebookScreen(jupyter: typeof Deno.jupyter): ProgressScreen {
  // Broadcasts leave at once and in order, even during work that never awaits.
  const output = () => {
    const display_id = crypto.randomUUID();
    let message = "display_data";
    return (data: MimeBundle) => {
      jupyter.broadcast(message, {
        data,
        metadata: {},
        transient: { display_id },
      });
      message = "update_display_data";
    };
  };
  const show = output();
  return {
    everyMs: 250,
    draw(state) {
      const text = progressText(state, performance.now());
      const { label, done, total } = state;
      show({
        "text/plain": text,
        "text/html": `<div><progress value="${done}" max="${total || 1}" ` +
          `aria-label="${escapeHtml(label)}"></progress> ${
            escapeHtml(text)
          }</div>`,
      });
    },
    finish(state) {
      const text = progressText(state);
      show({
        "text/plain": text,
        "text/html": `<div>${escapeHtml(text)}</div>`,
      });
    },
    offerStop(label, onStop) {
      // An output of its own: in one that is drawn anew all the time, a button
      // is replaced between press and release, and loses the focus.
      const showButton = output();
      const button = stopButton(`Stop: ${label}`, onStop);
      showButton({ "text/plain": "", "text/html": button.html });
      return () => {
        showButton({ "text/plain": "", "text/html": "" });
        button.close();
      };
    },
  };
}

function terminalScreen(): ProgressScreen {
  const write = (text: string) => {
    // A line that wraps cannot be taken back.
    const line = [...text].slice(0, (process.stderr.columns ?? 80) - 1).join(
      "",
    );
    process.stderr.write(`\r\x1b[2K${line}`);
  };
  return {
    everyMs: 250,
    draw: (state) => write(progressText(state, performance.now())),
    finish(state) {
      write(progressText(state));
      process.stderr.write("\n");
    },
    offerStop: onInterrupt,
  };
}

function logScreen(): ProgressScreen {
  return {
    everyMs: 10_000,
    draw(state) {
      // Nothing to tell at the very start.
      if (state.paceFrom) console.error(progressText(state, performance.now()));
    },
    finish: (state) => console.error(progressText(state)),
    offerStop: onInterrupt,
  };
}

/** Ctrl-C asks the work to stop; once that is withdrawn, it ends the process. */
function onInterrupt(_label: string, onStop: () => void): () => void {
  process.on("SIGINT", onStop);
  return () => process.off("SIGINT", onStop);
}

/** Deno's kernel, if this runs in one: elsewhere the getter throws. */
function findKernel(): typeof Deno.jupyter | undefined {
  try {
    return Deno.jupyter;
  } catch {
    return undefined;
  }
}

/** Two significant digits are enough for a pace. */
function round(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "");
}
