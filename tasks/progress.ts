/**
 * Lines of progress: those that stay, and those that the next one replaces.
 *
 * @module
 */

/** Where progress goes: `process.stdout` or `process.stderr`. */
export interface Output {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** Writes progress. */
export interface Progress {
  /** A line that stays. */
  line(text: string): void;
  /** What is going on: replaced by the next line on a terminal. */
  passing(text: string): void;
}

/**
 * Progress for one output. Where that is no terminal, a passing line is written
 * at most every ten seconds: enough to see that something moves, in a log.
 */
export function progressOn(output: Output): Progress {
  let last = Date.now();
  const write = (text: string, end: string) => {
    last = Date.now();
    output.write(`${output.isTTY ? "\r\x1b[K" : ""}${text}${end}`);
  };
  return {
    line: (text) => write(text, "\n"),
    passing(text) {
      if (output.isTTY) write(text.slice(0, 78), "");
      else if (Date.now() - last >= 10_000) write(text, "\n");
    },
  };
}
