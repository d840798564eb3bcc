/**
 * The search page by keyboard alone, in both themes, from 320 pixels to 4K.
 *
 * Pictures of it, to be looked at:
 * `deno test -A tests/search_page/web/accessibility_test.ts -- --screenshots FOLDER`
 */
import { equal, match, ok } from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { paths } from "#lib/paths.ts";
import {
  openOptions,
  search,
  searchText,
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
