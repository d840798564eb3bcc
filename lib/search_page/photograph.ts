/**
 * A picture of the search page, for where the page itself cannot be: a notebook
 * that no kernel runs, a README.
 *
 * Starts a headless browser, for two seconds or so.
 *
 * ```ts
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { photographPage } from "#lib/search_page/photograph.ts";
 * import { openSearchApp } from "#lib/search_page/search_page.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const app = await openSearchApp(await sampleSource(), { encoders: ["offline"], log() {} });
 * await app.ready;
 * const jpeg = await photographPage(app.url, "a violin");
 * deepEqual([...jpeg.subarray(0, 2)], [0xff, 0xd8]);
 * await app.close();
 * ```
 *
 * @module
 */
import { launchBrowser } from "../crawl/browser.ts";

/** How the page is photographed. */
export interface PhotographOptions {
  /** Size of the window, pixels. @default 1000 × 760 */
  width?: number;
  height?: number;
  /** @default "light" */
  theme?: "light" | "dark";
  /** The picture's pixels for one of the window's. @default 1 */
  scale?: number;
  /** @default "jpeg" */
  format?: "jpeg" | "png";
}

/**
 * The page after a search for words, with what may not fit below its line.
 *
 * @param url The page's address: `app.url`.
 * @throws {Error} If no browser starts, or the page does not answer.
 */
export async function photographPage(
  url: string,
  words: string,
  { width = 1000, height = 760, ...options }: PhotographOptions = {},
): Promise<Uint8Array> {
  const { theme = "light", scale = 1, format = "jpeg" } = options;
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width, height, deviceScaleFactor: scale });
    await page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: theme },
      { name: "prefers-reduced-motion", value: "reduce" },
    ]);
    await page.goto(`${url}#${new URLSearchParams({ text: words })}`);
    await page.waitForFunction("document.documentElement.dataset.painted");
    const leaveField = "document.activeElement.blur(); scrollTo(0, 0)";
    await page.evaluate(leaveField);
    await page.keyboard.press("m");
    // The results are there; their thumbnails are still on the way.
    await page.waitForNetworkIdle({ idleTime: 200 });
    await page.evaluate(leaveField);
    const quality = format === "jpeg" ? { quality: 60 } : {};
    return await page.screenshot({ type: format, ...quality });
  } finally {
    await browser.close();
  }
}
