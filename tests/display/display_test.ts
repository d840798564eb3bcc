import {
  deepEqual,
  equal,
  match,
  ok,
  rejects,
  throws,
} from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import sharp from "sharp";
import {
  barChart,
  heatmap,
  scatterWithThumbnails,
} from "#lib/display/charts.ts";
import {
  chart,
  COLOURS,
  completeFigure,
  figureRows,
} from "#lib/display/chart.ts";
import { drawFigure } from "#lib/display/chart_picture.ts";
import { imageGrid } from "#lib/display/grid.ts";
import { type Displayable, jupyterDisplay } from "#lib/display/display.ts";
import { progressBar, progressText } from "#lib/display/progress.ts";
import { stopButton } from "#lib/display/stop_button.ts";
import { table } from "#lib/display/table.ts";
import { paths } from "#lib/paths.ts";

const HOSTILE = `"><img src=x onerror='alert(1)'>&\u001b[2J\nnext`;
const PLOTLY = "application/vnd.plotly.v1+json";

function bundle(shown: Displayable): Record<string, string> {
  return shown[jupyterDisplay]() as Record<string, string>;
}

/** A photograph-like picture: noise does not compress away. */
function picture(width: number, height: number): Promise<Uint8Array> {
  const noise = { type: "gaussian", mean: 128, sigma: 12 } as const;
  return sharp({
    create: { width, height, channels: 3, background: "teal", noise },
  })
    .png().toBuffer();
}

/** What is left of the HTML once every element that we write is removed. */
function foreignMarkup(html: string): string[] {
  const ours =
    /<\/?(table|thead|tbody|tr|td|th|div|p|b|i|br|span|progress|img)( [a-z-]+="[^"<>]*")*>/g;
  return html.replace(ours, "").match(/[<>]/g) ?? [];
}

Deno.test("imageGrid() shows hostile titles, captions and alt texts as text", async () => {
  const image = await picture(40, 30);
  const grid = bundle(
    await imageGrid(
      [{ image, alt: HOSTILE, title: HOSTILE, caption: HOSTILE, query: true }, {
        image,
        alt: HOSTILE,
        title: HOSTILE,
        caption: HOSTILE,
        good: true,
      }],
      { caption: HOSTILE },
    ),
  );
  deepEqual(foreignMarkup(grid["text/html"]), []);
  equal(grid["text/html"].match(/<img /g)?.length, 2);
  equal(grid["text/plain"].split("\n").length, 3);
  ok(!grid["text/plain"].includes("\u001b"));
});

Deno.test("imageGrid() gives a corrupt picture a cell with the reason, and the others their numbers", async () => {
  const whole = await sharp(await picture(300, 300)).jpeg().toBuffer();
  const items = [
    { image: whole, alt: "first" },
    { image: new TextEncoder().encode("<html>404"), alt: "second" },
    { image: whole.subarray(0, whole.length / 2), alt: "third" },
    { image: "/nowhere/of/all/birds/owl.jpg", alt: "fourth" },
    { image: whole, alt: "fifth", title: "owl" },
  ];
  const grid = bundle(await imageGrid(items));
  const lines = grid["text/plain"].split("\n");
  equal(lines[0], "1. first");
  match(lines[1], /^2\. second · no picture: not a JPEG, PNG, .* file$/);
  match(lines[2], /^3\. third · no picture: /);
  equal(lines[3], "4. fourth · all/birds/owl.jpg · no picture: file not found");
  equal(lines[4], "5. owl");
  equal(grid["text/html"].match(/<img /g)?.length, 2);
  ok(!grid["text/html"].includes("/nowhere"));
});

Deno.test("imageGrid() says by sign and word which hits are relevant, and keeps queries apart", async () => {
  const image = await picture(20, 20);
  const grid = bundle(
    await imageGrid([
      { image, alt: "a", good: true },
      { image, alt: "b", good: false },
      { image, alt: "q", query: true },
    ]),
  );
  equal(
    grid["text/plain"],
    "Query: q\n1. a · ✓ relevant\n2. b · ✗ not relevant",
  );
  // Readable where styles are stripped: the words are in the markup.
  const plain = grid["text/html"].replace(/ style="[^"]*"/g, "");
  ok(plain.indexOf('alt="q"') < plain.indexOf('alt="a"'));
  match(plain, /Query<\/th>.*Hits/s);
  match(plain, /✓ relevant/);
});

