/// <reference lib="dom" />
/**
 * The search page in a real browser: each feature, by keyboard alone, in both
 * themes, from 320 pixels to 4K, and what it says when something is wrong.
 *
 * Pictures of it, to be looked at:
 * `deno test -A tests/search_page_test.ts -- --screenshots FOLDER`
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Browser, Page } from "puppeteer-core";
import { openSearchApp, type SearchApp } from "#lib/search_page/search_page.ts";
import { folderSource } from "#lib/search_page/index/sources.ts";
import { launchBrowser } from "#lib/crawl/browser.ts";
import { paths } from "#lib/paths.ts";
import { colourEncoder, plain } from "../support/colour_encoder.ts";

const { screenshots } = parseArgs({
  args: Deno.args,
  options: { screenshots: { type: "string" } },
}).values;

const HOSTILE = '<img src=x onerror=alert(1)> red & "bold"';

/** A page over 26 pictures, in a browser tab. */
interface Opened {
  app: SearchApp;
  browser: Browser;
  page: Page;
  folder: string;
  /** What the page's scripts complained about. */
  faults: string[];
}

async function withPage(
  test: (opened: Opened) => Promise<void>,
  { encoder = colourEncoder(), ready = true, publicUrl = "" } = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "page-" });
  const { search, embeddings } = paths;
  paths.search = join(folder, "index");
  paths.embeddings = join(folder, "embeddings");
  const pictures = join(folder, "pictures");
  for (const term of ["red", "blue"]) {
    await mkdir(join(pictures, "paint", term), { recursive: true });
    for (let shade = 0; shade < 13; shade++) {
      const strong = 255 - 8 * shade, weak = 9 * shade;
      const colour = term === "red"
        ? { r: strong, g: weak, b: 0 }
        : { r: 0, g: weak, b: strong };
      await writeFile(
        join(pictures, "paint", term, `${term}-${shade}.png`),
        await plain(colour, "png", 64),
      );
    }
  }
  await writeFile(
    join(pictures, "captions.json"),
    JSON.stringify({
      "paint/red/red-0.png": {
        caption: HOSTILE,
        author: "=1+1",
        license: "CC0",
        page: "javascript:alert(1)",
      },
      "paint/red/red-1.png": { caption: "A red wall", license: "CC BY 4.0" },
    }),
  );
  const app = await openSearchApp(await folderSource(pictures), {
    encoders: [encoder],
    ...(publicUrl && { publicUrl }),
    log: () => {},
  });
  if (ready) await app.ready;
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("dialog", (dialog) => {
      faults.push(`alert: ${dialog.message()}`);
      dialog.dismiss();
    });
    await page.setViewport({ width: 1200, height: 900 });
    await page.goto(app.url);
    await page.waitForSelector(ready ? ".card" : "#status");
    await test({ app, browser, page, folder: pictures, faults });
    deepEqual(faults, []);
  } finally {
    await browser.close();
    await app.close();
    Object.assign(paths, { search, embeddings });
    await Deno.remove(folder, { recursive: true });
  }
}

/** Does something that searches, and waits until the results are painted. */
async function search(page: Page, act: () => Promise<unknown>): Promise<void> {
  await page.evaluate(() => delete document.documentElement.dataset.painted);
  await act();
  await page.waitForFunction(() => document.documentElement.dataset.painted);
}

async function searchText(page: Page, text: string): Promise<void> {
  await page.$eval("#text", (field) => (field as HTMLInputElement).value = "");
  await page.type("#text", text);
  await search(page, () => page.keyboard.press("Enter"));
}

const terms = (page: Page) =>
  page.$$eval(
    ".card",
    (cards) => [
      ...new Set(cards.map((card) => card.querySelector("p")!.textContent)),
    ],
  );

const textOf = (page: Page, selector: string) =>
  page.$eval(selector, (element) => element.textContent ?? "");

async function openOptions(page: Page): Promise<void> {
  await page.$eval(
    "#options",
    (details) => (details as HTMLDetailsElement).open = true,
  );
}

