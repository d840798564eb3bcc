/**
 * The search page over an index, in a real browser: which engine answers, and
 * that every result can be reached though candidates alone are compared.
 */
import { match, strictEqual } from "node:assert/strict";
import {
  search,
  textOf,
  waitForText,
  withPage,
} from "../../support/search_tab.ts";

Deno.test("over an index all that fits is reached, and the page says what was compared", () =>
  withPage(async ({ page, app }) => {
    while (!app.status().index.isReady) await page.waitForNetworkIdle();
    await page.goto("about:blank");
    await search(
      page,
      () => page.goto(`${app.url}#text=red&cut=none&fold=2&k=24`),
    );
    match(await textOf(page, "#took"), /candidates by HNSW/);
    // The index was asked for 200 of 260.
    await waitForText(page, "#status", "At least 2");
    await page.click(".showMore");
    await waitForText(page, "#status", "260 pictures");
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.waitForFunction(() =>
      document.querySelector('.card[aria-posinset="260"][data-path]')
    );
    strictEqual(
      await page.$eval(".card", (card) => card.ariaSetSize),
      "260",
    );
  }, { shades: 130, index: "hnsw" }));
