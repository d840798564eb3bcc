/**
 * The grid of the search page in a real browser: what is in the document, the
 * line, the keyboard, the selection, and a collection that changes.
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { KeyInput, Page } from "puppeteer-core";
import { NO_FOLDING } from "#lib/search_page/web/query.js";
import { plain } from "../../support/colour_encoder.ts";
import {
  choose,
  paths,
  search,
  searchText,
  slide,
  terms,
  textOf,
  waitForText,
  withPage,
} from "../../support/search_tab.ts";

/** The place of the tile that has the focus, from 1. */
const focused = (page: Page) =>
  page.evaluate(() =>
    Number(document.activeElement?.closest(".card")?.ariaPosInSet)
  );

/** The path of the tile that has the focus. */
const focusedPath = (page: Page) =>
  page.evaluate(() =>
    (document.activeElement?.closest(".card") as HTMLElement)?.dataset.path
  );

/** All that is found, nothing folded, no line: 200 pictures. */
const ALL = "#text=red&cut=none&fold=2&k=24";
const MANY = { shades: 100 };

async function open(page: Page, url: string, hash: string): Promise<void> {
  await page.goto("about:blank");
  await search(page, () => page.goto(url + hash));
}

Deno.test("the slider sets the first page, after which scrolling goes on by itself", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, ALL);
    const listed = () => page.$eval(".card", (card) => card.ariaSetSize);
    strictEqual(await listed(), "24");
    await search(page, () => slide(page, "#k", 6));
    strictEqual(await listed(), "6");
    strictEqual((await page.$$(".card")).length, 6);
    await page.click(".showMore");
    const height = () =>
      page.$eval(".grid", (grid) => (grid as HTMLElement).offsetHeight);
    ok(await height() > 2000, "there is room for all");
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.waitForFunction(() =>
      document.querySelector('.card[aria-posinset="200"][data-path]')
    );
    // Only what is in sight is in the document.
    ok((await page.$$(".card")).length < 80);
    strictEqual(await listed(), "200");
    strictEqual(
      await page.$eval(".showMore", (one) => one.checkVisibility()),
      false,
    );
  }, MANY));

Deno.test("the first page comes near to filling the window, in tiles of a sensible size", () =>
  withPage(async ({ page, app }) => {
    for (
      const [width, height, k] of [
        [1280, 900, 6],
        [1280, 900, 12],
        [1280, 900, 24],
        [1920, 1080, 12],
      ]
    ) {
      await page.setViewport({ width, height });
      await page.goto("about:blank");
      await page.goto(`${app.url}#sort=newest&fold=${NO_FOLDING}&k=${k}`);
      await page.waitForSelector(".card[data-path]");
      // The filters, which are unfolded, push it down.
      await page.click("#openFilters");
      await page.waitForSelector(`.card[data-path]:nth-child(${k})`);
      const [filled, side] = await page.evaluate((k) => {
        const [first, last] = [1, k].map((place) =>
          document.querySelector(`.card:nth-child(${place})`)!
            .getBoundingClientRect()
        );
        return [(last.bottom - first.top) / innerHeight, first.width];
      }, k);
      const name = `${k} at ${width}: ${filled} of the window, ${side} pixels`;
      ok(filled > 0.65 && filled < 1.15 && side >= 185 && side <= 480, name);
    }
  }));

Deno.test("wherever it is scrolled, tiles are in the order of their places, each with its own picture", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, ALL);
    await page.click(".showMore");
    const all = await app.search({ ...app.query, from: 0, k: 200 });
    const expected = all.hits.map(({ path }) => path);
    // By rows, by windows, and back.
    for (const y of [0, 250, 500, 2600, 2350, 9000, 0, 700]) {
      await page.evaluate((top) => scrollTo(0, top), y);
      await page.waitForFunction(() =>
        new Promise((resolve) =>
          requestAnimationFrame(() =>
            requestAnimationFrame(() =>
              resolve(!document.querySelector(".card:not([data-path])"))
            )
          )
        )
      );
      const places = await page.$$eval(
        ".card",
        (cards) => cards.map(({ ariaPosInSet }) => Number(ariaPosInSet) - 1),
      );
      deepStrictEqual(places, places.toSorted((a, b) => a - b), `at ${y}`);
      const shown = places.map((place) => expected[place]);
      deepStrictEqual(await paths(page), shown, `at ${y}`);
    }
  }, MANY));

