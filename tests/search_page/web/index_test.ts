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
      () => page.goto(`${app.url}#text=red&mode=visual&cut=none&fold=2&k=24`),
    );
    match(await textOf(page, "#took"), /candidates by HNSW/);
    // Compared by their pictures alone, few of the 500 are named at first.
    await waitForText(page, "#status", "At least");
    await page.click(".showMore");
    await waitForText(page, "#status", "500 pictures");
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.waitForFunction(() =>
      document.querySelector('.card[aria-posinset="500"][data-path]')
    );
    strictEqual(
      await page.$eval(".card", (card) => card.ariaSetSize),
      "500",
    );
  }, { shades: 250, index: "hnsw" }));
