/// <reference lib="dom" />
/**
 * What readers see: a notebook is run in a real JupyterLab, in a real browser,
 * with the real kernel, in the light and in the dark theme.
 *
 * Pictures of both, to be looked at:
 * `deno test -A tests/jupyterlab_test.ts -- --screenshots FOLDER`
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { equal, ok } from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Page } from "puppeteer-core";
import { launchBrowser } from "#lib/browser.ts";
import { paths } from "#lib/paths.ts";

const jupyterLab = join(paths.venv, "bin", "jupyter-lab");
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
  { alt: "L1 leads", caption: "Figure 2. L1 leads by little", yTitle: "share" })`,
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
      await using lab = await startLab(folder, theme);
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

async function runAll(page: Page) {
  await page.waitForFunction(() => {
    const { jupyterapp } = globalThis as unknown as Lab;
    const panel = jupyterapp?.shell.currentWidget;
    return panel?.sessionContext?.session?.kernel?.status === "idle";
  }, { timeout: 60_000 });
  await page.evaluate(() => {
    (globalThis as unknown as Lab).jupyterapp.commands.execute(
      "notebook:run-all-cells",
    );
  });
}

interface Lab {
  jupyterapp: {
    shell: {
      currentWidget?: {
        sessionContext?: { session?: { kernel?: { status: string } } };
      };
    };
    commands: { execute(id: string): void };
  };
}

async function waitForText(page: Page, text: string) {
  await page.waitForFunction(
    (text) =>
      [...document.querySelectorAll(".jp-OutputArea-output")].some((output) =>
        output.textContent?.includes(text)
      ),
    { timeout: 30_000 },
    text,
  );
}

async function photograph(page: Page, name: string) {
  await mkdir(screenshots!, { recursive: true });
  await page.screenshot({ path: `${join(screenshots!, name)}.png` });
}

/** JupyterLab on a notebook of CELLS, with nothing of this user's settings. */
async function startLab(folder: string, theme: string) {
  const write = async (path: string[], content: object) => {
    await mkdir(join(folder, ...path.slice(0, -1)), { recursive: true });
    await writeFile(join(folder, ...path), JSON.stringify(content));
  };
  await write(["kernels", "deno", "kernel.json"], {
    argv: [
      Deno.execPath(),
      "jupyter",
      "--kernel",
      "--conn",
      "{connection_file}",
    ],
    display_name: "Deno",
    language: "typescript",
    env: { NO_COLOR: "1" },
  });
  await write([
    "settings",
    "@jupyterlab",
    "apputils-extension",
    "themes.jupyterlab-settings",
  ], {
    theme: `JupyterLab ${theme}`,
  });
  await write(
    [
      "settings",
      "@jupyterlab",
      "apputils-extension",
      "notification.jupyterlab-settings",
    ],
    { checkForUpdates: false, fetchNews: "false", doNotDisturbMode: true },
  );
  await write(["work", "display.ipynb"], {
    cells: CELLS.map((source, index) => ({
      cell_type: "code",
      id: `cell-${index}`,
      execution_count: null,
      metadata: {},
      outputs: [],
      source,
    })),
    metadata: {
      kernelspec: {
        name: "deno",
        display_name: "Deno",
        language: "typescript",
      },
    },
    nbformat: 4,
    nbformat_minor: 5,
  });
  const runtime = join(folder, "runtime");
  const lab = spawn(jupyterLab, [
    "--no-browser",
    "--allow-root",
    "--expose-app-in-browser",
    "--ip=127.0.0.1",
    `--ServerApp.root_dir=${join(folder, "work")}`,
    // The kernel needs this project's import map, wherever the notebook lies.
    `--AsyncMappingKernelManager.root_dir=${paths.root}`,
  ], {
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...process.env,
      JUPYTER_PATH: folder,
      JUPYTER_CONFIG_DIR: join(folder, "config"),
      JUPYTER_DATA_DIR: join(folder, "data"),
      JUPYTER_RUNTIME_DIR: runtime,
      JUPYTERLAB_SETTINGS_DIR: join(folder, "settings"),
      JUPYTERLAB_WORKSPACES_DIR: join(folder, "workspaces"),
    },
  });
  const log: string[] = [];
  lab.stderr.on("data", (chunk) => log.push(String(chunk)));
  const { url, token } = await serverFile(runtime, lab, log);
  return {
    url: `${url}lab/tree/display.ipynb?token=${token}`,
    async [Symbol.asyncDispose]() {
      lab.kill("SIGTERM");
      if (lab.exitCode === null) await once(lab, "exit");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The file that says where the server listens, once it does. */
async function serverFile(
  runtime: string,
  lab: ChildProcess,
  log: string[],
): Promise<{ url: string; token: string }> {
  for (let tries = 0; tries < 300 && lab.exitCode === null; tries++) {
    const names = existsSync(runtime) ? await readdir(runtime) : [];
    const name = names.find((name) => /^jpserver-\d+\.json$/.test(name));
    if (name) {
      const found = JSON.parse(await readFile(join(runtime, name), "utf8"));
      const answer = await fetch(`${found.url}api?token=${found.token}`).catch(
        () => undefined,
      );
      await answer?.body?.cancel();
      if (answer?.ok) return found;
    }
    await sleep(100);
  }
  lab.kill();
  throw new Error(`JupyterLab does not start:\n${log.join("")}`);
}