Deno.test("the tile with the focus gets its picture, though it is out of sight by then", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, ALL);
    const held = Promise.withResolvers<void>();
    await page.setRequestInterception(true);
    page.on("request", async (request) => {
      if (request.url().endsWith("/compare")) await held.promise;
      await request.continue().catch(() => {});
    });
    // It leads to the first of the pictures that are added.
    await page.click(".showMore");
    await page.waitForSelector('.card[aria-posinset="25"]:not([data-path])');
    await page.evaluate(() => scrollTo(0, 0));
    // Meanwhile what is out of sight is given up.
    await setTimeout(300);
    held.resolve();
    await page.waitForSelector('.card[aria-posinset="25"][data-path]');
  }, MANY));

Deno.test("what was asked for rows that are out of sight again is given up", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, ALL);
    const held = Promise.withResolvers<void>();
    const asked: number[] = [];
    let givenUp = 0;
    await page.setRequestInterception(true);
    page.on("request", async (request) => {
      const isPage = request.url().endsWith("/compare");
      const { from } = isPage ? JSON.parse(request.postData()!) : {};
      if (isPage) asked.push(from);
      // Rows 60 to 119 take long.
      if (from === 60) await held.promise;
      await request.continue().catch(() => {});
    });
    page.on("requestfailed", (request) => {
      if (request.url().endsWith("/compare")) givenUp++;
    });
    await page.click(".showMore");
    const to = (share: number) =>
      page.evaluate(
        (share) => scrollTo(0, share * document.body.scrollHeight),
        share,
      );
    await to(0.45);
    for (let i = 0; !asked.includes(60) && i < 250; i++) await setTimeout(20);
    await to(1);
    await page.waitForSelector('.card[aria-posinset="200"][data-path]');
    held.resolve();
    for (let i = 0; givenUp === 0 && i < 250; i++) await setTimeout(20);
    ok(givenUp > 0);
    // They come when they are in sight again.
    await to(0.45);
    await page.waitForSelector('.card[aria-posinset="90"][data-path]');
  }, MANY));

Deno.test("where copies are folded, the end and the line are learnt by asking for them", () =>
  withPage(async ({ page }) => {
    const found = await page.evaluate(async () => {
      const { PagedHits } = await import(
        new URL("hits.js", location.href).href
      );
      // 1,000 pictures pass the filters, 100 fit; folded, 137 and 70 are left.
      const hits = Array.from({ length: 137 }, (_, i) => ({ fits: i < 70 }));
      const answer = (from: number, k: number) => ({
        ...{ from, total: 1000, fitting: 100 },
        listed: {
          ...from + k > 70 && { fitting: 70 },
          ...from + k > 137 && { total: 137 },
        },
        hits: hits.slice(from, from + k),
      });
      globalThis.fetch = (_, init) => {
        const { from, k } = JSON.parse(`${init!.body}`);
        return Promise.resolve(Response.json(answer(from, k)));
      };
      const first = answer(0, 12);
      const list = new PagedHits({}, first, () => {});
      await list.countFitting();
      const announced = list.length();
      const beyond = await list.at(999);
      return [first.listed.fitting, announced, beyond ?? "none", list.length()];
    });
    deepStrictEqual(found, [70, 1000, "none", 137]);
  }));

Deno.test("what may not fit comes below a line, one key away", () =>
  withPage(async ({ page, app }) => {
    await searchText(page, "red");
    await page.waitForSelector(".rule");
    const fitting = (await paths(page)).length;
    deepStrictEqual(await terms(page), ["red"]);
    await page.focus(".tile");
    await page.keyboard.press("m");
    await page.waitForFunction(() =>
      document.activeElement?.closest(".grid:last-child")
    );
    strictEqual(await focused(page), fitting + 1);
    ok((await terms(page)).includes("blue"));
    match(
      await page.$$eval(".card .value", (all) => all.at(-1)!.textContent!),
      /^-?[01]\.\d{3} −\d\.\d\d$/,
    );
    // Back over the line.
    await page.keyboard.press("ArrowLeft");
    strictEqual(await focused(page), fitting);
    strictEqual(app.result!.hits.filter(({ fits }) => fits).length, fitting);
  }));

