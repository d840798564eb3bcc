/**
 * The sites by the names that the crawl command and the notebooks know.
 *
 * ```ts
 * import { sites } from "#lib/crawl/sites/sites.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(sites.flickr({ licences: ["CC BY"] }).name, "Flickr");
 * ```
 *
 * @module
 */
import { flickr } from "./flickr.ts";
import type { Site, SiteOptions } from "./site.ts";

/** Makes each site; the practice site, which runs here, is started by its caller. */
export const sites: Record<string, (options?: SiteOptions) => Site> = {
  flickr,
};
