/**
 * Filters and options of the search page in a real browser, and what is disabled
 * because it does nothing.
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Page } from "puppeteer-core";
import {
  asPhone,
  openFilters,
  search,
  searchText,
  slide,
  terms,
  textOf,
  withPage,
} from "../../support/search_tab.ts";

/** Why a control is disabled; "" where it is not. */
const reason = (page: Page, selector: string) =>
  page.$eval(selector, (control) => {
    const { disabled } = control as HTMLInputElement;
    const { title } = control.closest("label")!;
    if (disabled !== (title !== "")) throw new Error(`${disabled}: ${title}`);
    return title;
  });

const chips = (page: Page) =>
  page.$$eval(
    "#activeFilters button",
    (all) => all.map((one) => one.innerText),
  );

Deno.test("filters combine, show above the grid, and are taken away there", () =>
  withPage(async ({ page, app }) => {
    await openFilters(page);
    await searchText(page, "red");
    await search(page, () => page.select("#cut", "none"));
    await search(page, () => page.click("#terms input[value=blue]"));
    deepStrictEqual(await terms(page), ["blue"]);
    const [year] = await page.$$eval(
      "#years button",
      (all) => all.map((one) => (one as HTMLButtonElement).value),
    );
    match(await textOf(page, "#years button"), /^\d{4} 26$/);
    await search(page, () => page.click("#years button"));
    deepStrictEqual([app.query!.after, app.query!.before], [year, year]);
    deepStrictEqual(await chips(page), ["blue ×", `${year} ×`, "No line ×"]);
    strictEqual(await textOf(page, "#active"), "3");
    ok(page.url().includes(`terms=blue&after=${year}&before=${year}&cut=none`));

    await search(page, () => page.click("#activeFilters button"));
    strictEqual(
      await page.$eval(
        "#terms input[value=blue]",
        (box) => (box as HTMLInputElement).checked,
      ),
      false,
    );
    deepStrictEqual(app.query!.terms, []);
    await search(page, () => page.click("#years button"));
    strictEqual(app.query!.after, "");
    deepStrictEqual(await chips(page), ["No line ×"]);
  }));

Deno.test("a link with filters opens unfolded, and one button clears them where nothing passes", () =>
  withPage(async ({ page, app }) => {
    await page.goto("about:blank");
    await search(
      page,
      () => page.goto(`${app.url}#text=red&terms=blue&before=1999-12`),
    );
    await page.waitForSelector("#filters[open]");
    await page.waitForSelector("#terms input[value=blue]:checked");
    deepStrictEqual(await chips(page), ["blue ×", "To 1999-12 ×"]);
    match(await textOf(page, "#results"), /No picture passes these filters/);
    // The page may be drawn anew meanwhile: a locator looks for it again.
    await search(page, () => page.locator(".empty button").click());
    deepStrictEqual(await terms(page), ["red"]);
    deepStrictEqual(await chips(page), []);
    await search(page, () => page.goBack());
    deepStrictEqual(await chips(page), ["blue ×", "To 1999-12 ×"]);
  }));

Deno.test("each box that is ticked is a step in history, and no slider keeps the form from being sent", () =>
  withPage(async ({ page, app }) => {
    await openFilters(page);
    await searchText(page, "red");
    const steps = () => page.evaluate(() => history.length);
    const before = await steps();
    for (const term of ["blue", "red"]) {
      await search(page, () => page.click(`#terms input[value=${term}]`));
    }
    strictEqual(await steps(), before + 2);
    await search(page, () => page.goBack());
    deepStrictEqual(app.query!.terms, ["blue"]);
    // A line that no slider of fifteen digits can hold.
    await page.$eval("#cutValue", (slider) => {
      const input = slider as HTMLInputElement;
      input.setCustomValidity("beyond the largest value");
    });
    await searchText(page, "blue");
    strictEqual(app.query!.text, "blue");
  }));

Deno.test("pictures drawn from what passes the filters stay drawn where more are wanted", () =>
  withPage(async ({ page }) => {
    await openFilters(page);
    await search(page, () => slide(page, "#k", 6));
    await search(page, () => page.click("#terms input[value=red]"));
    match(await textOf(page, "#status"), /by path/);
    await search(
      page,
      () => page.$eval("#random", (one) => (one as HTMLElement).click()),
    );
    match(
      await textOf(page, "#status"),
      /drawn at random from what passes the filters/,
    );
    const shown = () =>
      page.$$eval(
        ".card",
        (cards) => cards.map((card) => (card as HTMLElement).dataset.path),
      );
    const drawn = await shown();
    strictEqual(drawn.length, 6);
    await search(page, () => slide(page, "#k", 12));
    deepStrictEqual((await shown()).slice(0, 6), drawn);
    match(await textOf(page, "#status"), /drawn at random/);
  }));

