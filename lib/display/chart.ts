/**
 * Plotly charts: alive in JupyterLab and VS Code, a picture with alternative
 * text elsewhere (GitHub, an HTML export), and the data as text.
 *
 * All text in a figure is plain text, except what stands under `hovertemplate`
 * and `texttemplate`, which are Plotly's own markup: keep outside text out of
 * those. Where no browser is found to draw the picture, a table of the data
 * takes its place.
 *
 * Starts a browser.
 *
 * ```ts
 * import { chart } from "#lib/display/chart.ts";
 * import { match } from "node:assert/strict";
 *
 * const bars = await chart({
 *   data: [{ type: "bar", x: ["L1", "cosine"], y: [0.27, 0.235] }],
 *   layout: { yaxis: { title: "top-1" } },
 * }, { alt: "L1 finds more than cosine" });
 * match(`${bars}`, /Chart: L1 finds more than cosine\nx\s+top-1\nL1\s+0\.270/);
 * ```
 *
 * @module
 */
import { drawFigure } from "./chart_picture.ts";
import { completeFigure, type Figure, figureRows } from "./figure.ts";
import {
  type Displayable,
  displayable,
  escapeHtml,
  jupyterDisplay,
} from "./display.ts";
import { table } from "./table.ts";

/** What goes with a chart. Plain text. */
export interface ChartOptions {
  /** What the chart shows, in a sentence, for those who do not see it. */
  alt: string;
  /** The chart's title: its number and what to notice. */
  caption?: string;
}

/**
 * Shows a Plotly figure, 700 × 400 pixels unless its layout says otherwise.
 *
 * The same figure gives the same bytes on one machine; on another, with other
 * fonts, the picture's differ.
 */
export async function chart(
  figure: Figure,
  { alt, caption }: ChartOptions,
): Promise<Displayable> {
  const complete = completeFigure(figure, caption);
  const rows = figureRows(figure);
  const png = await drawFigure(complete);
  const { width, height } = complete.layout;
  const data = table(rows, { caption })[jupyterDisplay]();
  const rest = rows.length - MOST_ROWS;
  return displayable({
    "text/plain": `Chart: ${alt}\n${table(rows.slice(0, MOST_ROWS))}` +
      (rest > 0 ? `\n… and ${rest} more` : ""),
    "text/html": png
      ? `<img src="data:image/png;base64,${png.toString("base64")}" ` +
        `alt="${escapeHtml(alt)}" width="${width}" height="${height}">`
      : `<p>${escapeHtml(alt)}</p>\n${data["text/html"]}`,
    "application/vnd.plotly.v1+json": complete,
  });
}

/** Rows of data in the text: enough for a diff to show what changed. */
const MOST_ROWS = 12;
