/**
 * What the crawler has to know about a photo site: all that differs from one
 * site to the next. A new site is one more file like flickr.ts or local.ts.
 *
 * The two readers run inside the site's page, where nothing of this library
 * exists: each is a function that uses its argument and nothing around it.
 * What they return is text from outside, cut and checked by the crawler.
 *
 * ```ts
 * import { flickr } from "#lib/crawl/sites/flickr.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import type { Site } from "#lib/crawl/sites/site.ts";
 * import { equal } from "node:assert/strict";
 *
 * const sites: Site[] = [flickr, localSite("http://127.0.0.1:8765")];
 * equal(sites[1].searchUrl("water bird"), "http://127.0.0.1:8765/search/?text=water%20bird");
 * ```
 *
 * @module
 */
import type { FoundPicture } from "../../records.ts";

/**
 * A picture as a site shows it: all but what was searched for. On a search page
 * its address is that of the small picture, and "" is what the page does not say.
 */
export type SitePicture = Omit<FoundPicture, "category" | "term">;

/** What a picture's own page says, and perhaps no other. */
export type Credit = Pick<FoundPicture, "author" | "license">;

/** A photo site. */
export interface Site {
  /** What messages call it. */
  readonly name: string;
  /** Least time between two requests, in milliseconds. */
  readonly intervalMs: number;
  /**
   * The site's own host and port, where it is served on this machine or its
   * network: "127.0.0.1:8765". All else that is asked for must be public.
   */
  readonly allowedHost?: string;
  /** The page that shows pictures for a term. */
  searchUrl(term: string): string;
  /** What the button that brings more pictures says. */
  readonly moreButton: RegExp;
  /** Reads all pictures on a search page, in its order. */
  readonly readResults: (page: Document) => SitePicture[];
  /** Reads from a picture's page what the search page did not say. */
  readonly readPhotoPage: (page: Document) => Credit;
  /**
   * The address of the wished size, about 1024 pixels.
   *
   * @returns Undefined for what is no picture of the site: an icon, a face.
   */
  pictureUrl(image: string): string | undefined;
  /** What all addresses of one picture have in common. */
  pictureId(url: string): string;
}
