/**
 * The search page in a real browser where something is in the way: a server that
 * goes and comes back, links that nobody made well, pictures that are gone.
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "puppeteer-core";
import {
  openFilters,
  paths,
  search,
  searchText,
  setText,
  terms,
  textOf,
  waitForText,
  withPage,
} from "../../support/search_tab.ts";

/** Opens a link as if it had been sent. */
async function follow(page: Page, url: string, hash: string): Promise<void> {
  await page.goto("about:blank");
  await search(page, () => page.goto(url + hash));
}

Deno.test("a search that got no answer is made again when the server is back", () =>
  withPage(async ({ page }) => {
    await searchText(page, "red");
    await page.setOfflineMode(true);
    await setText(page, "blue");
    await page.click("[type=submit]");
    await waitForText(page, "#problem", "does not answer");
    match(await textOf(page, "#status"), /did not work: .*from before/);
    deepStrictEqual(await terms(page), ["red"]);
    // What is typed meanwhile waits for Enter.
    await setText(page, "green");
    await search(page, () => page.setOfflineMode(false));
    deepStrictEqual(await terms(page), ["blue"]);
    match(await textOf(page, "#status"), /fit/);
    strictEqual(await textOf(page, "#problem"), "");
    ok(page.url().endsWith("#text=blue"));
  }));

Deno.test("new pictures do not vouch for a query that was refused", () =>
  withPage(async ({ page }) => {
    await searchText(page, "red");
    await setText(page, "please fail");
    await page.click("[type=submit]");
    await waitForText(page, "#problem", "ran out of memory");
    const [first] = await paths(page);
    await page.evaluate((path) =>
      fetch("hide", {
        method: "POST",
        body: JSON.stringify({ paths: [path], hidden: true }),
      }), first);
    await page.waitForFunction(
      (path) => !document.querySelector(`[data-path="${path}"]`),
      {},
      first,
    );
    match(await textOf(page, "#status"), /did not work: .*from before/);
    match(await textOf(page, "#problem"), /ran out of memory/);
  }));

Deno.test("a malformed link falls back to the defaults, and adds no choices", () =>
  withPage(async ({ page, app }) => {
    const options = () =>
      page.$$eval("select", (all) => all.map(({ length }) => length));
    await page.waitForNetworkIdle();
    const before = await options();
    for (
      const wrong of [
        ...["cut=abc", "cut=", "cut=Infinity", "metric=abc", "mode=abc"],
        ...["space=abc", "sort=abc", "textWeight=abc", "fold=", "beside=abc"],
      ]
    ) {
      await follow(page, app.url, `#text=red&${wrong}`);
      const { cut, metric, mode, space, sort, fold, textWeight } = app.query!;
      deepStrictEqual({ cut, metric, mode, space, sort, fold, textWeight }, {
        ...{ cut: "auto", metric: "cosine", mode: "smart", space: "" },
        ...{ sort: "relevance", fold: 0.97, textWeight: 0.3 },
      }, wrong);
      strictEqual(await textOf(page, "#problem"), "", wrong);
    }
    await follow(page, app.url, "#text=red&k=-5");
    strictEqual(app.query!.k, 6);
    deepStrictEqual(await options(), before);
    await page.goto("about:blank");
    await page.goto(`${app.url}#text=red&after=abc`);
    await waitForText(page, "#problem", "From: expected a date");
  }));

Deno.test("an error calls a part of the query as the form does", () =>
  withPage(async ({ page, app }) => {
    for (
      const [wrong, words] of [
        ["after=2020&before=2019", "From: expected a date up to 2019"],
        ["before=abc", "To: expected a date"],
        ["plus=0:cat", "Towards: expected a weight"],
        ["minus=2:", "Away from: expected something to weigh"],
        ["like=0:cat", "More like: expected a weight"],
        ["cut=1e20", "Cut-off: expected a number"],
        ["fold=-1", "Fold near copies: expected a number"],
      ]
    ) {
      await page.goto("about:blank");
      await page.goto(`${app.url}#text=red&${wrong}`);
      await waitForText(page, "#problem", words);
    }
  }));

Deno.test("a picture of the query that comes back is searched by again", () =>
  withPage(async ({ page, app, folder }) => {
    const path = "paint/red/red-3.png";
    await follow(page, app.url, `#text=red&like=${encodeURIComponent(path)}`);
    const bytes = await readFile(join(folder, path));
    const rescan = () =>
      page.evaluate(() => fetch("rescan", { method: "POST", body: "{}" }));
    await rm(join(folder, path));
    await rescan();
    await waitForText(page, "#problem", "There is no picture");
    await page.waitForSelector("#chips [role=img]");
    await writeFile(join(folder, path), bytes);
    await rescan();
    await page.waitForSelector("#chips img:not([hidden])");
    strictEqual(await textOf(page, "#problem"), "");
    deepStrictEqual(app.query!.like, [path]);
  }));

Deno.test("where a picture of the query is gone the words' results are shown, and one press takes it away", () =>
  withPage(async ({ page, app }) => {
    await follow(page, app.url, "#text=red&like=paint%2Fred%2F+old+.png");
    await waitForText(page, "#problem", "There is no picture");
    match(await textOf(page, "#problem"), /"paint\/red\/ old \.png"/);
    deepStrictEqual(await terms(page), ["red"]);
    match(await textOf(page, "#chips [role=img]"), /⚠/);
    await search(page, () => page.click("#problem button"));
    strictEqual(await textOf(page, "#problem"), "");
    strictEqual((await page.$$("#chips li")).length, 0);
    ok(page.url().endsWith("#text=red"));
    await follow(page, app.url, "#like=gone.png");
    await waitForText(page, "#problem", "There is no picture");
    match(await textOf(page, "#status"), /drawn at random/);
  }));

Deno.test("a query's picture that goes while its results are on show is said", () =>
  withPage(async ({ page, folder }) => {
    await searchText(page, "red");
    const [first] = await paths(page);
    await page.hover(`[data-path="${first}"]`);
    await search(page, () => page.click(`[data-path="${first}"] .like`));
    await rm(join(folder, first));
    await page.evaluate(() => fetch("rescan", { method: "POST", body: "{}" }));
    await waitForText(page, "#problem", "There is no picture");
    await page.waitForSelector("#chips [role=img]");
    deepStrictEqual(await terms(page), ["red"]);
  }));

Deno.test("addresses and text stay in other fields, and what is not taken leaves the status as it was", () =>
  withPage(async ({ page }) => {
    await openFilters(page);
    await searchText(page, "red");
    const status = await textOf(page, "#status");
    const give = (selector: string, kind: "drop" | "paste", text: string) =>
      page.$eval(
        selector,
        (field, kind, text) => {
          const data = new DataTransfer();
          data.setData("text/plain", text);
          const more = { bubbles: true, cancelable: true };
          return field.dispatchEvent(
            kind === "drop"
              ? new DragEvent("drop", { dataTransfer: data, ...more })
              : new ClipboardEvent("paste", { clipboardData: data, ...more }),
          );
        },
        kind,
        text,
      );
    const address = "http://127.0.0.1:9/a.jpg";
    ok(await give("#plus", "paste", address), "the browser pastes it");
    ok(await give("#plus", "drop", address));
    ok(await give("#text", "drop", "a word"));
    strictEqual(await textOf(page, "#problem"), "");
    strictEqual(await give("#text", "paste", address), false);
    await waitForText(page, "#problem", address);
    strictEqual(await textOf(page, "#status"), status);
  }));
