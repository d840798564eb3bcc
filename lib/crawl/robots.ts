/**
 * What a site's robots.txt allows (RFC 9309).
 *
 * One request a site.
 *
 * ```ts
 * import { readRobots } from "#lib/crawl/robots.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { equal } from "node:assert/strict";
 *
 * const site = await startPhotoSite();
 * const robots = await readRobots(site.origin);
 * equal(robots.isAllowed(`${site.origin}/search/?text=fruit`), true);
 * equal(robots.isAllowed(`${site.origin}/account/`), false);
 * await site.close();
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import parse from "robots-parser";

/** Its types name the module where they mean the function. */
const robotsParser = parse as unknown as typeof parse.default;

/** What counts of a robots.txt, in bytes: what RFC 9309 asks for at least. */
const MAX_BYTES = 500 * 1024;

/** What we call ourselves to sites. */
export const USER_AGENT = "contact-sheet";

/** A site's wishes. */
export interface Robots {
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
 * @throws {Error} If the site does not answer, or with an error of its own.
 */
export async function readRobots(
  origin: string,
  signal?: AbortSignal,
): Promise<Robots> {
  const url = `${origin}/robots.txt`;
  const timeout = AbortSignal.timeout(30_000);
  const response = await fetch(url, {
    headers: { "user-agent": USER_AGENT },
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  }).catch((error) => {
    signal?.throwIfAborted();
    const reason = (error.cause as Error | undefined)?.message ?? error.message;
    throw new Error(`${url} did not answer: ${reason.split("\n")[0]}`);
  });
  const text = await readStart(response);
  if (response.status >= 500 || response.status === 429) {
    throw new Error(`${url}: ${response.status} ${response.statusText}`.trim());
  }
  const robots = robotsParser(url, response.ok ? text : "");
  return {
    // Undefined stands for another host, which speaks for itself.
    isAllowed: (address) => robots.isAllowed(address, USER_AGENT) ?? true,
    intervalMs: 1000 * (robots.getCrawlDelay(USER_AGENT) ?? 0),
  };
}

/** The first bytes of a body, as text. */
async function readStart({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8", 0, MAX_BYTES);
}
