/**
 * The search page in a real browser: searching by words and pictures, what the
 * address keeps, and what is said when something is wrong.
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "puppeteer-core";
import { paths as folders } from "#lib/paths.ts";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import {
  choose,
  openFilters,
  paths,
  search,
  searchText,
  setText,
  slide,
  terms,
  textOf,
  withPage,
} from "../../support/search_tab.ts";

const value = (page: Page, selector: string) =>
  page.$eval(selector, (field) => (field as HTMLInputElement).value);

/** How often the page has searched from now on. */
function searches(page: Page): () => number {
  let count = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/search")) count++;
  });
  return () => count;
}

/** Gives the page a file as a drop, or from the clipboard. */
const give = (page: Page, kind: "drop" | "paste", bytes: Uint8Array) =>
  page.evaluate(
    (kind, bytes) => {
      const data = new DataTransfer();
      data.items.add(
        new File([Uint8Array.from(bytes)], "a.jpg", { type: "image/jpeg" }),
      );
      dispatchEvent(
        kind === "drop"
          ? new DragEvent("drop", { dataTransfer: data, bubbles: true })
          : new ClipboardEvent("paste", { clipboardData: data }),
      );
    },
    kind,
    [...bytes],
  );

Deno.test("the page starts with totals and random pictures, and finds by words", () =>
  withPage(async ({ page, app }) => {
    await page.waitForFunction(() =>
      /^26 pictures, 2 terms.*drawn at random/.test(
        document.querySelector("#status")!.textContent!,
      )
    );
    match(
      await textOf(page, "#start"),
      /Pictures26Terms2.*Similarity of two pictures\d/,
    );
    strictEqual((await paths(page)).length, 12);

    await searchText(page, "red");
    deepStrictEqual(await terms(page), ["red"]);
    match(
      await textOf(page, "#status"),
      /^3 of 26 pictures fit \(10 near copies folded\)$/,
    );
    match(await textOf(page, ".card .value"), /^[01]\.\d{3} \+0\.\d\d$/);
    strictEqual(app.query?.text, "red");
    await choose(page, "#theme");
    match(await textOf(page, "#took"), /: \d+ ms, painted after \d+ ms/);
  }));

Deno.test("Back, Forward, Reload and Random lead where they say", () =>
  withPage(async ({ page }) => {
    await searchText(page, "red");
    ok(page.url().endsWith("#text=red"));
    await searchText(page, "blue");
    await search(page, () => page.goBack());
    deepStrictEqual(await terms(page), ["red"]);
    strictEqual(await value(page, "#text"), "red");
    await search(page, () => page.goForward());
    deepStrictEqual(await terms(page), ["blue"]);
    await search(page, () => page.reload());
    deepStrictEqual(await terms(page), ["blue"]);
    await search(page, () => choose(page, "#random"));
    match(await textOf(page, "#status"), /drawn at random/);
    strictEqual(await value(page, "#text"), "");
  }));

Deno.test("Back leads to the same random pictures, and hiding one of them replaces one", () =>
  withPage(async ({ page }) => {
    const first = await paths(page);
    await search(page, () => choose(page, "#random"));
    const second = await paths(page);
    ok(second.some((path) => !first.includes(path)), "others are drawn");
    await page.hover(`[data-path="${second[0]}"]`);
    await search(page, () => page.click(`[data-path="${second[0]}"] .like`));
    await search(page, () => page.goBack());
    deepStrictEqual(await paths(page), second);
    // Through the light box, which is a step of its own.
    await page.click(`[data-path="${second[1]}"] .tile`);
    await page.waitForSelector("#lightBox[open] .stage img");
    await search(page, () => page.keyboard.press("h"));
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !history.state?.layers);
    const third = await paths(page);
    deepStrictEqual(third.slice(0, 11), second.toSpliced(1, 1));
    await search(page, () => page.goBack());
    const isVisible = (path: string) => path !== second[1];
    deepStrictEqual(
      (await paths(page)).slice(0, 11),
      first.filter(isVisible).slice(0, 11),
    );
    await search(page, () => page.reload());
    deepStrictEqual(
      (await paths(page)).slice(0, 11),
      first.filter(isVisible).slice(0, 11),
    );
  }));