Deno.test("where nothing fits the nearest are shown at once, below the line", () =>
  withPage(async ({ page, app }) => {
    // No cosine reaches 5.
    await open(page, app.url, "#text=red&cut=5");
    strictEqual(app.result!.fitting, 0);
    match(await textOf(page, "#status"), /^None of 26 pictures seems to fit$/);
    match(
      await textOf(page, "#results .empty"),
      /^Nothing here seems to show this\. The nearest are shown anyway\.$/,
    );
    match(await textOf(page, ".rule"), /These may not fit/);
    ok((await page.$$(".rule ~ .grid .card")).length > 0);
    strictEqual(
      await page.$eval(".rule button", (open) => open.checkVisibility()),
      false,
    );
  }));

Deno.test("a metric without a cut shows distances and claims nothing", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, "#text=red&metric=l2");
    match(await textOf(page, ".card .value"), /^\d\.\d{3}$/);
    match(
      await textOf(page, "#status"),
      /^6 pictures, the nearest first \(20 near copies folded\)$/,
    );
    strictEqual(
      await page.$eval(".rule", (one) => one.checkVisibility()),
      false,
    );
  }));

Deno.test("arrows, Home, End and Page keys go among the pictures, over what was not drawn yet", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, ALL);
    await page.click(".showMore");
    await page.focus(".tile");
    const columnsNow = () =>
      page.$$eval(
        ".card",
        (cards) =>
          new Set(
            cards.map((card) => Math.round(card.getBoundingClientRect().x)),
          ).size,
      );
    // A scroll bar has come, and the tiles move.
    let columns = 0;
    while (columns !== await columnsNow()) {
      columns = await columnsNow();
      await setTimeout(200);
    }
    const press = async (key: KeyInput) => {
      await page.keyboard.press(key);
      return await focused(page);
    };
    strictEqual(await press("ArrowRight"), 2);
    strictEqual(await press("ArrowDown"), 2 + columns);
    strictEqual(await press("ArrowUp"), 2);
    strictEqual(await press("ArrowLeft"), 1);
    strictEqual(await press("ArrowUp"), 1);
    ok(await press("PageDown") > columns);
    strictEqual(await press("PageUp"), 1);
    strictEqual(await press("End"), 200);
    await page.waitForFunction(() =>
      (document.activeElement?.closest(".card") as HTMLElement)?.dataset.path
    );
    ok(
      await page.evaluate(() => {
        const { top, bottom } = document.activeElement!.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
      }),
      "it is in sight",
    );
    // The focus stays on its tile though that is scrolled away.
    const last = await focusedPath(page);
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForFunction(() =>
      document.querySelector('.card[aria-posinset="1"]')
    );
    strictEqual(await focusedPath(page), last);
    strictEqual(await press("Home"), 1);
    // One stop for Tab, not two hundred.
    strictEqual((await page.$$(".tile[tabindex='0']")).length, 1);
  }, MANY));

Deno.test("tiles are selected by box, key and range, in that order, and cleared", () =>
  withPage(async ({ page, app }) => {
    const shown = await paths(page);
    const selected = () => app.selection.map(({ path }) => path);
    const after = async (act: () => Promise<unknown>) => {
      const next = app.next();
      await act();
      await next;
    };
    const box = (i: number) => `[data-path="${shown[i]}"] [type=checkbox]`;
    await after(() => page.click(box(4)));
    await after(() => page.click(box(1)));
    deepStrictEqual(selected(), [shown[4], shown[1]]);
    await after(() => page.click(box(4)));
    deepStrictEqual(selected(), [shown[1]]);
    await page.focus(".tile[tabindex='0']");
    await page.focus(`[data-path="${shown[1]}"] .tile`);
    await after(() => page.keyboard.press("x"));
    deepStrictEqual(selected(), []);
    await after(() => page.keyboard.press("x"));
    await page.keyboard.down("Shift");
    await after(() => page.click(box(3)));
    await page.keyboard.up("Shift");
    deepStrictEqual(selected(), shown.slice(1, 4));
    strictEqual(await textOf(page, "#selected"), "3 selected");
    strictEqual((await page.$$(".card.chosen")).length, 3);

    await search(page, () => page.click("#searchBySelected"));
    deepStrictEqual(app.query!.like, shown.slice(1, 4));
    strictEqual((await page.$$("#chips li")).length, 3);
    await page.$eval("#text", (field) => (field as HTMLElement).blur());
    await after(() => page.keyboard.press("Escape"));
    deepStrictEqual(selected(), []);
    strictEqual(await page.$("#selection:not([hidden])"), null);
  }));

