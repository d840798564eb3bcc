/**
 * A progress bar for anything over two seconds, with a way to stop it.
 *
 * In a notebook the bar is updated in place; where `signal` is asked for, a
 * Stop button stands below it. In a terminal it is a line on stderr, and Ctrl-C
 * aborts the signal; in a log, a line every ten seconds. The finished bar says
 * what was done, without times and pictures, so that a notebook's output is small
 * and the same each time.
 *
 * ```ts
 * import { progressBar } from "#lib/display/progress.ts";
 * import { equal } from "node:assert/strict";
 *
 * const bar = progressBar("Embedding pictures", 3);
 * for (let done = 1; done <= 3 && !bar.signal.aborted; done++) bar.update(done);
 * bar.finish("offline encoder");
 * equal(bar.signal.aborted, false);
 * ```
 *
 * @module
 */
import process from "node:process";
import { escapeHtml, type MimeBundle, oneLine } from "./display.ts";
import { stopButton } from "./stop_button.ts";

/** A bar under way. All texts are plain text. */
export interface ProgressBar {
  /**
   * Says how far the work is; call it as often as you like.
   *
   * @param done Items so far, counted from the start.
   * @param note What is at work now.
   * @param thumbnails What came last, shown below the bar in a notebook: as
   *   find_strip.ts gives them. An empty strip keeps its room.
   */
  update(
    done: number,
    note?: string,
    thumbnails?: readonly Thumbnail[],
  ): void;
  /**
   * Draws the last state and takes the Stop button away.
   *
   * @param note What came of it.
   */
  finish(note?: string): void;
  /** Aborted when the reader asks the work to stop. */
  readonly signal: AbortSignal;
}

/** A small picture below a bar. */
export interface Thumbnail {
  /** The picture itself, as a data address. */
  url: string;
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** What it shows, as plain text. */
  alt: string;
}

/**
 * Starts a progress bar.
 *
 * @param label What is being done.
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
  screen.draw(state, drawnAt);

  const stop = () => {
    if (finished) return;
    // Asked once is enough: a second Ctrl-C is meant for the process.
    withdrawStop?.();
    state.stopped = true;
    abort.abort(new DOMException(`${label}: stopped`, "AbortError"));
    screen.draw(state, performance.now());
  };
  return {
    update(done, note, thumbnails) {
      if (finished) return;
      const now = performance.now();
      // What was done before the first call came from a cache, not at a pace.
      state.paceFrom ??= { done, at: now };
      Object.assign(state, { done, note, thumbnails });
      if (now - drawnAt < screen.everyMs) return;
      drawnAt = now;
      screen.draw(state, now);
    },
    finish(note) {
      if (finished) return;
      finished = true;
      withdrawStop?.();
      screen.draw({ ...state, note });
    },
    get signal() {
      // Offered on demand: where nobody listens, a button would do nothing.
      if (!finished) withdrawStop ??= screen.offerStop(`Stop: ${label}`, stop);
      return abort.signal;
    },
  };
}

/**
 * A progress bar for each stage of some work, one after the other.
 *
 * @returns What to call as work goes on: with the stage, how many of its items
 *   are done, and how many there are. A new stage finishes the bar before.
 */
export function progressStages(): (
  stage: string,
  done: number,
  total: number,
) => void {
  let current: string | undefined;
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

/** What a bar shows; times are milliseconds as of performance.now(). */
export interface ProgressState {
  label: string;
  total: number;
  done: number;
  /** Stands behind the numbers. */
  note?: string;
  /** Stand below them, but for the last state. */
  thumbnails?: readonly Thumbnail[];
  /** Whether the reader has asked to stop. */
  stopped: boolean;
  /** Where the pace is counted from. */
  paceFrom?: { done: number; at: number };
}

/**
 * A bar's line of text. The pace appears after a second of work.
 *
 * @param now Left out for the last state, which tells no pace.
 */
export function progressText(state: ProgressState, now?: number): string {
  const { label, total, done, note, stopped, paceFrom } = state;
  const count = (items: number) => items.toLocaleString("en");
  const parts = [`${label}: ${count(done)} of ${count(total)}`];
  const ms = paceFrom && now !== undefined ? now - paceFrom.at : 0;
  const perSecond = paceFrom ? (done - paceFrom.done) / ms * 1000 : 0;
  if (stopped) {
    parts.push(now === undefined ? "stopped" : "stopping …");
  } else if (ms >= 1000 && perSecond > 0) {
    const left = (total - done) / perSecond;
    parts.push(
      perSecond >= 1
        ? `${round(perSecond)} a second`
        : `${round(1 / perSecond)} s each`,
      left < 100
        ? `${Math.ceil(left)} s left`
        : `${Math.ceil(left / 60)} min left`,
    );
  }
  if (note) parts.push(note);
  return oneLine(parts.join(" · "));
}

/** Two significant digits are enough for a pace. */
function round(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "");
}

