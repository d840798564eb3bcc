/**
 * The search page inside a notebook: a real JupyterLab, the real kernel, and
 * cells that see what the reader does in the frame.
 */
import { equal, match } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { launchBrowser } from "#lib/crawl/browser.ts";
import { offlineEncoderReady } from "../../tasks/offline_encoder.ts";
import {
  jupyterLab,
  runAll,
  startLab,
  waitForText,
} from "../support/jupyter_lab.ts";

const missing = !existsSync(jupyterLab) || !offlineEncoderReady();
if (missing) {
  console.warn("search_notebook_test: skipped, set-up has not been run");
}

const CELLS = [
  `import { openSearchApp } from "#lib/search_page/search_page.ts";
import { sampleSource } from "#lib/search_page/index/sources.ts";
const app = await openSearchApp(await sampleSource(), { log: () => {} });
await app.ready;
app`,
  `const seen = app.next().then(({ query }) => query?.text);
const selected = seen.then(() => app.next());
console.log("cells go on: " + (await app.search({ text: "a penguin" })).hits[0].title);`,
  `console.log("the reader asked for " + await seen);`,
  `console.log("the reader selected " + (await selected).selection.map(({ term }) => term));`,
];

Deno.test({
  name: "a notebook shows the page, and its cells see what the reader does",
  ignore: missing,
  async fn() {
    const folder = await Deno.makeTempDir();
    await using lab = await startLab(folder, "Light", CELLS, {
      CONTACT_SHEET_DATA: join(folder, "data-of-test"),
      CONTACT_SHEET_ENCODER: "offline",
    });
    await using browser = await launchBrowser();
    const page = await browser.newPage();
    await page.setViewport({ width: 1200, height: 1400 });
    await page.goto(lab.url);
    await runAll(page);
    const element = await page.waitForSelector(
      "iframe[title='Search page']",
      { timeout: 60_000 },
    );
    const frame = await element!.contentFrame();
    await frame.waitForSelector(".card", { timeout: 30_000 });
    await waitForText(page, "cells go on: king penguin");

    await frame.type("#text", "a violin");
    await frame.$eval(
      "#form",
      (form) => (form as HTMLFormElement).requestSubmit(),
    );
    await waitForText(page, "the reader asked for a violin");
    await frame.waitForFunction(() => document.documentElement.dataset.painted);
    match(
      await frame.$eval(".card", (card) => card.textContent ?? ""),
      /violin/,
    );
    await frame.$eval(
      ".card [type=checkbox]",
      (box) => (box as HTMLInputElement).click(),
    );
    await waitForText(page, "the reader selected musical instrument");
    equal(await frame.$eval("#problem", (box) => box.textContent), "");
  },
});
