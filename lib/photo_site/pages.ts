/**
 * The pages of the offline photo site: home, search, one photo, not found.
 *
 * A search page comes with its first photos; the script fetches the next ones,
 * by turns when the reader reaches the bottom and when "Load more" is pressed.
 *
 * Every text that is put into a page is escaped, by Hono.
 *
 * ```ts
 * import { notFoundPage } from "#lib/photo_site/pages.ts";
 * import { match } from "node:assert/strict";
 *
 * match(String(notFoundPage("<script>")), /&lt;script&gt;/);
 * ```
 *
 * @module
 */
// Under its own name, `deno fmt` would spread each tag over lines.
import { html as page } from "hono/html";
import type { Library, Photo } from "./library.ts";

/** A page, or a part of one. */
export type Page = ReturnType<typeof page>;

/** Longest side of each size of a photo in pixels, by the letter in its address. */
export const SIZES = { s: 75, t: 100, m: 240, b: 1024 };

/** Photos a page of search results. */
const PAGE_SIZE = 6;

/** The address of a photo's file on the site. */
const fileOf = ({ id, name }: Photo, size: string) =>
  `/pictures/${id}-${name}_${size}.jpg`;

const searchOf = (text: string) => `/search/?text=${encodeURIComponent(text)}`;

/** The first page: what there is to look for. */
export function homePage({ photos, terms }: Library): Page {
  const tiles = terms.map(({ category, term, cover }) =>
    page`<li><a class="tile" href="${searchOf(term)}">
      <img src="${fileOf(cover, "m")}" alt="" loading="lazy">
      <b>${term}</b><small>${category}</small></a></li>`
  );
  return layout(
    "Darkroom",
    page`<h1>${photos.length} photos, none of them on the internet</h1>
    <ul class="grid">${tiles}</ul>`,
  );
}

/** A page of search results. @param number From 1. */
export function searchPage(
  text: string,
  found: readonly Photo[],
  number: number,
): Page {
  const from = (number - 1) * PAGE_SIZE;
  const items = found.slice(from, from + PAGE_SIZE).map((photo, i) => {
    const [small, medium] = [fileOf(photo, "t"), fileOf(photo, "m")];
    // A photo that stands further up already has another address here.
    const image = found.indexOf(photo) < from + i
      ? page`src="${small}?from=promoted"`
      : page`src="${medium}" srcset="${small} 100w, ${medium} 240w" sizes="240px"`;
    return page`<li class="photo"><a href="/photos/${photo.id}/">
      <img ${image} alt="${photo.caption}"></a>
      <p class="title">${photo.caption}</p>
      <p class="author">by <span>${photo.author}</span></p></li>`;
  });
  return layout(
    `${text} – Darkroom`,
    page`<h1>${found.length || "No"} photos for “${text}”</h1>
    <ul class="grid" id="photos">${items}</ul>
    ${found.length > 0 && moreAfter(text, number, found.length)}`,
    text,
  );
}

/** What follows the photos: a way to more of them, or the end. */
function moreAfter(text: string, number: number, count: number): Page {
  if (number * PAGE_SIZE >= count) {
    return page`<p id="more">That was the last photo.</p>`;
  }
  const next = `${searchOf(text)}&page=${number + 1}`;
  return number % 2 === 1
    ? page`<p id="more" data-next="${next}" data-when="seen">
        <a href="${next}">More photos …</a></p>`
    : page`<p id="more" data-next="${next}" data-when="pressed">
        <button type="button">Load more photos</button></p>`;
}

/** One photo, with who made it and what may be done with it. */
export function photoPage(photo: Photo): Page {
  const sizes = Object.entries(SIZES).map(([size, side], i) =>
    page`${i > 0 && " · "}<a href="${fileOf(photo, size)}">${side}</a>`
  );
  return layout(
    `${photo.caption} – Darkroom`,
    page`<article><img src="${fileOf(photo, "b")}" alt="">
    <div><h1 class="title">${photo.caption}</h1><dl>
    <dt>Author</dt><dd><span class="author">${photo.author}</span></dd>
    <dt>Licence</dt><dd><span class="license">${photo.license}</span></dd>
    <dt>Term</dt><dd><a href="${searchOf(photo.term)}">${photo.term}</a></dd>
    <dt>Sizes up to</dt><dd>${sizes} pixels</dd></dl></div></article>`,
  );
}

/** Says that there is nothing at an address. */
export function notFoundPage(path: string): Page {
  return layout(
    "Not found – Darkroom",
    page`<h1>Nothing is at ${path}</h1><p><a href="/">All terms</a></p>`,
  );
}

function layout(title: string, main: Page, text = ""): Page {
  return page`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/site.css">
<script src="/site.js" defer></script></head>
<body><header><a class="name" href="/">Darkroom</a>
<form action="/search/" role="search"><input type="search" name="text"
  aria-label="Search photos" placeholder="Search photos" value="${text}"
  ><button>Search</button></form></header>
<main>${main}</main></body></html>`;
}
