/**
 * Pictures side by side: hits of a search, samples of a data set.
 *
 * A plain HTML table of small JPEGs, which stays right where style sheets and
 * scripts are removed (GitHub), and as text a numbered list. Sizes are pixels;
 * six thumbnails make about 15 KB.
 *
 * Reads the pictures' files.
 *
 * ```ts
 * import { imageGrid } from "#lib/display/grid.ts";
 * import { match } from "node:assert/strict";
 *
 * const hits = await imageGrid([
 *   { image: "data/gone.jpg", title: "owl", alt: "An owl", caption: "0.91" },
 * ]);
 * match(`${hits}`, /1\. owl · 0\.91 · data\/gone\.jpg · no picture: file not found/);
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
import type { PictureError } from "../pictures/pictures.ts";
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
  const apart = items.some(({ query }) => query);
  const { columns = apart ? 5 : 6, size = 112, caption } = options;
  requireWhole("columns", columns, 1, 50);
  requireWhole("size", size, 16, 512);

  const cells = await Promise.all(items.map((item) => drawCell(item, size)));
  const queries = cells.filter(({ query }) => query);
  const hits = cells.filter(({ query }) => !query);
  const lines = [
    ...(caption ? [oneLine(caption)] : []),
    ...queries.map((cell) => `Query: ${cellText(cell)}`),
    ...hits.map((cell, index) => `${index + 1}. ${cellText(cell)}`),
    ...(hits.length === 0 ? [NOTHING] : []),
  ];
  return displayable({
    "text/plain": lines.join("\n"),
    "text/html": (caption ? `<p><b>${escapeHtml(caption)}</b></p>\n` : "") +
      gridHtml(queries, hits, columns, size),
  });
}

/** An item with its picture drawn, or the reason why there is none. */
type Cell = GridItem & { drawn: Thumbnail | string };

async function drawCell(item: GridItem, size: number): Promise<Cell> {
  const drawn = await thumbnail(item.image, size)
    .catch((error: PictureError) => `no picture: ${oneLine(error.reason)}`);
  return {
    ...item,
    title: clip(item.title ?? ""),
    caption: clip(item.caption ?? ""),
    drawn,
  };
}

/** Rows of hits; the queries stand one above the other to their left. */
function gridHtml(
  queries: Cell[],
  hits: Cell[],
  columns: number,
  size: number,
): string {
  const td = (content: string, more = "") =>
    `<td align="center" valign="top" width="${size}"${more} ` +
    `style="text-align:center;vertical-align:top;overflow-wrap:anywhere">` +
    `${content}</td>`;
  const boxHeight = Math.max(...[...queries, ...hits].map(pictureHeight));
  const rows: string[][] = [];
  hits.forEach((hit, index) => {
    if (index % columns === 0) rows.push([]);
    const number = hits.length > 1 ? `${index + 1}. ` : "";
    rows.at(-1)!.push(td(cellHtml(hit, boxHeight, number)));
  });
  if (hits.length === 0) rows.push([td(`<i>${NOTHING}</i>`)]);

  let head = "";
  if (queries.length > 0) {
    const pictures = queries.map((query) => cellHtml(query, boxHeight))
      .join("<br>");
    rows[0].unshift(td(pictures, ` rowspan="${rows.length}"`));
    head = `<tr><th align="center" style="text-align:center">Query</th>` +
      `<th align="left" style="text-align:left" ` +
      `colspan="${columns}">Hits</th></tr>\n`;
  }
  const body = rows.map((row) => `<tr>${row.join("\n")}</tr>\n`).join("");
  return `<table>\n${head}${body}</table>`;
}

/** A cell without a picture needs room for the reason. */
function pictureHeight({ drawn }: Cell): number {
  return typeof drawn === "string" ? 64 : drawn.height;
}

function cellHtml(cell: Cell, boxHeight: number, number = ""): string {
  const { drawn, alt, title, caption, good } = cell;
  const picture = typeof drawn === "string"
    ? `<i>${escapeHtml(drawn)}</i>`
    : `<img src="${drawn.url}" alt="${escapeHtml(alt)}" ` +
      `width="${drawn.width}" height="${drawn.height}">`;
  const lines = [
    ...(number || title ? [`<b>${escapeHtml(number + title)}</b>`] : []),
    ...(caption ? [escapeHtml(caption)] : []),
    ...(good === undefined ? [] : [badge(good)]),
  ];
  // In a box, so that titles of a row stand on one line, where styles survive.
  return `<div style="height:${boxHeight}px;display:flex;align-items:center;` +
    `justify-content:center">${picture}</div>${lines.join("<br>")}`;
}

function cellText({ drawn, alt, title, caption, good, image }: Cell): string {
  const parts = [
    title || alt,
    caption,
    good === undefined ? "" : mark(good),
    // The same on every machine, and still telling.
    typeof image === "string" ? image.split(/[\\/]/).slice(-3).join("/") : "",
    typeof drawn === "string" ? drawn : "",
  ];
  return oneLine(parts.filter((part) => part !== "").join(" · "));
}

const NOTHING = "no pictures";

/** A sign and a word: the colour only comes on top. */
function mark(good: boolean): string {
  return good ? "✓ relevant" : "✗ not relevant";
}

/** White on dark, above 6:1 in both themes. */
function badge(good: boolean): string {
  return `<span style="background:${good ? "#1a6b3c" : "#9a3412"};color:#fff;` +
    `padding:0 .5em;border-radius:.5em;display:inline-block">${
      mark(good)
    }</span>`;
}

/** Titles on photo sites can be essays; a cell has room for four lines. */
function clip(text: string): string {
  const characters = [...oneLine(text)];
  return characters.length <= 60
    ? characters.join("")
    : characters.slice(0, 59).join("").trimEnd() + "…";
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
