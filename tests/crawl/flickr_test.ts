import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Page } from "puppeteer-core";
import { launchBrowser } from "#lib/crawl/browser.ts";
import { Host } from "#lib/http/hosts.ts";
import { flickr, type FlickrOptions } from "#lib/crawl/sites/flickr.ts";
import { Tabs } from "#lib/crawl/tabs.ts";
import type { TermFindings } from "#lib/crawl/search_results.ts";
import { crawlTerm } from "#lib/crawl/term.ts";

const HOST = "https://live.staticflickr.com/65535";

Deno.test("flickr() asks for a term as text", () => {
  strictEqual(
    flickr().searchUrl("lion & lamb"),
    "https://www.flickr.com/search/?text=lion%20%26%20lamb",
  );
});

Deno.test("flickr() puts sort, licences, colours and least size into the search's address", () => {
  const filters = (options: FlickrOptions) =>
    flickr(options).searchUrl("owl").split("text=owl")[1];
  strictEqual(filters({ sort: "relevance" }), "");
  strictEqual(
    filters({ sort: "interestingness-desc" }),
    "&sort=interestingness-desc",
  );
  strictEqual(filters({ licences: ["cc0", "CC-BY"] }), "&license=4%2C9%2C11");
  strictEqual(filters({ licences: ["CC BY 4.0"] }), "&license=11");
  strictEqual(filters({ licences: ["public domain"] }), "&license=7%2C10");
  strictEqual(
    filters({ colours: ["red", "pale pink"] }),
    "&color_codes=0%2Cb",
  );
  strictEqual(
    filters({ minSide: 640 }),
    "&dimension_search_mode=min&height=640&width=640",
  );
});

Deno.test("flickr() refuses options that Flickr does not have, and says which there are", () => {
  const cases: [unknown, RegExp][] = [
    [{ sort: "best" }, /sort to be relevance, date-posted-desc, .*got "best"$/],
    [{ colours: ["red", "mauve"] }, /colours to be red, .*, got "mauve"$/],
    [{ colours: ["toString"] }, /got "toString"$/],
    [{ minSide: 0 }, /minSide to be a whole number from 1, got 0$/],
    [{ minSide: "9" }, /got "9"$/],
    [{ size: "huge" }, /size to be "large", .*, got "huge"$/],
    [{ size: 99 }, /pixels from 100, got 99$/],
  ];
  for (const [options, message] of cases) {
    throws(() => flickr(options as FlickrOptions), {
      name: "RangeError",
      message,
    });
  }
  throws(
    () => flickr({ licences: ["GPL"] }),
    /Flickr has no pictures under GPL: expected one of All rights reserved, /,
  );
});

Deno.test("flickr() leads every size with the common secret to the wished one", () => {
  const image = `${HOST}/53241234567_0a1b2c`;
  for (
    const size of ["_s", "_q", "_t", "_m", "_n", "_w", "", "_z", "_c", "_b"]
  ) {
    strictEqual(flickr().pictureUrl(`${image}${size}.jpg`), `${image}_b.jpg`);
    strictEqual(
      flickr({ size: 799 }).pictureUrl(`${image}${size}.jpg`),
      `${image}_z.jpg`,
    );
  }
  strictEqual(
    flickr({ size: 500 }).pictureUrl(`${image}_m.jpg`),
    `${image}.jpg`,
  );
  const { pictureUrl } = flickr();
  strictEqual(pictureUrl(`${HOST}/1_ab_m.jpg?zz=1`), `${HOST}/1_ab_b.jpg`);
  strictEqual(
    pictureUrl("https://farm6.staticflickr.com/5600/1_ab_n.jpg"),
    "https://farm6.staticflickr.com/5600/1_ab_b.jpg",
  );
});

Deno.test("flickr() leaves larger sizes, and takes nothing but photos", () => {
  const { pictureUrl } = flickr();
  for (const size of ["h.jpg", "k.jpg", "3k.jpg", "6k.jpg", "f.jpg", "o.png"]) {
    const large = `${HOST}/1_cd_${size}`;
    strictEqual(pictureUrl(large), large);
  }
  for (
    const image of [
      `${HOST}/buddyicons/9@N00.jpg`,
      `${HOST}/1_ab_x.jpg`,
      `${HOST}/1_ab_o.exe`,
      "https://combo.staticflickr.com/ap/build/images/logo.png",
      "https://live.staticflickr.com.example.org/65535/1_ab_m.jpg",
      "data:image/gif;base64,R0lGOD",
      "",
    ]
  ) strictEqual(pictureUrl(image), undefined);
});

Deno.test("flickr() knows a picture by its number, whatever server and secret", () => {
  for (
    const url of [
      `${HOST}/53241234567_0a1b2c_b.jpg`,
      `${HOST}/53241234567_ffffff_k.jpg`,
      `${HOST}/53241234567_fffff0_o.png`,
      "https://farm6.staticflickr.com/5600/53241234567_0a1b2c_m.jpg",
    ]
  ) strictEqual(flickr().pictureId(url), "53241234567");
});