Deno.test("what is gone is no longer selected, and keeps nothing from the others", () =>
  withPage(async ({ page, app, folder }) => {
    const shown = await paths(page);
    const pick = (i: number) =>
      page.click(`[data-path="${shown[i]}"] [type=checkbox]`);
    for (const i of [0, 1, 2, 3]) await pick(i);
    await page.waitForFunction(() =>
      document.querySelector("#selected")!.textContent === "4 selected"
    );
    await rename(join(folder, shown[0]), join(folder, "renamed.png"));
    await rm(join(folder, shown[1]));
    await page.click("#hideSelected");
    await page.waitForSelector("#selection[hidden]");
    // Which of them is noticed first is left to the folder's watch.
    await waitForText(page, "#lost", "and 1 other are left out");
    const said = await textOf(page, "#lost span");
    const sayable = shown.slice(0, 2).map((first) =>
      `Of what was selected, ${first} and 1 other are left out: gone or ` +
      "renamed."
    );
    ok(sayable.includes(said), said);
    const { collection } = app.searcher.spaces[0];
    deepStrictEqual([...collection.hidden], [shown[2], shown[3]]);
    // The bar follows, without anything being done.
    await page.waitForFunction(
      (path) => document.querySelector(`[data-path="${path}"]`),
      {},
      shown[4],
    );
    // It stays while other things work, until the reader puts it away.
    strictEqual(await textOf(page, "#lost span"), said);
    await page.locator("#lost button").click();
    strictEqual(await textOf(page, "#lost"), "");
    await pick(4);
    await pick(5);
    await rm(join(folder, shown[5]));
    await app.rescan();
    await waitForText(page, "#lost", "is left out");
    strictEqual(
      await textOf(page, "#lost span"),
      `Of what was selected, ${shown[5]} is left out: gone or renamed.`,
    );
    strictEqual(await textOf(page, "#selected"), "1 selected");
  }));

Deno.test("selected pictures are downloaded, their paths copied, hidden and shown again", () =>
  withPage(async ({ page, folder }) => {
    await searchText(page, "red");
    const [first] = await paths(page);
    const pick = async (path: string) => {
      await page.click(`[data-path="${path}"] [type=checkbox]`);
      await page.waitForSelector(".chosen");
    };
    await pick(first);
    await page.evaluate(() => {
      URL.createObjectURL = (blob) => {
        (blob as Blob).arrayBuffer().then((bytes) =>
          document.body.dataset.saved = new TextDecoder("latin1").decode(bytes)
        );
        return "data:,";
      };
    });
    await page.click("#download");
    await page.waitForFunction(() => document.body.dataset.saved);
    const zip = await page.evaluate(() => document.body.dataset.saved!);
    ok(zip.startsWith("PK"));
    match(zip, /CREDITS\.txt/);

    await page.click("#copyPaths");
    await page.waitForSelector("#code[open]");
    strictEqual(await textOf(page, "#codeText"), join(folder, first));
    await page.click("#closeCode");

    await page.click("#hideSelected");
    await page.waitForFunction(
      (path) => !document.querySelector(`[data-path="${path}"]`),
      {},
      first,
    );
    match(await textOf(page, "#deed"), /^Hidden, with \d+ near copies\. Undo$/);
    await choose(page, "#showHidden");
    await page.waitForFunction(() =>
      /hidden pictures: they/.test(
        document.querySelector("#status")!.textContent!,
      )
    );
    const hidden = await paths(page);
    ok(hidden.includes(first) && hidden.length > 1);
    for (const path of hidden) await pick(path);
    strictEqual(await textOf(page, "#hideSelected"), "Show again");
    await page.click("#hideSelected");
    await page.waitForFunction(() =>
      /No picture is hidden/.test(
        document.querySelector("#status")!.textContent!,
      )
    );
    await searchText(page, "red");
    strictEqual((await paths(page))[0], first);
  }));

