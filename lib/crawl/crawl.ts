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
 * Times are milliseconds.
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
import { launchBrowser } from "./browser.ts";
import { CrawlRecords, type CrawlResult, type PlanTerm } from "./records.ts";
import { crawlTerm, type TermFindings, type TermOptions } from "./term.ts";
import { Host } from "../http/hosts.ts";
import { STOPPED, USER_AGENT } from "../http/http.ts";
import { paths } from "../paths.ts";
import { readRobots, type Robots } from "./robots.ts";
import type { Site } from "./sites/site.ts";

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
  /** Terms done or given up, of `total`. */
  done: number;
  /** Terms of the plan. */
  total: number;
  /** The term that was last. */
  term: string;
  /** Pictures found so far, in all terms. */
  pictures: number;
}

/** How long a site may go on refusing before its terms are given up. */
const PATIENCE_MS = 120_000;

/**
 * Crawls a site.
 *
 * Never throws over the site: a term that fails is in `failures`, the others
 * arrive. A picture that comes up under several terms counts for the plan's
 * first. What was crawled with another `maxImages`, or from another site, is
 * crawled again.
 *
 * @throws {RangeError} If `maxImages` or `tabs` is no whole number from 1.
 * @throws {Error} If no browser starts, or the folder cannot be written.
 */
export async function crawl(
  site: Site,
  plan: SearchPlan,
  options: CrawlOptions = {},
): Promise<CrawlResult> {
  const { maxImages = 20, resume = true, onProgress } = options;
  for (
    const [name, count] of Object.entries({
      maxImages,
      tabs: options.tabs ?? 3,
    })
  ) {
    if (Number.isInteger(count) && count >= 1) continue;
    throw new RangeError(
      `crawl: expected ${name} to be a whole number from 1, got ${count}`,
    );
  }
  const terms = Object.entries(plan).flatMap(([category, terms]) =>
    terms.map((term) => ({ category, term }))
  );
  const records = new CrawlRecords(
    options.folder ?? dirname(paths.imageUrls),
    site,
    maxImages,
    terms,
  );
  if (resume) await records.read();

  let done = 0;
  const report = ({ term }: PlanTerm) =>
    onProgress?.({
      done: ++done,
      total: terms.length,
      term,
      pictures: records.result().pictures.length,
    });
  terms.filter((term) => records.has(term)).forEach(report);
  const open = terms.filter((term) => !records.has(term));
  const finish = async (term: PlanTerm, findings: TermFindings) => {
    records.add(term, findings);
    await records.write();
    report(term);
  };
  if (open.length > 0) {
    await crawlTerms(site, open, finish, { ...options, maxImages });
  }
  // The plan may have changed, even where there was nothing to crawl.
  await records.write();
  return records.result();
}

/** Crawls terms, a few at once; `finish` hears of each. */
async function crawlTerms(
  site: Site,
  terms: readonly PlanTerm[],
  finish: (term: PlanTerm, findings: TermFindings) => Promise<void>,
  options: CrawlOptions & { maxImages: number },
): Promise<void> {
  const { signal, tabs = 3 } = options;
  const fail = async (failure: string) => {
    for (const term of terms) {
      await finish(term, { pictures: [], repeats: [], failure });
    }
  };
  const { origin } = new URL(site.searchUrl(""));
  const { backoffMs } = options;
  const robots = await readRobots(
    origin,
    backoffMs ? { backoffMs } : {},
    signal,
  )
    .catch((error) => error);
  if (signal?.aborted) return await fail(STOPPED);
  if (robots instanceof Error) return await fail(robots.message);

  const termOptions = termOptionsOf(site, robots, options);
  const browser = options.browser ?? await launchBrowser();
  const context = await browser.createBrowserContext();
  // With its tab closed, whatever a term waits for ends at once.
  const stop = () => context.close();
  try {
    signal?.addEventListener("abort", stop);
    const userAgent = `${await browser.userAgent()} ${USER_AGENT}`;
    const slots = pLimit(tabs);
    await Promise.all(terms.map((term) =>
      slots(async () => {
        const findings = await crawlTerm(
          async () => {
            const tab = await context.newPage();
            await tab.setUserAgent({ userAgent });
            return tab;
          },
          site,
          term.term,
          termOptions,
        );
        await finish(term, findings);
      })
    ));
  } finally {
    signal?.removeEventListener("abort", stop);
    if (!options.browser) await browser.close();
    else if (!signal?.aborted) await context.close();
  }
}

function termOptionsOf(
  site: Site,
  robots: Robots,
  options: CrawlOptions & { maxImages: number },
): TermOptions {
  const { timeoutMs = 30_000, backoffMs = 1000, maxImages, signal } = options;
  const wished = options.intervalMs ?? site.intervalMs;
  const host = new Host(new URL(site.searchUrl("")).host, {
    intervalMs: Math.max(wished, robots.intervalMs),
    backoffMs,
    patienceMs: PATIENCE_MS,
  });
  const { isAllowed } = robots;
  return { maxImages, timeoutMs, host, isAllowed, signal };
}
