/**
 * Flickr's search page as the crawler sees it.
 *
 * A picture's address ends in its number, a secret, and a suffix for the size:
 *
 * ```text
 * https://live.staticflickr.com/65535/53241234567_0a1b2c3d4e_m.jpg
 *                              server    number     secret   size
 * ```
 *
 * The sizes up to b share the secret, so any of them leads to b, 1024 pixels. The
 * larger ones have secrets of their own, and their owner may keep them back: they
 * are taken where a page shows them, in a srcset or in its data.
 *
 * What may be done with a picture is its author's to say: the licence comes
 * with each, and "All rights reserved" is one.
 *
 * Links, roles and words are what the readers below go by; class names change.
 * The suffixes follow flickr.com/services/api/misc.urls.html, and the licences'
 * numbers those of flickr.photos.licenses.getInfo. The search page's parameters
 * and its data, which no document describes, follow published copies. None of
 * it was met live: tests/fixtures/flickr stands for the site, and where that is
 * not the real one, a crawl says that it found nothing and keeps the page.
 *
 * ```ts
 * import { flickr } from "#lib/crawl/sites/flickr.ts";
 * import { equal } from "node:assert/strict";
 *
 * const site = flickr({ sort: "date-posted-desc", licences: ["CC0"], minSide: 1024 });
 * equal(
 *   site.searchUrl("snowy owl"),
 *   "https://www.flickr.com/search/?text=snowy%20owl&sort=date-posted-desc" +
 *     "&license=9&dimension_search_mode=min&height=1024&width=1024",
 * );
 * equal(
 *   site.pictureUrl("https://live.staticflickr.com/65535/1_0a1b_w.jpg"),
 *   "https://live.staticflickr.com/65535/1_0a1b_b.jpg",
 * );
 * ```
 *
 * @module
 */
import { licenceCodes } from "./fields.ts";
import { LICENCES } from "./flickr_api.ts";
import type {
  Credit,
  PageSite,
  ShownSize,
  SiteOptions,
  SitePicture,
} from "./site.ts";

/** How to search Flickr. */
export interface FlickrOptions extends SiteOptions {
  /** Which come first. @default {"relevance"} */
  sort?: typeof SORTS[number];
  /** Least width and height, in pixels. @default {any} */
  minSide?: number;
  /** Colours that are to be prominent, one of them at least. @default {any} */
  colours?: readonly (keyof typeof COLOURS)[];
  /**
   * The longer side in pixels, at most: "large" is 1024; "original" is the
   * largest that the owner shows, the original itself if possible.
   * @default {"large"}
   */
  size?: "large" | "original" | number;
}

const SORTS = [
  "relevance",
  "date-posted-desc",
  "date-posted-asc",
  "date-taken-desc",
  "date-taken-asc",
  "interestingness-desc",
  "interestingness-asc",
] as const;

const COLOURS = {
  red: "0",
  brown: "1",
  orange: "2",
  yellow: "3",
  "lemon yellow": "4",
  green: "5",
  "lime green": "6",
  cyan: "7",
  blue: "8",
  violet: "9",
  pink: "a",
  "pale pink": "b",
  white: "c",
  grey: "d",
  black: "e",
} as const;

/** Longer sides by suffix, in pixels, of the sizes that share a secret. */
const SHARED: Record<string, number> = {
  ...{
    _t: 100,
    _m: 240,
    _n: 320,
    _w: 400,
    "": 500,
    _z: 640,
    _c: 800,
    _b: 1024,
  },
  // Squares are parts of the picture.
  ...{ _s: 0, _q: 0 },
};

/** And of those that have one each; the original has any number of pixels. */
const OWN: Record<string, number> = {
  ...{ _h: 1600, _k: 2048, _3k: 3072, _4k: 4096, _f: 4096 },
  ...{ _5k: 5120, _6k: 6144, _o: Infinity },
};

/** A picture: what stands before its number, its number, secret, suffix. */
const PICTURE =
  /^(https:\/\/[a-z0-9.]+\.staticflickr\.com\/(?:\d+\/)+)(\d+)_([0-9a-f]+)(_[a-z0-9]+|)\.(?:jpg|png|gif)(?:\?.*)?$/;

