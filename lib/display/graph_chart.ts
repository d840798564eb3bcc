/**
 * A drawing of a small graph: points in a plane, the links between them, and the
 * ways that searches take through it.
 *
 * Starts a browser, as every chart does.
 *
 * ```ts
 * import { graphChart } from "#lib/display/graph_chart.ts";
 * import { match } from "node:assert/strict";
 *
 * const points = [{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 2, y: 1 }];
 * const drawn = await graphChart(points, [[1], [0, 2], [1]], {
 *   alt: "Three points in a row",
 *   walks: { "from left to right": [0, 1, 2] },
 *   target: { x: 2, y: 1.2 },
 *   xTitle: "first component",
 *   yTitle: "second component",
 * });
 * match(`${drawn}`, /links\s+2\n.*left to right, steps\s+2/);
 * ```
 *
 * @module
 */
import type { Point } from "../compare/projection.ts";
import { chart, type ChartOptions, COLOURS } from "./chart.ts";
import type { Displayable } from "./display.ts";

/** A point of a drawn graph. */
export interface GraphPoint extends Point {
  /** Plain text, shown when the pointer is over it. */
  title?: string;
}

/** What is drawn on a graph. */
export interface GraphOptions extends ChartOptions {
  /** Name → the points that a search steps on, in order. */
  walks?: Record<string, readonly number[]>;
  /** The place that is searched for. */
  target?: Point;
}

/**
 * Draws a graph to one scale in both directions, so that what looks near is
 * near.
 *
 * @param links For each point, those that it is linked to. A link is drawn once,
 *   whether one end names it or both.
 * @throws {RangeError} If a link or a walk names a point that there is not.
 */
export function graphChart(
  points: readonly GraphPoint[],
  links: readonly Iterable<number>[],
  { walks = {}, target, ...options }: GraphOptions,
): Promise<Displayable> {
  const at = (index: number): GraphPoint => {
    if (points[index]) return points[index];
    throw new RangeError(
      `graphChart: expected a point from 0 to ${
        points.length - 1
      }, got ${index}`,
    );
  };
  const pairs = new Map<string, [GraphPoint, GraphPoint]>();
  for (const [from, others] of links.entries()) {
    for (const to of others) {
      const ends = [Math.min(from, to), Math.max(from, to)];
      pairs.set(`${ends}`, [at(ends[0]), at(ends[1])]);
    }
  }
  // One line for all links: it is lifted after each.
  const line = [...pairs.values()].flatMap((pair) => [...pair, undefined]);
  const net = {
    ...{ type: "scatter", mode: "lines", hoverinfo: "skip" },
    ...placesOf(line),
    ...{ line: { color: "#b5b5b5", width: 1 }, showlegend: false },
  };
  const dots = {
    ...{ type: "scatter", mode: "markers", showlegend: false },
    ...placesOf(points),
    text: points.map(({ title = "" }) => title),
    hovertemplate: "%{text}<extra></extra>",
    marker: { size: 7, color: "#595959" },
  };
  const ways = Object.entries(walks).map(([name, steps], i) => {
    const color = COLOURS[(i + 1) % COLOURS.length];
    return {
      ...{ type: "scatter", mode: "lines+markers", name },
      ...placesOf(steps.map(at)),
      line: { color, width: 3, dash: i % 2 === 0 ? "solid" : "dash" },
      // The first point is a square, so that a way has a direction.
      marker: {
        color,
        symbol: steps.map((_, step) => step === 0 ? "square" : "circle"),
        size: steps.map((_, step) => step === 0 ? 13 : 10),
      },
    };
  });
  const goal = target && {
    ...{ type: "scatter", mode: "markers", name: "searched for" },
    ...placesOf([target]),
    marker: { symbol: "star", size: 16, color: COLOURS[0] },
  };
  const shown = target ? [...points, target] : points;
  const layout = {
    height: 450,
    xaxis: { ...rangeOf(shown.map(({ x }) => x)), constrain: "domain" },
    yaxis: {
      ...rangeOf(shown.map(({ y }) => y)),
      ...{ scaleanchor: "x", constrain: "domain" },
    },
    showlegend: ways.length > 0,
  };
  const data = [net, dots, ...ways, ...goal ? [goal] : []];
  return chart({ data, layout }, options, [
    { part: "points", count: points.length },
    { part: "links", count: pairs.size },
    ...ways.map(({ name, x }) => (
      { part: `${name}, steps`, count: x.length - 1 }
    )),
  ]);
}

/** Coordinates as Plotly takes them; nothing where there is no point. */
function placesOf(points: readonly (Point | undefined)[]) {
  return {
    x: points.map((point) => point?.x ?? null),
    y: points.map((point) => point?.y ?? null),
  };
}

/** From the least to the greatest, with room for the marks at both ends. */
function rangeOf(values: readonly number[]) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = 0.06 * (most - least) || 1;
  return { range: [least - room, most + room] };
}
