/**
 * Plotly charts: alive in JupyterLab and VS Code, a picture with alternative
 * text elsewhere (GitHub, an HTML export), and the data as text.
 *
 * The paper is white in both themes, so that one picture serves light, dark
 * and print; text on it is at least 7:1. All text in a figure is plain text,
 * except what stands under `hovertemplate` and `texttemplate`, which are
 * Plotly's own markup: keep outside text out of those. Where no browser is
 * found to draw the picture, a table of the data takes its place.
 *
 * Starts a browser. Sizes are pixels.
 *
 * ```ts
 * import { chart } from "#lib/display/chart.ts";
 * import { match } from "node:assert/strict";
 *
 * const bars = await chart({
 *   data: [{ type: "bar", x: ["L1", "cosine"], y: [0.27, 0.235] }],
 * }, { alt: "L1 finds more than cosine", xTitle: "metric", yTitle: "top-1" });
 * match(`${bars}`, /Chart: L1 finds more than cosine\nmetric\s+top-1\nL1\s+0\.270/);
 * ```
 *
 * @module
 */
import { drawFigure } from "./chart_picture.ts";
import {
  type Displayable,
  displayable,
  escapeHtml,
  jupyterDisplay,
  oneLine,
} from "./display.ts";
import { formatNumbers, table, type TableRow } from "./table.ts";

/** A Plotly figure: https://plotly.com/javascript/reference/ */
export interface Figure {
  /** The traces. Numbers may stand in typed arrays. */
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
  /** What the horizontal axis measures, with its unit. */
  xTitle: string;
  /** What the vertical axis measures, with its unit. */
  yTitle: string;
}

/**
 * Shows a Plotly figure, 700 × 400 pixels unless its layout says otherwise;
 * higher where many long names stand above it.
 *
 * The same figure gives the same bytes on one machine; on another, with other
 * fonts, the picture's differ.
 *
 * @param rows What the text says, where the data's own rows would be too many.
 */
export async function chart(
  figure: Figure,
  options: ChartOptions,
  rows: readonly TableRow[] = figureRows(figure, options),
): Promise<Displayable> {
  const { alt, caption } = options;
  const complete = completeFigure(figure, options);
  const { width, height } = complete.layout;
  const png = await drawFigure(complete, complete.layout);
  const first = table(rows.slice(0, MOST_ROWS).map(shorten));
  const rest = rows.length - MOST_ROWS;
  return displayable({
    "text/plain": `Chart: ${oneLine(alt)}\n${first}` +
      (rest > 0 ? `\n… and ${rest} more` : ""),
    "text/html": png
      ? `<img src="data:image/png;base64,${png.toString("base64")}" ` +
        `alt="${escapeHtml(alt)}" width="${width}" height="${height}">`
      : `<p>${escapeHtml(alt)}</p>\n` +
        table(rows, { caption })[jupyterDisplay]()["text/html"],
    "application/vnd.plotly.v1+json": complete,
  });
}

/** Rows of data in the text: enough for a diff to show what changed. */
const MOST_ROWS = 12;

/** A row of more than twelve values as its three largest, zeros left out. */
function shorten(row: TableRow): TableRow {
  const [first, ...values] = Object.entries(row);
  if (values.length <= 12) return row;
  const largest = values.filter(([, value]) => value)
    .sort(([, a], [, b]) => Number(b) - Number(a)).slice(0, 3);
  const texts = formatNumbers(largest.map(([, value]) => Number(value)));
  const named = largest.map(([name], i) => `${name} ${texts[i]}`);
  return { [first[0]]: first[1], largest: named.join(", ") };
}

/**
 * Colours of the series, in order: told apart by readers with any colour vision
 * (after Okabe and Ito), each at least 3:1 on white.
 */
export const COLOURS: readonly string[] = [
  "#0072b2", // blue
  "#d55e00", // vermilion
  "#007a5a", // bluish green
  "#a8518a", // reddish purple
  "#595959", // grey
  "#8a6d00", // ochre
  "#7b1e3a", // maroon
  "#12305c", // navy
];

/**
 * Gives a figure its size, its titles and the common look.
 *
 * Plotly reads its texts as a small HTML: here they become plain text, line
 * breaks kept, except under keys that end in "template". Numbers keep four
 * significant digits, whole ones all.
 */
export function completeFigure(
  { data, layout = {} }: Figure,
  { caption, xTitle, yTitle }: Partial<ChartOptions> = {},
): Figure & { layout: Size } {
  const names = data.flatMap(({ name }) => name ? [String(name)] : []);
  const { width = WIDTH } = layout as Partial<Size>;
  const frame = frameOf(caption, names, width);
  const { l, r, t, b } = frame.margin;
  const { height = 312 + Math.max(88, t) } = layout as Partial<Size>;
  const title = (text: string | undefined, room: number) =>
    // Without a distance, long labels of ticks run into the title.
    text && { title: { text: wrap(text, room / LETTER), standoff: 12 } };
  // Buttons that send the data away, or select what nothing listens to.
  const unwanted = ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"];
  return tidy({
    data,
    layout: {
      ...layout,
      width,
      height,
      xaxis: { ...title(xTitle, width - l - r), ...layout.xaxis as object },
      yaxis: { ...title(yTitle, height - t - b), ...layout.yaxis as object },
      // What a figure does not say, Plotly takes from its template.
      template: { layout: { ...LOOK, ...frame }, data: { bar: HATCHED } },
    },
    config: { displaylogo: false, modeBarButtonsToRemove: unwanted },
  }) as Figure & { layout: Size };
}

/** A chart's, pixels. */
interface Size {
  width: number;
  height: number;
}

/** Pixels of a chart across unless its layout says otherwise. */
export const WIDTH = 700;