Deno.test("imageGrid() makes small thumbnails: six pictures stay well under 30 KB", async () => {
  const image = await picture(1024, 768);
  const items = Array.from({ length: 6 }, () => ({ image, alt: "noise" }));
  const { "text/html": html } = bundle(await imageGrid(items));
  ok(html.length < 25_000, `${html.length} bytes`);
  match(html, /width="112" height="84"/);
});

Deno.test("imageGrid() lays out no pictures at all, and refuses impossible sizes", async () => {
  match(
    `${await imageGrid([], { caption: "Above 0.9" })}`,
    /Above 0\.9\nno pictures/,
  );
  await rejects(
    imageGrid([], { columns: 0 }),
    /imageGrid: expected columns from 1 to 50, got 0/,
  );
});

Deno.test("table() aligns numbers to the right and shows cells as text", () => {
  const shown = bundle(table([
    { method: "<b>pixels</b>", "top-1": 0.27, ms: 9.1 },
    { method: HOSTILE, "top-1": 0.9, ms: 1124.126 },
    { method: "none" },
  ], { caption: HOSTILE }));
  deepEqual(foreignMarkup(shown["text/html"]), []);
  deepEqual(
    shown["text/plain"].split("\n").slice(-4).map((line) => line.slice(-15)),
    [
      " top-1       ms",
      " 0.270      9.1",
      " 0.900  1,124.1",
      "     –        –",
    ],
  );
});