/** A place to draw one bar. */
interface Screen {
  /** Milliseconds between two drawings. */
  everyMs: number;
  /** Draws a state in place of the one before; without a time, the last. */
  draw(state: ProgressState, now?: number): void;
  /** Lets the reader stop the work; returns how to withdraw that. */
  offerStop(label: string, onStop: () => void): () => void;
}

function openScreen(): Screen {
  const kernel = notebookKernel();
  return kernel ? notebookScreen(kernel) : textScreen();
}

/** What draws in a notebook; undefined anywhere else. */
export function notebookKernel(): typeof Deno.jupyter | undefined {
  try {
    return Deno.jupyter;
  } catch {
    return undefined; // There is no kernel: the getter throws.
  }
}

function notebookScreen(jupyter: typeof Deno.jupyter): Screen {
  // Broadcasts leave at once and in order, even during work that never awaits.
  const output = () => {
    const display_id = crypto.randomUUID();
    let message = "display_data";
    return (data: MimeBundle) => {
      const content = { data, metadata: {}, transient: { display_id } };
      jupyter.broadcast(message, content);
      message = "update_display_data";
    };
  };
  const show = output();
  return {
    everyMs: 250,
    draw(state, now) {
      const text = progressText(state, now);
      const { label, done, total } = state;
      const bar = now === undefined
        ? ""
        : `<progress value="${done}" max="${total || 1}" ` +
          `aria-label="${escapeHtml(label)}"></progress> `;
      const strip = now === undefined ? "" : stripHtml(state.thumbnails);
      const html = `<div>${bar}${escapeHtml(text)}</div>${strip}`;
      show({ "text/plain": text, "text/html": html });
    },
    offerStop(label, onStop) {
      // An output of its own: in one that is drawn anew all the time, a button
      // is replaced between press and release, and loses the focus.
      const showButton = output();
      const button = stopButton(label, onStop);
      showButton({ "text/plain": "", "text/html": button.html });
      return () => {
        showButton({ "text/plain": "", "text/html": "" });
        button.close();
      };
    },
  };
}

/** One row of small pictures; what has no room in it is not seen. */
function stripHtml(thumbnails: readonly Thumbnail[] | undefined): string {
  if (!thumbnails) return "";
  const pictures = thumbnails.map(({ url, width, height, alt }) => {
    const across = Math.round(width * Math.min(1, STRIP_HEIGHT / height));
    const text = escapeHtml(oneLine(alt));
    return `<img src="${escapeHtml(url)}" alt="${text}" title="${text}" ` +
      `width="${across}" height="${STRIP_HEIGHT}" ` +
      `style="object-fit:scale-down;margin:0 4px 4px 0">`;
  });
  return `<div style="height:${STRIP_HEIGHT}px;margin-top:6px;` +
    `overflow:hidden;display:flex;flex-wrap:wrap">${pictures.join("")}</div>`;
}

/** In pixels. */
const STRIP_HEIGHT = 64;

/** A terminal's line, drawn over and over; in a log, a line now and then. */
function textScreen(): Screen {
  const { stderr } = process;
  return {
    everyMs: stderr.isTTY ? 250 : 10_000,
    draw(state, now) {
      const text = progressText(state, now);
      if (stderr.isTTY) {
        // A line that wraps cannot be taken back.
        const line = [...text].slice(0, (stderr.columns ?? 80) - 1).join("");
        stderr.write(`\r\x1b[2K${line}${now === undefined ? "\n" : ""}`);
      } else if (now === undefined || state.paceFrom) {
        // In a log there is nothing to tell at the very start.
        console.error(text);
      }
    },
    // Ctrl-C asks the work to stop; once that is withdrawn, it ends the process.
    offerStop(_label, onStop) {
      process.on("SIGINT", onStop);
      return () => process.off("SIGINT", onStop);
    },
  };
}
