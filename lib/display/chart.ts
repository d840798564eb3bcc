/**
 * Plotly charts that are alive where Plotly is drawn (JupyterLab, VS Code), a
 * picture with alternative text elsewhere (GitHub), and data as text.
 *
 * All text in a figure is plain text, except what stands under `hovertemplate`
 * and `texttemplate`, which are Plotly's own markup: keep outside text out of
 * those. A line break in a text stays one. Sizes are pixels.
 *
 * Used by the notebooks, mostly through charts.ts. Draws the picture in a
 * Chromium; where there is none, a table of the data takes its place.
 *
 * ```ts
 * import { chart } from "#lib/display/chart.ts";
 * import { match } from "node:assert/strict";
 *
 * const bars = await chart({
 *   data: [{ type: "bar", x: ["L1", "cosine"], y: [0.27, 0.235] }],
 *   layout: { yaxis: { title: "top-1" } },
 * }, { alt: "L1 finds more than cosine" });
 * match(`${bars}`, /Chart: L1 finds more than cosine\n/);
 * ```
 *
 * @module
 */
import { LAYOUT } from "./chart_style.ts";
import {
  type Displayable,
  displayable,
  escapeHtml,
  jupyterDisplay,
} from "./mime.ts";
import { table, type TableRow } from "./table.ts";

/** A Plotly figure: https://plotly.com/javascript/reference/ */
export interface Figure {
  /** The traces. */
  data: Record<string, unknown>[];
  /** Laid over the common layout, axis by axis. */
  layout?: Record<string, unknown>;
}

/** What goes with a chart. Plain text. */
export interface ChartOptions {
  /** What the chart shows, in a sentence, for those who do not see it. */
  alt: string;
  /** The chart's title: its number and what to notice. */
  caption?: string;
}

/**
 * Shows a Plotly figure.
 *
 * Numbers are kept to four significant digits; the same figure gives the same
 * bytes.
 */
export async function chart(
  figure: Figure,
  options: ChartOptions,
): Promise<Displayable> {
  const plotly = completeFigure(figure, options.caption);
  const rows = figureRows(plain(figure.data) as Trace[]);
  const data = table(rows.slice(0, 50), { caption: options.caption });
  const html = data[jupyterDisplay]()["text/html"];
  return await displayable({
    "text/plain": `Chart: ${options.alt}\n${table(rows.slice(0, 20))}`,
    "text/html": `<p>${escapeHtml(options.alt)}</p>\n${html}`,
    "application/vnd.plotly.v1+json": plotly,
  });
}

type Trace = Record<string, unknown>;

/** The figure in the common look, its text made plain and its numbers short. */
function completeFigure(figure: Figure, caption?: string): Figure {
  const layout: Record<string, unknown> = { ...LAYOUT };
  if (caption) layout.title = { text: wrap(caption) };
  for (const [key, value] of Object.entries(figure.layout ?? {})) {
    const under = layout[key.replace(/^([xy]axis)\d+$/, "$1")];
    layout[key] = isObject(value) && isObject(under)
      ? { ...under, ...value }
      : value;
  }
  return plotlyText({
    data: plain(figure.data),
    layout: plain(layout),
  }) as Figure;
}

/** JSON with arrays for typed arrays and with short numbers. */
function plain(value: unknown): unknown {
  if (typeof value === "number") return shorten(value);
  if (ArrayBuffer.isView(value)) {
    return Array.from(value as Float32Array, shorten);
  }
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, plain(inner)]),
  );
}

function shorten(value: number): number {
  if (Number.isInteger(value) || !Number.isFinite(value)) return value;
  return Math.abs(value) >= 1000
    ? Math.round(value)
    : Number(value.toPrecision(4));
}

/** Plotly reads its texts as HTML in small: this makes them read as text. */
function plotlyText(value: unknown): unknown {
  if (typeof value === "string") {
    return value.replace(/&/g, "&amp;").replace(/</g, "&lt;")
      .replace(/>/g, "&gt;").replace(/\r?\n/g, "<br>");
  }
  if (Array.isArray(value)) return value.map(plotlyText);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map((
      [key, inner],
    ) => [key, key.endsWith("template") ? inner : plotlyText(inner)]),
  );
}

/** Plotly does not wrap a title: this does, at about 80 characters. */
function wrap(text: string): string {
  return text.replace(/(.{40,80})\s+/g, "$1\n");
}

/** One row a point (or a row of a heatmap), as read from the traces. */
function figureRows(traces: Trace[]): TableRow[] {
  return traces.flatMap((trace): TableRow[] => {
    const name: TableRow = traces.length > 1 && trace.name
      ? { series: `${trace.name}` }
      : {};
    const [x, y, z] = [trace.x, trace.y, trace.z].map(toArray);
    if (z.length > 0) {
      return z.map((row, index) => ({
        ...name,
        "": cell(y[index] ?? index),
        ...Object.fromEntries(
          toArray(row).map((
            value,
            column,
          ) => [`${x[column] ?? column}`, cell(value)]),
        ),
      }));
    }
    const text = toArray(trace.text);
    return Array.from({ length: Math.max(x.length, y.length) }, (_, index) => ({
      ...name,
      ...(text.length > 0 ? { text: cell(text[index]) } : {}),
      x: cell(x[index] ?? index),
      y: cell(y[index] ?? index),
    }));
  });
}

function cell(value: unknown): string | number {
  return typeof value === "number" ? value : `${value ?? "–"}`;
}

function toArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
