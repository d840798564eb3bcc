/**
 * Tables: HTML for the page, aligned columns for text. Of any rows, and of what
 * an evaluation measured.
 *
 * Numbers of one column get the same count of decimals and stand right.
 *
 * ```ts
 * import { scoreTable, table } from "#lib/display/table.ts";
 * import { scoreRankings } from "#lib/evaluate/evaluate.ts";
 * import { equal, match } from "node:assert/strict";
 *
 * const rows = [{ metric: "L1", top1: 0.27 }, { metric: "cosine", top1: 0.235 }];
 * equal(`${table(rows)}`, "metric   top1\nL1      0.270\ncosine  0.235");
 *
 * const scores = scoreRankings([["owl", "cat"], ["owl", "cat"]], ["owl", "cat"]);
 * match(`${scoreTable([{ method: "L1", ...scores }])}`, /^L1\s+0.500\s+0.200/m);
 * ```
 *
 * @module
 */
import { type Estimate, estimateDifference } from "../evaluate/bootstrap.ts";
import type { EncoderRow } from "../evaluate/encoder_comparison.ts";
import type { Result } from "../evaluate/results.ts";
import type { RetrievalScores } from "../evaluate/retrieval.ts";
import { captioned, type Displayable, escapeHtml, oneLine } from "./display.ts";

/** A row by column name; a column may be absent. All text is plain text. */
export type TableRow = Record<string, string | number | undefined>;

/** How a table is shown. */
export interface TableOptions {
  /** Plain text above the table. */
  caption?: string;
}

/**
 * Shows rows as a table; the columns stand in the order they are first met.
 * Where there are no rows it says so.
 */
export function table(
  rows: readonly TableRow[],
  { caption }: TableOptions = {},
): Displayable {
  if (rows.length === 0) {
    return captioned(caption, "nothing", "<p><i>nothing</i></p>");
  }
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) => formatColumn(name, rows));
  const lines = Array.from(
    { length: rows.length + 1 },
    (_, line) => columns.map((cells) => cells[line]),
  );
  const text = lines.map((cells) =>
    cells.map(({ text }) => text).join("  ").trimEnd()
  );
  const [head, ...body] = lines.map((cells) =>
    `<tr>${cells.map(({ html }) => html).join("")}</tr>`
  );
  return captioned(
    caption,
    text.join("\n"),
    `<table>\n<thead>${head}</thead>\n<tbody>\n` +
      body.map((row) => `${row}\n`).join("") + "</tbody>\n</table>",
  );
}

/** How a table of scores is shown. */
export interface ScoreTableOptions extends TableOptions {
  /**
   * A method of the table: the last column says how much higher each other
   * one's mAP is than this one's, query by query, with the interval that holds
   * the difference in 95 of 100 draws.
   */
  against?: string;
}

/**
 * Shows top-1, precision@5 and mAP, all shares from 0 to 1, for each method.
 *
 * @throws {RangeError} If `against` is no method of the table.
 */
export function scoreTable(
  results: readonly Result[],
  { against, ...options }: ScoreTableOptions = {},
): Displayable {
  const base = results.find(({ method }) => method === against);
  if (against !== undefined && base === undefined) {
    throw new RangeError(
      `scoreTable: expected against to be one of "${
        results.map(({ method }) => method).join('", "')
      }", got "${against}"`,
    );
  }
  const rows = results.map((result) => ({
    "method": result.method,
    "top-1": result.top1,
    "precision@5": result.precisionAt5,
    "mAP": result.meanAveragePrecision,
    ...base && {
      [`mAP, compared with ${against} (95 %)`]: result === base
        ? undefined
        : formatChange(
          estimateDifference(result.averagePrecisions, base.averagePrecisions),
        ),
    },
  }));
  return table(rows, options);
}

/**
 * A difference with its sign and its interval: "+0.12 (+0.03 to +0.21)". Where
 * an end rounds to 0, there are more digits, to see on which side of 0 it is.
 */
