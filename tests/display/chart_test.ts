import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import sharp from "sharp";
import {
  chart,
  type ChartOptions,
  COLOURS,
  completeFigure,
  figureRows,
} from "#lib/display/chart.ts";
import { drawFigure } from "#lib/display/chart_picture.ts";
import {
  barChart,
  heatmap,
  lineChart,
  scatterWithThumbnails,
} from "#lib/display/charts.ts";
import type { Displayable } from "#lib/display/display.ts";
import { graphChart } from "#lib/display/graph_chart.ts";
import {
  bundle,
  foreignMarkup,
  HOSTILE,
  outcome,
  picture,
  PLOTLY,
  runScript,
} from "../support/shown.ts";

/** What a chart cannot do without. */
const OPTIONS: ChartOptions = { alt: "Chart", xTitle: "x", yTitle: "y" };

/** The figure that Plotly gets. */
// deno-lint-ignore no-explicit-any -- whatever Plotly knows
const figureOf = (shown: Displayable): any => bundle(shown)[PLOTLY];

Deno.test("chart() carries live chart, picture with alt text, and data as text", async () => {
  const bars = bundle(
    await barChart(["L1", "cosine"], {
      "top-1": [0.27, 0.235],
      mAP: [0.12, 0.1],
    }, {
      ...OPTIONS,
      alt: 'L1 "leads"',
      caption: "Figure 1",
    }),
  );
  equal(
    bars["text/plain"],
    'Chart: L1 "leads"\nx       top-1    mAP\nL1      0.270  0.120\ncosine  0.235  0.100',
  );
  match(
    bars["text/html"],
    /^<img src="data:image\/png;base64,[\w+/=]+" alt="L1 &quot;leads&quot;" width="700" height="400">$/,
  );
  const png = Buffer.from(
    bars["text/html"].match(/base64,([^"]+)/)![1],
    "base64",
  );
  const { width, height } = await sharp(png).metadata();
  equal(`${width} × ${height}`, "700 × 400");
  // Drawn, not blank: the first series' colour is there.
  const pixels = await sharp(png).removeAlpha().raw().toBuffer();
  ok(pixels.includes(Buffer.from(COLOURS[0].slice(1), "hex")));
  ok(JSON.stringify(bars[PLOTLY]).length < 3000);
});

Deno.test("chart() gives the same bytes each time", async () => {
  const draw = async () =>
    JSON.stringify(bundle(
      await heatmap(
        [[1, 0], [2, 3]],
        { rows: ["a", "b"], columns: ["a", "b"] },
        OPTIONS,
      ),
    ));
  equal(await draw(), await draw());
});

Deno.test("chart() shows labels, titles and names as text, in the page and in the picture", async () => {
  const shown = bundle(
    await chart({
      data: [{ x: [HOSTILE], y: [1], name: HOSTILE, text: [HOSTILE] }],
      layout: { xaxis: { title: HOSTILE } },
    }, { ...OPTIONS, alt: HOSTILE, caption: HOSTILE }),
  );
  deepEqual(foreignMarkup(shown["text/html"]), []);
  const json = JSON.stringify(shown[PLOTLY]);
  // Only our own line breaks are markup to Plotly.
  deepEqual(json.replaceAll("<br>", "").match(/[<>]/g), null);
});

Deno.test("every chart shows labels, titles and names as text, in the page and in the picture", async () => {
  const options = {
    alt: HOSTILE,
    caption: HOSTILE,
    xTitle: HOSTILE,
    yTitle: HOSTILE,
  };
  const image = await picture(20, 20);
  const point = { x: 1, y: 2, image, title: HOSTILE, group: HOSTILE };
  const shown = await Promise.all([
    barChart([HOSTILE], { [HOSTILE]: [1], b: [2] }, options),
    lineChart([1], { [HOSTILE]: [1], b: [2] }, options),
    graphChart([{ x: 1, y: 1, title: HOSTILE }], [[]], {
      ...options,
      walks: { [HOSTILE]: [0] },
      target: { x: 2, y: 2 },
    }),
    heatmap([[1]], { rows: [HOSTILE], columns: [HOSTILE] }, options),
    scatterWithThumbnails([point, { ...point, group: "b" }], options),
  ]);
  for (const one of shown) {
    const { "text/html": html, "text/plain": text } = bundle(one);
    deepEqual(foreignMarkup(html), []);
    equal(/[^\n\P{Cc}]/u.test(text), false);
    equal(text.split("\n").filter((line) => line.startsWith("next")).length, 0);
    const json = JSON.stringify(figureOf(one)).replaceAll(
      "<extra></extra>",
      "",
    );
    deepEqual(json.replaceAll("<br>", "").match(/[<>]/g), null);
  }
});

Deno.test("chart() puts its data into twelve lines at most", async () => {
  const y = Array.from({ length: 20 }, (_, i) => i);
  const lines = `${await chart({ data: [{ y }] }, OPTIONS)}`.split("\n");
  deepEqual(lines.slice(0, 3), ["Chart: Chart", " x   y", " 0   0"]);
  deepEqual(lines.slice(-2), ["11  11", "… and 8 more"]);
  equal(lines.length, 1 + 1 + 12 + 1);
});

Deno.test("chart() shortens the text of rows with over twelve values to the largest", async () => {
  const x = Array.from({ length: 13 }, (_, i) => `c${i}`);
  const counts = x.map((_, i) => i === 2 ? 7 : i === 5 ? 1 : 0);
  const zeros = x.map(() => 0);
  const data = [{ x, y: ["r", "s"], z: [counts, zeros] }];
  equal(
    `${await chart({ data }, OPTIONS)}`,
    "Chart: Chart\ny  largest\nr  c2 7, c5 1\ns",
  );
});

Deno.test("a chart without titles of its axes does not pass the type check", () => {
  // @ts-expect-error -- that is the promise
  const options: ChartOptions = { alt: "No titles" };
  equal(options.xTitle, undefined);
});

Deno.test("barChart() writes each value on its bar, upright on narrow ones, not on the narrowest", async () => {
  const draw = async (count: number) => {
    const names = Array.from({ length: count }, (_, i) => `${i}`);
    const values = names.map((_, i) => i === 0 ? 1 : 0.5);
    return figureOf(await barChart(names, { s: values }, OPTIONS));
  };
  const { data: [bars], layout } = await draw(2);
  deepEqual(bars.customdata, ["1.00", "0.50"]);
  equal(bars.texttemplate, "%{customdata}");
  equal(bars.textangle, 0);
  // Room for a value above the highest bar, none below zero.
  deepEqual(layout.yaxis.range, [0, 1.09]);
  const upright = await draw(25);
  equal(upright.data[0].textangle, -90);
  equal(upright.layout.yaxis.range[1], 1.18);
  equal((await draw(60)).data[0].texttemplate, undefined);
  const below = await barChart(["a", "b"], { s: [-1, 1] }, OPTIONS);
  deepEqual(figureOf(below).layout.yaxis.range, [-1.18, 1.18]);
});

Deno.test("barChart() names each category, aslant below a higher chart where names are long", async () => {
  const draw = async (names: string[]) =>
    figureOf(await barChart(names, { s: names.map(() => 1) }, OPTIONS)).layout;
  const short = await draw(["0.1", "0.2"]);
  deepEqual(
    [short.xaxis.type, short.xaxis.tickangle, short.xaxis.dtick, short.height],
    ["category", 0, 1, 400],
  );
  const names = Array.from({ length: 28 }, (_, i) => `musical instrument ${i}`);
  const long = await draw(names);
  equal(long.xaxis.tickangle, -45);
  ok(long.height >= 400 + 21 * 4, `${long.height}`);
  const many = await draw([...names, ...names.map((name) => `${name}+`)]);
  equal(many.xaxis.dtick, undefined);
});

Deno.test("bars and lines of several series are told apart without colour", async () => {
  const series = { a: [1, 2], b: [3, 4] };
  const bars = figureOf(await barChart(["k", "l"], series, OPTIONS));
  const shapes = bars.layout.template.data.bar.map(
    // deno-lint-ignore no-explicit-any -- whatever Plotly knows
    (bar: any) => bar.marker.pattern.shape,
  );
  equal(new Set(shapes).size, COLOURS.length);
  const options = { alt: "Lines", xTitle: "size", yTitle: "share" };
  const shown = await lineChart([1, 2], series, options);
  const { data: [a, b], layout } = figureOf(shown);
  ok(a.line.dash !== b.line.dash && a.marker.symbol !== b.marker.symbol);
  equal(layout.yaxis.rangemode, "tozero");
  deepEqual(layout.xaxis.title, { text: "size", standoff: 12 });
  equal(`${shown}`, "Chart: Lines\nsize  a  b\n   1  1  3\n   2  2  4");
});

Deno.test("lineChart() on log scales has its ticks at the numbers, or at 1, 2, 5 where these crowd", async () => {
  const draw = async (x: number[], y: number[]) => {
    const options = { ...OPTIONS, xScale: "log", yScale: "log" } as const;
    return figureOf(await lineChart(x, { s: y }, options)).layout;
  };
  const { xaxis, yaxis } = await draw(
    [2500, 5000, 20_000, 5000],
    [1, 1.02, 30, 9],
  );
  deepEqual([xaxis.type, xaxis.tickvals, xaxis.ticktext], [
    ...["log", [2500, 5000, 20_000], ["2,500", "5,000", "20,000"]],
  ]);
  deepEqual([yaxis.type, yaxis.tickvals], ["log", [1, 2, 5, 10, 20, 50]]);
  equal(yaxis.rangemode, undefined);
  const wide = await draw([1, 2], [0.01, 0.0101, 1000]);
  deepEqual(wide.yaxis.ticktext, ["0.01", "0.1", "1", "10", "100", "1,000"]);
  await rejects(draw([0, 1], [1, 1]), {
    name: "RangeError",
    message: "lineChart: expected x above 0 on a log scale, got 0: leave " +
      "xScale out",
  });
});

Deno.test("heatmap() writes what its cells hold, the first row on top", async () => {
  const shown = await heatmap(
    [[1, 0, 5], [2, 3, 0]],
    { rows: ["r", "s"], columns: ["a", "b", "c"] },
    { ...OPTIONS, alt: "Matrix", yTitle: "true" },
  );
  const { data: [trace], layout } = figureOf(shown);
  deepEqual(trace.text, [["1", "", "5"], ["2", "3", ""]]);
  equal(trace.showscale, false);
  equal(layout.yaxis.autorange, "reversed");
  equal(
    `${shown}`,
    "Chart: Matrix\ntrue  a  b  c\nr     1  0  5\ns     2  3  0",
  );
});

Deno.test("heatmap() has square cells, and room for every name", async () => {
  const names = Array.from({ length: 28 }, (_, i) => `musical instrument ${i}`);
  const draw = async (value: number) =>
    figureOf(
      await heatmap([0, 1].map(() => names.map(() => value)), {
        rows: names.slice(0, 2),
        columns: names,
      }, OPTIONS),
    );
  const { data: [trace], layout } = await draw(12);
  deepEqual(
    [layout.yaxis.scaleanchor, layout.yaxis.constrain, layout.xaxis.constrain],
    ["x", "domain", "domain"],
  );
  deepEqual(
    [layout.xaxis.dtick, layout.yaxis.dtick, layout.xaxis.tickangle],
    [1, 1, -45],
  );
  ok(layout.width >= 28 * 18 + 21 * 7 && layout.width < 868, layout.width);
  ok(layout.height >= 2 * 20 + 21 * 7, layout.height);
  equal(trace.text[0][0], "12");
  // Too wide for a cell of 18 pixels: colours have a scale instead.
  const { data: [wide] } = await draw(0.123);
  deepEqual([wide.text, wide.showscale], [undefined, true]);
});

Deno.test("completeFigure() leaves room for the title's lines and the legend", () => {
  const frame = (names: string[], caption?: string) => {
    const data = names.map((name) => ({ name, y: [1] }));
    const { layout } = completeFigure({ data }, { caption });
    // deno-lint-ignore no-explicit-any -- whatever Plotly knows
    return (layout as any).template.layout;
  };
  deepEqual(frame(["a"]).margin, { l: 60, r: 44, t: 24, b: 60 });
  equal(frame(["a"]).showlegend, false);
  equal(frame(["a"], "One line").margin.t, 44);
  equal(frame(["a"], "One line").title.pad.t, 12);
  const long = frame(["a", "b"], "nine char ".repeat(12).trim());
  deepEqual([long.margin.t, long.showlegend, long.legend.orientation], [
    ...[24 + 40 + 24, true, "h"],
  ]);
  equal(
    long.title.text,
    `${"nine char ".repeat(9).trim()}<br>${"nine char ".repeat(3).trim()}`,
  );
  equal(long.title.pad.t, 22);
  const beside = frame(["a", "b", "c", "d", "longest"]);
  equal(beside.showlegend, true);
  equal(beside.margin.r, Math.ceil(44 + 45 + 7 * 7.5));
  deepEqual([beside.legend.x, beside.legend.y], [1.02, 1]);
  // Two that do not fit in a line stand one above the other, over the plot.
  const stacked = frame(["a name ".repeat(8), "a name ".repeat(9)], "One line");
  deepEqual([stacked.margin.r, stacked.margin.t], [44, 44 + 4 + 40]);
  deepEqual([stacked.legend.orientation, stacked.legend.y], ["v", 1]);
});

Deno.test("completeFigure() breaks titles that are longer than their axis", () => {
  const { layout } = completeFigure({ data: [{ y: [1] }] }, {
    xTitle: "x".repeat(40) + " " + "x".repeat(40),
    yTitle: "y".repeat(40) + " " + "y".repeat(40),
  });
  // deno-lint-ignore no-explicit-any -- whatever Plotly knows
  const { xaxis, yaxis } = layout as any;
  deepEqual([xaxis, yaxis].map(({ title }) => title.text.length), [
    ...[40 + "<br>".length + 40, 40 + "<br>".length + 40],
  ]);
});

Deno.test("completeFigure() lets a figure have its own way, and any axis the common look", () => {
  const { data, layout } = completeFigure({
    data: [{
      y: [1],
      hovertemplate: "<b>%{y}</b>",
      name: "a\r\nb\tc &lt; \ud800",
    }],
    layout: { width: 300, xaxis: { title: "own" }, yaxis2: { side: "right" } },
  }, { xTitle: "given", yTitle: "given" });
  deepEqual(data, [{
    ...{
      y: [1],
      hovertemplate: "<b>%{y}</b>",
      name: "a<br>b c &amp;lt; \ufffd",
    },
  }]);
  // deno-lint-ignore no-explicit-any -- whatever Plotly knows
  const { width, height, xaxis, yaxis, yaxis2, template } = layout as any;
  deepEqual([width, height], [300, 400]);
  deepEqual([xaxis.title.text, yaxis.title.text], ["own", "given"]);
  deepEqual(yaxis2, { side: "right" });
  equal(template.layout.yaxis.showgrid, true);
  equal(template.layout.colorway[0], COLOURS[0]);
});

Deno.test("completeFigure() shortens numbers, accepts typed arrays and keeps whole numbers", () => {
  const { data: [trace] } = completeFigure({
    data: [{
      x: Float32Array.of(1 / 3, 2),
      y: [123456, 1234.567, 0.000123456, NaN],
    }],
  });
  deepEqual(trace, { x: [0.3333, 2], y: [123456, 1235, 0.0001235, NaN] });
});

Deno.test("figureRows() keeps series apart where they do not share positions", () => {
  const data = [{ x: [1], y: [2] }, { name: "b", x: [3], y: [4], text: ["t"] }];
  deepEqual(figureRows({ data, layout: { xaxis: { title: { text: "k" } } } }), [
    { series: "series 1", k: 1, y: 2 },
    { series: "b", text: "t", k: 3, y: 4 },
  ]);
});

Deno.test("figureRows() names rows and columns as the chart does", () => {
  const x = ["a", "b"];
  deepEqual(figureRows({ data: [{ x, y: Float32Array.of(1, 2) }] }), [
    { x: "a", y: 1 },
    { x: "b", y: 2 },
  ]);
  deepEqual(figureRows({ data: [{ y: [5] }, { y: [6], name: "n" }] }), [
    { x: 0, "series 1": 5, n: 6 },
  ]);
  const layout = { yaxis: { title: "true" } };
  deepEqual(figureRows({ data: [{ x, z: [[1, 2], [3, 4]] }], layout }), [
    { true: 0, a: 1, b: 2 },
    { true: 1, a: 3, b: 4 },
  ]);
  deepEqual(figureRows({ data: [] }), []);
  deepEqual(figureRows({ data: [{ x: [1], y: [2], text: ["t"] }] }), [
    { series: "y", text: "t", x: 1, y: 2 },
  ]);
});

Deno.test("scatterWithThumbnails() keeps the dot of a corrupt picture", async () => {
  const { data: [dots, frames], layout } = figureOf(
    await scatterWithThumbnails([
      { x: 0, y: 0, image: await picture(64, 64), title: "a" },
      { x: 1, y: 1, image: "/nowhere.jpg", title: "b" },
    ], OPTIONS),
  );
  deepEqual(dots.x, [0, 1]);
  deepEqual(frames.x, [0]);
  equal(layout.images.length, 1);
});

Deno.test("scatterWithThumbnails() draws thumbnails of one size, at their places", async () => {
  const image = await picture(80, 40);
  const points = [
    { x: 0, y: 0, image, title: "a", group: "g" },
    { x: 10, y: 5, image, title: "b", group: "h" },
    { x: 5, y: 5, image, title: "c", group: "g" },
  ];
  const { data, layout } = figureOf(
    await scatterWithThumbnails(points, { ...OPTIONS, caption: "Figure 1" }),
  );
  // deno-lint-ignore no-explicit-any -- whatever Plotly knows
  deepEqual(data.map((trace: any) => [trace.name, trace.text]), [
    ["g", ["a", "c"]],
    ["h", ["b"]],
    [undefined, ["a", "b", "c"]],
  ]);
  const frame = data[2].marker;
  equal(frame.size, 44);
  deepEqual(frame.line.color, [COLOURS[0], COLOURS[1], COLOURS[0]]);
  deepEqual([layout.images[1].x, layout.images[1].y], [10, 5]);
  // 40 pixels in units of each axis, which has 7 % of room at either end.
  const { l, r, t, b } = layout.template.layout.margin;
  const [{ sizex, sizey }] = layout.images;
  ok(Math.abs(sizex / 11.4 * (700 - l - r) - 40) < 0.1, `${sizex}`);
  ok(Math.abs(sizey / 5.7 * (560 - t - b) - 40) < 0.1, `${sizey}`);
  const source = layout.images[0].source.split(",")[1];
  const { width, height } = await sharp(Buffer.from(source, "base64"))
    .metadata();
  equal(`${width} × ${height}`, "40 × 20");
  const alone = await scatterWithThumbnails(points.slice(1, 2), OPTIONS);
  const { xaxis, yaxis } = figureOf(alone).layout;
  deepEqual([xaxis.range, yaxis.range], [[9, 11], [4, 6]]);
});

Deno.test("scatterWithThumbnails() has a dot for each of many pictures, thumbnails that do not touch, and a short text", async () => {
  const image = await picture(30, 30);
  const points = Array.from({ length: 2000 }, (_, i) => ({
    ...{ x: Math.sin(i) * i, y: Math.cos(i * 1.3) * i, image, title: `${i}` },
    group: `group ${i % 30}`,
  }));
  const shown = await scatterWithThumbnails(points, OPTIONS);
  const { data, layout } = figureOf(shown);
  const groups = data.slice(0, -1), frames = data.at(-1);
  equal(
    // deno-lint-ignore no-explicit-any -- whatever Plotly knows
    groups.reduce((sum: number, { x }: any) => sum + x.length, 0),
    2000,
  );
  // Each group has a look of its own, and its line in the legend.
  const looks = groups.map(
    // deno-lint-ignore no-explicit-any -- whatever Plotly knows
    ({ marker }: any) => `${marker.color} ${marker.symbol}`,
  );
  equal(new Set(looks).size, 30);
  ok(layout.height > 30 * 20 + 60, layout.height);
  equal(frames.x.length, 30);
  const [{ sizex, sizey }] = layout.images;
  frames.x.forEach((x: number, i: number) => {
    for (let j = 0; j < i; j++) {
      const across = Math.abs(x - frames.x[j]) / sizex;
      const up = Math.abs(frames.y[i] - frames.y[j]) / sizey;
      ok(Math.max(across, up) > 1.5, `${i} and ${j}`);
    }
  });
  // Of two crowds, a thumbnail each.
  const crowds = points.slice(0, 50).map((point, i) => (
    { ...point, x: i % 2 + (i % 5) / 50, y: i % 2 }
  ));
  const two = figureOf(await scatterWithThumbnails(crowds, OPTIONS));
  equal(two.layout.images.length, 2);
  const lines = `${shown}`.split("\n");
  equal(lines.length, 1 + 1 + 12 + 1);
  match(lines[1], /^group +pictures +x +y$/);
  match(lines[2], /^group 0 +67 +-[\d,]+ to [\d,]+ +-[\d,]+ to [\d,]+$/);
});

Deno.test("graphChart() draws each link once, a walk in its order, and one scale in both directions", async () => {
  const points = [{ x: 0, y: 0, title: "a" }, { x: 1, y: 5 }, { x: 2, y: 1 }];
  const links = [[1], new Set([0, 2]), [1]];
  const walks = { "by sight": [2, 1, 0], "by luck": [0] };
  const shown = await graphChart(points, links, { ...OPTIONS, walks });
  const { data: [net, dots, first, second], layout } = figureOf(shown);
  deepEqual(net.x, [0, 1, null, 1, 2, null]);
  deepEqual(net.y, [0, 5, null, 5, 1, null]);
  deepEqual(dots.text, ["a", "", ""]);
  deepEqual([first.x, first.y], [[2, 1, 0], [1, 5, 0]]);
  deepEqual(first.marker.symbol, ["square", "circle", "circle"]);
  ok(first.line.color !== second.line.color);
  equal(layout.yaxis.scaleanchor, "x");
  match(
    `${shown}`,
    /points +3\nlinks +2\nby sight, steps +2\nby luck, steps +0$/,
  );
});

Deno.test("graphChart() names a point that there is not", () => {
  const points = [{ x: 0, y: 0 }, { x: 1, y: 1 }];
  for (const [links, walk] of [[[[2]], []], [[], [0, 2]]] as const) {
    throws(() => graphChart(points, links, { ...OPTIONS, walks: { walk } }), {
      name: "RangeError",
      message: "graphChart: expected a point from 0 to 1, got 2",
    });
  }
});

Deno.test("drawFigure() opens no address of a figure, and draws few colours", async () => {
  let asked = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => {
      asked++;
      return new Response("", { status: 404 });
    },
  );
  const source = `http://127.0.0.1:${server.addr.port}/a.png`;
  const images = [{ source, x: 0, y: 1, sizex: 1, sizey: 1 }];
  const size = { width: 200, height: 150 };
  const png = await drawFigure({ data: [], layout: { images } }, size);
  equal(asked, 0);
  // The header says how a pixel is written: 3, by its place in a palette.
  equal(png?.[25], 3);
  await server.shutdown();
});

Deno.test("drawFigure() starts another browser when the last one went away", async () => {
  const size = { width: 200, height: 150 };
  await drawFigure({ data: [{ y: [0, 1] }] }, size);
  const children = spawnSync("ps", [
    "-o",
    "pid=,args=",
    "--ppid",
    String(process.pid),
  ]);
  // One is ours, the others are idle ones of other files' tests.
  const browsers = String(children.stdout).split("\n")
    .filter((line) => /chrom/i.test(line));
  for (const line of browsers) process.kill(parseInt(line), "SIGKILL");
  equal(await drawFigure({ data: [{ y: [0, 1] }] }, size), undefined);
  ok(await drawFigure({ data: [{ y: [0, 1] }] }, size));
});

Deno.test("drawFigure() draws several figures at once", async () => {
  const size = { width: 200, height: 150 };
  const draw = (top: number) => drawFigure({ data: [{ y: [0, top] }] }, size);
  const [one, two, three] = await Promise.all([draw(1), draw(7), draw(1)]);
  deepEqual(one, three);
  ok(!one!.equals(two!));
});

const DRAW = `
  const { barChart } = await import("#lib/display/charts.ts");
  const { jupyterDisplay } = await import("#lib/display/display.ts");
  for (const alt of ["<i>One</i> bar", "Another"]) {
    const shown = await barChart(["<i>a</i>"], { b: [1] }, {
      alt, xTitle: "x", yTitle: "y",
    });
    console.log(shown[jupyterDisplay]()["text/html"].slice(0, 400));
  }`;

Deno.test("chart() shows a table of the data where no browser starts", async () => {
  const { stdout, code } = await outcome(
    runScript(DRAW, { CHROME_PATH: "/nowhere/chrome" }),
  );
  equal(code, 0);
  match(stdout, /^<p>&lt;i&gt;One&lt;\/i&gt; bar<\/p>\n<table>/);
  match(stdout, /&lt;i&gt;a&lt;\/i&gt;/);
});

Deno.test("chart() does not keep a script from ending", async () => {
  const { stdout, code } = await outcome(runScript(DRAW));
  equal(code, 0);
  // The second as well, though an idle browser keeps nothing from ending.
  equal(stdout.match(/^<img src="data:image\/png/gm)?.length, 2);
});
