/**
 * Flickr as the crawler sees it.
 *
 * A picture's address ends in its number, a secret, and a letter for the size:
 *
 * ```text
 * https://live.staticflickr.com/65535/53241234567_0a1b2c3d4e_m.jpg
 *                              server    number     secret   size
 * ```
 *
 * s q t m n w (none) z c b stand for 75 150 100 240 320 400 500 640 800 1024
 * pixels and share the secret, so any of them leads to b. The larger sizes have
 * secrets of their own and stay as they are.
 *
 * What may be done with a picture is its author's to say: the licence comes
 * with each, and "All rights reserved" is one.
 *
 * Written against pages as they were published; where
 * Flickr changes them, the readers below are the place to mend.
 *
 * ```ts
 * import { flickr } from "#lib/crawl/sites/flickr.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(
 *   flickr().pictureUrl("https://live.staticflickr.com/65535/1_0a1b_w.jpg"),
 *   "https://live.staticflickr.com/65535/1_0a1b_b.jpg",
 * );
 * ```
 *
 * @module
 */
import type { PageSite, SiteOptions, SitePicture } from "./site.ts";

/** A picture in one of the sizes that share a secret. */
const PICTURE =
  /^(https:\/\/[a-z0-9.]+\.staticflickr\.com\/(?:\d+\/)+)(\d+)_([0-9a-f]+)(?:_[sqtmnwzcb])?\.jpg(?:\?.*)?$/;

/** A picture in a larger size. */
const LARGE_PICTURE =
  /^https:\/\/[a-z0-9.]+\.staticflickr\.com\/(?:\d+\/)+(\d+)_[0-9a-f]+_(?:[hkf]|[3-6]k)\.jpg(?:\?.*)?$/;

/** https://www.flickr.com/ */
export function flickr({ licences }: SiteOptions = {}): PageSite {
  return {
    name: "Flickr",
    intervalMs: 1000,
    licences,
    searchUrl: (term) =>
      `https://www.flickr.com/search/?text=${encodeURIComponent(term)}`,
    moreButton: /^\s*(load|show|view|see) more/i,
    readResults,
    readPhotoPage,
    pictureUrl: (image) =>
      PICTURE.test(image)
        ? image.replace(PICTURE, "$1$2_$3_b.jpg")
        : LARGE_PICTURE.test(image)
        ? image
        : undefined,
    pictureId: (url) =>
      PICTURE.exec(url)?.[2] ?? LARGE_PICTURE.exec(url)?.[1] ?? url,
  };
}

/**
 * Starts from the links to photo pages, which are addresses and so outlive
 * changes of layout, and takes the picture of that number in or around each.
 */
function readResults(page: Document): SitePicture[] {
  const shown = new Map<string, SitePicture>();
  for (const link of page.querySelectorAll<HTMLAnchorElement>("a[href]")) {
    const [address, id] =
      /^https:\/\/[^?#]*\/photos\/[^/]+\/(\d+)/.exec(link.href) ?? [];
    if (!address || shown.has(address)) continue;

    let image = "";
    let around: HTMLElement | null = link;
    while (around && !image) {
      const background = /url\("?(.+?)"?\)/.exec(around.style.backgroundImage);
      const img = around.querySelector<HTMLImageElement>(
        `img[src*="/${id}_"]`,
      );
      if (img) image = img.src;
      else if (background?.[1].includes(`/${id}_`)) image = background[1];
      else around = around.parentElement;
    }
    if (!around) continue;

    // The link over a picture is labelled "TITLE by AUTHOR".
    const label = link.ariaLabel ?? link.title;
    const [, title, by] = /^(.*) by (.*?)$/s.exec(label) ?? [];
    const owner = around.querySelector(
      `a[href$="${new URL(address).pathname.replace(/\d+$/, "")}"]`,
    );
    shown.set(address, {
      url: new URL(image, page.baseURI).href,
      page: `${address}/`,
      caption: title ?? label,
      author: owner?.textContent?.trim() || by || "",
      license: "",
    });
  }
  return [...shown.values()];
}

function readPhotoPage(page: Document) {
  const owner = page.querySelector("a.owner-name");
  const link = page.querySelector<HTMLAnchorElement>(
    'a[rel~="license"], a.photo-license-url',
  );
  const [, terms, version] =
    /creativecommons\.org\/(?:licenses|publicdomain)\/([a-z-]+)\/([\d.]+)/
      .exec(link?.href ?? "") ?? [];
  const license = terms === "zero"
    ? `CC0 ${version}`
    : terms === "mark"
    ? "Public Domain Mark"
    : terms
    ? `CC ${terms.toUpperCase()} ${version}`
    : link?.textContent ?? "";
  return { author: owner?.textContent ?? "", license: license.trim() };
}
