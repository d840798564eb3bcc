/**
 * The pages of the offline photo site: home, search, one photo, not found;
 * their script and their style sheet.
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
    page`<h1>${photos.length} photos, served by this computer</h1>
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
  const source = photo.page &&
    page`<dt>Source</dt><dd><a href="${photo.page}">${
      new URL(photo.page).hostname
    }</a></dd>`;
  return layout(
    `${photo.caption} – Darkroom`,
    page`<article><img src="${fileOf(photo, "b")}" alt="">
    <div><h1 class="title">${photo.caption}</h1>
    <p class="description">${photo.captions[1]}</p><dl>
    <dt>Author</dt><dd><span class="author">${photo.author}</span></dd>
    <dt>Licence</dt><dd><span class="license">${photo.license}</span></dd>
    <dt>Term</dt><dd><a href="${searchOf(photo.term)}">${photo.term}</a></dd>
    ${source}<dt>Sizes up to</dt><dd>${sizes} pixels</dd></dl></div></article>`,
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

/** Fetches the next page of a search when its turn comes, and adds its photos. */
export const SCRIPT = `
const photos = document.querySelector("#photos");
let more = document.querySelector("#more");
let loading = false;

async function load() {
  if (loading) return;
  loading = true;
  try {
    const answer = await fetch(more.dataset.next);
    if (!answer.ok) throw new Error(answer.status);
    const html = await answer.text();
    const page = new DOMParser().parseFromString(html, "text/html");
    photos.append(...page.querySelectorAll("#photos > li"));
    more.replaceWith(page.querySelector("#more"));
  } catch {
    const again = document.createElement("button");
    again.textContent = "Load more photos";
    more.replaceChildren("The next photos did not arrive. ", again);
    more.dataset.when = "pressed";
  }
  more = document.querySelector("#more");
  loading = false;
  watch();
}

const bottom = new IntersectionObserver((entries) => {
  if (entries.at(-1).isIntersecting) load();
});

function watch() {
  bottom.disconnect();
  if (more?.dataset.when === "seen") bottom.observe(more);
  more?.querySelector("button")?.addEventListener("click", load);
}
watch();
`;

/** The look, light or dark as the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f5f3; --card: #fff; --ink: #23211f;
  --quiet: #66615b; --line: #dedad4; --accent: #9a3b12; }
@media (prefers-color-scheme: dark) {
  :root { --page: #191817; --card: #252322; --ink: #f0ece6; --quiet: #aaa39a;
    --line: #3a3735; --accent: #f0a070; } }
* { box-sizing: border-box; margin: 0; }
body { background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, "Open Sans", sans-serif; }
a { color: var(--accent); }
header { display: flex; gap: 24px; align-items: center; padding: 12px 24px;
  background: var(--card); border-bottom: 1px solid var(--line); }
.name { font-weight: 700; font-size: 19px; letter-spacing: -.02em;
  color: var(--ink); text-decoration: none; }
form { display: flex; flex: 1; min-width: 0; max-width: 520px; }
input { flex: 1; min-width: 0; border-radius: 8px 0 0 8px; }
input, button { font: inherit; padding: 7px 14px; color: inherit;
  border: 1px solid var(--line); background: var(--page); }
button { background: var(--accent); border-color: var(--accent);
  color: var(--card); border-radius: 8px; cursor: pointer; font-weight: 600; }
form button { border-radius: 0 8px 8px 0; }
main { max-width: 1280px; margin: 0 auto; padding: 22px 24px 40px; }
h1 { font-size: 22px; line-height: 1.25; margin-bottom: 16px; }
.grid { list-style: none; padding: 0; display: grid; gap: 18px;
  grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); }
.photo, .tile { background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; overflow: hidden; }
.photo img, .tile img { display: block; width: 100%; aspect-ratio: 4 / 3;
  object-fit: contain; background: #fff; padding: 8px; color: #66615b; }
.photo p { padding: 0 12px; }
.photo .title { padding-top: 8px; display: -webkit-box; overflow: hidden;
  -webkit-line-clamp: 2; -webkit-box-orient: vertical; }
.photo .author, small { color: var(--quiet); font-size: 13px; }
.photo .author { padding-bottom: 10px; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }
.tile { display: block; color: inherit; text-decoration: none;
  padding-bottom: 10px; }
.tile b, .tile small { display: block; padding: 0 12px; }
.tile b { padding-top: 8px; }
.photo:hover, .tile:hover { border-color: var(--accent); }
#more { text-align: center; padding: 26px 0; color: var(--quiet); }
article { display: flex; flex-wrap: wrap; gap: 32px; align-items: flex-start; }
article img { flex: 1 1 320px; max-width: 640px; min-height: 200px;
  object-fit: contain; background: #fff; border-radius: 10px; padding: 16px;
  border: 1px solid var(--line); color: #66615b; }
article div { flex: 1 1 300px; }
.description { margin-bottom: 16px; }
@media (max-width: 520px) {
  header, main { padding-left: 14px; padding-right: 14px; }
  header { gap: 12px; }
  .grid { gap: 12px; grid-template-columns: 1fr 1fr; } }
dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 18px; }
dt { color: var(--quiet); } dd { margin: 0; }
`;
