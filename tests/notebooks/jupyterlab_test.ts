/**
 * What readers see: a notebook is run in a real JupyterLab, in a real browser,
 * with the real kernel, in the light and in the dark theme.
 *
 * Pictures of both, to be looked at:
 * `deno test -A tests/jupyterlab_test.ts -- --screenshots FOLDER`
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { equal, ok } from "node:assert/strict";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "puppeteer-core";
import { launchBrowser } from "#lib/crawl/browser.ts";
import {
  jupyterLab,
  runAll,
  startLab,
  waitForText,
} from "../support/jupyter_lab.ts";

const missing = !existsSync(jupyterLab);
if (missing) console.warn(`jupyterlab_test: skipped, ${jupyterLab} not found`);

const { screenshots } = parseArgs({
  args: Deno.args,
  options: { screenshots: { type: "string" } },
}).values;

const CELLS = [
  `import { imageGrid } from "#lib/display/grid.ts";
import { readdir } from "node:fs/promises";
const folder = "data/sample/animals/fish/";
const items = (await readdir(folder)).slice(0, 6).map((name, rank) => ({
  image: folder + name, alt: name, title: name, query: rank === 0,
  caption: "<img src=x onerror=alert(1)>", good: rank === 0 ? undefined : rank < 3,
}));
items.push({ ...items[1], image: "data/gone.jpg", alt: "gone" });
await imageGrid(items, { caption: "Figure 1. A query and its hits" })`,
  `import { table } from "#lib/display/table.ts";
table([{ method: "pixels", "top-1": 0.27 }, { method: "<b>encoder</b>", "top-1": 0.93 }])`,
  `import { barChart } from "#lib/display/charts.ts";
await barChart(["L1", "<b>L2</b>"], { "top-1": [0.27, 0.24], "mAP": [0.12, 0.11] },
  { alt: "L1 leads", caption: "Figure 2. L1 leads by little",
    xTitle: "metric", yTitle: "share" })`,
  `import { progressBar } from "#lib/display/progress.ts";
const bar = progressBar("Waiting for the reader", 1000);
for (let done = 1; done <= 600 && !bar.signal.aborted; done++) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  bar.update(done);
}
bar.finish("as asked");`,
];

for (const theme of ["Light", "Dark"]) {
  Deno.test({
    name:
      `JupyterLab draws grid, table, live chart and progress, and its Stop button works (${theme})`,
    ignore: missing,
    async fn() {
      const folder = await Deno.makeTempDir();
      await using lab = await startLab(folder, theme, CELLS);
      await using browser = await launchBrowser();
      const page = await browser.newPage();
      await page.setViewport({ width: 1200, height: 2000 });
      await page.goto(lab.url);
      await runAll(page);

      await page.waitForSelector("form[action] button", { timeout: 60_000 });
      await waitForText(page, "a second");
      if (screenshots) await photograph(page, `${theme}-running`);
      // Seen and drawn, not only present.
      const seen = await page.evaluate(() => ({
        pictures: [...document.querySelectorAll<HTMLImageElement>(
          ".jp-OutputArea td img[src^='data:image/jpeg']",
        )].map(({ naturalWidth, alt }) => ({ naturalWidth, alt })),
        bars:
          document.querySelectorAll(".js-plotly-plot svg.main-svg .bars path")
            .length,
        ticks: [...document.querySelectorAll(".js-plotly-plot .xtick text")]
          .map((tick) => tick.textContent),
        progress: document.querySelector("progress")?.max,
        intruders: document.querySelectorAll("[onerror], td b b").length,
      }));
      equal(seen.pictures.length, 6);
      ok(
        seen.pictures.every(({ naturalWidth, alt }) =>
          naturalWidth > 20 && alt !== ""
        ),
      );
      equal(seen.bars, 4);
      equal(seen.ticks.join(), "L1,<b>L2</b>");
      equal(seen.progress, 1000);
      equal(seen.intruders, 0);

      await page.click("form[action] button");
      await waitForText(page, "stopped · as asked");
      equal(await page.$("form[action]"), null);
      equal(await page.$("progress"), null);
      if (screenshots) await photograph(page, `${theme}-stopped`);
    },
  });
}

async function photograph(page: Page, name: string) {
  await mkdir(screenshots!, { recursive: true });
  await page.screenshot({ path: `${join(screenshots!, name)}.png` });
}
