/**
 * The charts that several notebooks draw: bars, lines, a map of thumbnails, a
 * matrix. Each is a Plotly figure handed to `chart`.
 *
 * Used by the notebooks. Reads pictures' files for the map.
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
import { chart, type ChartOptions } from "./chart.ts";
import { COLOURS, DASHES, SYMBOLS } from "./chart_style.ts";
import type { Displayable } from "./mime.ts";
import { thumbnail } from "./thumbnail.ts";

/** What goes with a chart that has two axes. Plain text. */
export interface AxesOptions extends ChartOptions {
  /** What the horizontal axis measures, with its unit. */
  xTitle?: string;
  /** What the vertical axis measures, with its unit. */
  yTitle?: string;
}

/**
 * Bars in groups, with their values written on them.
 *
 * @param categories One group each, length N.
 * @param series Name → N values; a colour each.
 */
export function barChart(
  categories: string[],
  series: Record<string, number[]>,
  options: AxesOptions,
): Promise<Displayable> {
  const entries = Object.entries(series);
  const data = entries.map(([name, y]) => ({
    type: "bar",
    name,
    x: categories,
    y,
    texttemplate: "%{y:.3~g}",
    textposition: "outside",
    cliponaxis: false,
  }));
  return chart({ data, layout: axes(options, entries.length > 1) }, options);
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
  options: AxesOptions,
): Promise<Displayable> {
  const entries = Object.entries(series);
  const data = entries.map(([name, y], index) => ({
    type: "scatter",
    mode: "lines+markers",
    name,
    x,
    y,
    line: { dash: DASHES[index % DASHES.length] },
    marker: { symbol: SYMBOLS[index % SYMBOLS.length], size: 8 },
  }));
  return chart({ data, layout: axes(options, entries.length > 1) }, options);
}

/** A picture on a map. All strings are plain text. */
export interface MapPoint {
  /** Horizontal position. */
  x: number;
  /** Vertical position. */
  y: number;
  /** A file's path, or an encoded picture's bytes. */
  image: string | Uint8Array;
  /** Shown when the pointer is over it. */
  title: string;
  /** Points of one group share a colour and a name in the legend. */
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
  options: AxesOptions,
): Promise<Displayable> {
  const groups = [...new Set(points.map(({ group }) => group ?? ""))];
  const data = groups.map((group, index) => {
    const members = points.filter((point) => (point.group ?? "") === group);
    return {
      type: "scatter",
      mode: "markers",
      name: group,
      x: members.map(({ x }) => x),
      y: members.map(({ y }) => y),
      text: members.map(({ title }) => title),
      hovertemplate: "%{text}<extra></extra>",
      marker: { size: 34, color: COLOURS[index % COLOURS.length] },
    };
  });
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const width = (Math.max(...xs) - Math.min(...xs)) || 1;
  const height = (Math.max(...ys) - Math.min(...ys)) || 1;
  const images = await Promise.all(points.map(async ({ x, y, image }) => {
    const drawn = await thumbnail(image, 40).catch(() => undefined);
    return drawn && {
      source: drawn.url,
      xref: "x",
      yref: "y",
      x,
      y,
      sizex: width * 0.05,
      sizey: height * 0.08,
      xanchor: "center",
      yanchor: "middle",
    };
  }));
  const layout = {
    ...axes(options, groups.length > 1),
    height: 560,
    images: images.filter((image) => image !== undefined),
  };
  return chart({ data, layout }, options);
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
  options: AxesOptions,
): Promise<Displayable> {
  const data = [{
    type: "heatmap",
    x: labels.columns,
    y: labels.rows,
    z: values,
    colorscale: "Blues",
    reversescale: true,
    texttemplate: "%{z:.3~g}",
    hovertemplate: "%{y} → %{x}: %{z}<extra></extra>",
  }];
  const { xaxis, yaxis } = axes(options, false);
  return chart({
    data,
    layout: {
      xaxis: { ...xaxis, type: "category" },
      yaxis: { ...yaxis, type: "category", autorange: "reversed" },
    },
  }, options);
}

function axes({ xTitle, yTitle }: AxesOptions, showlegend: boolean) {
  return {
    showlegend,
    xaxis: xTitle ? { title: { text: xTitle } } : {},
    yaxis: yTitle ? { title: { text: yTitle } } : {},
  };
}
