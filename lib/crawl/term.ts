/**
 * Crawls one term: opens the site's search page in a browser tab, brings up
 * more pictures by scrolling and by the "load more" button, and asks each
 * picture's page for what the search page did not say.
 *
 * It waits for pictures to appear, not for a number of seconds. Only the least
 * time between two requests, which the site's definition sets, is fixed.
 *
 * A site shows one picture under many addresses: in several sizes, with a note
 * of where it was clicked, on a second page of results because new uploads
 * pushed it there. The site's own id for the picture tells them together. A
 * picture that was uploaded twice has two ids; only its bytes give it away,
 * which is for the stage that downloads them.
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
import { send, STOPPED, webAddress } from "../http/http.ts";
import { isOneOf, licenceName } from "./licences.ts";
import type { SearchPage } from "./search_page.ts";
import { cut, Skipped } from "./sites/fields.ts";
import type { PageSite, ShownSize, Site, SitePicture } from "./sites/site.ts";
import type { Tabs } from "./tabs.ts";

/** What a term's search led to. */
export interface TermFindings {
  /** In the site's order, each once. */
  pictures: SitePicture[];
  /** Addresses at which the site showed one again, and the picture's own. */
  repeats: { url: string; of: string }[];
  /**
   * What is left out, and why: addresses that are none of the web, cut short, and
   * what the site itself cannot give; absent if nothing.
   */
  skipped?: { url: string; reason: string }[];
  /** What else is to be known of the pictures; absent if nothing. */
  remark?: string;
  /** Why there is nothing, or may be more; absent if all went well. */
  failure?: string;
}

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

/** Longest text that is kept of a caption, an author or a licence. */
const MAX_TEXT = 500;

/** Longest part that is kept of an address that is skipped: `data:` has no end. */
const MAX_ADDRESS = 100;

/** The pictures of one search, each under its first address. */
export class SearchResults {
  /** In the site's order, with the address of the wished size. */
  readonly pictures: SitePicture[] = [];
  /** Addresses that the site showed later, and that of the picture. */
  readonly repeats = new Map<string, string>();
  /** What is left out, each once: addresses that are none of the web (`data:`). */
  readonly skipped = new Map<string, Skipped>();
  /** Pages that robots.txt forbids, of pictures whose credits are not known. */
  readonly forbidden = new Set<string>();
  /** By the site's id: at which address it was shown first, and its own. */
  #known = new Map<string, { shown: string; url: string }>();
  #site: Site;
  #maxImages: number;

  /**
   * Starts with no results.
   *
   * @param site Tells the site's pictures from others, and from each other.
   * @param maxImages Most pictures to take.
   */
  constructor(site: Site, maxImages: number) {
    this.#site = site;
    this.#maxImages = maxImages;
  }

  /** How many pictures were looked at, those that were dropped among them. */
  get seen(): number {
    return this.#known.size;
  }

  /** Whether there are enough. */
  get complete(): boolean {
    return this.pictures.length >= this.#maxImages;
  }

  /** Takes all that a page shows, most of which was there a step ago. */
  add(shown: readonly (SitePicture | Skipped)[]): void {
    for (const picture of shown) {
      if (picture instanceof Skipped) {
        this.#skip(picture.url, picture.reason);
        continue;
      }
      if (picture.url === "" && "search" in this.#site) {
        this.#skip(picture.page, "no address of a picture");
      }
      if (!this.#isOfWeb(picture.url)) continue;
      const url = "pictureUrl" in this.#site
        ? this.#site.pictureUrl(picture.url)
        : picture.url;
      if (!url || !this.#isOfWeb(url)) continue;
      const id = this.#site.pictureId(url);
      const known = this.#known.get(id);
      if (known) {
        if (known.shown !== picture.url) {
          this.repeats.set(picture.url, known.url);
        }
        continue;
      }
      if (this.complete) return;
      this.#known.set(id, { shown: picture.url, url });
      const { width, height } = picture;
      const isSmall = "pictureUrl" in this.#site;
      const thumbnail = picture.thumbnail ?? (isSmall ? picture.url : "");
      this.pictures.push({
        url,
        page: this.#isOfWeb(picture.page) ? picture.page : "",
        caption: tidy(picture.caption),
        author: tidy(picture.author),
        license: licenceName(tidy(picture.license)),
        ...isLength(width) && isLength(height) && { width, height },
        ...this.#isOfWeb(thumbnail) && { thumbnail },
        ...picture.sizes && this.bestOf(url, [...picture.sizes, { url }]),
      });
    }
  }

  /**
   * The wished one of the sizes in which a page shows a picture.
   *
   * @param url The picture's address until now.
   * @returns Undefined if there is none, or it is of another picture.
   */
  bestOf(
    url: string,
    sizes: readonly ShownSize[] = [],
  ): ShownSize | undefined {
    const site = this.#site as PageSite;
    const own = sizes.filter((size) =>
      this.#isOfWeb(size.url) &&
      site.pictureId(size.url) === site.pictureId(url)
    );
    const best = site.bestSize?.(own);
    if (!best) return;
    const { width, height } = best;
    const isTold = isLength(width) && isLength(height);
    return { url: best.url, ...isTold && { width, height } };
  }

  /**
   * Drops the pictures under other licences; they stay known.
   *
   * @param licences As isOneOf() takes them; none drops nothing.
   * @returns How many were dropped.
   */
  dropAllBut(licences: readonly string[]): number {
    if (licences.length === 0) return 0;
    const others = this.pictures.filter(({ license }) =>
      !isOneOf(license, licences)
    );
    const ids = new Set(others.map(({ url }) => this.#site.pictureId(url)));
    for (const [url, of] of this.repeats) {
      if (ids.has(this.#site.pictureId(of))) this.repeats.delete(url);
    }
    for (const other of others) {
      this.pictures.splice(this.pictures.indexOf(other), 1);
    }
    return others.length;
  }

  /**
   * What the search led to.
   *
   * @param failure Why there is nothing, or may be more.
   */
  findings(failure?: string): TermFindings {
    const repeats = [...this.repeats].map(([url, of]) => ({ url, of }));
    const skipped = [...this.skipped.values()].map((one) => ({ ...one }));
    const { size: forbidden } = this.forbidden;
    return {
      pictures: this.pictures,
      repeats,
      ...skipped.length > 0 && { skipped },
      ...forbidden > 0 && {
        remark: `robots.txt forbids ${forbidden} of the pictures' pages: ` +
          "their authors or licences may be missing",
      },
      ...failure && { failure },
    };
  }

  /** Whether there is an http or https address; another one is noted. */
  #isOfWeb(address: string): boolean {
    if (address === "") return false;
    try {
      webAddress(address);
      return true;
    } catch (error) {
      this.#skip(address, (error as Error).message);
      return false;
    }
  }

  #skip(address: string, why: string): void {
    const url = cut(address, MAX_ADDRESS);
    const reason = tidy(why);
    this.skipped.set(`${url}\n${reason}`, new Skipped(url, reason));
  }
}

/** Whether a site's number can be one of pixels. */
function isLength(pixels: number | undefined): boolean {
  return Number.isInteger(pixels) && pixels! > 0;
}

/** Text from outside: on one line, of whole characters, and not endless. */
export function tidy(text: string): string {
  return cut(text.replace(/\s+/g, " ").trim(), MAX_TEXT);
}
