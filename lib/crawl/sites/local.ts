/**
 * The offline photo site (photo_site.ts) as the crawler sees it.
 *
 * ```ts
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import { equal } from "node:assert/strict";
 *
 * const site = localSite("http://127.0.0.1:8765");
 * equal(
 *   site.pictureUrl("http://127.0.0.1:8765/pictures/1042-pear_t.jpg?from=promoted"),
 *   "http://127.0.0.1:8765/pictures/1042-pear_b.jpg",
 * );
 * ```
 *
 * @module
 */
import type { PageSite, SiteOptions, SitePicture } from "./site.ts";

/** Number, name and size in a picture's address. */
const PICTURE = /\/pictures\/(\d+)-([a-z0-9-]+)_[stmb]\.jpg(\?.*)?$/;

/**
 * The site at an address.
 *
 * @param origin As `startPhotoSite()` returns it: "http://127.0.0.1:8765".
 * @param options Licences that are wanted.
 */
export function localSite(
  origin: string,
  { licences }: Pick<SiteOptions, "licences"> = {},
): PageSite {
  return {
    name: "Darkroom, the offline photo site",
    // It is this machine's own.
    intervalMs: 0,
    allowedHost: new URL(origin).host,
    searchUrl: (term) => `${origin}/search/?text=${encodeURIComponent(term)}`,
    licences,
    moreButton: /load more/i,
    nothingFound: /^No photos for /m,
    readResults,
    readPhotoPage,
    pictureUrl: (image) =>
      PICTURE.test(image)
        ? image.replace(PICTURE, "/pictures/$1-$2_b.jpg")
        : undefined,
    pictureId: (url) => PICTURE.exec(url)?.[1] ?? url,
  };
}

function readResults(page: Document): SitePicture[] {
  return [...page.querySelectorAll(".photo")].map((photo) => ({
    url: photo.querySelector("img")?.src ?? "",
    page: photo.querySelector("a")?.href ?? "",
    caption: photo.querySelector(".title")?.textContent ?? "",
    author: photo.querySelector(".author span")?.textContent ?? "",
    license: "",
  }));
}

function readPhotoPage(page: Document) {
  const textOf = (selector: string) =>
    page.querySelector(selector)?.textContent ?? "";
  return { author: textOf(".author"), license: textOf(".license") };
}
