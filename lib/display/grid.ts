/**
 * Pictures side by side: hits of a search, samples of a data set.
 *
 * A plain HTML table of small JPEGs, which stays right where style sheets and
 * scripts are removed (GitHub), and as text a numbered list. Sizes are pixels;
 * six thumbnails make about 15 KB.
 *
 * Used by every notebook that shows pictures. Reads the pictures' files.
 *
 * ```ts
 * import { imageGrid } from "#lib/display/grid.ts";
 * import { match } from "node:assert/strict";
 *
 * const hits = await imageGrid([
 *   { image: "data/gone.jpg", title: "owl", alt: "An owl", caption: "0.91" },
 * ]);
 * match(`${hits}`, /1\. owl · 0\.91 · data\/gone\.jpg \(no picture: file not found\)/);
 * ```
 *
 * @module
 */
import { type Displayable, displayable, escapeHtml } from "./mime.ts";
import { type Thumbnail, thumbnail } from "./thumbnail.ts";

/** One cell of a grid. All strings are plain text. */
export interface GridItem {
  /** A file's path, or an encoded picture's bytes. */
  image: string | Uint8Array;
  /** What the picture shows, for those who do not see it. */
  alt: string;
  /** First line under the picture. */
  title?: string;
  /** Second line: a value, an author. */
  caption?: string;
  /** Marks a hit as relevant (true) or not (false). */
  good?: boolean;
  /** Shows this one apart, before the hits. */
  query?: boolean;
}

/** How a grid is laid out. */
export interface GridOptions {
  /** Hits a row. @default {6, or 5 beside a query} */
  columns?: number;
  /** Longest side of a thumbnail, pixels, 16 to 512. @default {112} */
  size?: number;
  /** Plain text above the grid. */
  caption?: string;
}

/**
 * Lays pictures out in a grid.
 *
 * A picture that cannot be read gets a cell with the reason; the others keep
 * their places and numbers.
 *
 * @param items Pictures in the order they are numbered; queries come first.
 * @throws {RangeError} If columns or size is out of range.
 */
export async function imageGrid(
  items: readonly GridItem[],
  options: GridOptions = {},
): Promise<Displayable> {
  const queries = items.filter(({ query }) => query);
  const { columns = queries.length > 0 ? 5 : 6, size = 112, caption } = options;
  requireWhole("columns", columns, 1, 50);
  requireWhole("size", size, 16, 512);

  const cells = await Promise.all(items.map((item) => drawCell(item, size)));
  const queryCells = cells.filter(({ item }) => item.query);
  const hitCells = cells.filter(({ item }) => !item.query);
  return displayable({
    "text/plain": [
      ...(caption ? [caption] : []),
      ...queryCells.map((cell) => `Query: ${describe(cell)}`),
      ...hitCells.map((cell, index) => `${index + 1}. ${describe(cell)}`),
    ].join("\n"),
    "text/html": gridHtml(queryCells, hitCells, columns, size, caption),
  });
}

interface Cell {
  item: GridItem;
  drawn: Thumbnail | { reason: string };
}

async function drawCell(item: GridItem, size: number): Promise<Cell> {
  try {
    return { item, drawn: await thumbnail(item.image, size) };
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    return { item, drawn: { reason } };
  }
}

function gridHtml(
  queries: Cell[],
  hits: Cell[],
  columns: number,
  size: number,
  caption?: string,
): string {
  const width = Math.min(columns, Math.max(1, hits.length));
  const rows = Array.from(
    { length: Math.ceil(hits.length / width) },
    (_, row) =>
      hits.slice(row * width, (row + 1) * width)
        .map((cell, column) => cellHtml(cell, size, row * width + column + 1)),
  );
  let head = "";
  if (queries.length > 0) {
    head = `<tr><th ${CELL}>Query</th>` +
      `<th colspan="${width}" align="left" style="text-align:left">Hits</th></tr>\n`;
    const shown = queries.map((cell) => pictureHtml(cell, size)).join(
      "<br>",
    );
    const cell = `<td ${CELL} width="${size}" rowspan="${
      Math.max(1, rows.length)
    }">${shown}</td>`;
    rows[0] = [cell, ...(rows[0] ?? [])];
  }
  const body = rows.map((row) => `<tr>${row.join("\n")}</tr>`).join("\n");
  return (caption ? `<p><b>${escapeHtml(caption)}</b></p>\n` : "") +
    `<table>\n${head}${body}\n</table>`;
}

function cellHtml(cell: Cell, size: number, number: number): string {
  return `<td ${CELL} width="${size}">${pictureHtml(cell, size, number)}</td>`;
}

function pictureHtml({ item, drawn }: Cell, size: number, number?: number) {
  const picture = "url" in drawn
    ? `<img src="${drawn.url}" alt="${escapeHtml(item.alt)}" ` +
      `width="${drawn.width}" height="${drawn.height}">`
    : `<i>no picture: ${escapeHtml(drawn.reason)}</i>`;
  const title = [number && `${number}.`, item.title].filter(Boolean).join(" ");
  // In a box, so that titles of a row stand on one line, where styles survive.
  const box = `height:${size}px;display:flex;` +
    "align-items:center;justify-content:center";
  const lines = [
    ...(title ? [`<b>${escapeHtml(title)}</b>`] : []),
    ...(item.caption ? [escapeHtml(item.caption)] : []),
    ...(item.good === undefined ? [] : [MARKS[`${item.good}`].html]),
  ];
  return `<div style="${box}">${picture}</div>${lines.join("<br>")}`;
}

function describe({ item, drawn }: Cell): string {
  const path = typeof item.image === "string"
    ? shortPath(item.image)
    : undefined;
  const text = [
    item.title ?? item.alt,
    item.caption,
    item.good === undefined ? undefined : MARKS[`${item.good}`].text,
    path,
  ].filter(Boolean).join(" · ");
  return "reason" in drawn ? `${text} (no picture: ${drawn.reason})` : text;
}

/** The last three parts: the same on every machine, and still telling. */
function shortPath(path: string): string {
  return path.split(/[\\/]/).slice(-3).join("/");
}

function requireWhole(
  name: string,
  value: number,
  least: number,
  most: number,
) {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(
      `imageGrid: expected ${name} from ${least} to ${most}, got ${value}`,
    );
  }
}

const CELL =
  `align="center" valign="top" style="text-align:center;vertical-align:top;overflow-wrap:anywhere"`;

/** A sign and a word; the colour comes on top. White on these is above 5:1. */
const MARKS: Record<string, { text: string; html: string }> = {
  true: mark("✓ relevant", "#1a6b3c"),
  false: mark("✗ not relevant", "#9a3412"),
};

function mark(text: string, background: string) {
  const style =
    `background:${background};color:#fff;padding:0 .5em;border-radius:.5em`;
  return { text, html: `<span style="${style}">${text}</span>` };
}
