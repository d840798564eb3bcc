/**
 * The book of the committed notebooks, in a real browser.
 *
 * Pictures of it, to be looked at:
 * `deno test -A tests/tasks/book_test.ts -- --screenshots FOLDER`
 */
import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Page } from "puppeteer-core";
import { launchBrowser } from "#lib/crawl/browser.ts";
import { paths } from "#lib/paths.ts";
import { makeBook } from "../../tasks/book.ts";
import { listNotebooks, notebooksFolder } from "../../tasks/execute.ts";
import { pythonPackages } from "../../tasks/python.ts";
import { isDone } from "../../tasks/step.ts";

const ignore = !isDone(pythonPackages);
if (ignore) console.warn("book_test: skipped, run deno task setup first");

const { screenshots } = parseArgs({
  args: Deno.args,
  options: { screenshots: { type: "string" } },
}).values;

Deno.test({
  name: "the book of the committed notebooks",
  ignore,
  fn: (t) =>
    withBook(notebooksFolder, async (book) => {
      const pages = (await readdir(book, { recursive: true }))
        .filter((name) => name.endsWith(".html")).toSorted();

      await t.step("has a page a notebook, and the documents", async () => {
        for (const path of await listNotebooks()) {
          const name = relative(paths.root, path).replace("ipynb", "html");
          ok(pages.includes(name), name);
        }
        ok(pages.includes("docs/glossary.html"));
        ok(pages.includes("docs/bibliography.html"));
      });

      await t.step("has no link that leads nowhere", async () => {
        deepStrictEqual(await deadLinks(book, pages), []);
      });

      await t.step("says first what the course is and takes", async () => {
        const start = await readFile(join(book, "index.html"), "utf8");
        const text = start.replaceAll(/<[^>]*>/g, "");
        for (const words of ["task demo", "six hours", "TypeScript or"]) {
          ok(text.includes(words), words);
        }
        match(start, /href="notebooks\/1_crawler.html">1 · Crawler<\/a>/);
        ok(start.includes("<p>Where does a picture collection come from?</p>"));
        match(start, /<li><a href="README.html">About</);
        match(start, /<li><a href="notebooks\/tslab\/quickstart.html">/);
      });

      await t.step("has a search index below 500 kB", async () => {
        const { size } = await stat(join(book, "search_index.js"));
        ok(size < 500_000, `${size} bytes`);
      });

      const browser = await launchBrowser();
      const asked = new Set<string>(), faults: string[] = [];
      const newTab = async () => {
        const tab = await browser.newPage();
        tab.on("request", (one) => asked.add(new URL(one.url()).origin));
        tab.on("pageerror", (error) => faults.push(String(error)));
        await tab.setViewport(desk);
        return tab;
      };
      const page = await newTab();
      const open = async (name: string, tab = page) => {
        await tab.goto(pathToFileURL(join(book, name)).href);
        await tab.waitForSelector("[data-ready]");
      };

      const tooWide: string[] = [];
      await t.step(
        "satisfies axe on every kind of page, light and dark",
        async () => {
          // One source stands for all.
          const sources = pages.filter((name) =>
            /\.(ts|py)\.|LIC|CFF/i.test(name)
          );
          const read = pages.filter((name) => !sources.includes(name));
          const violations: string[] = [];
          // The tabs take pages from one iterator, each the next that is left.
          const left = [...read, sources.at(-1)!].values();
          const check = async (tab: Page) => {
            for (const name of left) {
              await setTheme(tab, "light");
              await open(name, tab);
              await keepPicture(tab, `${name.replaceAll("/", "_")}.light`);
              // The words of code have colours alone, which a later step checks.
              await tab.$$eval(
                ".highlight pre",
                (all) =>
                  all.forEach((pre) => pre.replaceChildren(pre.innerText)),
              );
              const found = await runAxe(tab, rulesFor(name));
              violations.push(...found.map((one) => `${name}: ${one}`));
              // What is no colour is the same in the dark.
              if (EXAMPLES.test(name)) {
                await setTheme(tab, "dark");
                await keepPicture(tab, `${name.replaceAll("/", "_")}.dark`);
                const inDark = await runAxe(tab, CONTRAST);
                violations.push(
                  ...inDark.map((one) => `${name}, dark: ${one}`),
                );
              }
              await tab.setViewport({ width: 380, height: 900 });
              const width = await tab.evaluate(() =>
                document.documentElement.scrollWidth
              );
              if (width > 380) tooWide.push(`${name}: ${width}`);
              await tab.setViewport(desk);
            }
          };
          await Promise.all([page, await newTab()].map(check));
          deepStrictEqual(violations, []);
        },
      );

      await t.step("has no page wider than a window of 380 pixels", () => {
        deepStrictEqual(tooWide, []);
      });

      await t.step("has no colour of code that is hard to read", async () => {
        const css = await readFile(join(book, "book.css"), "utf8");
        const kinds = [...css.matchAll(/^\.highlight \.(\w+)/gm)];
        ok(kinds.length > 20);
        await open("index.html");
        await page.$eval("main", (main, kinds) => {
          const spans = kinds.map((kind) => `<span class="${kind}">x</span>`);
          main.innerHTML = `<div class="highlight"><pre>${
            spans.join(" ")
          }</pre>`;
        }, kinds.map(([, kind]) => kind));
        for (const theme of ["light", "dark"]) {
          await setTheme(page, theme);
          deepStrictEqual(await runAxe(page, CONTRAST), []);
        }
      });

      const find = async (words: string) => {
        await page.keyboard.press("/");
        await page.keyboard.type(words);
        await page.waitForFunction(() =>
          document.querySelector("#found")!.textContent !== ""
        );
        return await page.$$eval(
          "#results a",
          (all) =>
            all.map(({ pathname }) =>
              pathname.replace(/.*\/(?=notebooks|docs)/, "")
            ),
        );
      };

      await t.step("finds a heading by a word, by keyboard alone", async () => {
        await open("docs/encoders.html");
        await find("encoders and databases");
        await page.keyboard.press("ArrowDown");
        await Promise.all([
          page.waitForNavigation(),
          page.keyboard.press("Enter"),
        ]);
        match(page.url(), /docs\/glossary\.html#encoders-and-databases$/);
      });

      await t.step(
        "finds a notebook before a list that has the same words",
        async () => {
          for (
            const words of [
              "paired bootstrap",
              "average precision",
              "median rank",
            ]
          ) {
            await open("index.html");
            const found = await find(words);
            match(found[0], /^notebooks\//, words);
          }
        },
      );

      await t.step("finds a word that stands in code alone", async () => {
        await open("index.html");
        const found = await find("watchErrors");
        match(found[0], /^notebooks\//);
      });

      await t.step("says to the eye that nothing was found", async () => {
        await open("index.html");
        deepStrictEqual(await find("zzzzqq"), []);
        const status = await page.$eval("#found", (element) => {
          const { width } = element.getBoundingClientRect();
          return [element.textContent, width > 50, element.checkVisibility()];
        });
        deepStrictEqual(status, ["Nothing found", true, true]);
        await keepPicture(page, "nothing");
        await page.keyboard.press("Escape");
        strictEqual(await page.$("#found.shown"), null);
      });

      const chart = await pageWithChart(book, pages);
      await t.step("draws a chart alive in place of its picture", async () => {
        await open(chart);
        await page.waitForSelector(".chart .js-plotly-plot .main-svg");
        const [shown, alt, label] = await page.$eval(".chart", (chart) => {
          const picture = chart.querySelector("img")!;
          const alive = chart.querySelector(".js-plotly-plot")!;
          const label = alive.getAttribute("aria-label");
          return [picture.checkVisibility(), picture.alt, label];
        });
        deepStrictEqual([shown, label], [false, alt]);
      });

      await t.step("shows a chart's picture without scripts", async () => {
        await page.setJavaScriptEnabled(false);
        await page.goto(pathToFileURL(join(book, chart)).href);
        ok(await page.$eval(".chart img", (image) => image.checkVisibility()));
        await page.setJavaScriptEnabled(true);
      });

      await t.step("keeps the theme that the reader chose", async () => {
        const theme = () =>
          page.evaluate(() => [
            document.documentElement.dataset.theme ?? "the system's",
            document.querySelector("#theme")!.getAttribute("aria-pressed"),
          ]);
        await setTheme(page, "light");
        await open("index.html");
        deepStrictEqual(await theme(), ["the system's", "false"]);
        await page.click("#theme");
        deepStrictEqual(await theme(), ["dark", "true"]);
        await open("docs/glossary.html");
        deepStrictEqual(await theme(), ["dark", "true"]);
        await page.click("#theme");
        await open("index.html");
        deepStrictEqual(await theme(), ["the system's", "false"]);
      });

      await t.step("asks nothing of any network, and no script fails", () => {
        deepStrictEqual([...asked], ["null"]);
        deepStrictEqual(faults, []);
      });
      await browser.close();
    }),
});

Deno.test({
  name: "text in a notebook's outputs stays text, a figure's texts too",
  ignore,
  fn: () =>
    withNotebook([
      { output_type: "stream", name: "stdout", text: [HOSTILE] },
      {
        output_type: "display_data",
        data: {
          "text/html": [
            '<iframe src="http://127.0.0.1:1/"></iframe><b>shown</b>',
          ],
          "application/vnd.plotly.v1+json": { data: [{ name: HOSTILE }] },
        },
      },
    ], async (folder) =>
      await withBook(folder, async (book) => {
        const path = join(book, "notebooks", "1_a.html");
        const text = await readFile(path, "utf8");
        ok(text.includes("<b>shown</b>"));
        ok(text.includes("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"));
        strictEqual(text.includes("<img"), false);
        strictEqual(text.includes("<iframe"), false);
      })),
});

Deno.test({
  name: "makeBook() names the link that leads to no file",
  ignore,
  fn: () =>
    withNotebook([], async (folder) => {
      await rejects(withBook(folder, () => Promise.resolve()), {
        name: "CommandError",
        message: "render.py: notebooks/1_a.ipynb: the link ../docs/gone.md " +
          "leads to no file of the project",
      });
    }, "[gone](../docs/gone.md)"),
});

const HOSTILE = "</script><img src=x onerror=alert(1)>";

const desk = { width: 1200, height: 900 };

/** Pages of each kind, with charts, grids and tables: they get all rules. */
const EXAMPLES = /index|glossary|\/[37]_|^lib|^tasks/;
const CONTRAST = { runOnly: ["color-contrast"] };

/** The rules of WCAG 2.1 and the order of headings; colours take half of the time. */
function rulesFor(name: string): unknown {
  if (EXAMPLES.test(name)) return {};
  const isNotebook = name.startsWith("notebooks");
  return {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    rules: {
      "color-contrast": { enabled: isNotebook },
      "heading-order": { enabled: true },
    },
  };
}

/** What axe finds on a page, without what Plotly draws inside of its charts. */
async function runAxe(page: Page, options: unknown): Promise<string[]> {
  interface Violation {
    id: string;
    nodes: { html: string }[];
  }
  interface Axe {
    run(
      context: unknown,
      options: unknown,
    ): Promise<{ violations: Violation[] }>;
  }
  const isLoaded = await page.evaluate(() => "axe" in globalThis);
  if (!isLoaded) await page.addScriptTag({ path: axePath });
  return await page.evaluate(async (options) => {
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations } = await axe.run({ exclude: [".main-svg"] }, options);
    return violations.map(({ id, nodes }) =>
      `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" ")}`
    );
  }, { resultTypes: ["violations"], ...options as object });
}

const axePath = join(paths.root, "node_modules", "axe-core", "axe.min.js");

async function keepPicture(page: Page, name: string): Promise<void> {
  if (!screenshots) return;
  await mkdir(screenshots, { recursive: true });
  const path = join(screenshots, `${name}.png`) as `${string}.png`;
  await page.screenshot({ path, fullPage: true });
}

const setTheme = (page: Page, value: string) =>
  page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);

/** Every href and src that leads to no file, or to no element of that id. */
async function deadLinks(book: string, pages: string[]): Promise<string[]> {
  const texts = new Map(
    await Promise.all(pages.map(async (name) => {
      const path = join(book, name);
      return [path, await readFile(path, "utf8")] as const;
    })),
  );
  const dead: string[] = [];
  for (const [path, text] of texts) {
    for (const [, link] of text.matchAll(/\b(?:href|src|srcset)="([^"]*)"/g)) {
      const url = new URL(link, pathToFileURL(path));
      if (url.protocol !== "file:") continue;
      const id = decodeURIComponent(url.hash.slice(1));
      const target = fileURLToPath(url.href.replace(/#.*/, ""));
      const inside = !relative(book, target).startsWith("..");
      const there = inside && existsSync(target) &&
        (id === "" || texts.get(target)?.includes(` id="${id}"`));
      if (!there) dead.push(`${relative(book, path)}: ${link}`);
    }
  }
  return dead;
}

/** The first page that has a chart. */
async function pageWithChart(book: string, pages: string[]): Promise<string> {
  for (const name of pages) {
    const text = await readFile(join(book, name), "utf8");
    if (text.includes('class="chart"')) return name;
  }
  throw new Error("no page has a chart");
}

/** Runs `test` with a folder of one notebook, whose one code cell shows these. */
async function withNotebook(
  outputs: unknown[],
  test: (folder: string) => Promise<void>,
  prose = "",
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "book-" });
  const text = ["# A\n\n", "What is it?\n\n", prose];
  const cells = [
    { cell_type: "markdown", source: text },
    { cell_type: "code", source: ["1"], outputs },
  ];
  try {
    await writeFile(join(folder, "1_a.ipynb"), JSON.stringify({ cells }));
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs `test` with the book of a folder of notebooks. */
async function withBook(
  notebooks: string,
  test: (book: string) => Promise<void>,
): Promise<void> {
  const book = await Deno.makeTempDir({ prefix: "book-" });
  try {
    await makeBook(notebooks, book);
    await test(book);
  } finally {
    await Deno.remove(book, { recursive: true });
  }
}