Deno.test("chart() carries live chart, picture with alt text, and data as text", async () => {
  const bars = bundle(
    await barChart(["L1", "cosine"], {
      "top-1": [0.27, 0.235],
      mAP: [0.12, 0.1],
    }, {
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
  ok(JSON.stringify(bars[PLOTLY]).length < 2000);
});

Deno.test("chart() gives the same bytes each time", async () => {
  const draw = async () =>
    JSON.stringify(bundle(
      await heatmap(
        [[1, 0], [2, 3]],
        { rows: ["a", "b"], columns: ["a", "b"] },
        {
          alt: "Confusions",
        },
      ),
    ));
  equal(await draw(), await draw());
});

Deno.test("chart() shows labels, titles and names as text, in the page and in the picture", async () => {
  const shown = bundle(
    await chart({
      data: [{ x: [HOSTILE], y: [1], name: HOSTILE, text: [HOSTILE] }],
      layout: { xaxis: { title: HOSTILE } },
    }, { alt: HOSTILE, caption: HOSTILE }),
  );
  deepEqual(foreignMarkup(shown["text/html"]), []);
  const json = JSON.stringify(shown[PLOTLY]);
  // Only our own line breaks are markup to Plotly.
  deepEqual(json.replaceAll("<br>", "").match(/[<>]/g), null);
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

Deno.test("scatterWithThumbnails() keeps the marker of a corrupt picture", async () => {
  const shown = bundle(
    await scatterWithThumbnails([
      { x: 0, y: 0, image: await picture(64, 64), title: "a" },
      { x: 1, y: 1, image: "/nowhere.jpg", title: "b" },
    ], { alt: "Two points" }),
  );
  const figure = shown[PLOTLY] as unknown as {
    data: { x: number[] }[];
    layout: { images: unknown[] };
  };
  equal(figure.data[0].x.length, 2);
  equal(figure.layout.images.length, 1);
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
  const [browser] = String(children.stdout).split("\n").filter((line) =>
    /chrom/i.test(line)
  );
  process.kill(parseInt(browser), "SIGKILL");
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

/** Runs a script in a process of its own, in this project. */
function runScript(code: string, env: Record<string, string> = {}) {
  return spawn(Deno.execPath(), ["eval", "--no-lock", code], {
    cwd: paths.root,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function outcome(script: ReturnType<typeof runScript>) {
  const output = { stdout: "", stderr: "" };
  script.stdout.on("data", (chunk) => output.stdout += chunk);
  script.stderr.on("data", (chunk) => output.stderr += chunk);
  const timer = setTimeout(() => script.kill("SIGKILL"), 60_000);
  const [code, signal] = await once(script, "close");
  clearTimeout(timer);
  return { ...output, code, signal };
}

const DRAW = `
  const { barChart } = await import("#lib/display/charts.ts");
  const { jupyterDisplay } = await import("#lib/display/display.ts");
  const shown = await barChart(["<i>a</i>"], { b: [1] }, { alt: "One bar" });
  console.log(shown[jupyterDisplay]()["text/html"].slice(0, 400));`;

Deno.test("chart() shows a table of the data where no browser starts", async () => {
  const { stdout, code } = await outcome(
    runScript(DRAW, { CHROME_PATH: "/nowhere/chrome" }),
  );
  equal(code, 0);
  match(stdout, /^<p>One bar<\/p>\n<table>/);
  match(stdout, /&lt;i&gt;a&lt;\/i&gt;/);
});

Deno.test("chart() does not keep a script from ending", async () => {
  const { stdout, code } = await outcome(runScript(DRAW));
  equal(code, 0);
  match(stdout, /^<img src="data:image\/png/);
});

Deno.test("progressBar() writes sparse lines to a log, and the same last line each time", async () => {
  const { stdout, stderr, code } = await outcome(runScript(`
    const { progressBar } = await import("#lib/display/progress.ts");
    const bar = progressBar("Embedding", 500);
    for (let done = 1; done <= 500; done++) bar.update(done, "now \\u001b[2J");
    bar.finish("2 failed");
    bar.update(1);
    bar.finish("again");`));
  equal(code, 0);
  equal(stdout, "");
  equal(stderr, "Embedding: 500 of 500 · 2 failed\n");
});

Deno.test("progressBar() aborts its signal at Ctrl-C, and ends the process at the second", async () => {
  const script = runScript(`
    const { progressBar } = await import("#lib/display/progress.ts");
    const bar = progressBar("Embedding", 100);
    bar.signal.addEventListener("abort", () => console.log(bar.signal.reason.message));
    bar.update(7);
    console.log("ready");
    await new Promise((resolve) => setTimeout(resolve, 50_000));`);
  let heard = "";
  script.stdout.on("data", (chunk) => {
    heard += chunk;
    if (/ready|stopped/.test(String(chunk))) {
      process.kill(script.pid!, "SIGINT");
    }
  });
  const { signal } = await outcome(script);
  equal(heard, "ready\nEmbedding: stopped\n");
  equal(signal, "SIGINT");
});

Deno.test("progressBar() refuses a total that is no count", () => {
  throws(
    () => progressBar("x", -1),
    /expected total to be a whole number from 0, got -1/,
  );
});

Deno.test("progressText() gives pace and time left from the first update on", () => {
  const state = {
    label: "Embedding",
    total: 1000,
    done: 600,
    stopped: false,
    // 500 were there already: they say nothing about the pace.
    paceFrom: { done: 500, at: 0 },
  };
  equal(progressText(state, 500), "Embedding: 600 of 1,000");
  equal(
    progressText(state, 50_000),
    "Embedding: 600 of 1,000 · 2 a second · 4 min left",
  );
  equal(
    progressText(state, 250_000),
    "Embedding: 600 of 1,000 · 2.5 s each · 17 min left",
  );
  equal(progressText(state), "Embedding: 600 of 1,000");
});

/** A request with any header, as no browser would send it. */
async function send(
  { port, pathname }: URL,
  method: string,
  headers: Record<string, string>,
): Promise<number> {
  const sent = request({
    host: "127.0.0.1",
    port,
    path: pathname,
    method,
    headers,
  });
  sent.end();
  const [response] = await once(sent, "response");
  response.resume();
  await once(response, "end");
  return response.statusCode;
}

Deno.test("stopButton() stops at a POST from a page of this machine, once, and at nothing else", async () => {
  let stops = 0;
  const button = stopButton("Stop: <b>", () => stops++);
  try {
    const url = new URL(button.html.match(/action="([^"]+)"/)![1]);
    const wrong = new URL("/guess", url);
    const origin = "http://localhost:8888";
    equal(url.hostname, "127.0.0.1");
    match(button.html, /Stop: &lt;b&gt;/);

    equal(await send(wrong, "POST", { origin }), 404);
    equal(await send(url, "GET", { origin }), 405);
    equal(await send(url, "POST", {}), 403);
    equal(await send(url, "POST", { origin: "null" }), 403);
    equal(await send(url, "POST", { origin: "https://example.com" }), 403);
    equal(
      await send(url, "POST", { origin: "http://localhost.example.com" }),
      403,
    );
    equal(await send(url, "POST", { origin, host: "example.com" }), 421);
    equal(stops, 0);

    equal(await send(url, "POST", { origin }), 200);
    equal(await send(url, "POST", { origin: "vscode-webview://1a2b" }), 200);
    equal(stops, 1);
    await button.close();
    await rejects(send(url, "POST", { origin }), /ECONNREFUSED/);
  } finally {
    await button.close();
  }
});