/** A letter's width at the common size, pixels: on average, in a wide font. */
export const LETTER = 7.5;

const [WHITE, GREY] = ["#ffffff", "#595959"];

const AXIS = {
  automargin: true,
  showgrid: true,
  gridcolor: "#e3e3e3",
  showline: true,
  linecolor: GREY,
  ticks: "outside",
  tickcolor: GREY,
  zeroline: false,
  separatethousands: true,
  exponentformat: "none",
};

/** Bars of several series differ without colour, too: the first is plain. */
const HATCHED = ["", "/", ".", "\\", "x", "-", "|", "+"].map((shape) => ({
  marker: { pattern: { shape, fillmode: "overlay", fgcolor: WHITE, size: 12 } },
}));

const LOOK = {
  paper_bgcolor: WHITE,
  plot_bgcolor: WHITE,
  font: { family: "Arial, Helvetica, sans-serif", size: 13, color: "#1f1f1f" },
  colorway: COLOURS,
  xaxis: AXIS,
  yaxis: AXIS,
  modebar: {
    orientation: "v",
    bgcolor: WHITE,
    color: GREY,
    activecolor: "#0072b2",
  },
};

/**
 * What stands around a plot: the title, and the legend of two series or more.
 *
 * A legend of at most four names that fit in a line stands between title and
 * plot, one of long names there too, a line each. Any other stands to the
 * right, beside the column of buttons.
 *
 * @param caption The title, wrapped to the chart's width.
 * @param names What the legend lists.
 * @param width Of the chart, pixels.
 */
export function frameOf(
  caption = "",
  names: readonly string[] = [],
  width: number = WIDTH,
): {
  /** Pixels to the left, to the right, above and below. */
  margin: Record<"l" | "r" | "t" | "b", number>;
  [more: string]: unknown;
} {
  // 15 pixels high, its letters are wider than the others; 25 stay free.
  const text = wrap(caption, (width - 25) / LETTER);
  const lines = caption === "" ? 0 : text.split("\n").length;
  const widths = names.map(({ length }) => 45 + LETTER * length);
  const inLine = widths.reduce((sum, each) => sum + each, 0);
  const longest = Math.max(...widths);
  const isLine = names.length <= 4 && inLine < width - 104;
  const isBeside = !isLine && longest < width / 3;
  const above = names.length < 2 || isBeside ? 0 : isLine ? 1 : names.length;
  return {
    margin: {
      l: 60,
      r: Math.ceil(44 + (isBeside ? longest : 0)),
      t: 24 + 20 * lines + (above && 4 + 20 * above),
      b: 60,
    },
    title: {
      text,
      font: { size: 15 },
      ...{ x: 0.02, xanchor: "left", y: 1, yanchor: "top" },
      // Plotly sets the first of several lines higher than a line alone.
      pad: { t: lines > 1 ? 22 : 12 },
    },
    showlegend: names.length > 1,
    legend: {
      traceorder: "normal",
      ...isBeside
        ? { x: 1.02, y: 1 }
        : { orientation: isLine ? "h" : "v", x: 0, y: 1, yanchor: "bottom" },
    },
  };
}

/** Plotly breaks no lines. */
function wrap(text: string, letters: number): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (longer.length > letters && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.join("\n");
}

/** Makes a value plain JSON, its texts plain text, its numbers short. */
function tidy(value: unknown, key = ""): unknown {
  if (typeof value === "number") {
    if (Number.isInteger(value)) return value;
    const isLarge = Math.abs(value) >= 1000;
    return isLarge ? Math.round(value) : Number(value.toPrecision(4));
  }
  if (typeof value === "string") {
    const text = key.endsWith("template") ? value : escapeText(value);
    // Plotly 3 dropped titles that are not objects.
    return key === "title" ? { text } : text;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => tidy(item, key));
  if (ArrayBuffer.isView(value)) return tidy([...value as Float64Array]);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, tidy(inner, name)]),
  );
}

/** Of the control characters only line breaks: SVG, and so Plotly, has no others. */
function escapeText(text: string): string {
  return text.toWellFormed()
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    .replace(/\r?\n/g, "<br>").replace(/\p{Cc}/gu, " ");
}

/**
 * A figure's data as rows: one a position where all traces share theirs, one a
 * line of a heatmap, else one a point.
 */
export function figureRows(
  { data, layout = {} }: Figure,
  { xTitle = "x", yTitle = "y" }: Partial<ChartOptions> = {},
): TableRow[] {
  const { xaxis, yaxis } = layout as Record<string, PlotlyObject>;
  const xName = xaxis?.title?.text ?? xaxis?.title ?? xTitle;
  const yName = yaxis?.title?.text ?? yaxis?.title ?? yTitle;
  const rows: TableRow[] = [];
  const shared = data.every(({ x, text }) =>
    !Array.isArray(text) && `${x}` === `${data[0].x}`
  );
  data.forEach(({ name, x = [], y = [], z, text }: PlotlyObject, index) => {
    const series = name ?? (data.length > 1 ? `series ${index + 1}` : yName);
    for (const [i, value] of (z ?? y).entries()) {
      const at = { [xName]: x[i] ?? i };
      if (z) {
        const cells = Array.from(value, (cell, j) => [x[j] ?? j, cell]);
        rows.push({ [yName]: y[i] ?? i, ...Object.fromEntries(cells) });
      } else if (shared) {
        Object.assign(rows[i] ??= at, { [series]: value });
      } else {
        const label = Array.isArray(text) ? { text: text[i] } : {};
        rows.push({ series, ...label, ...at, [yName]: value });
      }
    }
  });
  return rows;
}

// deno-lint-ignore no-explicit-any -- whatever Plotly knows
type PlotlyObject = Record<string, any>;