Deno.test("filters alone list all that passes, and Random draws from it", () =>
  withPage(async ({ page, app }) => {
    await page.evaluate(() => location.hash = "#terms=red&fold=2");
    await page.waitForFunction(() =>
      document.querySelector("#status")!.textContent === "13 pictures, by path"
    );
    strictEqual((await paths(page)).length, 12);
    await page.click(".showMore");
    await page.waitForFunction(() =>
      document.querySelectorAll(".card[data-path]").length === 13
    );
    const listed = await paths(page);
    deepStrictEqual(listed, listed.toSorted());
    deepStrictEqual(app.query?.terms, ["red"]);
    await search(page, () => choose(page, "#random"));
    match(await textOf(page, "#status"), /drawn at random/);
    deepStrictEqual(await terms(page), ["red"]);
    await search(page, () => page.goBack());
    strictEqual(await textOf(page, "#status"), "13 pictures, by path");
  }));

Deno.test("what is typed before the page has started stays, and is searched for", () =>
  withPage(async ({ page, app }) => {
    await page.setRequestInterception(true);
    page.on("request", async (request) => {
      if (request.url().endsWith("/page.js")) {
        await page.type("#text", "blue");
      }
      await request.continue();
    });
    await page.goto("about:blank");
    await search(
      page,
      () => page.goto(`${app.url}#text=red`, { waitUntil: "load" }),
    );
    strictEqual(await value(page, "#text"), "blue");
    deepStrictEqual(await terms(page), ["red"], "the address was asked for");
    await search(page, () => page.keyboard.press("Enter"));
    strictEqual(app.query?.text, "blue");
  }));

Deno.test("a picture joins the words as a chip, in the same mode, and can be taken away", () =>
  withPage(async ({ page, app }) => {
    await searchText(page, "red");
    const [first, second] = await paths(page);
    await page.hover(`[data-path="${second}"]`);
    await search(page, () => page.click(`[data-path="${second}"] .like`));
    const { text, like, mode } = app.query!;
    deepStrictEqual({ text, like, mode }, {
      ...{ text: "red", like: [second], mode: "smart" },
    });
    strictEqual(await value(page, "#text"), "red");
    await page.waitForSelector("#chips img[src^='thumbnail/']");
    strictEqual((await paths(page)).includes(second), false, "no own result");

    const third = (await paths(page))[1];
    await page.hover(`[data-path="${third}"]`);
    await search(page, () => page.click(`[data-path="${third}"] .unlike`));
    deepStrictEqual(app.query!.unlike, [third]);
    strictEqual((await page.$$("#chips .away")).length, 1);
    // Its thumbnail is found by its path as well.
    await search(page, () => page.reload());
    await page.waitForFunction(() =>
      document.querySelectorAll("#chips img[src^='thumbnail/']").length === 2
    );
    // Looking whether the collection has changed leaves the focus alone.
    await page.focus("#chips button");
    await page.waitForResponse((response) =>
      response.url().endsWith("/status")
    );
    await page.waitForNetworkIdle({ idleTime: 200 });
    ok(await page.$("#chips button:focus"));
    await search(page, () => page.click("#chips .away button"));
    await search(page, () => page.click("#chips button"));
    deepStrictEqual([app.query!.like, app.query!.unlike], [[], []]);
    strictEqual((await paths(page))[0], first);
  }));

