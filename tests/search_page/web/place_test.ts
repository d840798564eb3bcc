/**
 * Where a reader is on the search page, in a real browser: the focus where tiles
 * go, the way back, hidden pictures, and how many are said to be there.
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "puppeteer-core";
import {
  choose,
  openFilters,
  paths,
  search,
  searchText,
  textOf,
  withPage,
} from "../../support/search_tab.ts";

/** Opens a link. */
async function open(page: Page, url: string, hash: string): Promise<void> {
  await page.goto("about:blank");
  await search(page, () => page.goto(url + hash));
}

/** What has the focus: a tile's place and the list's length, or its id. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const active = document.activeElement!;
    const card = active.closest(".card");
    return card
      ? `${card.ariaPosInSet} of ${card.ariaSetSize}`
      : active.id || active.tagName;
  });

const gone = (page: Page, path: string) =>
  page.waitForFunction(
    (path) => !document.querySelector(`[data-path="${path}"]`),
    {},
    path,
  );

/** Shows what is red, nothing folded. */
async function openAll(page: Page): Promise<void> {
  await openFilters(page);
  await search(page, () => page.click("#fold"));
  await page.click("#openFilters");
  await searchText(page, "red");
}

const select = async (page: Page, path: string) => {
  await page.click(`[data-path="${path}"] [type=checkbox]`);
  await page.waitForSelector(".chosen");
};

Deno.test("as many pictures are said to fit as are listed, and the others are near copies", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, "#text=red&fold=0.999");
    const status = await textOf(page, "#status");
    const [, listed, folded] = status.match(
      /^(\d+) of 200 pictures fit \((\d+) near copies folded\)$/,
    )!;
    const { fitting, listed: counted } = app.result!;
    strictEqual(counted.fitting, Number(listed));
    strictEqual(fitting, Number(listed) + Number(folded));
    await page.click(".showMore");
    await page.focus(".tile");
    await page.keyboard.press("End");
    strictEqual(await focused(page), `${listed} of ${listed}`);
  }, { shades: 100 }));

/** As the server answers where more than 500 fit, after a while. */
const countLate = (page: Page) =>
  page.evaluateOnNewDocument(() => {
    const { json } = Response.prototype;
    Response.prototype.json = async function () {
      const answer = await json.call(this);
      if (!answer.listed) return answer;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return answer.from > 0 ? answer : { ...answer, listed: {} };
    };
  });

const copiesSaid = (page: Page) =>
  page.waitForFunction(() =>
    /\(\d+ near copies folded\)$/.test(
      document.querySelector("#status")!.textContent!,
    )
  );

Deno.test("copies that are too many to count at once are counted a moment later", () =>
  withPage(async ({ page, app }) => {
    await countLate(page);
    await open(page, app.url, "#text=red&cut=none&fold=0.999");
    match(await textOf(page, "#status"), /, near copies counted$/);
    await copiesSaid(page);
    strictEqual((await paths(page)).length, app.result!.query.k);
  }, { shades: 100 }));

Deno.test("where copies are too many to count at once, End leads to the last tile, and the count follows", () =>
  withPage(async ({ page, app }) => {
    await countLate(page);
    await open(page, app.url, "#text=red&cut=none&fold=0.999");
    match(
      await textOf(page, "#status"),
      /^200 pictures.*, near copies counted$/,
    );
    await page.focus(".showMore");
    await page.keyboard.press("Enter");
    await page.keyboard.press("End");
    strictEqual(await focused(page), "200 of 200");
    await copiesSaid(page);
    const { listed } = app.result!;
    strictEqual(await focused(page), `${listed.total} of ${listed.total}`);
  }, { shades: 100 }));

Deno.test("the focus goes to the next tile when pictures go, are hidden or no longer selected", () =>
  withPage(async ({ page, app, folder }) => {
    await open(page, app.url, "#text=red&cut=none&fold=2&k=24");
    const [first, second, third] = await paths(page);
    await select(page, first);
    await page.focus("#clear");
    await page.keyboard.press("Enter");
    strictEqual(await focused(page), "1 of 24");
    await select(page, first);
    await page.focus("#hideSelected");
    await page.keyboard.press("Enter");
    await gone(page, first);
    strictEqual(await focused(page), "1 of 24");
    strictEqual(await textOf(page, "#deed"), "Hidden. Undo");
    await page.focus(`[data-path="${second}"] .tile`);
    await rm(join(folder, second));
    await page.evaluate(() => fetch("rescan", { method: "POST", body: "{}" }));
    await gone(page, second);
    strictEqual(await focused(page), "1 of 24");
    strictEqual((await paths(page))[0], third);
    await search(page, () => page.keyboard.press("r"));
    strictEqual(await focused(page), "1 of 24");

    await select(page, (await paths(page))[0]);
    await page.evaluate(() => scrollTo(0, 500));
    await search(page, () => page.click("#searchBySelected"));
    strictEqual(await focused(page), "text");
    strictEqual(await page.evaluate(() => scrollY), 0);
  }));

