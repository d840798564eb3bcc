/**
 * Crawls a photo site for a plan of search terms, a few tabs at once.
 *
 * ```text
 * 1_crawl/
 *   image_urls.json   {category: {term: [url, …]}}
 *   images.jsonl      one record a picture: page, caption, author, licence, …
 *   terms.jsonl       one record a crawled term: what a later run need not do
 *   closed.json       until when sites may not be asked, where a quota is used up
 *   nothing/          pages on which nothing was found, drawn and as HTML
 * ```
 *
 * The first three are written after each term, so a killed crawl loses no more than
 * the terms under way, and a run continues where the last one stopped. The
 * results come in the plan's order, whichever tab was faster.
 *
 * Times are milliseconds. Beside this: plan.ts says what to look for; sites/ what
 * differs from one site to the next; api_term.ts crawls a term by a site's
 * interface, and closed.ts says from when on; term.ts crawls one through the
 * search_page.ts in one of the tabs.ts of a browser.ts, which public_proxy.ts
 * keeps from addresses that are not public and guard.ts says so; both gather what
 * comes up in search_results.ts; robots.ts reads what a site allows; licences.ts
 * gives each licence one name; records.ts keeps the results, and nothing.ts the
 * pages that showed none.
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
import { STOPPED, userAgent } from "../http/http.ts";
import { paths } from "../paths.ts";
import { apiAsk, crawlApiTerm } from "./api_term.ts";
import { launchBrowser } from "./browser.ts";
import { keepOpenAt, readOpenAt } from "./closed.ts";
import { guardTab } from "./guard.ts";
import { saveNothing } from "./nothing.ts";
import { checkPlan, type SearchPlan } from "./plan.ts";
import { startPublicProxy } from "./public_proxy.ts";
import {
  type CrawlResult,
  keyOf,
  type PlanTerm,
  readRecords,
  type RobotsDecision,
  searchedSite,
  type TermRecord,
  toResult,
  writeRecords,
} from "./records.ts";
import { decisionOf, readRobots } from "./robots.ts";
import type { TermFindings } from "./search_results.ts";
import type { PageSite, Site, SitePicture } from "./sites/site.ts";
import { Tabs } from "./tabs.ts";
import { crawlTerm } from "./term.ts";

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
  /**
   * Whether to ask for what robots.txt forbids all the same; its pace is kept to.
   * The result says so. @default {false}
   */
  ignoreRobots?: boolean;
  /** A browser that is running; it stays open. @default {one of its own} */
  browser?: Browser;
  /** Called with the result's `robots` as soon as that is known. */
  onRobots?: (robots: RobotsDecision) => void;
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
  /** That term's pictures; none where an earlier run has found them. */
  finds: readonly SitePicture[];
}

/**
 * Crawls a site.
 *
 * Never throws over the site: a term that fails is in `failures`, one that a
 * stop left open in `notReached`, the others arrive. A picture that comes up
 * under several terms counts for the plan's first. What was crawled with another
 * `maxImages`, or from another site, is crawled again.
 *
 * @throws {TypeError} If the plan is none: quotes what is wrong with it.
 * @throws {RangeError} If `maxImages` or `tabs` is no whole number from 1.
 * @throws {Error} If no browser starts, the folder cannot be written, or the
 *   environment's CONTACT_SHEET_CONTACT is no contact.
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
  userAgent(); // Throws before anything is asked.
  const terms = Object.entries(checkPlan(plan)).flatMap(([category, terms]) =>
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
  const report = ({ term }: PlanTerm, finds: readonly SitePicture[] = []) => {
    const pictures = result().pictures.length;
    onProgress?.({ done: ++done, total: terms.length, term, pictures, finds });
  };
  const isCrawled = (term: PlanTerm) => {
    const record = records.get(keyOf(term));
    return record !== undefined && !record.failure;
  };
  const open = terms.filter((term) => !isCrawled(term));
  for (const term of terms.filter(isCrawled)) report(term);
  const finish = async (term: PlanTerm, findings: TermFindings) => {
    const { failure, pictures: finds } = findings;
    // The small ones are for this run to show.
    const pictures = finds.map(({ thumbnail: _, ...picture }) => picture);
    // A try that failed takes nothing away from an earlier one.
    const earlier = records.get(keyOf(term));
    const best = failure && earlier &&
        earlier.pictures.length > pictures.length
      ? earlier
      : { ...findings, pictures };
    const about = { ...term, site: searchedSite(site), maxImages };
    records.set(keyOf(term), { ...about, ...best, ...failure && { failure } });
    await write();
    if (failure !== STOPPED) report(term, finds);
  };
  let robots = { url: robotsOf(site), decision: "nothing is left to ask for" };
  const decide = (decision: string) => {
    robots = { ...robots, decision };
    options.onRobots?.(robots);
  };
  if (open.length === 0) decide(robots.decision);
  else {
    const all = { ...options, maxImages, tabs, folder };
    await crawlTerms(site, open, finish, decide, all);
  }
  // The plan may have changed, even where there was nothing to crawl.
  await write();
  return { ...result(), robots };
}

/** Where a site says whether it may be asked; an interface is for being asked. */
function robotsOf(site: Site): string {
  return "search" in site
    ? site.origin
    : `${new URL(site.searchUrl("")).origin}/robots.txt`;
}

