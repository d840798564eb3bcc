/**
 * The charts that several notebooks draw: bars, lines, a map of thumbnails, a
 * matrix, and why addresses were left out. Each is a Plotly figure handed to `chart`.
 *
 * Reads pictures' files for the map.
 *
 * ```ts
 * import { barChart } from "#lib/display/charts.ts";
 * import { match } from "node:assert/strict";
 *
 * const bars = await barChart(["L1", "cosine"], { "top-1": [0.27, 0.235] }, {
 *   alt: "L1 finds more than cosine",
 *   xTitle: "metric",
 *   yTitle: "share of queries",
 * });
 * match(`${bars}`, /L1\s+0\.270/);
 * ```
 *
 * @module
 */
import { type Account, reasonCounts } from "../dataset/accounts.ts";
import type { ImageSource } from "../pictures/pictures.ts";
import {
  chart,
  type ChartOptions,
  COLOURS,
  frameOf,
  LETTER,
  WIDTH,
} from "./chart.ts";
import type { Displayable } from "./display.ts";
import { thumbnail } from "./grid.ts";
import { formatNumbers } from "./table.ts";

/**
 * Bars in groups, with their values written on them.
 *
 * @param categories One group each, length N.
 * @param series Name → N values; a colour and a pattern each.
 */
export function barChart(
  categories: string[],
  series: Record<string, number[]>,
  options: ChartOptions,
): Promise<Displayable> {
  const { margin: { l, r, t } } = frameOf(options.caption, Object.keys(series));
  const across = WIDTH - l - r;
  const texts = Object.values(series).map(formatNumbers);
  const longest = Math.max(...texts.flat().map(({ length }) => length));
  // Plotly leaves a fifth of the axis between the groups.
  const width = 0.8 * across / texts.flat().length;
  const isLevel = longest * 0.6 * VALUE_SIZE <= width;
  const data = Object.entries(series).map(([name, y], i) => ({
    type: "bar",
    name,
    x: categories,
    y,
    // Upright where they are wider than a bar, none where that is too narrow.
    ...width >= VALUE_SIZE && {
      customdata: texts[i],
      texttemplate: "%{customdata}",
      textposition: "outside",
      textangle: isLevel ? 0 : -90,
      textfont: { size: VALUE_SIZE },
      constraintext: "none",
      cliponaxis: false,
    },
  }));
  const values = Object.values(series).flat().filter(Number.isFinite);
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const room = (isLevel ? 0.09 : 0.18) * (most - least);
  const range = least === most
    ? [0, 1]
    : [least && least - room, most && most + room];
  const { axis, height } = categoryAxis(categories, across / categories.length);
  const layout = {
    height: 282 + Math.max(88, t) + height,
    xaxis: axis,
    yaxis: { range },
  };
  return chart({ data, layout }, options);
}

/** Pixels of a bar's value in height. */
const VALUE_SIZE = 11;

/**
 * An axis that names each category, aslant where names are longer than their
 * place.
 *
 * @param each Pixels a category has.
 */
function categoryAxis(names: readonly string[], each: number) {
  const longest = LETTER * Math.max(...names.map(({ length }) => length));
  const isSlant = longest > each;
  // Aslant, names are 0.7 times as far apart.
  const size = Math.max(8, Math.min(13, Math.floor(0.7 * each)));
  return {
    axis: {
      type: "category",
      tickangle: isSlant ? -45 : 0,
      tickfont: { size },
      // Where not even small names have room, Plotly leaves some out.
      ...each >= 12 && { dtick: 1 },
    },
    /** Pixels that the names take below the axis. */
    height: Math.round(isSlant ? 20 + 0.7 * longest : 30),
  };
}

/** How a chart of lines is shown. */
export interface LineOptions extends ChartOptions {
  /** "log" where positions crowd at one end. @default {"linear"} */
  xScale?: "linear" | "log";
  /** "log" where values span powers of ten. @default {"linear"} */
  yScale?: "linear" | "log";
}

/**
 * Lines over a common horizontal axis, told apart by colour, dash and marker.
 *
 * @param x Positions, length N.
 * @param series Name → N values; a line each.
 * @throws {RangeError} If a number on a log scale is not above 0.
 */
