/**
 * The script and the style sheet of the offline photo site.
 *
 * ```ts
 * import { STYLE } from "#lib/photo_site/assets.ts";
 * import { match } from "node:assert/strict";
 *
 * match(STYLE, /prefers-color-scheme: dark/);
 * ```
 *
 * @module
 */

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
@media (max-width: 520px) {
  header, main { padding-left: 14px; padding-right: 14px; }
  header { gap: 12px; }
  .grid { gap: 12px; grid-template-columns: 1fr 1fr; } }
dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 18px; }
dt { color: var(--quiet); } dd { margin: 0; }
`;
