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
import { commons } from "./commons.ts";
import { flickr } from "./flickr.ts";
import { flickrApi } from "./flickr_api.ts";
import { openverse } from "./openverse.ts";
import type { Site, SiteOptions } from "./site.ts";

/** Makes each site; the practice site, which runs here, is started by its caller. */
export const sites: Record<string, (options?: SiteOptions) => Site> = {
  flickr,
  "flickr-api": flickrApi,
  openverse,
  commons,
};
