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
import { Buffer } from "node:buffer";
import type { Hit } from "../compare/compare.ts";
import { picturePath } from "../dataset/dataset.ts";
import {
  encodePicture,
  type ImageSource,
  type PictureError,
} from "../pictures/pictures.ts";
import type { Picture } from "../records.ts";
import { captioned, type Displayable, escapeHtml, oneLine } from "./display.ts";

/** One cell of a grid. All strings are plain text. */
export interface GridItem {
  /** A file's path, or an encoded picture's bytes. */
  image: ImageSource;
  /** What the picture shows, for those who do not see it. */
  alt: string;
  /** Below the picture: two lines, what is longer is cut at a word. */
  title?: string;
  /** Below the title, two lines as well: a value, an author. */
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
  /**
   * Longest side of a thumbnail, pixels, 16 to 512.
   *
   * @default {112 in five columns or more, up to 220 in fewer}
   */
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
  const { columns = apart ? 5 : 6, caption } = options;
  requireWhole("columns", columns, 1, 50);
  const across = 720 / (columns + (apart ? 1 : 0)) - 20;
  const { size = Math.max(112, Math.min(220, Math.floor(across))) } = options;
  requireWhole("size", size, 16, 512);

  const cells = await Promise.all(items.map((item) => drawCell(item, size)));
  const queries = cells.filter(({ query }) => query);
  const hits = cells.filter(({ query }) => !query);
  const lines = [
    ...queries.map((cell) => `Query: ${cellText(cell)}`),
    ...hits.map((cell, index) => `${index + 1}. ${cellText(cell)}`),
    ...(hits.length === 0 ? [NOTHING] : []),
  ];
  const html = gridHtml(queries, hits, columns, size);
  return captioned(caption, lines.join("\n"), html);
}

function requireWhole(name: string, value: number, min: number, max: number) {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(
    `imageGrid: expected ${name} from ${min} to ${max}, got ${value}`,
  );
}

/**
 * Lays a search's result out: the query apart, then its hits, best first, each
 * marked by whether it is of the query's class.
 *
 * @param query The picture searched with; undefined for a search by text,
 *   which the caption should quote. Without it hits are not marked.
 * @param hits Positions in the gallery, with their values.
 */
export function hitGrid(
  query: Picture | undefined,
  hits: readonly Hit[],
  gallery: readonly Picture[],
  options: GridOptions = {},
): Promise<Displayable> {
  const cell = (picture: Picture) => ({
    image: picturePath(picture),
    alt: picture.caption,
    title: picture.term,
  });
  return imageGrid([
    ...(query ? [{ ...cell(query), caption: "query", query: true }] : []),
    ...hits.map(({ index, value }) => ({
      ...cell(gallery[index]),
      caption: formatValue(value),
      good: query && gallery[index].term === query.term,
    })),
  ], options);
}

/** Three digits for a similarity, none after the point for a large distance. */
function formatValue(value: number): string {
  return Math.abs(value) < 100
    ? value.toFixed(3)
    : Math.round(value).toLocaleString("en");
}

/**
 * A picture small enough to stand inside a page, as a data address; one that is
 * already smaller is not enlarged.
 *
 * @param size Longest side, pixels.
 * @throws {PictureError} If there is no whole picture; its `reason` names no
 * folder, so it can be shown and committed.
 */
export async function thumbnail(
  image: ImageSource,
  size: number,
): Promise<{ url: string; width: number; height: number }> {
  const { data, ...sides } = await encodePicture(
    image,
    { format: "jpeg", quality: 70, mozjpeg: true },
    { longest: size },
  );
  const base64 = Buffer.from(data).toString("base64");
  return { url: `data:image/jpeg;base64,${base64}`, ...sides };
}

/** An item with the HTML of its picture, or of the reason why there is none. */
interface Cell extends GridItem {
  picture: string;
  height: number;
  /** Plain text; "" where there is a picture. */
  fault: string;
}

