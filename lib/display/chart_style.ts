/**
 * How every chart of the course looks.
 *
 * The paper is white in both themes, so that one picture serves light, dark
 * and print; text on it is at least 7:1. The colours are told apart by readers
 * with any colour vision (after Okabe and Ito) and each is at least 3:1 on
 * white; lines also differ by dash and marker.
 *
 * Used by the charts of this folder. Touches no files.
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

const AXIS = {
  automargin: true,
  gridcolor: "#e3e3e3",
  linecolor: "#595959",
  ticks: "outside",
  tickcolor: "#595959",
  zeroline: false,
};

/** Layout under every figure's own. */
export const LAYOUT = {
  ...SIZE,
  paper_bgcolor: "#ffffff",
  plot_bgcolor: "#ffffff",
  font: { family: "Arial, Helvetica, sans-serif", size: 13, color: "#1f1f1f" },
  colorway: COLOURS,
  title: {
    font: { size: 15 },
    x: 0.02,
    xanchor: "left",
    y: 0.97,
    yanchor: "top",
    yref: "container",
    automargin: true,
  },
  margin: { l: 60, r: 20, t: 30, b: 50 },
  legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
  xaxis: AXIS,
  yaxis: AXIS,
};