Deno.test("Back leads to the place that was left: what was open, how far, and which tile", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, "#text=red&fold=2&k=12");
    await page.focus(".tile");
    await page.keyboard.press("m");
    await page.waitForFunction(() =>
      document.activeElement?.closest(".card")?.ariaSetSize === "200"
    );
    await page.keyboard.press("End");
    await page.waitForFunction(() =>
      (document.activeElement?.closest(".card") as HTMLElement)?.dataset.path
    );
    const scroll = await page.evaluate(() => scrollY);
    ok(scroll > 1000);
    await search(page, () => page.keyboard.press("l"));
    strictEqual(await focused(page), "text");
    strictEqual(await page.evaluate(() => scrollY), 0);
    await search(page, () => page.goBack());
    const isThere = (scroll: number) =>
      document.activeElement?.closest(".card")?.ariaPosInSet === "200" &&
      Math.abs(scrollY - scroll) < 2;
    await page.waitForFunction(isThere, {}, scroll);
    await search(page, () => page.reload());
    await page.waitForFunction(isThere, {}, scroll);
  }, { shades: 100 }));

Deno.test("hidden pictures have an address: Back leads to the search, and a reload shows them again", () =>
  withPage(async ({ page }) => {
    await openAll(page);
    const [first] = await paths(page);
    await select(page, first);
    await page.click("#hideSelected");
    await gone(page, first);
    const isHidden = () =>
      document.querySelector("#status")!.textContent ===
        "1 hidden picture: it is no result. Select it to show it again.";
    await choose(page, "#showHidden");
    await page.waitForFunction(isHidden);
    ok(page.url().endsWith("#hidden"));
    await page.reload();
    await page.waitForFunction(isHidden);
    deepStrictEqual(await paths(page), [first]);
    await search(page, () => page.goBack());
    ok(page.url().endsWith("#text=red&fold=2"), page.url());
    match(await textOf(page, "#status"), /fit/);
  }));

Deno.test("with a folded picture its near copies are hidden, and Undo brings all back", () =>
  withPage(async ({ page, app }) => {
    await searchText(page, "red");
    const before = await textOf(page, "#status");
    const shown = await paths(page);
    const { copies } = app.result!.hits[0];
    ok(copies.length > 1);
    await select(page, shown[0]);
    await page.click("#hideSelected");
    await gone(page, shown[0]);
    strictEqual(
      await textOf(page, "#deed"),
      `Hidden, with ${copies.length} near copies. Undo`,
    );
    const { collection } = app.searcher.spaces[0];
    deepStrictEqual([...collection.hidden].sort(), [
      ...[shown[0], ...copies].sort(),
    ]);
    deepStrictEqual(await paths(page), shown.slice(1), "none took its place");
    match(await textOf(page, "#status"), /^\d+ of \d+ pictures fit/);
    await page.focus("#deed button");
    await page.keyboard.press("Enter");
    await page.waitForSelector(`[data-path="${shown[0]}"]`);
    strictEqual(collection.hidden.size, 0);
    strictEqual(await textOf(page, "#deed"), "");
    strictEqual(await textOf(page, "#status"), before);
    match(await focused(page), /^1 of /);
  }));

Deno.test("whether a picture is hidden or shown again depends on it, not on the list that it was opened from", () =>
  withPage(async ({ page, app }) => {
    const { collection } = app.searcher.spaces[0];
    await openAll(page);
    const [first] = await paths(page);
    await select(page, first);
    await page.click("#hideSelected");
    await gone(page, first);
    await search(page, () => page.click(".card .like"));
    await choose(page, "#showHidden");
    await page.waitForSelector(`[data-path="${first}"]`);
    await page.click(".tile");
    await page.keyboard.press("i");
    await page.waitForSelector("#lightBox .found .tile");
    const deeds = () =>
      page.$eval("#lightBox .deeds", ({ textContent }) => textContent);
    match(await deeds() ?? "", /Show again$/);
    await page.click("#lightBox .found .tile");
    await page.waitForFunction(() =>
      /Hide$/.test(document.querySelector("#lightBox .deeds")!.textContent!)
    );
    await page.keyboard.press("h");
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .message")!.textContent ===
        "Hidden. Undo"
    );
    strictEqual(collection.hidden.size, 2);
    await page.click("#lightBox .message button");
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .message")!.textContent === ""
    );
    deepStrictEqual([...collection.hidden], [first]);
    await page.keyboard.press("Backspace");
    await page.waitForFunction(() =>
      /Show again$/.test(
        document.querySelector("#lightBox .deeds")!.textContent!,
      )
    );
    await page.keyboard.press("h");
    await page.waitForSelector("#lightBox:not([open])");
    strictEqual(collection.hidden.size, 0);
    strictEqual(await textOf(page, "#status"), "No picture is hidden.");
    strictEqual(await textOf(page, "#deed"), "Shown again. Undo");
  }));

