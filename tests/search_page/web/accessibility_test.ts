/**
 * The search page by keyboard alone, in both themes, from 320 pixels to 4K.
 *
 * Pictures of it, to be looked at:
 * `deno test -A tests/search_page/web/accessibility_test.ts -- --screenshots FOLDER`
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { KeyInput } from "puppeteer-core";
import { paths } from "#lib/paths.ts";
import {
  openFilters,
  search,
  searchText,
  showAs,
  textOf,
  withPage,
} from "../../support/search_tab.ts";

const { screenshots } = parseArgs({
  args: Deno.args,
  options: { screenshots: { type: "string" } },
}).values;

Deno.test("everything can be done from the keyboard", () =>
  withPage(async ({ page, app }) => {
    const focused = () =>
      page.evaluate(() =>
        document.activeElement?.getAttribute("aria-label") ??
          document.activeElement?.id
      );
    const press = (key: KeyInput) => page.keyboard.press(key);
    await page.focus("#text");
    await page.keyboard.type("red");
    await search(page, () => press("Enter"));
    for (let i = 0; i < 30 && !/^Open /.test(await focused() ?? ""); i++) {
      await press("Tab");
    }
    const first = await focused();
    match(first!, /^Open /);
    // The tile's own controls come next.
    await press("Tab");
    match((await focused())!, /^Select /);
    await press("Tab");
    match((await focused())!, /^More like this: /);
    for (let i = 0; i < 2; i++) {
      await page.keyboard.down("Shift");
      await press("Tab");
      await page.keyboard.up("Shift");
    }
    strictEqual(await focused(), first);
    await press("x");
    await page.waitForSelector(".chosen");
    await search(page, () => press("l"));
    strictEqual(app.selection.length, 1);
    strictEqual(app.query!.like.length, 1);

    await page.focus("#skip");
    await press("Enter");
    match((await focused())!, /^Open /);
    await search(page, () => press("n"));
    strictEqual(app.query!.unlike.length, 1);
    await page.focus(".tile[tabindex='0']");
    await press("s");
    await page.waitForSelector("#filters[open]");
    ok(await page.evaluate(() => document.activeElement!.closest("#filters")));
    await press("Escape");
    await page.waitForSelector("#filters:not([open])");
    strictEqual(await focused(), "Filters");
    await press("/");
    strictEqual(await focused(), "Words to search for");
    // Where words are typed, letters are letters.
    await page.keyboard.type("smg?");
    strictEqual(await page.$("dialog[open]"), null);
    await page.focus(".tile[tabindex='0']");
    await press("?");
    await page.waitForSelector("#keys:modal");
    match(await textOf(page, "#keys"), /More like this.*Light box/s);
    await press("Escape");
    await press("g");
    await page.waitForSelector("dialog:modal #mapFrame");
  }));

Deno.test("axe finds nothing wrong, and nothing overflows, from 320 pixels to 4K in both themes and forced colours", () =>
  withPage(async ({ page, app }) => {
    const start = app.url;
    const axe = await readFile(
      join(paths.root, "node_modules", "axe-core", "axe.min.js"),
      "utf8",
    );
    // The page's own rules would refuse the checker's script.
    await page.setBypassCSP(true);
    const client = await page.createCDPSession();
    const check = async (name: string) => {
      const wide = await page.evaluate(() =>
        document.documentElement.scrollWidth - innerWidth
      );
      ok(wide <= 0, `${name}: ${wide} pixels too wide`);
      const faults = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: Violation[] }> };
        };
        const { violations } = await axe.run();
        return violations.map(({ id, nodes }) =>
          `${id}: ${nodes.map(({ html }) => html).join(" ")}`
        );
      });
      strictEqual([name, ...faults].join("\n"), name);
      if (!screenshots) return;
      await mkdir(screenshots, { recursive: true });
      await page.screenshot({ path: `${join(screenshots, name)}.png` });
    };
    for (const look of ["light", "dark", "forced"]) {
      const features = [
        { name: "prefers-color-scheme", value: look },
        { name: "forced-colors", value: look === "forced" ? "active" : "none" },
      ];
      await client.send("Emulation.setEmulatedMedia", { features });
      // Colours do not depend on the width, nor widths on the colours.
      for (const width of look === "light" ? [320, 1200, 3840] : [1200]) {
        await page.setViewport({ width, height: Math.max(700, width / 2) });
        await page.goto("about:blank");
        await page.goto(start);
        await page.waitForSelector(".card[data-path]");
        await page.evaluate(axe);
        await check(`${look}-${width}-start`);
        await searchText(page, "red");
        await page.click(".card [type=checkbox]");
        await page.focus(".tile[tabindex='0']");
        await page.keyboard.press("m");
        await page.waitForSelector(".rule ~ .grid .card[data-path]");
        await check(`${look}-${width}-results`);
        await openFilters(page);
        await check(`${look}-${width}-filters`);
        await page.focus("#openFilters, #closeFilters");
        await page.keyboard.press("?");
        await page.waitForSelector("#keys:modal");
        await check(`${look}-${width}-keys`);
        await page.keyboard.press("Escape");
        await page.keyboard.press("Escape");
        await page.click("#openMore");
        await page.waitForSelector("#more:popover-open");
        await check(`${look}-${width}-more`);
        await page.keyboard.press("Escape");
        await search(page, () => page.goto(`${start}#text=red&terms=green`));
        await check(`${look}-${width}-nothing`);
        await page.goto("about:blank");
        await page.goto(`${start}#text=red&after=abc`);
        await page.waitForSelector("#problem button");
        await page.evaluate(axe);
        await check(`${look}-${width}-error`);
      }
    }
  }));

Deno.test("long words and a script from right to left stay in their place", () =>
  withPage(async ({ page }) => {
    await page.setViewport({ width: 320, height: 700 });
    await page.evaluate(() => document.documentElement.dir = "rtl");
    await searchText(page, `${"שלום".repeat(40)} red`);
    const outside = await page.$$eval("body *", (all) =>
      all.filter((one) => {
        const { left, right, width } = one.getBoundingClientRect();
        return one.checkVisibility() && width > 1 &&
          !one.closest("#selection") &&
          (left < -1 || right > innerWidth + 1);
      }).map(({ outerHTML }) => outerHTML.slice(0, 80)));
    deepStrictEqual(outside, []);
    await page.focus(".tile[tabindex='0']");
    await page.keyboard.press("ArrowLeft");
    strictEqual(
      await page.evaluate(() =>
        document.activeElement!.closest(".card")!.ariaPosInSet
      ),
      "2",
      "the next one is on the left",
    );
  }));

Deno.test("fields and their marks have room: many pictures on a phone, a date in the panel, nothing where no filter is on", () =>
  withPage(async ({ page, app }) => {
    await page.setViewport({ width: 1200, height: 800 });
    await openFilters(page);
    for (const field of ["#after", "#before"]) {
      const room = await page.$eval(field, (element) => {
        const input = element as HTMLInputElement;
        input.value = "2019-06-01";
        return input.clientWidth - input.scrollWidth;
      });
      strictEqual(room, 0, field);
    }
    const client = await page.createCDPSession();
    await showAs(client, "forced");
    strictEqual(
      await page.$eval("#active", (mark) => mark.getBoundingClientRect().width),
      0,
    );
    await page.setViewport({ width: 320, height: 640 });
    const list = new URLSearchParams(
      [0, 1, 2, 3, 4, 5].map((shade) => ["like", `paint/red/red-${shade}.png`]),
    );
    await page.goto("about:blank");
    await search(page, () => page.goto(`${app.url}#${list}`));
    const field = await page.$eval("#chips", (chips) => {
      const { right } = chips.closest(".field")!.getBoundingClientRect();
      return [...chips.children].filter((chip) =>
        chip.getBoundingClientRect().right <= right
      ).length;
    });
    strictEqual(field, 6, "all of them are in sight");
  }));

interface Violation {
  id: string;
  nodes: { html: string }[];
}

Deno.test("the page's code is small: under 120 KB compressed", async () => {
  const folder = join(paths.root, "lib", "search_page", "web");
  let size = 0;
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await readFile(join(folder, name));
    const stream = new Blob([bytes]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    size += (await new Response(stream).arrayBuffer()).byteLength;
  }
  ok(size < 120_000, `${size} bytes`);
});