/**
 * https://www.flickr.com/
 *
 * @throws {RangeError} If an option is none: says which there are.
 * @throws {FinalError} If Flickr knows none of the licences.
 */
export function flickr(options: FlickrOptions = {}): PageSite {
  const { licences, size = "large" } = options;
  const origin = options.origin ?? "https://www.flickr.com";
  const query = searchQuery(options);
  const sizes = { large: 1024, original: Infinity };
  const wished = typeof size === "number" ? size : sizes[size];
  if (!(wished >= 100)) {
    throw unexpected("size", '"large", "original" or pixels from 100', size);
  }
  const longerSide = ({ url, width = 0, height = 0 }: ShownSize) => {
    const suffix = PICTURE.exec(url)?.[4] ?? "";
    const side = SHARED[suffix] ?? OWN[suffix] ?? 0;
    return side === Infinity && width > 0 ? Math.max(width, height) : side;
  };
  const isFit = (shown: ShownSize) => longerSide(shown) <= wished;
  return {
    name: "Flickr",
    intervalMs: 1000,
    licences,
    variant: [query, size === "large" ? "" : `size ${size}`]
      .filter(Boolean).join("; ") || undefined,
    ...options.origin && { allowedHost: new URL(origin).host },
    searchUrl: (term) =>
      `${origin}/search/?text=${encodeURIComponent(term)}${query}`,
    moreButton: /^\s*(load|show|view|see) more/i,
    nothingFound: /\bno (matches|photos|results) (for|found|match)\b/i,
    readResults,
    readPhotoPage,
    pictureUrl(image) {
      const [, start, number, secret, suffix] = PICTURE.exec(image) ?? [];
      if (suffix in OWN) return image;
      if (!(suffix in SHARED)) return;
      const [best] = Object.entries(SHARED)
        .filter(([, side]) => side <= wished)
        .toSorted(([, a], [, b]) => b - a)[0];
      return `${start}${number}_${secret}${best}.jpg`;
    },
    bestSize: (shown) =>
      shown.filter(isFit).filter((size) => longerSide(size) > 0).toSorted(
        (a, b) =>
          // Of the same one, that which says how many pixels it has.
          longerSide(b) - longerSide(a) || (b.width ?? 0) - (a.width ?? 0),
      )[0],
    pictureId: (url) => PICTURE.exec(url)?.[2] ?? url,
  };
}

/** The options, as the address of a search has them: "&sort=…". */
function searchQuery(
  { sort = "relevance", licences = [], minSide, colours = [] }: FlickrOptions,
): string {
  if (!SORTS.includes(sort)) throw unexpected("sort", SORTS.join(", "), sort);
  const numbers = licenceCodes("Flickr", LICENCES, licences);
  const unknown = colours.find((colour) => !Object.hasOwn(COLOURS, colour));
  if (unknown !== undefined) {
    throw unexpected("colours", Object.keys(COLOURS).join(", "), unknown);
  }
  if (minSide !== undefined && !(Number.isInteger(minSide) && minSide > 0)) {
    throw unexpected("minSide", "a whole number from 1", minSide);
  }
  const codes = colours.map((colour) => COLOURS[colour]);
  const filters = [
    ...sort === "relevance" ? [] : [`sort=${sort}`],
    ...numbers.length > 0 ? [`license=${numbers.join("%2C")}`] : [],
    ...codes.length > 0 ? [`color_codes=${codes.join("%2C")}`] : [],
    ...minSide === undefined ? [] : [
      `dimension_search_mode=min&height=${minSide}&width=${minSide}`,
    ],
  ];
  return ["", ...filters].join("&");
}

function unexpected(option: string, expected: string, got: unknown) {
  const text = typeof got === "string" ? JSON.stringify(got) : String(got);
  return new RangeError(
    `flickr: expected ${option} to be ${expected}, got ${text}`,
  );
}

/**
 * Starts from the links to photo pages, which are addresses and so outlive
 * changes of layout, and takes the picture of that number in or around each.
 */
