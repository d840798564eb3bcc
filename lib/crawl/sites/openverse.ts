/**
 * Openverse, which searches 800 million openly licensed pictures of Flickr,
 * Wikimedia Commons, museums and others, by its API.
 *
 * ```text
 * GET /v1/images/?q=owl&license=by,cc0&page=2&page_size=20
 * { "result_count": 240, "page_count": 12, "results": [{ "url": …, … }] }
 * X-RateLimit-Limit-anon_burst: 20/min        X-RateLimit-Available-anon_burst: 18
 * X-RateLimit-Limit-anon_sustained: 200/day   X-RateLimit-Available-anon_sustained: 198
 * ```
 *
 * Without an account, which we have none of, a term leads to 12 pages of 20
 * pictures at most: the terms of use allow searches, and no copy of the whole.
 * Each answer says how much of the quotas is left; we ask for nothing while one
 * of them has nothing left.
 *
 * Follows version 1 of the API, as its source has it (WordPress/openverse,
 * api/: serializers, throttles and restricted features of 2024 and 2025). Tried
 * only against a stand-in (tests/support/stand_in_openverse.ts): we have never
 * met the live API, nor the proxy in front of it.
 *
 * ```ts
 * import { openverse } from "#lib/crawl/sites/openverse.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const site = openverse({ licences: ["CC0", "CC BY"] });
 * const headers = new Headers({
 *   "X-RateLimit-Limit-anon_burst": "20/min",
 *   "X-RateLimit-Available-anon_burst": "0",
 * });
 * strictEqual(site.pauseAfter?.(headers), 60_000);
 * ```
 *
 * @module
 */
import * as v from "valibot";
import { licenceFamily, licenceName } from "../licences.ts";
import { licenceCodes, listOf, pixels, Skipped, text } from "./fields.ts";
import type { ApiError, ApiSite, SiteOptions, SitePicture } from "./site.ts";

/** What an anonymous caller may see of a search. */
const PAGE_SIZE = 20;
const MAX_PAGES = 12;

/** Longest query that is searched for. */
const MAX_QUERY = 200;

const LICENCES = {
  "by": "CC BY",
  "by-sa": "CC BY-SA",
  "by-nd": "CC BY-ND",
  "by-nc": "CC BY-NC",
  "by-nc-sa": "CC BY-NC-SA",
  "by-nc-nd": "CC BY-NC-ND",
  "cc0": "CC0",
  "pdm": "public domain",
};

const picture = v.object({
  url: text,
  thumbnail: text,
  foreign_landing_url: text,
  title: text,
  creator: text,
  license: text,
  license_version: text,
  width: pixels,
  height: pixels,
});

const page = v.object({ page_count: v.number(), results: listOf(picture) });

/** https://openverse.org/ */
export function openverse(options: SiteOptions = {}): ApiSite {
  const { licences = [], origin } = options;
  return {
    name: "Openverse",
    // 20 requests a minute, with one to spare.
    intervalMs: 3200,
    origin: origin ?? "https://api.openverse.org",
    allowedHost: origin && new URL(origin).host,
    licences,
    pictureId: (url) => url,
    async *search(term, ask) {
      const families = licences.map(licenceFamily);
      const codes = licenceCodes(this.name, LICENCES, families);
      for (let number = 1; number <= MAX_PAGES; number++) {
        const url = new URL("/v1/images/", this.origin);
        url.search = new URLSearchParams({
          q: [...term].slice(0, MAX_QUERY).join(""),
          page: `${number}`,
          page_size: `${PAGE_SIZE}`,
          ...codes.length > 0 && { license: codes.join(",") },
        }).toString();
        const { page_count, results } = await ask(url, page);
        yield results.map((found) =>
          found instanceof Skipped ? found : toPicture(found)
        );
        if (number >= page_count) break;
      }
    },
    errorOf,
    pauseAfter,
  };
}

function toPicture(found: v.InferOutput<typeof picture>): SitePicture {
  const { url, thumbnail, title, creator, width, height } = found;
  return {
    url,
    page: found.foreign_landing_url,
    caption: title,
    author: creator,
    license: licenceName(`${found.license} ${found.license_version}`.trim()),
    width,
    height,
    thumbnail,
  };
}

/** What is wrong: a sentence, or lists of them by parameter. */
const failure = v.object({ detail: v.union([v.string(), v.looseObject({})]) });

function errorOf(answer: unknown): ApiError | undefined {
  if (!v.is(failure, answer)) return undefined;
  const { detail } = answer;
  const said = typeof detail === "string" ? detail : JSON.stringify(detail);
  return { said, remedy: "none" };
}

/** Seconds in the periods of rates, by their first letter: "20/min". */
const PERIODS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A period counts from each request on, so after a whole one all are there again. */
function pauseAfter(headers: Headers): number {
  let seconds = 0;
  for (const [name, value] of headers) {
    const [, quota] = /^x-ratelimit-limit-(.+)$/.exec(name) ?? [];
    const left = headers.get(`x-ratelimit-available-${quota}`);
    if (!quota || left === null || Number(left) > 0) continue;
    // The small pictures have a quota of their own.
    if (quota.includes("thumbnail")) continue;
    const [, period] = /^\d+\/([smhd])/.exec(value) ?? [];
    seconds = Math.max(seconds, PERIODS[period] ?? 0);
  }
  return 1000 * seconds;
}
