import { deepEqual, equal } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Page } from "puppeteer-core";
import { launchBrowser } from "#lib/crawl/browser.ts";
import { crawlTerm } from "#lib/crawl/term.ts";
import { Host } from "#lib/http/hosts.ts";
import { flickr } from "#lib/crawl/sites/flickr.ts";

const site = flickr();
const HOST = "https://live.staticflickr.com/65535";

Deno.test("flickr asks for a term as text", () => {
  equal(
    site.searchUrl("lion & lamb"),
    "https://www.flickr.com/search/?text=lion%20%26%20lamb",
  );
});

Deno.test("flickr leads every size with the common secret to 1024 pixels", () => {
  for (
    const size of ["_s", "_q", "_t", "_m", "_n", "_w", "", "_z", "_c", "_b"]
  ) {
    equal(
      site.pictureUrl(`${HOST}/53241234567_0a1b2c${size}.jpg`),
      `${HOST}/53241234567_0a1b2c_b.jpg`,
    );
  }
  equal(site.pictureUrl(`${HOST}/1_ab_m.jpg?zz=1`), `${HOST}/1_ab_b.jpg`);
  equal(
    site.pictureUrl("https://farm6.staticflickr.com/5600/1_ab_n.jpg"),
    "https://farm6.staticflickr.com/5600/1_ab_b.jpg",
  );
});

Deno.test("flickr leaves larger sizes, and takes nothing but photos", () => {
  for (const size of ["h", "k", "3k"]) {
    const large = `${HOST}/1_cd_${size}.jpg`;
    equal(site.pictureUrl(large), large);
  }
  for (
    const image of [
      `${HOST}/buddyicons/9@N00.jpg`,
      "https://combo.staticflickr.com/ap/build/images/logo.png",
      "https://live.staticflickr.com.example.org/65535/1_ab_m.jpg",
      "data:image/gif;base64,R0lGOD",
      "",
    ]
  ) equal(site.pictureUrl(image), undefined);
});

Deno.test("flickr knows a picture by its number, whatever server and secret", () => {
  for (
    const url of [
      `${HOST}/53241234567_0a1b2c_b.jpg`,
      `${HOST}/53241234567_ffffff_k.jpg`,
      "https://farm6.staticflickr.com/5600/53241234567_0a1b2c_m.jpg",
    ]
  ) equal(site.pictureId(url), "53241234567");
});

/** Answers for flickr.com from tests/fixtures; nothing leaves the machine. */
async function stayOffline(tab: Page): Promise<Page> {
  await tab.setRequestInterception(true);
  tab.on("request", async (request) => {
    const { hostname, pathname } = new URL(request.url());
    const fixture = hostname !== "www.flickr.com"
      ? undefined
      : pathname === "/search/"
      ? "search"
      : pathname === "/search/more"
      ? "more"
      : "photo";
    if (!fixture) return request.abort();
    const file = new URL(`../fixtures/flickr/${fixture}.html`, import.meta.url);
    const body = await readFile(file, "utf8");
    await request.respond({ contentType: "text/html; charset=utf-8", body });
  });
  return tab;
}

Deno.test("flickr's pages are read: titles, authors, licences, load more", async () => {
  const browser = await launchBrowser();
  try {
    const findings = await crawlTerm(
      async () => stayOffline(await browser.newPage()),
      site,
      "owl",
      {
        maxImages: 20,
        timeoutMs: 10_000,
        host: new Host("flickr", { backoffMs: 10 }),
        isAllowed: (url) => !url.includes("/photos/sam/"),
      },
    );
    deepEqual(findings, {
      pictures: [
        {
          url: `${HOST}/53000000001_0a1b2c_b.jpg`,
          page: "https://www.flickr.com/photos/jane/53000000001/",
          caption: "Barn owl by night",
          author: "Jane Doe",
          license: "CC BY-SA 2.0",
        },
        {
          url: "https://live.staticflickr.com/1/2/53000000002_ffee00_b.jpg",
          page: "https://www.flickr.com/photos/12@N01/53000000002/",
          caption: "<b>Snowy</b> owl",
          author: "Some One",
          license: "CC BY-SA 2.0",
        },
        {
          url: `${HOST}/53000000003_abcdef_k.jpg`,
          page: "https://www.flickr.com/photos/sam/53000000003/",
          caption: "Owl box",
          author: "Sam",
          license: "",
        },
      ],
      repeats: [],
    });
  } finally {
    await browser.close();
  }
});