Deno.test("flickr() takes the largest size up to the wished one of those that are shown", () => {
  const shown = ["_q", "_w", "_b", "_h", "_6k", "_o"].map((size) => ({
    url: `${HOST}/1_ab${size}.jpg`,
  }));
  const best = (size?: FlickrOptions["size"]) =>
    flickr({ size }).bestSize!(shown)?.url.slice(`${HOST}/1_ab`.length);
  strictEqual(best(), "_b.jpg");
  strictEqual(best(300), undefined);
  strictEqual(best(1599), "_b.jpg");
  strictEqual(best(1600), "_h.jpg");
  strictEqual(best(9000), "_6k.jpg");
  strictEqual(best("original"), "_o.jpg");
  // An original that is small enough, as the page says.
  const told = { ...shown[5], width: 1200, height: 900 };
  deepStrictEqual(
    flickr({ size: 1300 }).bestSize!([...shown.slice(0, 3), told]),
    told,
  );
});

/** Answers for flickr.com from tests/fixtures; nothing leaves the machine. */
async function stayOffline(tab: Page): Promise<Page> {
  const read = (name: string) =>
    readFile(
      new URL(`../fixtures/flickr/${name}.html`, import.meta.url),
      "utf8",
    );
  await tab.setRequestInterception(true);
  tab.on("request", async (request) => {
    const { hostname, pathname } = new URL(request.url());
    if (hostname !== "www.flickr.com") return request.abort();
    const [, owner, number] = /^\/photos\/([^/]+)\/(\d+)/.exec(pathname) ?? [];
    const page = pathname === "/search/"
      ? await read("search")
      : pathname === "/search/more"
      ? await read("more")
      : await read("photo");
    const body = page.replaceAll("OWNER", owner).replaceAll("NUMBER", number);
    await request.respond({ contentType: "text/html; charset=utf-8", body });
  });
  return tab;
}

/** What a term leads to on the pages of tests/fixtures. */
async function findingsOf(
  options?: FlickrOptions,
  isAllowed = (url: string) => !url.includes("/photos/sam/"),
): Promise<TermFindings> {
  const browser = await launchBrowser();
  try {
    const site = flickr(options);
    const open = async () => stayOffline(await browser.newPage());
    return await crawlTerm(new Tabs(open, site, 10_000), site, "owl", {
      maxImages: 20,
      host: new Host("flickr", { backoffMs: 10 }),
      isAllowed,
    });
  } finally {
    await browser.close();
  }
}

Deno.test("flickr()'s pages are read: titles, authors, licences, sizes, load more", async () => {
  const { pictures, ...rest } = await findingsOf();
  const size = { width: 683, height: 1024 };
  deepStrictEqual(pictures, [
    {
      url: `${HOST}/53000000001_0a1b2c_b.jpg`,
      page: "https://www.flickr.com/photos/jane/53000000001/",
      caption: "Barn owl by night",
      author: "Jane Doe",
      license: "CC BY-SA 2.0",
      thumbnail: `${HOST}/53000000001_0a1b2c_m.jpg`,
      ...size,
    },
    {
      // Its page has it elsewhere by now.
      url: `${HOST}/53000000002_0a1b2c_b.jpg`,
      page: "https://www.flickr.com/photos/12@N01/53000000002/",
      caption: "<b>Snowy</b> owl",
      author: "Some One",
      license: "CC BY-SA 2.0",
      thumbnail: "https://live.staticflickr.com/1/2/53000000002_ffee00_n.jpg",
      ...size,
    },
    {
      url: `${HOST}/53000000004_0a1b2c_b.jpg`,
      page: "https://www.flickr.com/photos/kim/53000000004/",
      caption: "Owls by the sea",
      author: "Kim",
      license: "CC BY-SA 2.0",
      thumbnail: `${HOST}/53000000004_00dd00_z.jpg`,
      ...size,
    },
    {
      url: `${HOST}/53000000003_abcdef_k.jpg`,
      page: "https://www.flickr.com/photos/sam/53000000003/",
      caption: "Owl box",
      author: "Sam",
      license: "",
      thumbnail: `${HOST}/53000000003_abcdef_k.jpg`,
    },
  ]);
  deepStrictEqual(rest, {
    repeats: [],
    remark: "robots.txt forbids 1 of the pictures' pages: " +
      "their authors or licences may be missing",
  });
});

Deno.test("flickr() takes the original where it is wished and shown, and drops other licences", async () => {
  const licences = ["CC BY-SA"];
  const { pictures } = await findingsOf({ size: "original", licences });
  deepStrictEqual(
    pictures.map(({ url, width, height }) => [url, width, height]),
    [1, 2, 4].map((n) => [`${HOST}/5300000000${n}_0ccc0d_o.png`, 3000, 4500]),
  );
  // From the search page's srcset, where photos' pages may not be asked for.
  const alone = (url: string) => !url.includes("/photos/");
  const shown = await findingsOf({ size: 1600 }, alone);
  strictEqual(shown.pictures[2].url, `${HOST}/53000000004_16aa00_h.jpg`);
  const { failure } = await findingsOf({ licences: ["CC0"] });
  strictEqual(failure, 'no pictures for "owl" under CC0');
});
