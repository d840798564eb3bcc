/**
 * Crawls one term: opens the site's search page in a browser tab, brings up
 * more pictures by scrolling and by the "load more" button, and asks each
 * picture's page for what the search page did not say.
 *
 * It waits for pictures to appear, not for a number of seconds. Only the least
 * time between two requests, which the site's definition sets, is fixed.
 *
 * What comes up is gathered by search_results.ts.
 *
 * ```ts
 * import { crawlTerm } from "#lib/crawl/term.ts";
 * import { launchBrowser } from "#lib/crawl/browser.ts";
 * import { Host } from "#lib/http/hosts.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { Tabs } from "#lib/crawl/tabs.ts";
 * import { equal } from "node:assert/strict";
 *
 * const photoSite = await startPhotoSite();
 * const browser = await launchBrowser();
 * const site = localSite(photoSite.origin);
 * const tabs = new Tabs(() => browser.newPage(), site, 30_000);
 * const found = await crawlTerm(tabs, site, "planet", {
 *   maxImages: 5,
 *   host: new Host("local"),
 *   isAllowed: () => true,
 * });
 * equal(found.pictures.length, 5);
 * await browser.close();
 * await photoSite.close();
 * ```
 *
 * @module
 */
import type { Host } from "../http/hosts.ts";
import { send, STOPPED } from "../http/http.ts";
import { licenceName } from "./licences.ts";
import type { SearchPage } from "./search_page.ts";
import { SearchResults, type TermFindings, tidy } from "./search_results.ts";
import type { PageSite } from "./sites/site.ts";
import type { Tabs } from "./tabs.ts";

/** How to crawl a term. */
export interface TermOptions {
  /** Most pictures to find. */
  maxImages: number;
  /** Says when the next request may go out. */
  host: Host;
  /** Whether robots.txt allows an address. */
  isAllowed: (url: string) => boolean;
  /** Saves a page that shows nothing; returns where, for a message. */
  saveNothing?: (page: SearchPage) => Promise<string>;
  /** Stops the crawl, once the tab is closed too. */
  signal?: AbortSignal;
}

/** Steps without a new picture before a search counts as exhausted. */
const MAX_IDLE_STEPS = 3;

/** Pictures of other licences that are looked at for one of those wanted. */
const MAX_OTHERS = 10;

/**
 * Crawls one term.
 *
 * Never throws over the site: what was found until then is returned with the
 * reason.
 */
export async function crawlTerm(
  tabs: Tabs,
  site: PageSite,
  term: string,
  options: TermOptions,
): Promise<TermFindings> {
  const { isAllowed, signal } = options;
  const results = new SearchResults(site, options.maxImages);
  let failure: string | undefined;
  try {
    signal?.throwIfAborted();
    const url = site.searchUrl(term);
    if (!isAllowed(url)) throw new Error(`robots.txt excludes ${url}`);
    await tabs.use((page) => crawlIn(page, site, term, results, options));
  } catch (error) {
    failure = signal?.aborted
      ? STOPPED
      : (error as Error).message.split("\n")[0];
    // Of some, the licence was still to be asked.
    results.dropAllBut(site.licences ?? []);
  }
  return results.findings(failure);
}

/** Crawls a term in a tab. @throws {Error} If there is nothing, or may be more. */
async function crawlIn(
  page: SearchPage,
  site: PageSite,
  term: string,
  results: SearchResults,
  options: TermOptions,
): Promise<void> {
  const { host, maxImages, saveNothing, signal } = options;
  const { licences = [] } = site;
  const asked = new Set<string>();
  let isOpen = false;
  const step = async () => {
    // What failed in the middle begins anew.
    if (!isOpen) await page.open(term);
    isOpen = false;
    const more = await bringUp(page, results, options);
    isOpen = true;
    return more;
  };
  for (let more = true; more;) {
    more = await send(host, step, signal);
    await addCredits(page, site, results, asked, options);
    const others = results.dropAllBut(licences);
    more &&= others > 0 && results.seen < MAX_OTHERS * maxImages;
  }
  if (results.pictures.length > 0) return;
  const none = `no pictures for "${term}"`;
  if (results.seen > 0) throw new Error(`${none} under ${licences.join(", ")}`);
  if (await page.says(site.nothingFound)) throw new Error(none);
  const where = await saveNothing?.(page);
  throw new Error(
    "found nothing: the page may have changed" +
      (where ? `; see ${where}` : ""),
  );
}

/**
 * Reads what a search page shows, and brings up more until there is enough.
 *
 * @returns Whether the page may have more.
 */
async function bringUp(
  page: SearchPage,
  results: SearchResults,
  { host, signal }: TermOptions,
): Promise<boolean> {
  let last = await page.settle("");
  results.add(await page.read());
  for (let idleSteps = 0; !results.complete && idleSteps < MAX_IDLE_STEPS;) {
    await host.turn(signal);
    const pressed = await page.bringUpMore();
    const before = last;
    last = await page.settle(before);

    const count = results.pictures.length;
    results.add(await page.read());
    if (last === before && (pressed || !await page.hasMore())) break;
    idleSteps = results.pictures.length > count ? 0 : idleSteps + 1;
  }
  return results.complete;
}

/**
 * Asks the pictures' own pages who made them, and under which terms.
 *
 * @param asked Pages that were asked already; grows.
 */
async function addCredits(
  page: SearchPage,
  site: PageSite,
  results: SearchResults,
  asked: Set<string>,
  { host, isAllowed, signal }: TermOptions,
): Promise<void> {
  const { origin } = new URL(site.searchUrl(""));
  for (const picture of results.pictures) {
    const known = picture.author && picture.license || asked.has(picture.page);
    if (known || !picture.page) continue;
    // The tab cannot read another site's page.
    if (new URL(picture.page).origin !== origin) continue;
    if (!isAllowed(picture.page)) {
      results.forbidden.add(picture.page);
      continue;
    }
    asked.add(picture.page);
    const ask = () => page.readPhotoPage(picture.page);
    const { author, license, sizes } = await send(host, ask, signal);
    picture.author ||= tidy(author);
    picture.license ||= licenceName(tidy(license));
    Object.assign(picture, results.bestOf(picture.url, sizes));
  }
}