export function formatChange({ value, low, high }: Estimate): string {
  const hidden = (digits: number) =>
    [low, high].some((end) => end !== 0 && Number(end.toFixed(digits)) === 0);
  let digits = 2;
  while (digits < 5 && hidden(digits)) digits++;
  const signed = (number: number) => {
    const text = Math.abs(number).toFixed(digits);
    if (Number(text) === 0) return text;
    return (number < 0 ? "−" : "+") + text;
  };
  return `${signed(value)} (${signed(low)} to ${signed(high)})`;
}

/**
 * Shows search by captions, and below each value the interval that holds it in
 * 95 of 100 draws.
 */
export function retrievalTable(
  { textToImage, imageToText }: Record<
    "textToImage" | "imageToText",
    { scores: RetrievalScores }
  >,
  options?: TableOptions,
): Displayable {
  const digits = (value: number) => `${Number(value.toFixed(3))}`;
  const row = (
    direction: string,
    scores: RetrievalScores,
    cell: (estimate: Estimate) => string,
  ) => ({
    direction,
    "R@1": cell(scores.r1),
    "R@5": cell(scores.r5),
    "R@10": cell(scores.r10),
    "median rank": cell(scores.medianRank),
    "precision@5": cell(scores.precisionAt5),
    mAP: cell(scores.meanAveragePrecision),
    nDCG: cell(scores.normalizedGain),
  });
  const rows = (direction: string, scores: RetrievalScores) => [
    row(direction, scores, ({ value }) => digits(value)),
    row("95 %", scores, ({ low, high }) => `${digits(low)}–${digits(high)}`),
  ];
  return table([
    ...rows("text to image", textToImage.scores),
    ...rows("image to text", imageToText.scores),
  ], options);
}

/** Shows a row an encoder; what was not measured stays empty. */
export function encoderTable(
  encoders: readonly EncoderRow[],
  options?: TableOptions,
): Displayable {
  const rows = encoders.map((row) => ({
    encoder: row.encoder,
    data: row.data,
    "R@1": row.r1,
    "R@5": row.r5,
    "R@10": row.r10,
    "ms a picture": row.msPerPicture,
    "ms a query": row.msPerQuery,
    MB: row.megabytes,
    source: row.source,
  }));
  return table(rows, options);
}

/**
 * Writes numbers that stand together with the same count of decimals: three
 * digits of the largest and two of the smallest, to thousandths.
 */
export function formatNumbers(numbers: readonly number[]): string[] {
  const decimals = decimalsFor(numbers);
  return numbers.map((value) =>
    value.toLocaleString("en", {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    })
  );
}

/** A column's cells, its name first. */
function formatColumn(name: string, rows: readonly TableRow[]) {
  const values = rows.map((row) => row[name] ?? "–");
  const numbers = formatNumbers(
    values.filter((value) => typeof value === "number"),
  );
  const align = numbers.length > 0 ? "right" : "left";
  const texts = [name, ...values].map((value) =>
    typeof value === "number" ? numbers.shift()! : oneLine(`${value}`)
  );
  const width = Math.max(...texts.map((text) => text.length));
  return texts.map((text, line) => {
    const tag = line === 0 ? "th" : "td";
    return {
      text: align === "right" ? text.padStart(width) : text.padEnd(width),
      html: `<${tag} align="${align}" style="text-align:${align}">` +
        `${escapeHtml(text)}</${tag}>`,
    };
  });
}

function decimalsFor(numbers: readonly number[]): number {
  const sizes = numbers.map(Math.abs)
    .filter((size) => size > 0 && Number.isFinite(size));
  if (sizes.every(Number.isInteger)) return 0;
  const exponent = (size: number) => Math.floor(Math.log10(size));
  const wanted = Math.max(
    2 - exponent(Math.max(...sizes)),
    1 - exponent(Math.min(...sizes)),
  );
  return Math.max(0, Math.min(3, wanted));
}
