/**
 * Crawls one term by a site's documented interface, without a browser: asks for
 * pages of results until there are enough pictures, or no more pages.
 *
 * Requests leave one after the other, at the site's pace. Where a site tells how
 * much of a quota is left, we stop before it is exceeded: a short wait is waited
 * for, and for a long one the terms stay open, with the time to come again.
 *
 * ```ts
 * import { apiAsk, crawlApiTerm } from "#lib/crawl/api_term.ts";
 * import type { ApiSite } from "#lib/crawl/sites/site.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const owl = { url: "https://example.org/owl.jpg", page: "", caption: "An owl",
 *   author: "Ada", license: "CC BY 4.0" };
 * const site: ApiSite = {
 *   name: "Example",
 *   intervalMs: 0,
 *   origin: "https://example.org",
 *   pictureId: (url) => url,
 *   async *search() {
 *     yield [owl];
 *   },
 * };
 * const { pictures } = await crawlApiTerm(apiAsk(site), site, "owl", { maxImages: 9 });
 * strictEqual(pictures[0].author, "Ada");
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { FinalError } from "../http/final_error.ts";
import { Host } from "../http/hosts.ts";
import {
  checkStatus,
  readStart,
  send,
  STOPPED,
  USER_AGENT,
} from "../http/http.ts";
import { request } from "../http/request.ts";
import { isOneOf } from "./licences.ts";
import type { ApiSite, Ask } from "./sites/site.ts";
import { SearchResults, type TermFindings } from "./term.ts";

/** Largest answer that is read: a page of 500 results has a tenth of that. */
const MAX_BYTES = 5 * 2 ** 20;

/** Longest wait for a quota; after that, another run goes on. */
const PATIENCE_MS = 120_000;

/** How to ask. */
export interface AskOptions {
  /** Least time between two requests. @default {the site's} */
  intervalMs?: number;
  /** Wait after a failure that may pass; doubles with the next. @default {1000} */
  backoffMs?: number;
  /** Time for an answer to arrive. @default {30_000} */
  timeoutMs?: number;
  /** Ends the waiting and the request under way. */
  signal?: AbortSignal;
}

/** What asks a site for all terms of a crawl, so that they share its pace. */
export function apiAsk(site: ApiSite, options: AskOptions = {}): Ask {
  const { intervalMs = site.intervalMs, backoffMs, signal } = options;
  const { host: name } = new URL(site.origin);
  const limits = { intervalMs, concurrency: 1, ...backoffMs && { backoffMs } };
  const host = new Host(name, limits);
  let openAt = 0;
  return (url, headers) =>
    send(host, async () => {
      const pause = openAt - Date.now();
      if (pause > PATIENCE_MS) throw new FinalError(comeAgain(site, openAt));
      await sleep(Math.max(0, pause), undefined, { signal });
      const answer = await askOnce(site, url, headers, options);
      openAt = Date.now() + (site.pauseAfter?.(answer.headers) ?? 0);
      return answer.content;
    }, signal);
}

/** When the quota is there again, in words. */
function comeAgain({ name }: ApiSite, openAt: number): string {
  const time = new Date(openAt).toISOString().slice(0, 16).replace("T", " ");
  return `${name}'s quota is used up: run again after ${time} UTC`;
}

async function askOnce(
  site: ApiSite,
  url: URL,
  headers: Record<string, string> | undefined,
  { timeoutMs = 30_000, signal }: AskOptions,
): Promise<{ content: unknown; headers: Headers }> {
  const late = AbortSignal.timeout(timeoutMs);
  const response = await request(url, {
    headers: {
      "accept": "application/json",
      "user-agent": USER_AGENT,
      ...headers,
    },
    allowedHosts: site.allowedHost ? [site.allowedHost] : [],
    signal: AbortSignal.any([late, ...signal ? [signal] : []]),
  });
  const bytes = await readStart(response, MAX_BYTES);
  checkStatus(
    response.status,
    response.statusText,
    response.headers.get("retry-after"),
  );
  return {
    content: JSON.parse(Buffer.from(bytes).toString()),
    headers: response.headers,
  };
}

/**
 * Crawls one term.
 *
 * Never throws over the site: what was found until then is returned with the
 * reason.
 *
 * @param ask As `apiAsk` makes it.
 */
export async function crawlApiTerm(
  ask: Ask,
  site: ApiSite,
  term: string,
  { maxImages, signal }: { maxImages: number; signal?: AbortSignal },
): Promise<TermFindings> {
  const results = new SearchResults(site, maxImages);
  const { licences = [] } = site;
  let failure: string | undefined;
  try {
    signal?.throwIfAborted();
    for await (const page of site.search(term, ask)) {
      results.add(
        page.filter(({ license }) =>
          licences.length === 0 || isOneOf(license, licences)
        ),
      );
      if (results.complete) break;
    }
    if (results.pictures.length === 0) failure = `no pictures for "${term}"`;
  } catch (error) {
    failure = signal?.aborted
      ? STOPPED
      : (error as Error).message.split("\n")[0];
  }
  return results.findings(failure);
}
