/**
 * How every chart of the course looks.
 *
 * The paper is white in both themes, so that one picture serves light, dark
 * and print; text on it is at least 7:1. The colours are told apart by readers
 * with any colour vision (after Okabe and Ito) and each is at least 3:1 on
 * white; lines also differ by dash and marker.
 *
 * Touches no files.
 *
 * ```ts
 * import { COLOURS, SIZE } from "#lib/display/chart_style.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(COLOURS[0], "#0072b2");
 * equal(`${SIZE.width} × ${SIZE.height}`, "700 × 400");
 * ```
 *
 * @module
 */

/** A chart's size unless its layout says otherwise, pixels. */
export const SIZE = { width: 700, height: 400 };

/** Colours of the series, in order. */
export const COLOURS = [
  "#0072b2", // blue
  "#d55e00", // vermilion
  "#007a5a", // bluish green
  "#a8518a", // reddish purple
  "#595959", // grey
  "#8a6d00", // ochre
];

/** Dashes of lines, in the order of the colours. */
export const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "solid"];

/** Markers of points, in the order of the colours. */
export const SYMBOLS = [
  "circle",
  "diamond",
  "square",
  "triangle-up",
  "x",
  "cross",
];

/** A Plotly layout whose size and margins are known, in pixels. */
export interface CommonLayout extends Record<string, unknown> {
  /** The chart's. */
  width: number;
  /** The chart's. */
  height: number;
  /** What lies around the plot: left, right, top, bottom. */
  margin: { l: number; r: number; t: number; b: number };
}

/**
 * The layout under every figure's own.
 *
 * @param caption The title, wrapped to the chart's width.
 * @param names What the legend lists; it is left out for fewer than two.
 */
export function commonLayout(
  caption: string | undefined,
  names: readonly string[],
): CommonLayout {
  const title = caption === undefined ? "" : wrap(caption);
  const lines = title === "" ? 0 : title.split("\n").length;
  // A short legend stands between title and plot, a long one to the right,
  // beside the column of buttons.
  const above = names.length > 1 && names.length <= 4;
  const longest = names.length > 4
    ? 50 + 7 * Math.max(...names.map(({ length }) => length))
    : 0;
  return {
    ...SIZE,
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    font: FONT,
    colorway: COLOURS,
    title: {
      text: title,
      font: { size: 15 },
      x: 0.02,
      xanchor: "left",
      y: 1,
      yanchor: "top",
      // Plotly sets the first of several lines higher than a line alone.
      pad: { t: lines > 1 ? 22 : 12 },
    },
    margin: {
      l: 60,
      r: 44 + longest,
      t: 24 + lines * 20 + (above ? 24 : 0),
      b: 60,
    },
    showlegend: names.length > 1,
    legend: above
      ? { orientation: "h", x: 0, y: 1, yanchor: "bottom" }
      : { x: 1.02, y: 1 },
    xaxis: AXIS,
    yaxis: AXIS,
    modebar: {
      orientation: "v",
      bgcolor: "#ffffff",
      color: "#595959",
      activecolor: COLOURS[0],
    },
  };
}

/** Plotly does not wrap a title: 90 characters of 15 pixels are 650 wide. */
function wrap(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (longer.length > 90) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.join("\n");
}

const FONT = {
  family: "Arial, Helvetica, sans-serif",
  size: 13,
  color: "#1f1f1f",
};

const AXIS = {
  automargin: true,
  gridcolor: "#e3e3e3",
  linecolor: "#595959",
  ticks: "outside",
  tickcolor: "#595959",
  zeroline: false,
};
