/**
 * What the crawler has to know about a photo site: all that differs from one
 * site to the next. A new site is one more file beside this one, and a line in
 * sites.ts.
 *
 * A site is seen in a browser, as people see it (`PageSite`: flickr.ts,
 * local.ts), or asked by its documented interface, without one (`ApiSite`:
 * openverse.ts, commons.ts, flickr_api.ts).
 *
 * The two readers of a `PageSite` run inside the site's page, where nothing of
 * this library exists: each is a function that uses its argument and nothing
 * around it. What a site says is text from outside, cut and checked by the
 * crawler.
 *
 * ```ts
 * import { flickr } from "#lib/crawl/sites/flickr.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import type { PageSite } from "#lib/crawl/sites/site.ts";
 * import { equal } from "node:assert/strict";
 *
 * const sites: PageSite[] = [flickr(), localSite("http://127.0.0.1:8765")];
 * equal(sites[1].searchUrl("water bird"), "http://127.0.0.1:8765/search/?text=water%20bird");
 * ```
 *
 * @module
 */
import type { GenericSchema, InferOutput } from "valibot";
import type { FoundPicture } from "../../records.ts";
import type { Skipped } from "./fields.ts";

/**
 * A picture as a site shows it: all but what was searched for. On a search page
 * its address is that of the small picture, and "" is what the page does not say.
 */
export type SitePicture = Omit<FoundPicture, "category" | "term"> & {
  /** Address of a small picture, to show while the crawl runs. */
  thumbnail?: string;
  /** Where else the page shows it, in other sizes. */
  sizes?: ShownSize[];
};

/** An address at which a page shows a picture, and its pixels, if it says. */
export type ShownSize = Pick<FoundPicture, "url" | "width" | "height">;

/** What a picture's own page says, and perhaps no other. */
export type Credit = Pick<FoundPicture, "author" | "license"> & {
  /** Where that page shows it. */
  sizes?: ShownSize[];
};

/** What every site may be told. */
export interface SiteOptions {
  /**
   * Licences to ask for, in any spelling: "CC BY" takes in each of its versions.
   * @default {[]}, any
   */
  licences?: readonly string[];
  /** The key of a site that asks for one. @default {that of the environment} */
  apiKey?: string;
  /** What stands for the real site in tests: "http://127.0.0.1:8765". */
  origin?: string;
}

/** What all sites have. */
export interface SiteBase {
  /** What messages call it. */
  readonly name: string;
  /** Least time between two requests, in milliseconds. */
  readonly intervalMs: number;
  /**
   * The site's own host and port, where it is served on this machine or its
   * network: "127.0.0.1:8765". All else that is asked for must be public.
   */
  readonly allowedHost?: string;
  /**
   * Licences that are asked for; the crawl drops what has another, as isOneOf()
   * of licences.ts says. Absent or empty for any.
   */
  readonly licences?: readonly string[];
  /**
   * What else its results depend on, by the options that it was made with: what
   * was found with others is searched for again. Absent for none.
   */
  readonly variant?: string;
  /** What all addresses of one picture have in common. */
  pictureId(url: string): string;
}

/** A site that is seen in a browser. */
export interface PageSite extends SiteBase {
  /** The page that shows pictures for a term. */
  searchUrl(term: string): string;
  /** What the button that brings more pictures says. */
  readonly moreButton: RegExp;
  /** Reads all pictures on a search page, in its order. */
  readonly readResults: (page: Document) => SitePicture[];
  /** What a search page says that has no pictures for a term. */
  readonly nothingFound?: RegExp;
  /** Reads from a picture's page what the search page did not say. */
  readonly readPhotoPage: (page: Document, address: string) => Credit;
  /**
   * The address of the wished size, about 1024 pixels.
   *
   * @returns Undefined for what is no picture of the site: an icon, a face.
   */
  pictureUrl(image: string): string | undefined;
  /**
   * Which of the sizes that a page shows is wished; absent where `pictureUrl`
   * says it all.
   *
   * @returns Undefined if none is better than that.
   */
  bestSize?(sizes: readonly ShownSize[]): ShownSize | undefined;
}

/** A site that is asked by its documented interface. */
export interface ApiSite extends SiteBase {
  /** Where it is asked: "https://api.openverse.org". */
  readonly origin: string;
  /**
   * Pages of results, in the site's order, as long as the caller takes them; what
   * is no picture that we can take comes with the reason.
   *
   * @throws {FinalError} If the site knows none of the licences.
   * @throws {Error} What `ask` throws.
   */
  search(term: string, ask: Ask): AsyncIterable<(SitePicture | Skipped)[]>;
  /** What is wrong, where an answer tells of an error in its content. */
  errorOf?(answer: unknown): ApiError | undefined;
  /**
   * How long nothing may be asked after an answer, in milliseconds, as its
   * headers tell of a quota that is used up; 0 if there is some left.
   */
  pauseAfter?(headers: Headers): number;
}

/**
 * Asks for JSON, when the site's turn comes, and again as http.ts has it.
 *
 * @param schema What the answer must be.
 * @throws {FinalError} If there is no use in asking again now.
 * @throws {Error} If it failed too often.
 */
export type Ask = <Schema extends GenericSchema>(
  url: URL,
  schema: Schema,
) => Promise<InferOutput<Schema>>;

/** An error in an answer's content. */
export interface ApiError {
  /** The site's words: "105 Service currently unavailable". */
  said: string;
  /** What helps: asking again, asking after a pause, or nothing. */
  remedy: "retry" | "wait" | "none";
}

/** A photo site. */
export type Site = PageSite | ApiSite;
