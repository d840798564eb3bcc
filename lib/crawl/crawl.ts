/**
 * Crawls a photo site for a plan of search terms, a few tabs at once.
 *
 * ```text
 * 1_crawl/
 *   image_urls.json   {category: {term: [url, …]}}
 *   images.jsonl      one record a picture: page, caption, author, licence, …
 *   terms.jsonl       one record a crawled term: what a later run need not do
 * ```
 *
 * All three are written after each term, so a killed crawl loses no more than
 * the terms under way, and a run continues where the last one stopped. The
 * results come in the plan's order, whichever tab was faster.
 *
 * Times are milliseconds. Beside this: sites/ says what differs from one site to
 * the next; api_term.ts crawls a term by a site's interface; term.ts crawls one
 * through the search_page.ts in a tab of a browser.ts, which public_proxy.ts keeps
 * from addresses that are not public and guard.ts says so; robots.ts reads what a
 * site allows; records.ts keeps the results.
 *
 * ```ts
 * import { crawl } from "#lib/crawl/crawl.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { equal } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const photoSite = await startPhotoSite();
 * const plan = { food: ["fruit"], space: ["planet"] };
 * const { pictures, failures } = await crawl(localSite(photoSite.origin), plan, {
 *   maxImages: 3,
 *   folder: await mkdtemp("/tmp/crawl-"),
 * });
 * equal(pictures.length, 6);
 * equal(failures.length, 0);
 * await photoSite.close();
 * ```
 *
 * @module
 */
import { dirname } from "node:path";
import pLimit from "p-limit";
import type { Browser } from "puppeteer-core";
import { removeUnfinished } from "../files.ts";
import { Host } from "../http/hosts.ts";
import { STOPPED, USER_AGENT } from "../http/http.ts";
import { paths } from "../paths.ts";
import { apiAsk, crawlApiTerm } from "./api_term.ts";
import { launchBrowser } from "./browser.ts";
import { guardTab } from "./guard.ts";
import { startPublicProxy } from "./public_proxy.ts";
import {
  type CrawlResult,
  keyOf,
  type PlanTerm,
  readRecords,
  type TermRecord,
  toResult,
  writeRecords,
} from "./records.ts";
import { readRobots } from "./robots.ts";
import type { Site } from "./sites/site.ts";
import { crawlTerm, type TermFindings } from "./term.ts";

/** What to search for: terms by category. */
export type SearchPlan = Record<string, readonly string[]>;

/** How to crawl. */
export interface CrawlOptions {
  /** Most pictures a term. @default {20} */
  maxImages?: number;
  /** Terms under way at once. @default {3} */
  tabs?: number;
  /** Least time between two requests. @default {the site's} */
  intervalMs?: number;
  /** Time for a page, or for more pictures, to arrive. @default {30_000} */
  timeoutMs?: number;
  /** Wait after a failure that may pass; doubles with the next. @default {1000} */
  backoffMs?: number;
  /** Where the results go. @default {1_crawl in the data folder} */
  folder?: string;
  /** Whether to keep what earlier runs have found. @default {true} */
  resume?: boolean;
  /** A browser that is running; it stays open. @default {one of its own} */
  browser?: Browser;
  /** Called after each term. */
  onProgress?: (progress: CrawlProgress) => void;
  /** Stops the crawl; the terms done until then are kept. */
  signal?: AbortSignal;
}

/** How far a crawl is. */
export interface CrawlProgress {
  /** Terms done or given up, of `total`; a stop leaves the others open. */
  done: number;
  /** Terms of the plan. */
  total: number;
  /** The term that was last. */
  term: string;
  /** Pictures found so far, in all terms. */
  pictures: number;
}

/**
 * Crawls a site.
 *
 * Never throws over the site: a term that fails is in `failures`, one that a
 * stop left open in `notReached`, the others arrive. A picture that comes up
 * under several terms counts for the plan's first. What was crawled with another
 * `maxImages`, or from another site, is crawled again.
 *
 * @throws {RangeError} If `maxImages` or `tabs` is no whole number from 1.
 * @throws {Error} If no browser starts, or the folder cannot be written.
 */
