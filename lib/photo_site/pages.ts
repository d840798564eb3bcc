/**
 * The pages of the offline photo site: home, search, one photo, not found.
 *
 * A search page comes with its first photos; the script fetches the next ones,
 * by turns when the reader reaches the bottom and when "Load more" is pressed.
 *
 * Returns HTML, in which every text is escaped.
 *
 * ```ts
 * import { notFoundPage } from "#lib/photo_site/pages.ts";
 * import { match } from "node:assert/strict";
 *
 * match(notFoundPage("<script>"), /&lt;script&gt;/);
 * ```
 *
 * @module
 */
import { escapeHtml as escape } from "../display/display.ts";
import type { Library, Listing, Photo } from "./library.ts";

/** Longest side of each size of a photo in pixels, by the letter in its address. */
export const SIZES = { s: 75, t: 100, m: 240, b: 1024 };

/** Photos a page of search results. */
const PAGE_SIZE = 6;

/** The address of a photo's page on the site. */
const pageOf = ({ id }: Photo) => `/photos/${id}/`;

/** The address of a photo's file on the site. */
const fileOf = ({ id, name }: Photo, size: keyof typeof SIZES) =>
  `/pictures/${id}-${name}_${size}.jpg`;

/** The first page: what there is to look for. */
export function homePage({ photos, terms }: Library): string {
  const tiles = terms.map(({ category, term, cover }) =>
    `<li><a class="tile" href="${escape(searchOf(term))}">
      <img src="${fileOf(cover, "m")}" alt="" loading="lazy">
      <b>${escape(term)}</b><small>${escape(category)}</small></a></li>`
  );
  return layout(
    "Darkroom",
    `<h1>${photos.length} photos, none of them on the internet</h1>
    <ul class="grid">${tiles.join("\n")}</ul>`,
  );
}

/** A page of search results. @param page From 1. */
export function searchPage(
  text: string,
  found: readonly Listing[],
  page: number,
): string {
  const shown = found.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
  const items = shown.map(({ photo, again }) => {
    const small = again
      ? `src="${fileOf(photo, "t")}?from=promoted"`
      : `src="${fileOf(photo, "m")}" srcset="${fileOf(photo, "t")} 100w, ${
        fileOf(photo, "m")
      } 240w" sizes="240px"`;
    return `<li class="photo"><a href="${pageOf(photo)}">
      <img ${small} alt="${escape(photo.caption)}"></a>
      <p class="title">${escape(photo.caption)}</p>
      <p class="author">by <span>${escape(photo.author)}</span></p></li>`;
  });
  const title = found.length === 0
    ? `No photos for “${escape(text)}”`
    : `${found.length} photos for “${escape(text)}”`;
  return layout(
    `${text} – Darkroom`,
    `<h1>${title}</h1>
    <ul class="grid" id="photos">${items.join("\n")}</ul>
    ${found.length === 0 ? "" : moreAfter(text, page, found.length)}`,
    text,
  );
}

/** What follows the photos: a way to more of them, or the end. */
function moreAfter(text: string, page: number, count: number): string {
  if (page * PAGE_SIZE >= count) {
    return `<p id="more">That was the last photo.</p>`;
  }
  const next = escape(`${searchOf(text)}&page=${page + 1}`);
  return page % 2 === 1
    ? `<p id="more" data-next="${next}" data-when="seen">
        <a href="${next}">More photos …</a></p>`
    : `<p id="more" data-next="${next}" data-when="pressed">
        <button type="button">Load more photos</button></p>`;
}

/** One photo, with who made it and what may be done with it. */
export function photoPage(photo: Photo): string {
  const facts = [
    ["Author", `<span class="author">${escape(photo.author)}</span>`],
    ["Licence", `<span class="license">${escape(photo.license)}</span>`],
    [
      "Term",
      `<a href="${escape(searchOf(photo.term))}">${escape(photo.term)}</a>`,
    ],
    [
      "Sizes up to",
      (["s", "t", "m", "b"] as const).map((size) =>
        `<a href="${fileOf(photo, size)}">${SIZES[size]}</a>`
      ).join(" · ") + " pixels",
    ],
  ];
  return layout(
    `${photo.caption} – Darkroom`,
    `<article><img src="${fileOf(photo, "b")}" alt="">
    <div><h1 class="title">${escape(photo.caption)}</h1>
    <dl>${
      facts.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("")
    }</dl></div></article>`,
  );
}

/** Says that there is nothing at an address. */
export function notFoundPage(path: string): string {
  return layout(
    "Not found – Darkroom",
    `<h1>Nothing is at ${escape(path)}</h1><p><a href="/">All terms</a></p>`,
  );
}

function searchOf(text: string): string {
  return `/search/?text=${encodeURIComponent(text)}`;
}

function layout(title: string, main: string, text = ""): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/site.css">
<script src="/site.js" defer></script></head>
<body><header><a class="name" href="/">Darkroom</a>
<form action="/search/" role="search"><input type="search" name="text"
  aria-label="Search photos" placeholder="Search photos" value="${
    escape(text)
  }"><button>Search</button></form></header>
<main>${main}</main></body></html>`;
}