Deno.test("a picture is taken from a file, a drop and the clipboard", () =>
  withPage(async ({ page, app, folder }) => {
    const file = join(folder, "paint", "blue", "blue-3.png");
    const input = await page.$("#file");
    await search(
      page,
      () =>
        (input as unknown as { uploadFile(path: string): Promise<void> })
          .uploadFile(file),
    );
    deepStrictEqual(await terms(page), ["blue"]);
    match(page.url(), /#like=upload%3A[0-9a-f]{64}$/);
    await search(page, () => page.reload());
    deepStrictEqual(await terms(page), ["blue"]);
    await search(page, () => page.click("#chips button"));

    const bytes = await plain("#f00000", "jpeg", 90);
    for (const kind of ["drop", "paste"] as const) {
      await search(page, () => give(page, kind, bytes));
      deepStrictEqual(await terms(page), ["red"], kind);
      strictEqual(app.query!.like.length, 1);
      await search(page, () => page.click("#chips button"));
    }
  }));

Deno.test("the address of a picture is taken as the picture, pasted or dropped", () =>
  withPage(async ({ page, app }) => {
    const asked: string[] = [];
    await page.setRequestInterception(true);
    page.on("request", async (request) => {
      if (!request.url().endsWith("/upload-url")) return request.continue();
      const { url } = JSON.parse(request.postData()!);
      asked.push(url);
      const picture = `upload:${url.length}`;
      await request.respond({ body: JSON.stringify({ picture }) });
    });
    for (const kind of ["drop", "paste"] as const) {
      await page.evaluate((kind) => {
        const data = new DataTransfer();
        data.setData("text/plain", ` https://photos.test/${kind}.jpg `);
        document.querySelector("#text")!.dispatchEvent(
          kind === "drop"
            ? new DragEvent("drop", { dataTransfer: data, bubbles: true })
            : new ClipboardEvent("paste", {
              ...{ clipboardData: data, bubbles: true },
            }),
        );
      }, kind);
      await page.waitForFunction(
        (count) => document.querySelectorAll("#chips li").length === count,
        {},
        kind === "drop" ? 1 : 2,
      );
    }
    deepStrictEqual(asked, [
      "https://photos.test/drop.jpg",
      "https://photos.test/paste.jpg",
    ]);
    strictEqual(app.query, undefined, "there is no such upload");
  }));

Deno.test("Enter in Towards sends one search, and a drag of a slider is one step back", () =>
  withPage(async ({ page, app }) => {
    await searchText(page, "red");
    await openFilters(page);
    const count = searches(page);
    await page.type("#plus", "green, 2:white");
    await page.type("#minus", "blue");
    // Leaving the first field has searched for what it holds.
    await page.waitForFunction(() => location.hash.includes("plus=2%3Awhite"));
    await page.waitForNetworkIdle({ idleTime: 100 });
    const before = count();
    await search(page, () => page.keyboard.press("Enter"));
    await page.waitForNetworkIdle({ idleTime: 100 });
    strictEqual(count() - before, 1);
    deepStrictEqual(app.query!.plus, ["green", "2:white"]);
    deepStrictEqual(app.query!.minus, ["blue"]);

    const steps = () => page.evaluate(() => history.length);
    const start = await steps();
    for (const weight of [0.4, 0.5, 0.6]) {
      await search(page, () => slide(page, "#textWeight", weight));
    }
    strictEqual(await steps(), start + 1);
    await search(page, () => page.goBack());
    strictEqual(await value(page, "#textWeight"), "0.3");
  }));

Deno.test("recent searches are offered and can be forgotten", () =>
  withPage(async ({ page }) => {
    const offered = () =>
      page.$$eval(
        "#recent option",
        (options) =>
          options.map((option) => (option as HTMLOptionElement).value),
      );
    for (const words of ["red", "blue", "red"]) await searchText(page, words);
    deepStrictEqual(await offered(), ["red", "blue"]);
    await search(page, () => page.reload());
    deepStrictEqual(await offered(), ["red", "blue"]);
    await choose(page, "#forget");
    await search(page, () => page.reload());
    // The address has been searched for again.
    deepStrictEqual(await offered(), ["red"]);
  }));

Deno.test("a page that is denied storage works and forgets", () =>
  withPage(async ({ page }) => {
    await page.evaluateOnNewDocument(() => {
      Object.defineProperty(globalThis, "localStorage", {
        get() {
          throw new DOMException("denied", "SecurityError");
        },
      });
    });
    await page.reload();
    await page.waitForSelector("[data-painted] .card[data-path]");
    await searchText(page, "red");
    deepStrictEqual(await terms(page), ["red"]);
    strictEqual((await page.$$("#recent option")).length, 1);
    await choose(page, "#theme");
    match(await textOf(page, "#theme"), /light/);
    strictEqual(await textOf(page, "#problem"), "");
  }));

Deno.test("beside the results it is said once that the encoder knows English only", () =>
  withPage(async ({ page }) => {
    await searchText(page, "ein rotes Haus");
    strictEqual((await page.$$("#results .remark")).length, 1);
    match(await textOf(page, "#results .remark"), /knows English only/);
    await searchText(page, "a red house");
    strictEqual((await page.$$("#results .remark")).length, 0);
  }, { encoder: { ...colourEncoder(), languages: ["en"] } }));

Deno.test("pixels stand beside the encoder for one query", () =>
  withPage(async ({ page }) => {
    await openFilters(page);
    await searchText(page, "red");
    await search(page, () => page.select("#beside", "pixels"));
    const headings = await page.$$eval(
      "#results section > h2",
      (found) => found.map((one) => one.textContent),
    );
    deepStrictEqual(headings, ["colours", "64 × 64 pixels"]);
    match(
      await textOf(page, "#status"),
      /fit .*; pixels know no words: nearest to “/,
    );
    const tops = await page.$$eval(
      ".grid:first-child",
      (grids) => grids.map((grid) => grid.getBoundingClientRect().top),
    );
    deepStrictEqual([tops.length, tops[0]], [2, tops[1]]);
    ok(page.url().endsWith("#text=red&beside=pixels"));
    await search(page, () => page.select("#beside", ""));
    await search(page, () => page.select("#space", "pixels"));
    match(
      await textOf(page, "#status"),
      /^\d+ pictures, the nearest first.*; pixels know no words/,
    );
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
      await choose(page, button);
      await page.waitForFunction(() => document.body.dataset.saved);
      return await page.evaluate(() => document.body.dataset.saved!);
    };
    const csv = await saved("#csv");
    match(csv, /^"path","value","fits","title"/);
    match(csv, /"'=1\+1"/, "a formula is text");
    match(csv, /"<img src=x onerror=alert\(1\)> red & ""bold"""/);
    ok(JSON.parse(await saved("#json")).hits.length > 0);
    await choose(page, "#cell");
    strictEqual(
      await textOf(page, "#codeText"),
      "// app: what openSearchApp() of #lib/search_page/search_page.ts returned\n" +
        'const { hits } = await app.search({\n  text: "red",\n  k: 3,\n});\n' +
        "hits.filter(({ fits }) => fits)" +
        ".map(({ value, path }) => ({ value, path }))",
    );
    await page.click("#closeCode");

    // All that fits, of which the first page shows twelve.
    await search(
      page,
      () => page.evaluate(() => location.hash = "#text=red&fold=2"),
    );
    const rows = (csv: string) =>
      csv.trim().split("\r\n").slice(1)
        .map((row) => /^"[^"]+","[^"]+","(\w+)"/.exec(row)![1]);
    deepStrictEqual(rows(await saved("#csv")), Array(13).fill("true"));
    strictEqual(JSON.parse(await saved("#json")).hits.length, 13);
    // And what may not fit, where the reader has it listed.
    await page.keyboard.press("m");
    deepStrictEqual(rows(await saved("#csv")), [
      ...[...Array(13).fill("true"), ...Array(13).fill("false")],
    ]);
    strictEqual(JSON.parse(await saved("#json")).hits.length, 26);
    await choose(page, "#cell");
    match(
      await textOf(page, "#codeText"),
      /\n {2}k: 26,\n {2}fold: 2,\n\}\);\nhits\.map/,
    );
    await page.click("#closeCode");
    // What has more than a page of the server is asked for in pages.
    const long = await page.evaluate(async () => {
      const { readForm, toCell } = await import(
        new URL("form.js", location.href).href
      );
      return toCell(readForm(), 450, true);
    });
    match(long, /^const query = \{\n.* {2}k: 200,\n/ms);
    match(long, /\nfor \(let from = 0; from < 450; from \+= 200\) \{\n/);
    // Where nothing fits, the nearest are listed.
    await search(
      page,
      () => page.evaluate(() => location.hash = "#text=red&cut=5&fold=2"),
    );
    deepStrictEqual(rows(await saved("#csv")), Array(26).fill("false"));
  }));