async function drawCell(item: GridItem, size: number): Promise<Cell> {
  const { alt } = item;
  try {
    const { url, width, height } = await thumbnail(item.image, size);
    const picture = `<img src="${url}" alt="${escapeHtml(alt)}" ` +
      `width="${width}" height="${height}">`;
    return { ...item, picture, height, fault: "" };
  } catch (error) {
    const fault = `no picture: ${oneLine((error as PictureError).reason)}`;
    const picture = `<i>${escapeHtml(fault)}</i>`;
    return { ...item, picture, height: 64, fault };
  }
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
  const boxHeight = Math.max(
    ...[...queries, ...hits].map(({ height }) => height),
  );
  const cells = hits.map((hit, index) =>
    td(cellHtml(hit, boxHeight, size, hits.length > 1 ? `${index + 1}. ` : ""))
  );
  if (cells.length === 0) cells.push(td(`<i>${NOTHING}</i>`));
  const rows: string[][] = [];
  while (cells.length > 0) rows.push(cells.splice(0, columns));

  let head = "";
  if (queries.length > 0) {
    const pictures = queries.map((query) => cellHtml(query, boxHeight, size));
    rows[0].unshift(td(pictures.join("<br>"), ` rowspan="${rows.length}"`));
    head = `<tr><th align="center" style="text-align:center">Query</th>` +
      `<th align="left" style="text-align:left" ` +
      `colspan="${columns}">Hits</th></tr>\n`;
  }
  const body = rows.map((row) => `<tr>${row.join("\n")}</tr>\n`).join("");
  return `<table>\n${head}${body}</table>`;
}

function cellHtml(
  { picture, title = "", caption = "", good }: Cell,
  boxHeight: number,
  size: number,
  number = "",
): string {
  const line = (tag: "b" | "span", text: string) => {
    const whole = oneLine(text);
    // Pixels that a letter takes on most pages.
    const letters = Math.floor(size / (tag === "b" ? 7.2 : 6.5));
    const shown = clip(whole, letters, 2);
    const more = shown === whole ? "" : ` title="${escapeHtml(whole)}"`;
    return `<${tag}${more}>${escapeHtml(shown)}</${tag}>`;
  };
  const lines = [
    ...(number || title ? [line("b", number + title)] : []),
    ...(caption ? [line("span", caption)] : []),
    ...(good === undefined ? [] : [badge(good)]),
  ];
  // In a box, so that titles of a row stand on one line, where styles survive.
  return `<div style="height:${boxHeight}px;display:flex;align-items:center;` +
    `justify-content:center">${picture}</div>${lines.join("<br>")}`;
}

function cellText(
  { fault, alt, title, caption = "", good, image }: Cell,
): string {
  const parts = [
    clip(title || alt, 60),
    clip(caption, 60),
    good === undefined ? "" : mark(good),
    // The same on every machine, and still telling.
    typeof image === "string" ? image.split(/[\\/]/).slice(-3).join("/") : "",
    fault,
  ];
  return oneLine(parts.filter((part) => part !== "").join(" · "));
}

const NOTHING = "no pictures";

/** A sign and a word: the colour only comes on top. */
const mark = (good: boolean) => good ? "✓ relevant" : "✗ not relevant";

/** White on dark, above 6:1 in both themes; in one line without styles, too. */
const badge = (good: boolean) =>
  `<span style="background:${good ? "#1a6b3c" : "#9a3412"};color:#fff;` +
  `padding:0 .5em;border-radius:.5em;display:inline-block;white-space:nowrap">${
    mark(good).replaceAll(" ", "&nbsp;")
  }</span>`;

/**
 * Cuts a text at a word, with an ellipsis, to so many lines: titles on photo
 * sites can be essays. Words longer than a line are cut, too.
 */
function clip(text: string, letters: number, lines = 1): string {
  const whole = oneLine(text);
  let kept = "", line = 0;
  // Browsers break after spaces and hyphens.
  for (const part of whole.match(/[^ -]*[ -]*/g)!) {
    const { length } = [...part.trimEnd()];
    if (line > 0 && line + length > letters) {
      lines--;
      line = 0;
    }
    if (lines === 0) return `${kept.replace(/[ ,.-]+$/, "")}…`;
    if (length > letters) {
      return `${kept}${[...part].slice(0, letters - 1).join("")}…`;
    }
    kept += part;
    line += [...part].length;
  }
  return kept;
}
