/**
 * Lines of progress: those that stay, and those that the next one replaces.
 *
 * @module
 */
import process from "node:process";

/** Writes progress. */
export interface Progress {
  /** A line that stays. */
  line(text: string): void;
  /** What is going on: replaced by the next line on a terminal; "" clears it. */
  passing(text: string): void;
  /** The same each second, with the seconds, until what it returns is called. */
  waiting(text: string): () => void;
  /** A line each, but only so many. */
  remarks(lines: readonly string[], most: number): void;
}

/**
 * Progress for `process.stdout` or `process.stderr`. Where that is no terminal, or
 * a simple one, a passing line is written at most every ten seconds: enough to see
 * that something moves, in a log.
 */
export function progressOn(
  output: { isTTY?: boolean; write(text: string): unknown },
): Progress {
  let last = Date.now();
  // A simple terminal prints what would make another take the line back.
  const isLive = output.isTTY && process.env.TERM !== "dumb";
  const write = (text: string, end: string) => {
    last = Date.now();
    output.write(`${isLive ? "\r\x1b[K" : ""}${text}${end}`);
  };
  const line = (text: string) => write(text, "\n");
  const passing = (text: string) => {
    if (isLive) write(text.slice(0, 78), "");
    else if (text && Date.now() - last >= 10_000) line(text);
  };
  return {
    ...{ line, passing },
    waiting(text) {
      const start = Date.now();
      const timer = setInterval(() => {
        passing(`${text} … (${Math.round((Date.now() - start) / 1000)} s)`);
      }, 1000);
      return () => clearInterval(timer);
    },
    remarks(lines, most) {
      // They quote names of files, which may hold what a terminal obeys.
      for (const remark of lines.slice(0, most)) line(withoutControls(remark));
      const more = lines.length - most;
      if (more > 0) line(`… and ${more} more like these`);
    },
  };
}

/**
 * A line without what terminals obey: control characters, and marks that turn
 * the direction of what is written after them.
 */
export function withoutControls(line: string): string {
  return line.replace(/[\p{Cc}\p{Bidi_C}]/gu, " ");
}