/** Moves a slider as a reader does. */
const slide = (page: Page, selector: string, value: number) =>
  page.$eval(selector, (slider, value) => {
    (slider as HTMLInputElement).value = `${value}`;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    slider.dispatchEvent(new Event("change", { bubbles: true }));
  }, value);

Deno.test("the page starts with totals, statistics and random pictures, and finds by text", () =>
  withPage(async ({ page, app }) => {
    const start = await textOf(page, "#start");
    match(start, /Pictures26.*Terms2.*Similarity of two pictures\d/);
    equal((await page.$$(".card")).length, 12);

    await searchText(page, "red");
    deepEqual(await terms(page), ["red"]);
    match(await textOf(page, "#status"), /shown; \d+ of 26 pictures/);
    match(await textOf(page, ".card"), /Match \d+\.\d%/);
    equal(app.query?.text, "red");
    ok(page.url().endsWith("#text=red"));

    await searchText(page, "blue");
    await search(page, () => page.goBack());
    deepEqual(await terms(page), ["red"]);
    equal(
      await page.$eval("#text", (field) => (field as HTMLInputElement).value),
      "red",
    );
    await search(page, () => page.reload());
    deepEqual(await terms(page), ["red"]);
    await page.click("#random");
    await page.waitForFunction(() =>
      /drawn at random/.test(document.querySelector("#status")!.textContent!)
    );
  }));

Deno.test("captions, titles and addresses from outside are text", () =>
  withPage(async ({ page }) => {
    await searchText(page, "red");
    await page.click('[data-path="paint/red/red-0.png"] .tile');
    await page.waitForSelector("#detail[open] dl");
    match(
      await textOf(page, "#detail dl"),
      /<img src=x onerror=alert\(1\)> red & "bold"/,
    );
    match(await textOf(page, "#detail dl"), /javascript:alert\(1\)/);
    const found = await page.evaluate(() => ({
      intruders: document.querySelectorAll("[onerror]").length,
      links: [...document.querySelectorAll("a")].map(({ href }) => href),
      alts: [...document.querySelectorAll("img")].every(({ alt }) =>
        alt !== ""
      ),
    }));
    deepEqual(found, { intruders: 0, links: [], alts: true });
  }));

Deno.test("everything can be done from the keyboard", () =>
  withPage(async ({ page, app }) => {
    const focused = () =>
      page.evaluate(() =>
        document.activeElement?.getAttribute("aria-label") ??
          document.activeElement?.id
      );
    await page.focus("#text");
    await page.keyboard.type("red");
    await search(page, () => page.keyboard.press("Enter"));
    for (let i = 0; i < 30 && !/^Open /.test(await focused() ?? ""); i++) {
      await page.keyboard.press("Tab");
    }
    const first = await focused();
    await page.keyboard.press("ArrowRight");
    ok(await focused() !== first);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowLeft");
    equal(await focused(), first);
    await page.keyboard.press("x");
    await page.waitForFunction(() => document.querySelector(".card :checked"));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#detail[open]");
    await page.keyboard.press("Escape");
    await page.waitForSelector("#detail:not([open])");
    equal(await focused(), first);
    await search(page, () => page.keyboard.press("l"));
    equal(app.selection.length, 1);
    ok(app.query!.like !== "");

    await page.focus("#openMap");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() =>
      /26 pictures/.test(document.querySelector("#mapStatus")!.textContent!)
    );
    for (
      const key of ["ArrowRight", "ArrowUp", "+", "-", "ArrowLeft"] as const
    ) {
      await page.keyboard.press(key);
    }
    match(await textOf(page, "#mapStatus"), /(red|blue) \d+|wall|bold/);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#detail[open] .neighbours img");
  }));

