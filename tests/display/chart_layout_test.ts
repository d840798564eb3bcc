/** What stands where in a chart that Plotly draws in a real browser. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "#lib/crawl/browser.ts";
import { barChart, heatmap, lineChart } from "#lib/display/charts.ts";
import type { Displayable } from "#lib/display/display.ts";
import { bundle, PLOTLY } from "../support/shown.ts";

/** Left, top, right and bottom, pixels. */
type Box = [number, number, number, number];

/** For each chart the boxes of its parts, by their selectors. */
async function boxes(
  charts: Promise<Displayable>[],
  ...selectors: string[]
): Promise<Box[][][]> {
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  const path = fileURLToPath(import.meta.resolve("plotly"));
  await page.addScriptTag({ path });
  const drawn: Box[][][] = [];
  for (const shown of await Promise.all(charts)) {
    const figure = bundle(shown)[PLOTLY];
    drawn.push(await page.evaluate(draw, figure, selectors));
  }
  return drawn;
}

/** Runs in the page. */
async function draw(figure: string, selectors: string[]): Promise<Box[][]> {
  const div = document.body.appendChild(document.createElement("div"));
  // deno-lint-ignore no-explicit-any -- the page's own
  await (globalThis as any).Plotly.newPlot(div, figure);
  return selectors.map((selector) =>
    [...div.querySelectorAll(selector)].map((part): Box => {
      const { left, top, right, bottom } = part.getBoundingClientRect();
      return [left, top, right, bottom];
    })
  );
}

/** Whether two boxes share more than the edge of letters. */
function overlap([l, t, r, b]: Box, [l2, t2, r2, b2]: Box): boolean {
  return Math.min(r, r2) - Math.max(l, l2) > 1 &&
    Math.min(b, b2) - Math.max(t, t2) > 1;
}

const OPTIONS = {
  alt: "Chart",
  xTitle: "size of the pictures, pixels",
  yTitle: "share of queries that find one of their own class first",
  caption: "Figure 1. " + "A title that needs two lines. ".repeat(4),
};

Deno.test("a legend stands clear of title, plot and axis titles, however many and long its names", async () => {
  const long = "temperature of the classifier's softmax";
  const legends = [[2, "L1"], [4, long], [9, long], [9, "L1"]] as const;
  const charts = legends.map(([length, word]) => {
    const names = Array.from({ length }, (_, i) => [word + i, [1, 2]]);
    return lineChart([1, 2], Object.fromEntries(names), OPTIONS);
  });
  const parts = [".legend", ".gtitle", ".nsewdrag", ".ytitle"];
  for (const [i, drawn] of (await boxes(charts, ...parts)).entries()) {
    const [[legend], [title], [plot], [yTitle]] = drawn;
    for (const part of [title, plot, yTitle]) {
      ok(!overlap(legend, part), `${legends[i]}: ${legend} on ${part}`);
    }
    ok(plot[3] - plot[1] > 100, `${legends[i]}: ${plot}`);
  }
});

Deno.test("names along an axis do not collide, and values stay inside the chart", async () => {
  const charts = [4, 10, 30].map((length) => {
    const names = Array.from({ length }, (_, i) => `kind of bird ${i}`);
    return barChart(names, { a: names.map(() => 1) }, OPTIONS);
  });
  const parts = [".xtick text", ".bartext", ".main-svg", ".xtitle"];
  for (const [names, values, [svg], [title]] of await boxes(charts, ...parts)) {
    // Aslant they end one beside the other, at the same height.
    const ends = names.map(([, , right]) => right);
    ok(ends.every((end, i) => i === 0 || end - ends[i - 1] > 11), `${ends}`);
    ok(names.every((name) => !overlap(name, title)), `${title}`);
    for (const [left, top, right, bottom] of [...names, ...values]) {
      ok(left >= svg[0] && right <= svg[2] && top >= svg[1]);
      ok(bottom <= svg[3], `${bottom} of ${svg}`);
    }
  }
});

Deno.test("a matrix of 28 classes has square cells and a name for each row and column", async () => {
  const names = Array.from({ length: 28 }, (_, i) => `kind of bird ${i}`);
  const matrix = heatmap(names.map(() => names.map(() => 0)), {
    rows: names,
    columns: names,
  }, OPTIONS);
  const parts = [".nsewdrag", ".xtick text", ".ytick text"];
  const [[[plot], columns, rows]] = await boxes([matrix], ...parts);
  deepStrictEqual([columns.length, rows.length], [28, 28]);
  const [width, height] = [plot[2] - plot[0], plot[3] - plot[1]];
  ok(Math.abs(width / height - 1) < 0.02, `${width} × ${height}`);
  ok(width > 28 * 16, `${width}`);
});
