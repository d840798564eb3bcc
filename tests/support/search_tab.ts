/**
 * The search page in a tab of a real browser, and what a reader does there.
 */
import { deepEqual } from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CDPSession, Page } from "puppeteer-core";
import { launchBrowser } from "#lib/crawl/browser.ts";
import type { EngineName } from "#lib/engines/engines.ts";
import { folderSource } from "#lib/search_page/index/sources.ts";
import { openSearchApp, type SearchApp } from "#lib/search_page/search_page.ts";
import { colourEncoder } from "./colour_encoder.ts";
import { paint, withFolder } from "./search_app.ts";

/** A caption that wants to be markup. */
const HOSTILE = '<img src=x onerror=alert(1)> red & "bold"';

/** The page over 26 pictures, unless other `shades` are asked for. */
export interface OpenedPage {
  app: SearchApp;
  page: Page;
  /** Where the pictures lie. */
  folder: string;
}

/** Runs `test` with the page; fails where its scripts complained. */
export function withPage(
  test: (opened: OpenedPage) => Promise<void>,
  {
    encoder = colourEncoder(),
    ready = true,
    publicUrl = "",
    shades = 13,
    index = "exact" as EngineName,
    prepare = (_folder: string) => Promise.resolve(),
  } = {},
): Promise<void> {
  return withFolder(async (folder) => {
    await paint(folder, shades);
    await writeFile(
      join(folder, "captions.json"),
      JSON.stringify({
        "paint/red/red-0.png": {
          caption: HOSTILE,
          author: "=1+1",
          license: "CC0",
          page: "javascript:alert(1)",
        },
        "paint/red/red-1.png": { caption: "A red wall", license: "CC BY 4.0" },
      }),
    );
    await prepare(folder);
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [encoder],
      index,
      ...(publicUrl && { publicUrl }),
      log: () => {},
    });
    if (ready) await app.ready;
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(String(error)));
      page.on("dialog", (dialog) => {
        faults.push(`alert: ${dialog.message()}`);
        dialog.dismiss();
      });
      await page.setViewport({ width: 1200, height: 900 });
      await page.goto(app.url);
      await page.waitForSelector(
        ready ? "[data-painted] .card[data-path]" : "#status",
      );
      await test({ app, page, folder });
      deepEqual(faults, []);
    } finally {
      await browser.close();
      await app.close();
    }
  });
}

/** Does something that searches, and waits until the results are painted. */
export async function search(
  page: Page,
  act: () => Promise<unknown>,
): Promise<void> {
  await page.evaluate(() => delete document.documentElement.dataset.painted);
  await act();
  await page.waitForFunction(() => document.documentElement.dataset.painted);
}

/** Searches for words. */
export async function searchText(page: Page, text: string): Promise<void> {
  await setText(page, "");
  await page.type("#text", text);
  await search(page, () => page.keyboard.press("Enter"));
}

/** Puts words into the field. */
export const setText = (page: Page, text: string) =>
  page.$eval(
    "#text",
    (field, text) => (field as HTMLInputElement).value = text,
    text,
  );

/** The paths of the pictures that are drawn, in their order. */
export const paths = (page: Page) =>
  page.$$eval(
    ".card[data-path]",
    (cards) => cards.map((card) => (card as HTMLElement).dataset.path!),
  );

/** Makes the window a phone's of that size: the page begins anew, and is there. */
export async function asPhone(
  page: Page,
  width: number,
  height: number,
): Promise<void> {
  await page.setViewport({ width, height, hasTouch: true, isMobile: true });
  await page.reload();
  await page.waitForFunction(() => document.documentElement.dataset.painted);
}

/** The terms of the pictures drawn: "red" of "paint/red/red-1.png". */
export const terms = async (page: Page) => [
  ...new Set((await paths(page)).map((path) => path.split("/")[1])),
];

/** An element's text. */
export const textOf = (page: Page, selector: string) =>
  page.$eval(selector, (element) => element.textContent ?? "");

/** Waits until an element says something. */
export const waitForText = (page: Page, selector: string, words: string) =>
  page.waitForFunction(
    (selector, words) =>
      document.querySelector(selector)?.textContent?.includes(words),
    {},
    selector,
    words,
  );

/** Unfolds filters and options. */
export async function openFilters(page: Page): Promise<void> {
  await page.click("#openFilters");
  await page.waitForSelector("#filters[open]");
}

/** Opens the menu, and presses what is in it. */
export async function choose(page: Page, selector: string): Promise<void> {
  await page.click("#openMore");
  await page.waitForSelector("#more:popover-open");
  await page.click(selector);
}

/** Shows the page in a theme, or in the reader's own few colours. */
export async function showAs(
  client: CDPSession,
  look: "light" | "dark" | "forced",
): Promise<void> {
  const features = [
    { name: "prefers-color-scheme", value: look },
    { name: "forced-colors", value: look === "forced" ? "active" : "none" },
  ];
  await client.send("Emulation.setEmulatedMedia", { features });
}

/** Moves a slider as a reader does. */
export const slide = (page: Page, selector: string, value: number) =>
  page.$eval(selector, (slider, value) => {
    (slider as HTMLInputElement).value = `${value}`;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    slider.dispatchEvent(new Event("change", { bubbles: true }));
  }, value);
