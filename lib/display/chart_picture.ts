/**
 * A chart as a PNG: Plotly draws it in a headless browser.
 *
 * The browser starts at the first chart, serves all charts of this process and
 * ends with it, without keeping a script from ending. Its page has no network.
 *
 * ```ts
 * import { drawFigure } from "#lib/display/chart_picture.ts";
 * import { equal } from "node:assert/strict";
 *
 * const size = { width: 300, height: 200 };
 * const png = await drawFigure({ data: [{ x: [1, 2], y: [3, 1] }] }, size);
 * equal(png?.subarray(1, 4).toString() ?? "PNG", "PNG");
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import type { Page } from "puppeteer-core";
import { launchBrowser } from "../crawl/browser.ts";
import { encodePicture } from "../pictures/pictures.ts";

/**
 * Draws a Plotly figure in at most 256 colours.
 *
 * @param size Of the picture, pixels.
 * @returns The PNG's bytes; undefined where no browser starts or it went away.
 * @throws {Error} If Plotly cannot draw the figure.
 */
export async function drawFigure(
  figure: object,
  { width, height }: { width: number; height: number },
): Promise<Buffer | undefined> {
  const page = await (shared ??= openPage());
  if (!page) return undefined;
  try {
    const size = { format: "png", width, height };
    const url = await page.evaluate(toImage, figure, size);
    const png = Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
    const small = { format: "png", palette: true, effort: 10 } as const;
    return Buffer.from((await encodePicture(png, small)).data);
  } catch (error) {
    if (page.browser().connected) {
      const { message } = error as Error;
      throw new Error(`drawFigure: Plotly cannot draw this figure: ${message}`);
    }
    // The next chart starts another browser.
    shared = undefined;
    return undefined;
  }
}

let shared: Promise<Page | undefined> | undefined;

async function openPage(): Promise<Page | undefined> {
  const browser = await launchBrowser().catch(() => undefined);
  if (!browser) return undefined;
  const page = await browser.newPage();
  await page.setOfflineMode(true);
  const path = fileURLToPath(import.meta.resolve("plotly"));
  await page.addScriptTag({ path });
  // An idle browser must not keep a script from ending; a request under way has
  // a timer of its own, which does.
  const child = browser.process();
  const handles: unknown[] = [child, ...child?.stdio ?? []];
  for (const handle of handles) (handle as NodeJS.RefCounted | null)?.unref();
  return page;
}

/** Runs in the page. */
function toImage(figure: object, options: object): Promise<string> {
  // deno-lint-ignore no-explicit-any -- the page's own
  return (globalThis as any).Plotly.toImage(figure, options);
}
