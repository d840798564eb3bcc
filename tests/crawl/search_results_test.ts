import { deepEqual, equal, strictEqual } from "node:assert/strict";
import { SearchResults, tidy } from "#lib/crawl/search_results.ts";
import { localSite } from "#lib/crawl/sites/local.ts";
import type { SitePicture } from "#lib/crawl/sites/site.ts";

const origin = "http://127.0.0.1:8765";
const site = localSite(origin);

function shown(id: number, rest: Partial<SitePicture> = {}): SitePicture {
  const url = `${origin}/pictures/${id}-owl_m.jpg`;
  const said = { page: `${origin}/photos/${id}/`, caption: "An owl" };
  return { url, ...said, author: "Ada", license: "", ...rest };
}

const numbers = ({ pictures }: SearchResults) =>
  pictures.map(({ url }) => Number(site.pictureId(url)));

Deno.test("add() keeps the site's order, takes each once, and stops when complete", () => {
  const results = new SearchResults(site, 3);
  results.add([shown(7), shown(5)]);
  equal(results.complete, false);
  results.add([shown(7), shown(5), shown(9), shown(1)]);
  equal(results.complete, true);
  deepEqual(numbers(results), [7, 5, 9]);
  equal(results.pictures[0].url, `${origin}/pictures/7-owl_b.jpg`);
  deepEqual(results.repeats, new Map());
});

Deno.test("add() notes at which other address a picture came again", () => {
  const results = new SearchResults(site, 2);
  const again = `${origin}/pictures/7-owl_t.jpg?from=promoted`;
  results.add([shown(7), shown(5), shown(7, { url: again })]);
  results.add([shown(7), shown(7, { url: again })]);
  deepEqual([...results.repeats], [[again, `${origin}/pictures/7-owl_b.jpg`]]);
  equal(results.pictures.length, 2);
});

Deno.test("add() takes the site's pictures by http, and pages by http", () => {
  const results = new SearchResults(
    { ...site, pictureUrl: (image) => image.replace("local:", "") },
    9,
  );
  results.add([
    shown(1, { url: "javascript:alert(1)" }),
    shown(2, { url: "data:image/png;base64,AAAA" }),
    shown(3, { page: "javascript:alert(1)" }),
    shown(4),
  ]);
  deepEqual(numbers(results), [3, 4]);
  deepEqual(results.pictures.map(({ page }) => page), [
    "",
    `${origin}/photos/4/`,
  ]);
  const local = new SearchResults(site, 9);
  local.add([shown(1, { url: `${origin}/icon.png` })]);
  equal(local.pictures.length, 0);
});

Deno.test("add() keeps text from outside on one line of 500 characters at most", () => {
  const long = `  An\n\towl ${"u".repeat(600)} `;
  const text = `An owl ${"u".repeat(493)}`;
  const results = new SearchResults(site, 9);
  results.add([shown(1, { caption: long, author: long, license: long })]);
  const [{ caption, author, license }] = results.pictures;
  deepEqual([caption, author, license], [text, text, text]);
  equal(tidy(long).length, 500);
  equal(tidy("x".repeat(500)).length, 500);
  equal(tidy(" \n "), "");
});

Deno.test("tidy() keeps whole characters, where it cuts and where it is given halves", () => {
  strictEqual(tidy("x".repeat(499) + "🦉🦉"), "x".repeat(499));
  strictEqual(tidy("x".repeat(498) + "🦉🦉"), "x".repeat(498) + "🦉");
  strictEqual(tidy("owl \ud83d by \udd89 Ada"), "owl \ufffd by \ufffd Ada");
});
