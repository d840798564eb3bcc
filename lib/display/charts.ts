/**
 * The charts that several notebooks draw: bars, lines, a map of thumbnails, a
 * matrix. Each is a Plotly figure handed to `chart`.
 *
 * Reads pictures' files for the map.
 *
 * ```ts
 * import { barChart } from "#lib/display/charts.ts";
 * import { match } from "node:assert/strict";
 *
 * const bars = await barChart(["L1", "cosine"], { "top-1": [0.27, 0.235] }, {
 *   alt: "L1 finds more than cosine",
 *   yTitle: "share of queries",
 * });
 * match(`${bars}`, /L1\s+0\.270/);
 * ```
 *
 * @module
 */
import type { ImageSource } from "../pictures/pictures.ts";
import { chart, type ChartOptions, COLOURS, frameOf } from "./chart.ts";
import type { Displayable } from "./display.ts";
import { thumbnail } from "./grid.ts";
import { formatNumbers } from "./table.ts";

/**
 * Bars in groups, with their values written on them.
 *
 * @param categories One group each, length N.
 * @param series Name → N values; a colour each.
 */
export function barChart(
  categories: string[],
  series: Record<string, number[]>,
  options: ChartOptions,
): Promise<Displayable> {
  const data = Object.entries(series).map(([name, y]) => ({
    type: "bar",
    name,
    x: categories,
    y,
    customdata: formatNumbers(y),
    texttemplate: "%{customdata}",
    textposition: "outside",
    cliponaxis: false,
  }));
  return chart({ data }, options);
}

/**
 * Lines over a common horizontal axis, told apart by colour, dash and marker.
 *
 * @param x Positions, length N.
 * @param series Name → N values; a line each.
 */
export function lineChart(
  x: number[],
  series: Record<string, number[]>,
  options: ChartOptions,
): Promise<Displayable> {
  const data = Object.entries(series).map(([name, y], index) => ({
    type: "scatter",
    mode: "lines+markers",
    name,
    x,
    y,
    line: { dash: DASHES[index % DASHES.length] },
    marker: { symbol: SYMBOLS[index % SYMBOLS.length], size: 8 },
  }));
  // From zero, or a small difference looks like a large one.
  const layout = { yaxis: { rangemode: "tozero" } };
  return chart({ data, layout }, options);
}

const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "solid"];

const SYMBOLS = "circle diamond square triangle-up x cross".split(" ");

/** A picture on a map. All strings are plain text. */
export interface MapPoint {
  x: number;
  y: number;
  /** A file's path, or an encoded picture's bytes. */
  image: ImageSource;
  /** Shown when the pointer is over it. */
  title: string;
  /** Shares a colour and a name in the legend; six colours go round. */
  group?: string;
}

/**
 * A map of pictures, each drawn at its place: embeddings brought down to 2-D.
 *
 * A picture that cannot be read keeps its marker.
 *
 * @param points Pictures and where they lie.
 */
export async function scatterWithThumbnails(
  points: readonly MapPoint[],
  options: ChartOptions,
): Promise<Displayable> {
  const groups = [...Map.groupBy(points, ({ group }) => group)];
  const data = groups.map(([name, members], index) => ({
    type: "scatter",
    mode: "markers",
    name,
    x: members.map(({ x }) => x),
    y: members.map(({ y }) => y),
    text: members.map(({ title }) => title),
    hovertemplate: "%{text}<extra></extra>",
    // A frame around the thumbnail, which is drawn over it.
    marker: {
      symbol: "square",
      size: MAP_THUMBNAIL + 4,
      color: "#ffffff",
      line: { width: 3, color: COLOURS[index % COLOURS.length] },
    },
  }));
  const names = groups.flatMap(([name]) => name ?? []);
  const { margin: { l, r, t, b } } = frameOf(options.caption, names);
  const xRange = padded(points.map(({ x }) => x));
  const yRange = padded(points.map(({ y }) => y));
  // Plotly wants sizes in units of the axes, so that pictures zoom.
  const sizex = MAP_THUMBNAIL * ((xRange[1] - xRange[0]) / (MAP.width - l - r));
  const sizey = MAP_THUMBNAIL *
    ((yRange[1] - yRange[0]) / (MAP.height - t - b));
  const middle = { xanchor: "center", yanchor: "middle", sizex, sizey };
  const images = await Promise.all(points.map(async ({ x, y, image }) => {
    const drawn = await thumbnail(image, MAP_THUMBNAIL).catch(() => undefined);
    const place = { xref: "x", yref: "y", x, y, ...middle };
    return drawn ? [{ source: drawn.url, ...place }] : [];
  }));
  const [xaxis, yaxis] = [{ range: xRange }, { range: yRange }];
  const layout = { ...MAP, xaxis, yaxis, images: images.flat() };
  return chart({ data, layout }, options);
}

/** Pixels of the chart, and of a thumbnail's longest side on it. */
const MAP = { width: 700, height: 560 }, MAP_THUMBNAIL = 40;

/** A range with room for the thumbnails at its ends. */
function padded(values: number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least) * 0.07 || 1;
  return [least - room, most + room];
}

/**
 * A matrix of values, written in its cells; the first row is on top.
 *
 * @param values Row by row, R × C.
 * @param labels Names of the R rows and of the C columns.
 */
export function heatmap(
  values: number[][],
  labels: { rows: string[]; columns: string[] },
  options: ChartOptions,
): Promise<Displayable> {
  const texts = formatNumbers(values.flat());
  const data = [{
    type: "heatmap",
    x: labels.columns,
    y: labels.rows,
    z: values,
    // An empty cell says zero, and lets those that hold something stand out.
    text: values.map((row) =>
      texts.splice(0, row.length).map((text, i) => row[i] === 0 ? "" : text)
    ),
    texttemplate: "%{text}",
    // Dark text is legible on all of these, so no cell needs another.
    textfont: { color: "#1f1f1f" },
    colorscale: [[0, "#ffffff"], [1, "#56a0d3"]],
    showscale: false,
    xgap: 1,
    ygap: 1,
    hovertemplate: "%{y} → %{x}: %{z}<extra></extra>",
  }];
  // Every row and column keeps its label, however many there are.
  const each = { type: "category", dtick: 1 };
  const layout = {
    plot_bgcolor: "#e3e3e3",
    height: Math.max(400, 190 + 22 * labels.rows.length),
    xaxis: each,
    yaxis: { ...each, autorange: "reversed" },
  };
  return chart({ data, layout }, options);
}
