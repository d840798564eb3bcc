/**
 * Flickr by its API, which asks for a key: FLICKR_API_KEY in the environment.
 *
 * ```text
 * GET /services/rest/?method=flickr.photos.search&text=owl&license=4,9,11
 *     &extras=license,owner_name,o_dims,url_l,url_o&per_page=500&page=1&…
 * { "stat": "ok", "photos": { "page": 1, "pages": 19, "total": 9000, "photo": [
 *     { "id": "53241234567", "owner": "12@N01", "ownername": "Ada", "title": …,
 *       "license": "4", "url_l": …, "width_l": 1024, "height_l": 683 }] } }
 * { "stat": "fail", "code": 100, "message": "Invalid API Key (…)" }
 * ```
 *
 * One query leads to 4,000 photos at most. For more, we go through the dates of
 * upload: a span of time with more photos is cut in two, and so on.
 *
 * Flickr's terms ask whoever shows what comes of it to add: "This product uses
 * the Flickr API but is not endorsed or certified by SmugMug, Inc."
 *
 * Follows the pages of flickr.photos.search, flickr.photos.licenses.getInfo
 * (licences 0 to 16) and misc.urls at www.flickr.com/services/api/, read in
 * copies of 2024 to 2026. Tried only against a stand-in
 * (tests/support/stand_in_flickr.ts): without a key, we have never met the live
 * API.
 *
 * ```ts
 * import { flickrApi } from "#lib/crawl/sites/flickr_api.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const site = flickrApi({ apiKey: "0123456789abcdef", licences: ["CC0"] });
 * const photo = "https://live.staticflickr.com/65535/53241234567_0a1b2c_b.jpg";
 * strictEqual(site.pictureId(photo), "53241234567");
 * ```
 *
 * @module
 */
import * as v from "valibot";
import { environment } from "../../paths.ts";
import { licenceName } from "../licences.ts";
import {
  licenceCodes,
  listOf,
  number,
  pixels,
  Skipped,
  text,
} from "./fields.ts";
import type { ApiError, ApiSite, SiteOptions, SitePicture } from "./site.ts";

/** Most photos in one answer, and most that one query leads to. */
const PAGE_SIZE = 500;
const MAX_RESULTS = 4000;

/** Flickr's first day, in seconds since 1970 as all its dates. */
const FIRST_UPLOAD = Date.UTC(2004, 1, 10) / 1000;

/** Names of Flickr's licences, by its numbers for them. */
export const LICENCES: Record<string, string> = {
  0: "All rights reserved",
  1: "CC BY-NC-SA 2.0",
  2: "CC BY-NC 2.0",
  3: "CC BY-NC-ND 2.0",
  4: "CC BY 2.0",
  5: "CC BY-SA 2.0",
  6: "CC BY-ND 2.0",
  7: licenceName("No known copyright restrictions"),
  8: "United States Government Work",
  9: "CC0 1.0",
  10: licenceName("Public Domain Mark"),
  11: "CC BY 4.0",
  12: "CC BY-SA 4.0",
  13: "CC BY-ND 4.0",
  14: "CC BY-NC 4.0",
  15: "CC BY-NC-SA 4.0",
  16: "CC BY-NC-ND 4.0",
};

/** Sizes that show the whole photo, the largest first; o is the original. */
const SIZES = ["o", "l", "c", "z", "m", "n", "s", "t"];

/** What comes with a photo: its sizes only as far as its owner permits. */
const EXTRAS = [
  "license",
  "owner_name",
  "o_dims",
  ...SIZES.map((size) => `url_${size}`),
];

/** How to search. */
export interface FlickrApiOptions extends SiteOptions {
  /** @default {"relevance"} */
  sort?:
    | "relevance"
    | "date-posted-asc"
    | "date-posted-desc"
    | "date-taken-asc"
    | "date-taken-desc"
    | "interestingness-asc"
    | "interestingness-desc";
  /** Least width and height in pixels, of photos that say theirs. */
  minSide?: number;
  /**
   * The longer side in pixels, at most: "large" is 1024; "original" is the
   * largest that the owner permits, the original itself if possible.
   * @default {"large"}
   */
  size?: "large" | "original" | number;
}

/** A name in an address. */
const part = v.fallback(v.pipe(v.string(), v.regex(/^[\w@-]+$/)), "");

const photo = v.looseObject({
  id: part,
  owner: part,
  ownername: text,
  title: text,
  license: v.fallback(v.union([v.string(), v.number()]), ""),
});

const page = v.object({
  photos: v.object({
    total: v.pipe(number, v.number()),
    photo: listOf(photo),
  }),
});

/** Dates of upload in seconds, both included. */
interface Span {
  from: number;
  to: number;
}

/** A page of a query's results, and how many there are in all. */
interface Results {
  total: number;
  pictures: (SitePicture | Skipped)[];
}

/** Asks for a page of a term's photos; the first is 1. */
type AskPage = (number: number, span?: Span) => Promise<Results>;

/**
 * https://www.flickr.com/
 *
 * @throws {Error} If there is no key.
 */