Deno.test("a picture is taken from a file, a drop and the clipboard; more like this", () =>
  withPage(async ({ page, app, folder }) => {
    const file = join(folder, "paint", "blue", "blue-3.png");
    const input = await page.$("#file");
    await search(
      page,
      () =>
        (input as unknown as { uploadFile(path: string): Promise<void> })
          .uploadFile(file),
    );
    deepEqual(await terms(page), ["blue"]);
    match(page.url(), /#picture=[0-9a-f]{64}&mode=visual$/);
    await search(page, () => page.reload());
    deepEqual(await terms(page), ["blue"]);

    const bytes = [...await plain("#f00000", "jpeg", 90)];
    for (const kind of ["drop", "paste"] as const) {
      await search(page, () =>
        page.evaluate(
          (kind, bytes) => {
            const data = new DataTransfer();
            data.items.add(
              new File([Uint8Array.from(bytes)], "a.jpg", {
                type: "image/jpeg",
              }),
            );
            dispatchEvent(
              kind === "drop"
                ? new DragEvent("drop", { dataTransfer: data, bubbles: true })
                : new ClipboardEvent("paste", { clipboardData: data }),
            );
          },
          kind,
          bytes,
        ));
      deepEqual(await terms(page), ["red"], kind);
    }
    await page.click("[aria-label^='More like']");
    await page.waitForFunction(() => location.hash.includes("like="));
    await page.click("#asked button");
    await page.waitForFunction(() =>
      location.hash === "#mode=visual" ||
      /random/.test(document.querySelector("#status")!.textContent!)
    );
    ok(app.query!.like !== "");
  }));

Deno.test("filters, terms, weight, number, mode, cut and copies change what is shown", () =>
  withPage(async ({ page, app }) => {
    await openOptions(page);
    await searchText(page, "red");
    await search(page, () => page.select("#cut", "none"));
    ok(page.url().includes("cut=none"));
    await search(page, () => page.click("#terms input[value=blue]"));
    deepEqual(await terms(page), ["blue"]);
    equal(await textOf(page, "#active"), "(1 on)");
    await search(page, () => page.click("#terms input[value=blue]"));

    await search(page, () => page.click("#fold"));
    await search(page, () => slide(page, "#k", 24));
    equal((await page.$$(".card")).length, 24);
    await search(page, () => slide(page, "#textWeight", 0.8));
    equal(app.query!.textWeight, 0.8);
    match(await textOf(page, "#weightShown"), /text 80%, picture 20%/);
    await search(page, () => page.select("#mode", "text"));
    equal(app.query!.mode, "text");
    await search(page, () => page.select("#metric", "l2"));
    match(await textOf(page, ".card"), /Distance [\d.]+ \(L2\)/);
    await search(page, () => page.select("#metric", "cosine"));
    await search(page, () => page.select("#mode", "visual"));

    await page.type("#plus", "green");
    await page.type("#minus", "blue, white");
    await search(page, () => page.keyboard.press("Enter"));
    deepEqual([app.query!.plus, app.query!.minus], [["green"], [
      "blue",
      "white",
    ]]);
    for (const id of ["#plus", "#minus"]) {
      await page.$eval(id, (field) => (field as HTMLInputElement).value = "");
    }

    await page.click("#scores summary");
    const most = Number(
      await page.$eval(
        "#cutValue",
        (slider) => (slider as HTMLInputElement).max,
      ),
    );
    await search(page, () => slide(page, "#cutValue", most - 0.05));
    const shown = (await page.$$(".card")).length;
    ok(shown > 0 && shown < 24, `${shown} shown`);
    equal(app.query!.cut, app.result!.cut);

    await search(page, () => page.select("#cut", "auto"));
    await searchText(page, "the price of shares");
    match(await textOf(page, "#results"), /Nothing here fits/);
    await search(page, () => page.click(".empty button"));
    ok((await page.$$(".card")).length > 0);
  }));

Deno.test("pixels stand beside the encoder for one query", () =>
  withPage(async ({ page }) => {
    await openOptions(page);
    await searchText(page, "red");
    await search(page, () => page.select("#beside", "pixels"));
    const headings = await page.$$eval(
      "#results h2",
      (found) => found.map((one) => one.textContent),
    );
    equal(headings.length, 2);
    match(headings[0]!, /colours: mean colours/);
    match(headings[1]!, /64 × 64 pixels \(pixels know no words: nearest to “/);
    await search(page, () => page.select("#beside", ""));
    await search(page, () => page.select("#space", "pixels"));
    match(await textOf(page, "#status"), /The nearest \d+ of 26 pictures/);
  }));

Deno.test("results are taken away as CSV, JSON and the cell that finds them", () =>
  withPage(async ({ page }) => {
    await searchText(page, "red");
    await page.evaluate(() => {
      URL.createObjectURL = (blob) => {
        (blob as Blob).text().then((text) =>
          document.body.dataset.saved = text
        );
        return "data:,";
      };
    });
    const saved = async (button: string) => {
      await page.evaluate(() => delete document.body.dataset.saved);
      await page.click(button);
      await page.waitForFunction(() => document.body.dataset.saved);
      return await page.evaluate(() => document.body.dataset.saved!);
    };
    const csv = await saved("#csv");
    match(csv, /^"path","value","title"/);
    match(csv, /"'=1\+1"/, "a formula is text");
    match(csv, /"<img src=x onerror=alert\(1\)> red & ""bold"""/);
    ok(JSON.parse(await saved("#json")).hits.length > 0);
    await page.click("#cell");
    equal(
      await textOf(page, "#codeText"),
      "// app: what openSearchApp() of #lib/search_page/search_page.ts returned\n" +
        'const found = await app.search({\n  text: "red",\n});\n' +
        "found.hits.map(({ value, path }) => ({ value, path }))",
    );
  }));

Deno.test("what goes wrong is said on the page, and the page goes on", () =>
  withPage(async ({ page, app, folder }) => {
    const complaint = async (words: RegExp) => {
      await page.waitForFunction(() =>
        document.querySelector("#problem")!.textContent
      );
      match(await textOf(page, "#problem"), words);
    };
    await page.$eval(
      "#text",
      (field) => (field as HTMLInputElement).value = "x".repeat(100_000),
    );
    await page.click("[type=submit]");
    await complaint(/at most 1000 characters, got 100000/);
    await searchText(page, "red");
    equal(await textOf(page, "#problem"), "");
    await page.$eval(
      "#text",
      (field) => (field as HTMLInputElement).value = "please fail",
    );
    await page.click("[type=submit]");
    await complaint(/ran out of memory/);
    await searchText(page, "red");

    const broken = join(folder, "broken.jpg");
    await writeFile(broken, (await plain("red", "jpeg", 300)).slice(0, 300));
    const input = await page.$("#file");
    await (input as unknown as { uploadFile(path: string): Promise<void> })
      .uploadFile(broken);
    await complaint(/no picture that can be read/);

    // A picture that was deleted meanwhile keeps its place and says so.
    await page.setCacheEnabled(false);
    await rm(join(folder, "paint"), { recursive: true });
    await rm(join(paths.search, "thumbnails"), { recursive: true });
    await searchText(page, "blue");
    await page.waitForSelector(".tile.gone");
    await page.click(".tile");
    await page.waitForFunction(() =>
      /file is gone/.test(document.querySelector("#detail")!.textContent!)
    );
    await page.keyboard.press("Escape");

    await page.evaluate(() => {
      dispatchEvent(new ErrorEvent("error", { error: new Error("boom") }));
    });
    await complaint(/This page has a fault: boom/);

    await app.close();
    await page.click("[type=submit]");
    await page.waitForFunction(() =>
      /does not answer/.test(document.querySelector("#problem")!.textContent!)
    );
  }));

Deno.test("a collection that is being indexed shows its progress and can be searched", () => {
  const encoder = colourEncoder();
  const held = Promise.withResolvers<void>();
  const { encodeDecoded } = encoder;
  encoder.encodeDecoded = async (pixels) => {
    await held.promise;
    return await encodeDecoded(pixels);
  };
  return withPage(async ({ page }) => {
    await page.waitForSelector("#loading:not([hidden])");
    match(await textOf(page, "#loadingText"), /Indexing: 0 of 26 pictures/);
    await page.type("#text", "red");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() =>
      /Nothing can be searched yet/.test(
        document.querySelector("#results")!.textContent!,
      )
    );
    held.resolve();
    await page.waitForSelector("#loading[hidden]");
    await searchText(page, "red");
    deepEqual(await terms(page), ["red"]);
  }, { encoder, ready: false });
});

Deno.test("the page works inside a page of another port, as in a notebook", () =>
  withPage(async ({ app, page }) => {
    const outer = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end(
        `<!doctype html><iframe src="${app.url}" width="900" height="700"></iframe>`,
      );
    });
    await new Promise<void>((resolve) => outer.listen(0, "127.0.0.1", resolve));
    const { port } = outer.address() as AddressInfo;
    try {
      await page.goto(`http://127.0.0.1:${port}/`);
      const frame = await (await page.waitForSelector("iframe"))!
        .contentFrame();
      await frame.waitForSelector(".card");
      const next = app.next();
      await frame.type("#text", "blue");
      await frame.$eval(
        "#form",
        (form) => (form as HTMLFormElement).requestSubmit(),
      );
      equal((await next).query?.text, "blue");
    } finally {
      outer.close();
      outer.closeAllConnections();
    }
  }));