function readResults(page: Document): SitePicture[] {
  const shown = new Map<string, SitePicture>();
  for (const link of page.querySelectorAll<HTMLAnchorElement>("a[href]")) {
    const [address, id] =
      /^https?:\/\/[^?#]*\/photos\/[^/]+\/(\d+)/.exec(link.href) ?? [];
    if (!address || shown.has(address)) continue;

    const isOfPhoto = (url: string) => url.includes(`/${id}_`);
    const absolute = (url: string) => new URL(url, page.baseURI).href;
    const sizes: { url: string }[] = [];
    let image = "";
    let around: HTMLElement | null = link;
    while (around && !image) {
      const background = /url\("?(.+?)"?\)/.exec(around.style.backgroundImage);
      const images = around.querySelectorAll<HTMLImageElement>("img, source");
      for (const { src, srcset } of images) {
        for (const candidate of srcset.split(/,\s+/)) {
          const [url] = candidate.trim().split(/\s/);
          if (isOfPhoto(url)) sizes.push({ url: absolute(url) });
        }
        if (!image && isOfPhoto(src)) image = src;
      }
      image ||= sizes[0]?.url ?? "";
      if (!image && isOfPhoto(background?.[1] ?? "")) image = background![1];
      if (!image) around = around.parentElement;
    }
    if (!around) continue;

    // The link over a picture is labelled "TITLE by AUTHOR".
    const label = link.ariaLabel ?? link.title;
    const [, title, by] = /^(.*) by (.*?)$/s.exec(label) ?? [];
    const owner = around.querySelector(
      `a[href$="${new URL(address).pathname.replace(/\d+$/, "")}"]`,
    );
    shown.set(address, {
      url: absolute(image),
      page: `${address}/`,
      caption: title ?? label,
      author: owner?.textContent?.trim() || by || "",
      license: "",
      sizes,
    });
  }
  return [...shown.values()];
}

/** Reads a photo's page, where the sizes stand in srcset and in its data. */
function readPhotoPage(page: Document, address: string): Credit {
  const { pathname } = new URL(address);
  const [, owner, id] = /^(\/photos\/[^/]+\/)(\d+)/.exec(pathname) ?? [];
  const links = [...page.querySelectorAll<HTMLAnchorElement>("a[href]")];
  const pathOf = (link: HTMLAnchorElement) =>
    new URL(link.getAttribute("href")!, address).pathname;
  const textOf = (element?: Element) => element?.textContent?.trim() ?? "";
  const author = links.find((link) => pathOf(link) === owner && textOf(link));

  const isCommons = ({ href }: HTMLAnchorElement) =>
    /creativecommons\.org\/(licenses|publicdomain)\//.test(href);
  const words =
    /^(all rights reserved|no known copyright|public domain|u\S+ s\S+ government)/i;
  const license = links.find((link) => link.relList.contains("license")) ??
    links.find(isCommons) ?? links.find((link) => words.test(textOf(link)));
  // Of the government there are several spellings.
  const said = textOf(license).replace(
    /^.*\bgovernment works?.*$/i,
    "United States Government Work",
  );

  const sizes: { url: string; width?: number; height?: number }[] = [];
  const add = (url: string, width?: number, height?: number) => {
    if (!url.includes(`/${id}_`) || !URL.canParse(url, address)) return;
    sizes.push({ url: new URL(url, address).href, width, height });
  };
  for (
    const { srcset } of page.querySelectorAll("img, source") as Iterable<
      HTMLImageElement
    >
  ) {
    for (const candidate of srcset.split(/,\s+/)) {
      add(candidate.trim().split(/\s/)[0]);
    }
  }
  for (const { text } of page.scripts) {
    const data = text.replaceAll("\\/", "/");
    const SIZE = /"([^"\s]+)","width":"?(\d+)"?,"height":"?(\d+)/g;
    for (const [, url, width, height] of data.matchAll(SIZE)) {
      add(url, Number(width), Number(height));
    }
  }
  return {
    author: textOf(author),
    license: license && isCommons(license) ? license.href : said,
    sizes,
  };
}