export function lineChart(
  x: number[],
  series: Record<string, number[]>,
  { xScale, yScale, ...options }: LineOptions,
): Promise<Displayable> {
  const data = Object.entries(series).map(([name, y], index) => ({
    type: "scatter",
    mode: "lines+markers",
    name,
    x,
    y,
    line: { dash: DASHES[index % DASHES.length] },
    marker: { symbol: symbolOf(index), size: 8 },
  }));
  const values = Object.values(series).flat();
  const layout = {
    xaxis: xScale === "log" ? logAxis("x", x) : {},
    yaxis: yScale === "log"
      ? logAxis("y", values)
      // From zero, or a small difference looks like a large one.
      : { rangemode: "tozero" },
  };
  return chart({ data, layout }, options);
}

const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "solid"];

const SYMBOLS = "circle diamond square triangle-up x cross".split(" ");

/** After a round of colours, each meets another sign: 48 pairs differ. */
function symbolOf(index: number): string {
  const round = Math.floor(index / COLOURS.length);
  return SYMBOLS[(index % COLOURS.length + round) % SYMBOLS.length];
}

/** Ticks where the numbers are, if these are few and apart, else at 1, 2, 5. */
function logAxis(name: "x" | "y", numbers: number[]) {
  const wrong = numbers.find((number) => number <= 0);
  if (wrong !== undefined) {
    throw new RangeError(
      `lineChart: expected ${name} above 0 on a log scale, got ${wrong}: ` +
        `leave ${name}Scale out`,
    );
  }
  const own = [...new Set(numbers.filter(Number.isFinite))]
    .sort((a, b) => a - b);
  const [from, to] = [own[0], own.at(-1)!].map(Math.log10);
  const areApart = own.every((number, i) =>
    i === 0 || Math.log10(number / own[i - 1]) > 0.08 * (to - from)
  );
  const steps = to - from > 3 ? [1] : [1, 2, 5];
  const powers = Array.from(
    { length: Math.floor(to) - Math.floor(from) + 1 },
    (_, i) => Math.floor(from) + i,
  );
  const round = powers.flatMap((power) =>
    steps.map((step) => step * 10 ** power)
  );
  const tickvals = areApart ? own : round;
  const ticktext = tickvals.map((value) =>
    value.toLocaleString("en", { maximumSignificantDigits: 4 })
  );
  return { type: "log", tickvals, ticktext };
}

/** A picture on a map. All strings are plain text. */
export interface MapPoint {
  x: number;
  y: number;
  /** A file's path, or an encoded picture's bytes. */
  image: ImageSource;
  /** Shown when the pointer is over it. */
  title: string;
  /** Shares a colour, a sign and a name in the legend; 36 of them differ. */
  group?: string;
}

/**
 * A map of pictures, a dot each: embeddings brought down to 2-D. Some, which lie
 * apart, are drawn at their places. As text, each group's count and extent.
 *
 * A picture that cannot be read keeps its dot.
 *
 * @param points Pictures and where they lie.
 */
