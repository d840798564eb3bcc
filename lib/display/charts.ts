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
import { chart, type ChartOptions } from "./chart.ts";
import { COLOURS, commonLayout, DASHES, SIZE, SYMBOLS } from "./chart_style.ts";
import type { Displayable } from "./display.ts";
import { formatNumbers } from "./table.ts";
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
    customdata: formatNumbers(y),
    texttemplate: "%{customdata}",
    textposition: "outside",
    cliponaxis: false,
  }));
  return chart({ data, layout: axes(options) }, options);
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
  const { xaxis, yaxis } = axes(options);
  // From zero, or a small difference looks like a large one.
  const layout = { xaxis, yaxis: { ...yaxis, rangemode: "tozero" } };
  return chart({ data, layout }, options);
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
  options: AxesOptions,
): Promise<Displayable> {
  const groups = [...new Set(points.map(({ group }) => group))];
  const data = groups.map((group, index) => {
    const members = points.filter((point) => point.group === group);
    return {
      type: "scatter",
      mode: "markers",
      name: group,
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
    };
  });
  const { xaxis, yaxis } = axes(options);
  const names = groups.filter((group) => group !== undefined);
  const { width, margin } = commonLayout(options.caption, names);
  const xRange = padded(points.map(({ x }) => x));
  const yRange = padded(points.map(({ y }) => y));
  // Plotly wants sizes in units of the axes, so that pictures zoom.
  const xUnits = (xRange[1] - xRange[0]) / (width - margin.l - margin.r);
  const yUnits = (yRange[1] - yRange[0]) / (MAP_HEIGHT - margin.t - margin.b);
  const layout = {
    height: MAP_HEIGHT,
    xaxis: { ...xaxis, range: xRange },
    yaxis: { ...yaxis, range: yRange },
    images: await mapImages(
      points,
      MAP_THUMBNAIL * xUnits,
      MAP_THUMBNAIL * yUnits,
    ),
  };
  return chart({ data, layout }, options);
}

async function mapImages(
  points: readonly MapPoint[],
  sizex: number,
  sizey: number,
) {
  const images = await Promise.all(points.map(async ({ x, y, image }) => {
    const drawn = await thumbnail(image, MAP_THUMBNAIL).catch(() => undefined);
    return drawn && {
      source: drawn.url,
      xref: "x",
      yref: "y",
      x,
      y,
      sizex,
      sizey,
      xanchor: "center",
      yanchor: "middle",
    };
  }));
  return images.filter((image) => image !== undefined);
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
  const { xaxis, yaxis } = axes(options);
  return chart({
    data,
    layout: {
      plot_bgcolor: "#e3e3e3",
      // Every row and column keeps its label, however many there are.
      height: Math.max(SIZE.height, 190 + 22 * labels.rows.length),
      xaxis: { ...xaxis, type: "category", dtick: 1 },
      yaxis: { ...yaxis, type: "category", autorange: "reversed", dtick: 1 },
    },
  }, options);
}

/** Longest side of a thumbnail on a map, pixels. */
const MAP_THUMBNAIL = 40;

const MAP_HEIGHT = 560;

/** A range with room for the thumbnails at its ends. */
function padded(values: number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least) * 0.07 || 1;
  return [least - room, most + room];
}

function axes({ xTitle, yTitle }: AxesOptions) {
  // Without a distance, long labels of ticks run into the title.
  const title = (text?: string) =>
    text ? { title: { text, standoff: 12 } } : {};
  return { xaxis: title(xTitle), yaxis: title(yTitle) };
}