Deno.test("closing the light box beyond the line unfolds nothing, and leads to the button that does", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, "#text=red&fold=2&k=12");
    const { fitting, total } = app.result!;
    await page.click(".tile");
    const said = () => textOf(page, "#lightBox [role=status]");
    for (let i = 1; i <= fitting; i++) {
      match(await said(), RegExp(`^${i} of ${total}[^m]`));
      ok(!/may not fit/.test(await said()), `${i} fits`);
      await page.keyboard.press("ArrowRight");
      await page.waitForFunction(
        (place) => {
          const said = document.querySelector("#lightBox .place")!;
          const image = document.querySelector(".stage img");
          return image && said.textContent!.startsWith(`${place} of`);
        },
        {},
        i + 1,
      );
    }
    await page.waitForFunction(() =>
      document.querySelector("#lightBox .doubt")!.textContent === "may not fit"
    );
    await page.keyboard.press("Escape");
    await page.waitForFunction(() =>
      document.activeElement!.textContent === "Show what may not fit"
    );
    strictEqual((await page.$$(".rule ~ .grid .card")).length, 0);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".rule ~ .grid .card");
  }));

Deno.test("many pictures are one chip, and too many are refused before they are asked for", () =>
  withPage(async ({ page, app }) => {
    const all = await page.evaluate(async () => {
      const answer = await fetch("map");
      return (await answer.json() as { path: string }[])
        .map(({ path }) => path);
    });
    const list = new URLSearchParams(
      all.slice(0, 20).map((path) => ["like", path]),
    );
    await open(page, app.url, `#${list}`);
    strictEqual(await textOf(page, "#chips"), "20 pictures×");
    await search(page, () => page.click("#chips button"));
    strictEqual((await page.$$("#chips li")).length, 0);
    const url = page.url();
    await page.evaluate(async () => {
      const { select } = await import(
        new URL("selection.js", location.href).href
      );
      // As if they were there.
      const { fetch } = globalThis;
      globalThis.fetch = (name, options) =>
        name === "select"
          ? Promise.resolve(Response.json({ gone: [] }))
          : fetch(name, options);
      select(
        Array.from({ length: 1001 }, (_, i) => ({ path: `${i}.png` })),
        true,
      );
    });
    await page.click("#searchBySelected");
    match(
      await textOf(page, "#problem"),
      /These are 1,001 pictures: at most 1,000/,
    );
    strictEqual(page.url(), url);
    strictEqual((await page.$$("#chips li")).length, 0);
  }));

Deno.test("More like the only picture says that it is the only one", () =>
  withPage(async ({ page }) => {
    await search(page, async () => {
      await page.focus(".tile");
      await page.keyboard.press("l");
    });
    strictEqual(
      await textOf(page, ".empty p"),
      "This is the only picture here.",
    );
    match(await textOf(page, "#start"), /Pictures1/);
  }, {
    shades: 1,
    prepare: (folder) => rm(join(folder, "paint", "blue"), { recursive: true }),
  }));

Deno.test("paths are copied at one press where the clipboard is allowed", () =>
  withPage(async ({ page, folder }) => {
    await page.evaluate(() => {
      navigator.clipboard.writeText = (text) => {
        document.body.dataset.copied = text;
        return Promise.resolve();
      };
    });
    const [first] = await paths(page);
    await select(page, first);
    await page.click("#copyPaths");
    await page.waitForFunction(() => document.body.dataset.copied);
    strictEqual(
      await page.evaluate(() => document.body.dataset.copied),
      join(folder, first),
    );
    strictEqual(await textOf(page, "#copyPaths"), "Copied");
    strictEqual(await page.$("#code[open]"), null);
  }));

Deno.test("a link with filters leaves room for the pictures", () =>
  withPage(async ({ page, app }) => {
    await page.setViewport({ width: 1280, height: 900 });
    await open(page, app.url, "#text=red");
    strictEqual(await page.$("#filters[open]"), null);
    await open(page, app.url, "#text=red&terms=red");
    await page.waitForSelector("#filters[open]");
    const tall = await page.$eval("#filters", (one) => one.clientHeight);
    ok(tall <= 360, `${tall} pixels`);
  }));

Deno.test("the map marks all that fits, fetched or not", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, "#text=red&k=6");
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press("g");
    const { fitting } = app.result!;
    await page.waitForFunction(
      (words) =>
        document.querySelector("#mapStatus")?.textContent?.includes(words),
      {},
      `${fitting} results marked`,
    );
  }, { shades: 100 }));