export function flickrApi(options: FlickrApiOptions = {}): ApiSite {
  const { licences = [], sort = "relevance", minSide = 0, origin } = options;
  const { size = "large" } = options;
  const maxSide = { large: 1024, original: Infinity }[size] ?? Number(size);
  const apiKey = options.apiKey ?? environment("FLICKR_API_KEY");
  if (!apiKey) {
    throw new Error(
      "flickrApi: expected a key in FLICKR_API_KEY, got none: Flickr gives one " +
        "at https://www.flickr.com/services/api/keys/",
    );
  }
  return {
    name: "Flickr's API",
    // 3,600 requests an hour.
    intervalMs: 1000,
    origin: origin ?? "https://api.flickr.com",
    allowedHost: origin && new URL(origin).host,
    licences,
    variant: `${sort}, from ${minSide} pixels, size ${size}`,
    pictureId: (url) =>
      /\/(\d+)_[0-9a-f]+(?:_\w+)?\.(?:jpg|png|gif)/.exec(url)?.[1] ?? url,
    async *search(term, ask) {
      const codes = licenceCodes(this.name, LICENCES, licences);
      const askPage: AskPage = async (number, span) => {
        const url = new URL("/services/rest/", this.origin);
        url.search = new URLSearchParams({
          method: "flickr.photos.search",
          api_key: apiKey,
          format: "json",
          nojsoncallback: "1",
          text: term,
          sort,
          media: "photos",
          content_type: "1",
          safe_search: "1",
          extras: EXTRAS.join(","),
          per_page: `${PAGE_SIZE}`,
          page: `${number}`,
          ...codes.length > 0 && { license: codes.join(",") },
          ...span && {
            min_upload_date: `${span.from}`,
            max_upload_date: `${span.to}`,
          },
        }).toString();
        const { photos: { total, photo } } = await ask(url, page);
        const pictures = photo.flatMap((found): Results["pictures"] => {
          if (found instanceof Skipped) return [found];
          return shorterSide(found) < minSide
            ? []
            : [toPicture(found, maxSide)];
        });
        return { total, pictures };
      };
      const first = await askPage(1);
      yield* pagesFrom(first, askPage);
      if (first.total > MAX_RESULTS) {
        const now = Math.floor(Date.now() / 1000);
        yield* spans({ from: FIRST_UPLOAD, to: now }, askPage);
      }
    },
    errorOf,
  };
}

/** All pages that a query leads to. */
async function* pagesFrom(
  { total, pictures }: Results,
  askPage: AskPage,
  span?: Span,
): AsyncGenerator<Results["pictures"]> {
  yield pictures;
  const shown = Math.min(total, MAX_RESULTS);
  for (let number = 2; (number - 1) * PAGE_SIZE < shown; number++) {
    yield (await askPage(number, span)).pictures;
  }
}

/**
 * All pages of a span of time, the latest photos first: of its halves, where it
 * has more than a query leads to. A single second is not cut any further.
 */
async function* spans(
  span: Span,
  askPage: AskPage,
): AsyncGenerator<Results["pictures"]> {
  const { from, to } = span;
  const first = await askPage(1, span);
  if (first.total <= MAX_RESULTS || from === to) {
    yield* pagesFrom(first, askPage, span);
    return;
  }
  const middle = Math.floor((from + to) / 2);
  yield* spans({ from: middle + 1, to }, askPage);
  yield* spans({ from, to: middle }, askPage);
}

/** A photo as it comes. */
type Found = v.InferOutput<typeof photo>;

/** The sizes that its owner permits, the largest first. */
function sizesOf(found: Found) {
  return SIZES.map((size) => ({
    url: v.parse(text, found[`url_${size}`]),
    width: v.parse(pixels, found[`width_${size}`]),
    height: v.parse(pixels, found[`height_${size}`]),
  })).filter(({ url }) => url !== "");
}

/** Of the original or the largest size; Infinity where none is told. */
function shorterSide(found: Found): number {
  const [largest] = sizesOf(found);
  return Math.min(
    v.parse(pixels, found.o_width) ?? largest?.width ?? Infinity,
    v.parse(pixels, found.o_height) ?? largest?.height ?? Infinity,
  );
}

function toPicture(found: Found, maxSide: number): SitePicture {
  const { id, owner, ownername, title, license } = found;
  const sizes = sizesOf(found);
  const fits = ({ width = 0, height = 0 }) =>
    Math.max(width, height) <= maxSide;
  const size = sizes.find(fits) ?? sizes.at(-1);
  const small = found.url_n ?? found.url_s ?? found.url_t;
  return {
    url: size?.url ?? "",
    page: id && owner ? `https://www.flickr.com/photos/${owner}/${id}/` : "",
    caption: title,
    author: ownername,
    license: LICENCES[license] ?? "",
    width: size?.width,
    height: size?.height,
    thumbnail: v.parse(text, small),
  };
}

const failure = v.object({
  stat: v.literal("fail"),
  code: number,
  message: text,
});

/** What the documentation calls temporary. */
const TEMPORARY = [10, 105, 106];

function errorOf(answer: unknown): ApiError | undefined {
  if (!v.is(failure, answer)) return undefined;
  const { code, message } = v.parse(failure, answer);
  const remedy = TEMPORARY.includes(code) ? "retry" : "none";
  return { said: `${code}: ${message}`, remedy };
}
