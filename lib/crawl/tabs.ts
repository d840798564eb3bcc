/**
 * The tabs of a crawl: each serves one term after the other, since opening one
 * takes longer than a search page. A tab in which something went wrong is closed,
 * with whatever state it is in.
 *
 * ```ts
 * import { launchBrowser } from "#lib/crawl/browser.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { Tabs } from "#lib/crawl/tabs.ts";
 * import { equal } from "node:assert/strict";
 *
 * const photoSite = await startPhotoSite();
 * const browser = await launchBrowser();
 * const site = localSite(photoSite.origin);
 * const tabs = new Tabs(() => browser.newPage(), site, 30_000);
 * for (const term of ["flower", "planet"]) {
 *   await tabs.use((page) => page.open(term));
 * }
 * equal((await browser.pages()).length, 2); // the browser's own, and ours
 * await browser.close();
 * await photoSite.close();
 * ```
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "puppeteer-core";
import { SearchPage } from "./search_page.ts";
import type { PageSite } from "./sites/site.ts";

/** Patience with a tab that is to be closed. */
const CLOSING_MS = 5000;

/** Tabs for one site, opened as they are needed. */
export class Tabs {
  readonly #idle: { tab: Page; page: SearchPage }[] = [];
  #open: () => Promise<Page>;
  #site: PageSite;
  #timeoutMs: number;

  /**
   * Opens none yet.
   *
   * @param open Opens an empty tab.
   * @param timeoutMs For a page, or for more pictures, to arrive.
   */
  constructor(open: () => Promise<Page>, site: PageSite, timeoutMs: number) {
    this.#open = open;
    this.#site = site;
    this.#timeoutMs = timeoutMs;
  }

  /** Does something in a tab that nobody else uses meanwhile. */
  async use<Result>(
    work: (page: SearchPage) => Promise<Result>,
  ): Promise<Result> {
    const used = this.#idle.pop() ?? await this.#openOne();
    try {
      const result = await work(used.page);
      this.#idle.push(used);
      return result;
    } catch (error) {
      // A tab that shows an error page may never say that it is closed; the
      // browser takes it along at its end. A stop may have closed it already.
      const late = sleep(CLOSING_MS, undefined, { ref: false });
      await Promise.race([used.tab.close().catch(() => {}), late]);
      throw error;
    }
  }

  async #openOne() {
    const tab = await this.#open();
    return { tab, page: new SearchPage(tab, this.#site, this.#timeoutMs) };
  }
}
