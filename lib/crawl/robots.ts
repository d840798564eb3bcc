/**
 * What a site's robots.txt allows (RFC 9309).
 *
 * ```ts
 * import { readRobots } from "#lib/crawl/robots.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { equal } from "node:assert/strict";
 *
 * const site = await startPhotoSite();
 * const options = { allowedHosts: [site.host] }; // It is this machine's.
 * const robots = await readRobots(site.origin, {}, options);
 * equal(robots.isAllowed(`${site.origin}/search/?text=fruit`), true);
 * equal(robots.isAllowed(`${site.origin}/account/`), false);
 * await site.close();
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import parse from "robots-parser";
import { Host, type HostLimits } from "../http/hosts.ts";
import { FinalError } from "../http/final_error.ts";
import {
  fetchOnce,
  type FetchOptions,
  PRODUCT,
  readStart,
  send,
} from "../http/http.ts";

/** Its types name the module where they mean the function. */
const robotsParser = parse as unknown as typeof parse.default;

/** What counts of a robots.txt, in bytes: what RFC 9309 asks for at least. */
const MAX_BYTES = 500 * 1024;

/** A site's wishes. */
export interface Robots {
  /** Where they stand. */
  url: string;
  /** Why there are none: "404 Not Found"; absent where there are. */
  missing?: string;
  /** Whether we may ask for an address. */
  isAllowed: (url: string) => boolean;
  /** Least time between two requests that the site wants, in milliseconds. */
  intervalMs: number;
}

/**
 * Reads a site's robots.txt.
 *
 * A site that has none allows everything; one that fails to say is left alone.
 *
 * @param origin "https://www.flickr.com"
 * @param options How it is asked for.
 * @throws {Error} If the site does not answer, or with an error of its own.
 */
export async function readRobots(
  origin: string,
  limits?: Partial<HostLimits>,
  options: FetchOptions = {},
): Promise<Robots> {
  const { signal } = options;
  const url = `${origin}/robots.txt`;
  const read = (response: Response) => readStart(response, MAX_BYTES);
  let missing: string | undefined;
  const bytes = await send(
    new Host(new URL(url).host, limits),
    () => fetchOnce(url, read, options),
    signal,
  ).catch((error) => {
    signal?.throwIfAborted();
    missing = error.message;
    // "404 Not Found" and its like.
    if (error instanceof FinalError && error.status) return [];
    throw new Error(`${url} did not answer: ${error.message}`);
  });
  const robots = robotsParser(url, Buffer.from(bytes).toString());
  return {
    url,
    ...missing !== undefined && { missing },
    // Undefined stands for another host, which speaks for itself.
    isAllowed: (address) => robots.isAllowed(address, PRODUCT) ?? true,
    intervalMs: 1000 * (robots.getCrawlDelay(PRODUCT) ?? 0),
  };
}

/**
 * What a robots.txt says of addresses, in a line for whoever starts the crawl:
 * "https://example.org/robots.txt allows /search/, one request in 2 s".
 *
 * @param addresses Of one path, with different queries.
 */
export function decisionOf(
  { url, missing, isAllowed, intervalMs }: Robots,
  addresses: readonly string[],
): string {
  const { pathname } = new URL(addresses[0]);
  const pace = intervalMs > 0 ? `, one request in ${intervalMs / 1000} s` : "";
  if (missing !== undefined) {
    return `${url} is not there (${missing}): all is allowed`;
  }
  const allowed = addresses.filter(isAllowed).length;
  if (allowed === 0) return `${url} forbids ${pathname}`;
  return allowed === addresses.length
    ? `${url} allows ${pathname}${pace}`
    : `${url} allows ${pathname} for ${allowed} of ${addresses.length} terms${pace}`;
}
