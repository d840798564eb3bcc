/**
 * The last finds of a crawl as small pictures beside its progress bar.
 *
 * They are fetched in the background, one after the other and never more than a
 * few of each term, so the crawl does not wait for them. What cannot be fetched
 * or is no picture is left out without a word: the strip is for a look, and the
 * records do not depend on it. Outside a notebook nothing is fetched.
 *
 * ```ts
 * import { findStrip } from "#lib/display/find_strip.ts";
 * import { progressBar } from "#lib/display/progress.ts";
 * import { equal } from "node:assert/strict";
 *
 * const bar = progressBar("Crawling", 1);
 * const strip = findStrip();
 * const finds = [{ caption: "An owl", thumbnail: "https://example.org/owl.jpg" }];
 * bar.update(1, "owl", strip(finds)); // in a notebook, with an owl beside it
 * bar.finish();
 * equal(strip(finds).length, 0);
 * ```
 *
 * @module
 */
import type { SitePicture } from "../crawl/sites/site.ts";
import { fetchOnce, readStart } from "../http/http.ts";
import { thumbnail } from "./grid.ts";
import { notebookKernel, type Thumbnail } from "./progress.ts";

/** What the strip needs to know of a find. */
export type Find = Pick<SitePicture, "caption" | "thumbnail">;

/** How the small pictures are fetched. */
export interface FindStripOptions {
  /** Hosts that may be asked though they are not public: the practice site's. */
  allowedHosts?: readonly string[];
  /** Ends the fetching. */
  signal?: AbortSignal;
}

/** Pictures on the strip, and most that wait to be fetched. */
const MAX_SHOWN = 8;
/** Of each term, so that the strip changes. */
const PER_TERM = 3;
/** Longer side of one, in pixels. */
const SIDE = 96;
/** Largest file that is read: small pictures have a twentieth of that. */
const MAX_BYTES = 2 ** 20;
/** Time for one to arrive. */
const TIMEOUT_MS = 5000;

/**
 * Starts an empty strip.
 *
 * @returns What takes a term's finds and gives the pictures that are there by
 *   now, the newest first: the third argument of a bar's `update`.
 */
export function findStrip(
  { allowedHosts, signal }: FindStripOptions = {},
): (finds: readonly Find[]) => readonly Thumbnail[] {
  if (!notebookKernel()) return () => [];
  const waiting: Find[] = [];
  let shown: readonly Thumbnail[] = [];
  let isFetching = false;
  const fetchAll = async () => {
    isFetching = true;
    // The newest first: who comes too late is dropped.
    for (let find = waiting.pop(); find; find = waiting.pop()) {
      if (signal?.aborted) break;
      const picture = await fetchSmall(find, { allowedHosts, signal })
        .catch(() => undefined);
      if (picture) shown = [picture, ...shown].slice(0, MAX_SHOWN);
    }
    isFetching = false;
  };
  return (finds) => {
    waiting.push(...finds.filter((find) => find.thumbnail).slice(0, PER_TERM));
    waiting.splice(0, waiting.length - MAX_SHOWN);
    if (!isFetching) void fetchAll();
    return shown;
  };
}

/** Fetches one. @throws {Error} If it does not come, or is no picture. */
async function fetchSmall(
  { thumbnail: address = "", caption }: Find,
  options: FindStripOptions,
): Promise<Thumbnail> {
  const read = async (response: Response) => {
    const bytes = await readStart(response, MAX_BYTES + 1);
    if (bytes.length > MAX_BYTES) throw new Error("too large");
    return bytes;
  };
  const bytes = await fetchOnce(address, read, {
    ...options,
    timeoutMs: TIMEOUT_MS,
  });
  return { ...await thumbnail(bytes, SIDE), alt: caption };
}