/** How the terms that are open are crawled. */
type TermsOptions = CrawlOptions & {
  maxImages: number;
  tabs: number;
  folder: string;
};

/** Whoever is told of a term's end. */
type Finish = (term: PlanTerm, findings: TermFindings) => Promise<void>;

/** Crawls terms; `decide` hears whether the site may be asked. */
async function crawlTerms(
  site: Site,
  terms: readonly PlanTerm[],
  finish: Finish,
  decide: (decision: string) => void,
  options: TermsOptions,
): Promise<void> {
  if ("search" in site) {
    decide(
      `${site.name} is asked by its programming interface, whose terms hold ` +
        "in place of robots.txt",
    );
    const { folder } = options;
    const ask = apiAsk(site, {
      ...options,
      openAt: await readOpenAt(folder, site.origin),
      keepOpenAt: (openAt) => keepOpenAt(folder, site.origin, openAt),
    });
    for (const term of terms) {
      await finish(term, await crawlApiTerm(ask, site, term.term, options));
    }
    return;
  }
  const { backoffMs = 1000, ignoreRobots = false, signal } = options;
  const { origin, host: name } = new URL(site.searchUrl(""));
  const asked = { allowedHosts: allowedHostsOf(site), signal };
  const robots = await readRobots(origin, { backoffMs }, asked)
    .catch((error: Error) => error);
  const isSilent = robots instanceof Error;
  if (isSilent && (signal?.aborted || !ignoreRobots)) {
    const failure = signal?.aborted ? STOPPED : robots.message;
    decide(`${failure}; the site is left alone`);
    for (const term of terms) {
      await finish(term, { pictures: [], repeats: [], failure });
    }
    return;
  }
  const addresses = terms.map(({ term }) => site.searchUrl(term));
  const said = isSilent ? robots.message : decisionOf(robots, addresses);
  const override = "; asked all the same, as ignoreRobots says";
  decide(ignoreRobots ? said + override : said);
  const wished = options.intervalMs ?? site.intervalMs;
  const intervalMs = Math.max(wished, isSilent ? 0 : robots.intervalMs);
  await crawlInTabs(site, terms, finish, {
    ...options,
    host: new Host(name, { intervalMs, backoffMs }),
    isAllowed: isSilent || ignoreRobots ? () => true : robots.isAllowed,
  });
}

/** Crawls terms in a browser, a few at once. */
async function crawlInTabs(
  site: PageSite,
  terms: readonly PlanTerm[],
  finish: Finish,
  { timeoutMs = 30_000, folder, signal, ...options }: TermsOptions & {
    host: Host;
    isAllowed: (url: string) => boolean;
  },
): Promise<void> {
  const browser = options.browser ?? await launchBrowser();
  const allowedHosts = allowedHostsOf(site);
  const proxy = await startPublicProxy(allowedHosts);
  const context = await browser.createBrowserContext(proxy.contextOptions);
  const ownName = `${await browser.userAgent()} ${userAgent()}`;
  const openTab = async () => {
    const tab = await context.newPage();
    await tab.setUserAgent({ userAgent: ownName });
    await guardTab(tab, allowedHosts);
    return tab;
  };
  const tabs = new Tabs(openTab, site, timeoutMs);
  // With its tab closed, whatever a term waits for ends at once.
  const stop = () => context.close();
  try {
    signal?.addEventListener("abort", stop);
    await pLimit(options.tabs).map(terms, async (term) => {
      const { maxImages, host, isAllowed } = options;
      const findings = await crawlTerm(tabs, site, term.term, {
        ...{ maxImages, host, isAllowed, signal },
        saveNothing: (page) => saveNothing(page, folder, site.name, term),
      });
      await finish(term, findings);
    });
  } finally {
    signal?.removeEventListener("abort", stop);
    if (!options.browser) await browser.close();
    else if (!signal?.aborted) await context.close();
    proxy.close();
  }
}

function allowedHostsOf({ allowedHost }: Site): string[] {
  return allowedHost ? [allowedHost] : [];
}
