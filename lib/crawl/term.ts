/**
 * Crawls one term: opens the site's search page in a browser tab, brings up
 * more pictures by scrolling and by the "load more" button, and asks each
 * picture's page for what the search page did not say.
 *
 * It waits for pictures to appear, not for a number of seconds. Only the least
 * time between two requests, which the site's definition sets, is fixed.
 *
 * Times are milliseconds.
 *
 * ```ts
 * import { launchBrowser } from "#lib/crawl/browser.ts";
 * import { crawlTerm } from "#lib/crawl/term.ts";
 * import { Host } from "#lib/http/hosts.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { equal } from "node:assert/strict";
 *
 * const photoSite = await startPhotoSite();
 * const browser = await launchBrowser();
 * const found = await crawlTerm(
 *   () => browser.newPage(),
 *   localSite(photoSite.origin),
 *   "planet",
 *   {
 *     maxImages: 5,
 *     timeoutMs: 30_000,
 *     backoffMs: 100,
 *     host: new Host("local", { intervalMs: 0, backoffMs: 100, patienceMs: 1000 }),
 *     isAllowed: () => true,
 *   },
 * );
 * equal(found.pictures.length, 5);
 * await browser.close();
 * await photoSite.close();
 * ```
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Page, TimeoutError } from "puppeteer-core";
import { Finds, type Repeat, type TermPicture, tidy } from "./finds.ts";
import { FinalError, type Host } from "../http/hosts.ts";
import { type Answer, SearchPage } from "./search_page.ts";
import type { Site } from "./sites/site.ts";

/** What a term's search led to. */
export interface TermFindings {
  /** In the site's order, each once. */
  pictures: TermPicture[];
  /** What the site showed again. */
  repeats: Repeat[];
  /** Why there is nothing, or may be more; absent if all went well. */
  failure?: string;
}

/** How to crawl a term. */
export interface TermOptions {
  /** Most pictures to find. */
  maxImages: number;
  /** Time for a page, or for more pictures, to arrive. */
  timeoutMs: number;
  /** Wait after a first failure that may pass; doubles with each further one. */
  backoffMs: number;
  /** Says when the next request may go out. */
  host: Host;
  /** Whether robots.txt allows an address. */
  isAllowed: (url: string) => boolean;
  /** Stops the crawl, once the tab is closed too. */
  signal?: AbortSignal;
}

/** Why a term is missing after a stop. */
export const STOPPED = "stopped: run again to continue";

/** Requests for one page while the site fails for a moment. */
const ATTEMPTS = 3;

/** Steps without a new picture before a search counts as exhausted. */
const MAX_IDLE_STEPS = 3;

/**
 * Crawls one term.
 *
 * Never throws over the site: what was found until then is returned with the
 * reason.
 *
 * @param openTab Opens the tab, which is closed at the end.
 */
export async function crawlTerm(
  openTab: () => Promise<Page>,
  site: Site,
  term: string,
  options: TermOptions,
): Promise<TermFindings> {
  const finds = new Finds(site, options.maxImages);
  let failure: string | undefined;
  try {
    options.signal?.throwIfAborted();
    const url = site.searchUrl(term);
    if (!options.isAllowed(url)) throw new Error(`robots.txt excludes ${url}`);
    const tab = await openTab();
    await crawlInTab(
      new SearchPage(tab, site, options.timeoutMs),
      term,
      finds,
      options,
    )
      .finally(() => tab.close());
    if (finds.pictures.length === 0) failure = `no pictures for "${term}"`;
  } catch (error) {
    failure = options.signal?.aborted
      ? STOPPED
      : describe(error as Error, options.timeoutMs);
  }
  const { pictures, repeats } = finds;
  return {
    pictures,
    repeats: [...repeats.values()],
    ...failure && { failure },
  };
}

async function crawlInTab(
  page: SearchPage,
  term: string,
  finds: Finds,
  options: TermOptions,
): Promise<void> {
  await request(options, () => search(page, term, finds, options));
  for (const picture of finds.pictures) {
    const known = picture.author && picture.license;
    if (known || !picture.page || !options.isAllowed(picture.page)) continue;
    const read = await request(
      options,
      () => page.readPhotoPage(picture.page),
    );
    picture.author ||= tidy(read.author);
    picture.license ||= tidy(read.license);
  }
}

/** Opens a search page and brings up pictures until there are enough, or no more. */
async function search(
  page: SearchPage,
  term: string,
  finds: Finds,
  { host, signal }: TermOptions,
): Promise<Answer> {
  const answer = await page.open(term);
  if (answer.status >= 400) return answer;

  let last = await page.settle("");
  finds.add(await page.read());
  for (let idleSteps = 0; !finds.complete && idleSteps < MAX_IDLE_STEPS;) {
    await host.turn(signal);
    const pressed = await page.pressMore();
    if (!pressed) await page.scrollDown();
    const before = last;
    last = await page.settle(before);
    if (page.refusal) return page.refusal;

    const count = finds.pictures.length;
    finds.add(await page.read());
    if (last === before && (pressed || !await page.hasMore())) break;
    idleSteps = finds.pictures.length > count ? 0 : idleSteps + 1;
  }
  return answer;
}

/**
 * Sends a request when its turn comes, again after a refusal or a failure that
 * may pass.
 */
async function request<Result extends Answer>(
  { host, backoffMs, signal }: TermOptions,
  send: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1;;) {
    await host.turn(signal);
    const sentAt = Date.now();
    try {
      const answer = await send();
      const { status, statusText, retryAfter } = answer;
      if (status === 429 || (status === 503 && retryAfter)) {
        host.refused(sentAt, retryAfter ?? null);
        continue;
      }
      host.answered(sentAt);
      if (status < 400) return answer;
      const reason = `${status} ${statusText}`.trim();
      throw status >= 500 ? new Error(reason) : new FinalError(reason);
    } catch (error) {
      // A site that is slow would only get slower.
      const final = error instanceof FinalError ||
        error instanceof TimeoutError ||
        /ERR_TOO_MANY_REDIRECTS/.test((error as Error).message);
      if (final || signal?.aborted || attempt === ATTEMPTS) throw error;
      await sleep(backoffMs * 2 ** (attempt - 1), undefined, { signal });
      attempt++;
    }
  }
}

/** Why a search came to nothing, on one line. */
function describe(error: Error, timeoutMs: number): string {
  if (error instanceof TimeoutError) {
    return `no answer in ${timeoutMs / 1000} s`;
  }
  const [line] = error.message.split("\n");
  const [, code] = /^net::ERR_(\w+)/.exec(line) ?? [];
  return code ? code.toLowerCase().replaceAll("_", " ") : line.slice(0, 300);
}