export async function crawl(
  site: Site,
  plan: SearchPlan,
  options: CrawlOptions = {},
): Promise<CrawlResult> {
  const { maxImages = 20, tabs = 3, resume = true, onProgress } = options;
  for (const [name, count] of Object.entries({ maxImages, tabs })) {
    if (Number.isInteger(count) && count >= 1) continue;
    throw new RangeError(
      `crawl: expected ${name} to be a whole number from 1, got ${count}`,
    );
  }
  const terms = Object.entries(plan).flatMap(([category, terms]) =>
    terms.map((term) => ({ category, term }))
  );
  const folder = options.folder ?? dirname(paths.imageUrls);
  await removeUnfinished(folder);
  const records = resume
    ? await readRecords(folder, site, maxImages)
    : new Map<string, TermRecord>();
  const result = () => toResult(terms, records, site);
  const writing = pLimit(1);
  const write = () =>
    writing(() => writeRecords(folder, terms, records, result()));

  let done = 0;
  const report = ({ term }: PlanTerm) => {
    const pictures = result().pictures.length;
    onProgress?.({ done: ++done, total: terms.length, term, pictures });
  };
  const isCrawled = (term: PlanTerm) => {
    const record = records.get(keyOf(term));
    return record !== undefined && !record.failure;
  };
  const open = terms.filter((term) => !isCrawled(term));
  terms.filter(isCrawled).forEach(report);
  const finish = async (term: PlanTerm, findings: TermFindings) => {
    const { failure } = findings;
    // A try that failed takes nothing away from an earlier one.
    const earlier = records.get(keyOf(term));
    const best = failure && earlier &&
        earlier.pictures.length > findings.pictures.length
      ? earlier
      : findings;
    const about = { ...term, site: site.name, maxImages };
    records.set(keyOf(term), { ...about, ...best, ...failure && { failure } });
    await write();
    if (failure !== STOPPED) report(term);
  };
  if (open.length > 0) {
    await crawlTerms(site, open, finish, { ...options, maxImages, tabs });
  }
  // The plan may have changed, even where there was nothing to crawl.
  await write();
  return result();
}

/** Crawls terms, a few at once; `finish` hears of each. */
async function crawlTerms(
  site: Site,
  terms: readonly PlanTerm[],
  finish: (term: PlanTerm, findings: TermFindings) => Promise<void>,
  options: CrawlOptions & { maxImages: number; tabs: number },
): Promise<void> {
  const { maxImages, backoffMs = 1000, timeoutMs = 30_000, signal } = options;
  if ("search" in site) {
    const ask = apiAsk(site, options);
    for (const term of terms) {
      await finish(term, await crawlApiTerm(ask, site, term.term, options));
    }
    return;
  }
  const { origin, host: hostName } = new URL(site.searchUrl(""));
  const allowedHosts = site.allowedHost ? [site.allowedHost] : [];
  const asked = { allowedHosts, signal };
  const robots = await readRobots(origin, { backoffMs }, asked)
    .catch((error: Error) => error);
  if (robots instanceof Error) {
    const failure = signal?.aborted ? STOPPED : robots.message;
    for (const term of terms) {
      await finish(term, { pictures: [], repeats: [], failure });
    }
    return;
  }
  const { isAllowed } = robots;
  const wished = options.intervalMs ?? site.intervalMs;
  const intervalMs = Math.max(wished, robots.intervalMs);
  const host = new Host(hostName, { intervalMs, backoffMs });
  const termOptions = { maxImages, timeoutMs, host, isAllowed, signal };

  const browser = options.browser ?? await launchBrowser();
  const proxy = await startPublicProxy(allowedHosts);
  const context = await browser.createBrowserContext(proxy.contextOptions);
  const userAgent = `${await browser.userAgent()} ${USER_AGENT}`;
  const openTab = async () => {
    const tab = await context.newPage();
    await tab.setUserAgent({ userAgent });
    await guardTab(tab, allowedHosts);
    return tab;
  };
  // With its tab closed, whatever a term waits for ends at once.
  const stop = () => context.close();
  try {
    signal?.addEventListener("abort", stop);
    await pLimit(options.tabs).map(terms, async (term) => {
      await finish(
        term,
        await crawlTerm(openTab, site, term.term, termOptions),
      );
    });
  } finally {
    signal?.removeEventListener("abort", stop);
    if (!options.browser) await browser.close();
    else if (!signal?.aborted) await context.close();
    proxy.close();
  }
}
