/**
 * Plotly figures as they are shown: in the common look, text as text, numbers
 * short; and their data as rows.
 *
 * Touches no files.
 *
 * ```ts
 * import { completeFigure, figureRows } from "#lib/display/figure.ts";
 * import { deepEqual, equal } from "node:assert/strict";
 *
 * const data = [{ type: "bar", x: ["<b>L1</b>"], y: [1 / 3] }];
 * const { data: [bar], layout } = completeFigure({ data });
 * deepEqual(bar, { type: "bar", x: ["&lt;b&gt;L1&lt;/b&gt;"], y: [0.3333] });
 * equal(layout.width, 700);
 * deepEqual(figureRows({ data }), [{ x: "<b>L1</b>", y: 1 / 3 }]);
 * ```
 *
 * @module
 */
import { commonLayout } from "./chart_style.ts";
import type { TableRow } from "./table.ts";

/** A Plotly figure: https://plotly.com/javascript/reference/ */
export interface Figure {
  /** The traces. Numbers may stand in typed arrays. */
  data: Record<string, unknown>[];
  /** Laid over the common layout, axis by axis. */
  layout?: Record<string, unknown>;
}

/** A figure with everything that Plotly needs; sizes are pixels. */
export interface CompleteFigure {
  /** The traces, plain JSON. */
  data: Record<string, unknown>[];
  /** The layout, plain JSON. */
  layout: Record<string, unknown> & { width: number; height: number };
  /** Plotly's own controls. */
  config: Record<string, unknown>;
}

/**
 * Lays a figure over the common look.
 *
 * Plotly reads its texts as a small HTML: here they become plain text, line
 * breaks kept, except under keys that end in "template". Numbers keep four
 * significant digits, whole ones all.
 *
 * @param caption Becomes the title.
 */
export function completeFigure(
  figure: Figure,
  caption?: string,
): CompleteFigure {
  const names = figure.data.flatMap(({ name }) => name ? [String(name)] : []);
  const layout = commonLayout(caption, names);
  for (const [key, value] of Object.entries(figure.layout ?? {})) {
    // A second axis, "xaxis2", looks like the first.
    const common = layout[key.replace(/^([xy]axis)\d+$/, "$1")];
    layout[key] = isObject(value) && isObject(common)
      ? { ...common, ...value }
      : value;
  }
  return tidy({
    data: figure.data,
    layout,
    config: { displaylogo: false, modeBarButtonsToRemove: UNWANTED },
  }) as CompleteFigure;
}

/**
 * A figure's data as rows: one a position where all traces share theirs, one a
 * line of a heatmap, else one a point.
 */
export function figureRows({ data, layout = {} }: Figure): TableRow[] {
  const xName = axisName(layout.xaxis) ?? "x";
  const yName = axisName(layout.yaxis) ?? "y";
  const traces = data.map((trace, index) => ({
    name: String(
      trace.name ?? (data.length > 1 ? `series ${index + 1}` : yName),
    ),
    x: toArray(trace.x),
    y: toArray(trace.y),
    z: toArray(trace.z),
    text: toArray(trace.text),
  }));
  const [first] = traces;
  if (!first) return [];

  if (first.z.length > 0) {
    return first.z.map((line, row) => ({
      [yName]: toCell(first.y[row] ?? row),
      ...Object.fromEntries(
        toArray(line).map((value, column) => [
          String(first.x[column] ?? column),
          toCell(value),
        ]),
      ),
    }));
  }
  const shared = traces.every(({ x, text }) =>
    text.length === 0 && String(x) === String(first.x)
  );
  if (shared) {
    return first.y.map((_, row) => ({
      [xName]: toCell(first.x[row] ?? row),
      ...Object.fromEntries(
        traces.map(({ name, y }) => [name, toCell(y[row])]),
      ),
    }));
  }
  return traces.flatMap(({ name, x, y, text }) =>
    y.map((value, row) => ({
      series: name,
      ...(text.length > 0 ? { text: toCell(text[row]) } : {}),
      [xName]: toCell(x[row] ?? row),
      [yName]: toCell(value),
    }))
  );
}

/** Buttons that send the data away, or select what nothing listens to. */
const UNWANTED = ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"];

/** Makes a value plain JSON, its texts plain text, its numbers short. */
function tidy(value: unknown, key = ""): unknown {
  if (typeof value === "number") return shorten(value);
  if (typeof value === "string") {
    const text = key.endsWith("template") ? value : escapeText(value);
    // Plotly 3 dropped titles that are not objects.
    return key === "title" ? { text } : text;
  }
  if (isNumbers(value)) return Array.from(value, shorten);
  if (Array.isArray(value)) return value.map((item) => tidy(item, key));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, tidy(inner, name)]),
  );
}

function shorten(value: number): number {
  if (Number.isInteger(value)) return value;
  return Math.abs(value) >= 1000
    ? Math.round(value)
    : Number(value.toPrecision(4));
}

/** Of the control characters only line breaks: SVG, and so Plotly, has no others. */
function escapeText(text: string): string {
  return text.toWellFormed().split(/\r?\n/)
    .map((line) => line.replace(/\p{Cc}/gu, " "))
    .map((line) =>
      line.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    )
    .join("<br>");
}

function axisName(axis: unknown): string | undefined {
  const title = isObject(axis) ? axis.title : undefined;
  const text = isObject(title) ? title.text : title;
  return typeof text === "string" ? text : undefined;
}

function toCell(value: unknown): string | number | undefined {
  return typeof value === "number" || value === undefined
    ? value
    : String(value);
}

function toArray(value: unknown): unknown[] {
  if (isNumbers(value)) return Array.from(value);
  return Array.isArray(value) ? value : [];
}

function isNumbers(value: unknown): value is Float64Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