export async function scatterWithThumbnails(
  points: readonly MapPoint[],
  options: ChartOptions,
): Promise<Displayable> {
  const groups = [...Map.groupBy(points, ({ group }) => group)];
  const names = groups.flatMap(([name]) => name ?? []);
  const colourOf = new Map(
    groups.map(([name], i) => [name, COLOURS[i % COLOURS.length]]),
  );
  const dots = groups.map(([name, members], i) => ({
    ...trace(members),
    name,
    marker: {
      symbol: symbolOf(i),
      size: points.length > 1000 ? 5 : 7,
      color: colourOf.get(name),
      opacity: 0.8,
    },
  }));

  const width = WIDTH, height = Math.max(560, 130 + 20 * names.length);
  const { margin: { l, r, t, b } } = frameOf(options.caption, names);
  const xRange = padded(points.map(({ x }) => x));
  const yRange = padded(points.map(({ y }) => y));
  // Plotly wants sizes in units of the axes, so that pictures zoom.
  const xPixel = (xRange[1] - xRange[0]) / (width - l - r);
  const yPixel = (yRange[1] - yRange[0]) / (height - t - b);
  const apart = farthestApart(
    points.map(({ x, y }) => [x / xPixel, y / yPixel]),
  ).map((index) => points[index]);
  const drawn = await Promise.all(apart.map(async (point) => {
    const image = await thumbnail(point.image, THUMBNAIL)
      .catch(() => undefined);
    return image ? [{ ...point, url: image.url }] : [];
  })).then((found) => found.flat());
  const frames = {
    ...trace(drawn),
    showlegend: false,
    marker: {
      symbol: "square",
      size: THUMBNAIL + 4,
      color: "#ffffff",
      opacity: 1,
      line: { width: 2, color: drawn.map(({ group }) => colourOf.get(group)) },
    },
  };
  const images = drawn.map(({ x, y, url }) => ({
    ...{ source: url, xref: "x", yref: "y", x, y },
    ...{ sizex: THUMBNAIL * xPixel, sizey: THUMBNAIL * yPixel },
    ...{ xanchor: "center", yanchor: "middle" },
  }));
  const [xaxis, yaxis] = [{ range: xRange }, { range: yRange }];
  // In the legend, dots are large enough to tell.
  const legend = { itemsizing: "constant" };
  const layout = { width, height, xaxis, yaxis, images, legend };
  const extent = (numbers: number[]) =>
    formatNumbers([Math.min(...numbers), Math.max(...numbers)]).join(" to ");
  const rows = groups.map(([name, members]) => ({
    ...name === undefined ? {} : { group: name },
    pictures: members.length,
    [options.xTitle ?? "x"]: extent(members.map(({ x }) => x)),
    [options.yTitle ?? "y"]: extent(members.map(({ y }) => y)),
  }));
  return chart({ data: [...dots, frames], layout }, options, rows);
}

function trace(points: readonly MapPoint[]) {
  return {
    type: "scatter",
    mode: "markers",
    x: points.map(({ x }) => x),
    y: points.map(({ y }) => y),
    text: points.map(({ title }) => title),
    hovertemplate: "%{text}<extra></extra>",
  };
}

/** Pixels of a thumbnail's longest side on a map, and how many there are. */
const THUMBNAIL = 40, MOST_THUMBNAILS = 30;

/**
 * Chooses places one by one, each as far as can be from those before, while
 * there is room between thumbnails for the dots around.
 *
 * @param places N pairs of pixels.
 * @returns Their positions; the first place comes first.
 */
function farthestApart(places: readonly number[][]): number[] {
  const room = places.map(() => Infinity);
  const chosen: number[] = [];
  while (chosen.length < MOST_THUMBNAILS) {
    const next = room.indexOf(Math.max(...room));
    if (next < 0 || room[next] < 1.6 * THUMBNAIL) break;
    chosen.push(next);
    const [x, y] = places[next];
    places.forEach((place, i) => {
      const distance = Math.max(Math.abs(place[0] - x), Math.abs(place[1] - y));
      room[i] = Math.min(room[i], distance);
    });
  }
  return chosen;
}

/** A range with room for the thumbnails at its ends. */
function padded(values: number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least) * 0.07 || 1;
  return [least - room, most + room];
}

/**
 * A matrix of values in square cells, the first row on top. Values stand in
 * their cells, or, where these are too small, in a scale of colours beside.
 *
 * @param values Row by row, R × C.
 * @param labels Names of the R rows and of the C columns.
 */