Deno.test("captions, titles and paths from outside are text", () => {
  const name = `<b>${"very long ".repeat(6)}😀`;
  return withPage(async ({ page }) => {
    await searchText(page, "red");
    match(
      await page.$eval(
        '[data-path="paint/red/red-0.png"]',
        (card) => (card as HTMLElement).title,
      ),
      /<img src=x onerror=alert\(1\)> red & "bold"/,
    );
    await searchText(page, "white");
    const shown = await page.$eval(
      '[data-path^="<b>"] .name',
      (title) => [title.textContent, title.scrollWidth > title.clientWidth],
    );
    deepStrictEqual(shown, [name, true], "whole, and cut where it is shown");
    const found = await page.evaluate(() => ({
      intruders: document.querySelectorAll("[onerror], main b").length,
      alts: [...document.querySelectorAll("img")].every(({ alt }) =>
        alt !== ""
      ),
    }));
    deepStrictEqual(found, { intruders: 0, alts: true });
  }, {
    prepare: async (folder) =>
      await writeFile(join(folder, `${name}.png`), await plain("white")),
  });
});

Deno.test("what goes wrong is said on the page, and the page goes on", () =>
  withPage(async ({ page, app, folder }) => {
    const complaint = async (words: RegExp) => {
      await page.waitForFunction(
        (words) =>
          new RegExp(words).test(
            document.querySelector("#problem")!.textContent!,
          ),
        { timeout: 10_000 },
        words.source,
      );
    };
    await searchText(page, "red");
    await setText(page, "🦉".repeat(1001));
    await page.click("[type=submit]");
    await complaint(/has 1,001 characters: at most 1,000 can be searched for/);
    ok(page.url().endsWith("#text=red"));
    match(await textOf(page, "#status"), /fit/);
    await setText(page, "please fail");
    await page.click("[type=submit]");
    await complaint(/ran out of memory/);
    // What is still there answers another question.
    match(await textOf(page, "#status"), /did not work: .*from before/);
    const canExport = () =>
      page.$eval("#csv", (button) => !(button as HTMLButtonElement).disabled);
    strictEqual(await canExport(), false);
    await searchText(page, "red");
    strictEqual(await canExport(), true);
    strictEqual(await textOf(page, "#problem"), "");

    const broken = join(folder, "broken.jpg");
    await writeFile(broken, (await plain("red", "jpeg", 300)).slice(0, 300));
    const input = await page.$("#file");
    await (input as unknown as { uploadFile(path: string): Promise<void> })
      .uploadFile(broken);
    await complaint(/cannot be decoded: the decoder says/);
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData("text/plain", "a word");
      dispatchEvent(new DragEvent("drop", { dataTransfer: data }));
    });
    await complaint(/Only a picture's file or its address can be dropped/);
    await page.evaluate(() => {
      dispatchEvent(new ErrorEvent("error", { error: new Error("boom") }));
    });
    await complaint(/This page has a fault: boom/);

    await app.close();
    await page.click("[type=submit]");
    await complaint(/does not answer/);
  }));

Deno.test("a picture that goes while it is shown says so, and is gone from the next search", () =>
  withPage(async ({ page, folder }) => {
    await page.setCacheEnabled(false);
    await searchText(page, "blue");
    await rm(join(folder, "paint", "blue"), { recursive: true });
    await rm(join(folders.search, "thumbnails"), { recursive: true });
    await page.$eval(
      ".tile img",
      (image) => (image as HTMLImageElement).src += "?anew",
    );
    await page.waitForFunction(() =>
      document.querySelector(".card.gone") ??
        !document.querySelector("[data-path*=blue]")
    );
    await searchText(page, "blue");
    strictEqual((await terms(page)).includes("blue"), false);
  }));

Deno.test("a search made while pictures are indexed shows them as they come", () => {
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
    await page.waitForSelector(".card[data-path]");
    deepStrictEqual(await terms(page), ["red"]);
    await page.waitForFunction(() =>
      /^\d+ of 26 pictures fit/.test(
        document.querySelector("#status")!.textContent!,
      )
    );
  }, { encoder, ready: false });
});