Deno.test("weight, number, mode, metric, cut-off, order and copies change what is shown", () =>
  withPage(async ({ page, app }) => {
    await openFilters(page);
    await searchText(page, "red");
    await search(page, () => page.click("#fold"));
    strictEqual(app.query!.fold, 2);
    await search(page, () => slide(page, "#k", 24));
    strictEqual(app.query!.k, 24);
    await search(page, () => slide(page, "#textWeight", 0.8));
    strictEqual(app.query!.textWeight, 0.8);
    match(await textOf(page, "#weightShown"), /text 80%, picture 20%/);
    await search(page, () => page.select("#mode", "text"));
    strictEqual(app.query!.mode, "text");
    await search(page, () => page.select("#mode", "visual"));
    await search(page, () => page.select("#sort", "newest"));
    strictEqual(app.query!.sort, "newest");
    await search(page, () => page.select("#sort", "relevance"));

    const most = Number(
      await page.$eval(
        "#cutValue",
        (slider) => (slider as HTMLInputElement).max,
      ),
    );
    await search(page, () => slide(page, "#cutValue", most - 0.05));
    strictEqual(app.result!.line, app.query!.cut);
    ok(app.result!.fitting > 0 && app.result!.fitting < 26);
    strictEqual(
      await page.$eval("#cut", (one) => (one as HTMLSelectElement).value),
      `${app.query!.cut}`,
    );
  }));

Deno.test("without words and pictures, an order by date shows everything by date", () =>
  withPage(async ({ page }) => {
    await search(page, () => page.select("#sort", "newest"));
    match(
      await textOf(page, "#status"),
      /^4 pictures, by date \(22 near copies folded\)$/,
    );
    match(await textOf(page, ".card .value"), /^\d{4}-\d\d-\d\d$/);
  }));

Deno.test("what does nothing for a query is disabled and says why", () =>
  withPage(async ({ page, app }) => {
    await openFilters(page);
    await searchText(page, "red");
    strictEqual(await reason(page, "#textWeight"), "");
    await search(page, () => page.select("#mode", "text"));
    match(await reason(page, "#textWeight"), /words alone are compared/);
    await search(page, () => page.select("#mode", "visual"));
    match(await reason(page, "#textWeight"), /pictures alone are compared/);
    await search(page, () => page.select("#metric", "l2"));
    match(await reason(page, "#cut"), /known for the cosine alone/);
    await search(page, () => page.select("#metric", "cosine"));
    strictEqual(await reason(page, "#cut"), "");
    await search(page, () => page.select("#space", "pixels"));
    for (const control of ["#mode", "#textWeight"]) {
      match(await reason(page, control), /Pixels are compared as they are/);
    }
    match(await reason(page, "#cut"), /not known for pixels/);
    // What is disabled keeps what it says.
    strictEqual(app.query!.mode, "visual");
  }));

Deno.test("on a phone the options are a sheet, and the controls take 120 pixels at most", () =>
  withPage(async ({ page }) => {
    await asPhone(page, 390, 844);
    await searchText(page, "red");
    const top = await page.$eval(
      ".card",
      (card) => card.getBoundingClientRect().top,
    );
    ok(top <= 120, `${top} pixels above the first picture`);
    const small = await page.$$eval(
      ".head button, .card [type=checkbox], .pick",
      (all) =>
        all.filter((one) => {
          const { width, height } = (one.closest(".pick") ?? one)
            .getBoundingClientRect();
          return width < 40 || height < 40;
        }).map(({ id, className }) => id || className),
    );
    deepStrictEqual(small.filter((id) => id !== "choose"), []);
    await openFilters(page);
    await page.waitForSelector("#filters:modal #mode");
    await search(page, () => page.select("#mode", "visual"));
    await page.click("#closeFilters");
    await page.waitForSelector("#filters:not([open])");
    // With two pictures in the field as well.
    for (let i = 0; i < 2; i++) {
      await page.focus(".tile[tabindex='0']");
      await search(page, () => page.keyboard.press("l"));
    }
    const lowest = await page.$$eval(
      "#text, .head > button",
      (all) =>
        Math.max(...all.map((one) => one.getBoundingClientRect().bottom)),
    );
    ok(lowest <= 60, `words and buttons in one row, not down to ${lowest}`);
    strictEqual(
      await page.$eval("#openFilters", (one) => one.ariaExpanded),
      "false",
    );
    await page.evaluate(() => location.hash += "&terms=red&terms=blue");
    await page.waitForSelector("#activeFilters li:nth-child(2)");
    const first = await page.$eval(
      "#results",
      (one) => one.getBoundingClientRect().top,
    );
    ok(first <= 170, `${first} pixels above the results`);
  }));

Deno.test("on a phone all that can be done with a selection is in sight and large enough", () =>
  withPage(async ({ page }) => {
    await asPhone(page, 320, 640);
    await page.click(".card [type=checkbox]");
    await page.waitForSelector("#selection:not([hidden])");
    const outside = await page.$$eval(
      "#selection button",
      (all) =>
        all.filter((one) => {
          const { left, right, bottom, height } = one.getBoundingClientRect();
          return left < 0 || right > innerWidth || bottom > innerHeight ||
            height < 44;
        }).map(({ id }) => id),
    );
    deepStrictEqual(outside, []);
  }));