Deno.test("pictures come and go without a search: place, focus and selection stay", () =>
  withPage(async ({ page, app, folder }) => {
    await open(page, app.url, ALL);
    await page.click(".showMore");
    await page.focus(".tile");
    for (const key of ["ArrowRight", "PageDown", "PageDown"] as const) {
      await page.keyboard.press(key);
    }
    await page.waitForFunction(() =>
      (document.activeElement?.closest(".card") as HTMLElement)?.dataset.path
    );
    await page.keyboard.press("x");
    await page.waitForSelector(".chosen");
    const [path, place] = [await focusedPath(page), await focused(page)];
    const heightOf = () =>
      page.$eval(".chosen", (card) => card.getBoundingClientRect().top);
    const height = await heightOf();
    const node = await page.evaluateHandle(() =>
      document.activeElement!.querySelector("img")
    );
    const first = app.result!.hits[0].path;
    await rm(join(folder, first));
    await choose(page, "#rescan");
    await page.waitForFunction(
      (place) =>
        Number(document.querySelector(".chosen")?.ariaPosInSet) === place - 1,
      {},
      place,
    );
    // Pressing the menu's button took the focus; its tile is what it was.
    ok(Math.abs(await heightOf() - height) < 2, "nothing moves");
    strictEqual(
      await page.$eval(".chosen", (card) => (card as HTMLElement).dataset.path),
      path,
    );
    ok(await page.evaluate((image) => image!.isConnected, node), "no flicker");
    await page.focus(".chosen .tile");

    await writeFile(join(folder, "new.png"), await plain("#ff0101"));
    await page.evaluate(() => fetch("rescan", { method: "POST", body: "{}" }));
    await page.waitForFunction(
      (place) =>
        Number(document.querySelector(".chosen")?.ariaPosInSet) === place,
      {},
      place,
    );
    strictEqual(await focusedPath(page), path);
    ok(Math.abs(await heightOf() - height) < 2, "nothing moves");
  }, { shades: 30 }));

Deno.test("Enter opens a picture, and closing puts the focus where it was left", () =>
  withPage(async ({ page, app }) => {
    await open(page, app.url, "#text=red&cut=none&fold=2&k=6");
    await page.focus(".tile");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog:modal");
    for (let i = 0; i < 8; i++) {
      await page.keyboard.press("ArrowRight");
      await page.waitForFunction(
        (i) =>
          document.querySelector("dialog:modal")!.textContent!
            .includes(`${i} of`),
        {},
        i + 2,
      );
    }
    await page.goBack();
    await page.waitForFunction(() => !document.querySelector("dialog:modal"));
    await page.waitForFunction(() =>
      document.activeElement?.closest(".card")?.ariaPosInSet === "9"
    );
    strictEqual(app.query!.k, 6);
  }));

Deno.test("a score below nought has the minus sign of what stands beside it", () =>
  withPage(async ({ page }) => {
    const texts = await page.evaluate(async () => {
      const { scoreText } = await import(new URL("dom.js", location.href).href);
      return [-0.1177, 0.1177, -1234.4, 1234.4].map(scoreText);
    });
    deepStrictEqual(texts, ["−0.118", "0.118", "−1,234", "1,234"]);
  }));

Deno.test("what two grids have in sight is fetched for both, however slowly it comes", () =>
  withPage(async ({ page }) => {
    const known = await page.evaluate(async () => {
      const { PagedHits } = await import(`${document.baseURI}hits.js`);
      // A slow network; the answers are of a collection larger than the test's.
      globalThis.fetch = async (_, init) => {
        const { from, k } = JSON.parse(`${init?.body}`);
        await new Promise((resolve, reject) => {
          globalThis.setTimeout(resolve, 150);
          init?.signal?.addEventListener("abort", reject);
        });
        const hits = Array.from({ length: k }, (_, i) => ({ id: from + i }));
        return Response.json({ hits, from, listed: {} });
      };
      const first = { hits: [], from: 0, total: 1000, listed: {} };
      const list = new PagedHits({}, first, () => {});
      const [fits, rest] = [{}, {}];
      list.want(fits, [110, 119, 120, 124]);
      list.want(rest, [300, 319]);
      await new Promise((resolve) => globalThis.setTimeout(resolve, 600));
      const seen = [110, 119, 120, 124, 300, 319].map((at) => list.known(at));
      return seen.map((hit) => hit?.id);
    });
    deepStrictEqual(known, [110, 119, 120, 124, 300, 319]);
  }));