Deno.test("the page works behind a proxy that puts a path before its own", async () => {
  let target = "";
  const prefix = "/user/ada/proxy/8000";
  // As jupyter-server-proxy does: the path is cut, the Host header kept.
  const proxy = createServer((request, response) => {
    const { method, headers, url = "" } = request;
    const path = url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : "/";
    request.pipe(
      forward(new URL(path, target), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  const publicUrl = `http://127.0.0.1:${port}${prefix}/`;
  try {
    await withPage(async ({ app, page }) => {
      target = new URL(app.url).origin;
      ok(app.address.startsWith(publicUrl));
      await page.goto(app.address);
      await page.waitForSelector(".card");
      await searchText(page, "blue");
      deepEqual(await terms(page), ["blue"]);
      equal(await page.$(".tile.gone"), null);
    }, { publicUrl });
  } finally {
    proxy.close();
    proxy.closeAllConnections();
  }
});

Deno.test("axe finds nothing serious, and nothing overflows, from 320 pixels to 4K in both themes", () =>
  withPage(async ({ page }) => {
    const axe = await readFile(
      join(paths.root, "node_modules", "axe-core", "axe.min.js"),
      "utf8",
    );
    // The page's own rules would refuse the checker's script.
    await page.setBypassCSP(true);
    await page.reload();
    await page.waitForSelector(".card");
    await openOptions(page);
    await searchText(page, "red");
    await page.click("#scores summary");
    await page.evaluate(axe);
    const check = async (name: string) => {
      const serious = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: Violation[] }> };
        };
        const { violations } = await axe.run();
        return violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) =>
            `${id}: ${nodes.map(({ html }) => html).join(" ")}`
          );
      });
      equal([name, ...serious].join("\n"), name);
      if (!screenshots) return;
      await mkdir(screenshots, { recursive: true });
      await page.screenshot({ path: `${join(screenshots, name)}.png` });
    };
    for (const theme of ["light", "dark"]) {
      await page.emulateMediaFeatures([
        { name: "prefers-color-scheme", value: theme },
      ]);
      for (const [width, height] of [[320, 700], [1200, 900], [3840, 2160]]) {
        await page.setViewport({ width, height });
        const wide = await page.evaluate(() =>
          document.documentElement.scrollWidth
        );
        ok(wide <= width, `${wide} at ${width}`);
        await check(`${theme}-${width}`);
      }
      await page.setViewport({ width: 1200, height: 900 });
      await page.click(".tile");
      await page.waitForSelector("#detail[open] .neighbours img");
      await check(`${theme}-detail`);
      await page.keyboard.press("Escape");
      await page.click("#openMap");
      await page.waitForFunction(() =>
        /26 pictures/.test(document.querySelector("#mapStatus")!.textContent!)
      );
      await check(`${theme}-map`);
      await page.click("#closeMap");
    }
  }));

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

Deno.test("the page's code is small: under 100 KB compressed", async () => {
  const folder = join(paths.root, "lib", "search_page", "web");
  let size = 0;
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await readFile(join(folder, name));
    const stream = new Blob([bytes]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    size += (await new Response(stream).arrayBuffer()).byteLength;
  }
  ok(size < 100_000, `${size} bytes`);
});
