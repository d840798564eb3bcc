/**
 * Tables: HTML for the page, aligned columns for text.
 *
 * Numbers of one column get the same count of decimals and stand right.
 *
 * Touches no files.
 *
 * ```ts
 * import { table } from "#lib/display/table.ts";
 * import { equal } from "node:assert/strict";
 *
 * const rows = [{ metric: "L1", top1: 0.27 }, { metric: "cosine", top1: 0.235 }];
 * equal(`${table(rows)}`, "metric   top1\nL1      0.270\ncosine  0.235");
 * ```
 *
 * @module
 */
import {
  type Displayable,
  displayable,
  escapeHtml,
  oneLine,
} from "./display.ts";

/** A row by column name; a column may be absent. All text is plain text. */
export type TableRow = Record<string, string | number | undefined>;

/** How a table is shown. */
export interface TableOptions {
  /** Plain text above the table. */
  caption?: string;
  /** Which columns, in which order. @default {every row's, as first met} */
  columns?: string[];
}

/** Shows rows as a table. */
export function table(
  rows: readonly TableRow[],
  options: TableOptions = {},
): Displayable {
  const names = options.columns ??
    [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) => formatColumn(name, rows));
  const caption = options.caption;
  return displayable({
    "text/plain": tableText(rows.length, columns, caption),
    "text/html": tableHtml(rows.length, columns, caption),
  });
}

interface Column {
  name: string;
  cells: string[];
  numeric: boolean;
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

function formatColumn(name: string, rows: readonly TableRow[]): Column {
  const values = rows.map((row) => row[name] ?? "–");
  const formatted = formatNumbers(
    values.filter((value) => typeof value === "number"),
  );
  return {
    name,
    numeric: formatted.length > 0,
    cells: values.map((value) =>
      typeof value === "number" ? formatted.shift()! : oneLine(value)
    ),
  };
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

function tableText(rows: number, columns: Column[], caption?: string): string {
  const padded = columns.map(({ name, cells, numeric }) => {
    const width = Math.max(...[name, ...cells].map((cell) => cell.length));
    return [name, ...cells].map((cell) =>
      numeric ? cell.padStart(width) : cell.padEnd(width)
    );
  });
  const lines = Array.from(
    { length: rows + 1 },
    (_, row) => padded.map((cells) => cells[row]).join("  ").trimEnd(),
  );
  return [...(caption ? [caption] : []), ...lines].join("\n");
}

function tableHtml(rows: number, columns: Column[], caption?: string): string {
  const cell = (tag: "th" | "td", text: string, { numeric }: Column) => {
    const align = numeric ? "right" : "left";
    return `<${tag} align="${align}" style="text-align:${align}">` +
      `${escapeHtml(text)}</${tag}>`;
  };
  const head = columns.map((column) => cell("th", column.name, column));
  const body = Array.from(
    { length: rows },
    (_, row) => columns.map((column) => cell("td", column.cells[row], column)),
  );
  return (caption ? `<p><b>${escapeHtml(caption)}</b></p>\n` : "") +
    `<table>\n<thead><tr>${head.join("")}</tr></thead>\n<tbody>\n` +
    body.map((cells) => `<tr>${cells.join("")}</tr>\n`).join("") +
    "</tbody>\n</table>";
}