export function heatmap(
  values: number[][],
  labels: { rows: string[]; columns: string[] },
  options: ChartOptions,
): Promise<Displayable> {
  const { rows, columns } = labels;
  const cell = Math.max(16, Math.min(64, Math.floor(520 / columns.length)));
  const size = Math.min(13, cell - 5);
  const texts = formatNumbers(values.flat());
  const longest = Math.max(...texts.map(({ length }) => length));
  // A digit is about 0.6 times as wide as it is high.
  const isRoomy = 0.6 * size * longest <= cell - 2;
  const data = [{
    type: "heatmap",
    x: columns,
    y: rows,
    z: values,
    ...isRoomy && {
      // An empty cell says zero, and lets those that hold something stand out.
      text: values.map((row) =>
        texts.splice(0, row.length).map((text, i) => row[i] === 0 ? "" : text)
      ),
      texttemplate: "%{text}",
      // Dark text is legible on all of these, so no cell needs another.
      textfont: { color: "#1f1f1f", size },
    },
    colorscale: [[0, "#ffffff"], [1, "#56a0d3"]],
    showscale: !isRoomy,
    xgap: 1,
    ygap: 1,
    hovertemplate: "%{y} → %{x}: %{z}<extra></extra>",
  }];
  const across = categoryAxis(columns, cell);
  const beside = LETTER * Math.max(...rows.map(({ length }) => length));
  const width = Math.round(
    Math.max(400, 110 + beside + cell * columns.length + (isRoomy ? 0 : 90)),
  );
  const { margin: { t } } = frameOf(options.caption, [], width);
  const layout = {
    plot_bgcolor: "#e3e3e3",
    width,
    height: Math.max(260, t + across.height + 66 + cell * rows.length),
    xaxis: { ...across.axis, constrain: "domain" },
    yaxis: {
      ...{ type: "category", dtick: 1, autorange: "reversed" },
      ...{ tickfont: across.axis.tickfont },
      ...{ scaleanchor: "x", constrain: "domain" },
    },
  };
  return chart({ data, layout }, options);
}

/** Sites and stages that a chart of reasons tells apart, at most. */
const MOST_SITES = 12, MOST_STAGES = COLOURS.length;

/**
 * Why addresses were left out: a bar for each site, the longest on top, a part of
 * it for each stage. As text, the reasons.
 *
 * Beyond twelve sites the rest are one bar, "others", and so for stages beyond
 * the colours.
 */
export function reasonsChart(
  accounts: Iterable<Account>,
  options: Partial<ChartOptions> = {},
): Promise<Displayable> {
  const counts = reasonCounts(accounts);
  const sites = mostFrequent(counts, ({ site }) => site, MOST_SITES);
  const stages = mostFrequent(counts, ({ stage }) => stage, MOST_STAGES);
  const data = [...new Set(stages.values())].map((stage) => {
    const names = [...new Set(sites.values())];
    const sums = names.map((name) =>
      counts.filter((one) =>
        sites.get(one.site) === name && stages.get(one.stage) === stage
      ).reduce((sum, { count }) => sum + count, 0)
    );
    const y = names.map(shortHost);
    return { type: "bar", orientation: "h", name: stage, x: sums, y };
  });
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const barCount = new Set(sites.values()).size;
  const complete = {
    alt: total === 0
      ? "No address was left out"
      : `${total} addresses were left out, most at the stage "${
        [...stages.values()][0]
      }"`,
    xTitle: "addresses left out",
    yTitle: "site",
    ...options,
  };
  const { margin: { t } } = frameOf(
    complete.caption,
    data.map(({ name }) => name),
  );
  const layout = {
    barmode: "stack",
    height: Math.max(240, t + 90 + 34 * barCount),
    xaxis: total === 0 ? { range: [0, 1] } : { rangemode: "tozero" },
    yaxis: { type: "category", autorange: "reversed", dtick: 1 },
  };
  const rows = counts.map(({ site, stage, reason, count }) => (
    { site, stage, reason, addresses: count }
  ));
  return chart({ data, layout }, complete, rows);
}

/** What each name is called in the chart, the most frequent first. */
function mostFrequent<Counted extends { count: number }>(
  counts: readonly Counted[],
  nameOf: (one: Counted) => string,
  most: number,
): Map<string, string> {
  const sums = new Map<string, number>();
  for (const one of counts) {
    const name = nameOf(one);
    sums.set(name, (sums.get(name) ?? 0) + one.count);
  }
  const sorted = [...sums].sort(([, a], [, b]) => b - a);
  const isTooMany = sorted.length > most;
  return new Map(sorted.map(([name], i) => [
    name,
    isTooMany && i >= most - 1 ? "others" : name,
  ]));
}

/** A host's name, of which the end tells more than the beginning. */
function shortHost(host: string): string {
  return host.length <= LONGEST_HOST
    ? host
    : `…${host.slice(1 - LONGEST_HOST)}`;
}

/** Letters of a host's name that are shown. */
const LONGEST_HOST = 32;
