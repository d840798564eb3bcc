import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import process from "node:process";
import { apiAsk, crawlApiTerm } from "#lib/crawl/api_term.ts";
import {
  flickrApi,
  type FlickrApiOptions,
} from "#lib/crawl/sites/flickr_api.ts";
import { type Crawls, withCrawls } from "../support/crawls.ts";
import {
  type FlickrPhoto,
  flickrPhoto,
  KEY,
  startFlickr,
} from "../support/stand_in_flickr.ts";

/** Crawls at a stand-in with photos of a term. */
function withFlickr(
  found: (term: string) => FlickrPhoto[],
  test: (
    flickr: Crawls<ReturnType<typeof startFlickr>, FlickrApiOptions>,
  ) => Promise<void>,
): Promise<void> {
  const standIn = startFlickr(found);
  const { origin } = standIn;
  return withCrawls(
    standIn,
    (options) => flickrApi({ origin, apiKey: KEY, ...options }),
    test,
  );
}

/** What a term leads to, its small pictures included. */
function find(origin: string, options?: FlickrApiOptions) {
  const site = flickrApi({ origin, apiKey: KEY, ...options });
  const ask = apiAsk(site, { intervalMs: 0 });
  return crawlApiTerm(ask, site, "owl", { maxImages: 2 });
}

const YEAR = 365 * 86_400;
const SOME = Array.from(
  { length: 40 },
  (_, i) => flickrPhoto(i, 1_500_000_000 + i),
);

Deno.test("flickrApi() takes a photo's original where that is permitted, and says how large", () =>
  withFlickr(() => SOME, async ({ standIn }) => {
    const { pictures } = await find(standIn.origin, { size: "original" });
    const host = "https://live.staticflickr.com/65535";
    deepStrictEqual(pictures, [{
      url: `${host}/53000000039_0a1b2c_b.jpg`,
      page: "https://www.flickr.com/photos/1003@N03/53000000039/",
      caption: "Photo 39",
      author: "Owner 3",
      license: "CC BY-SA 2.0",
      width: 1024,
      height: 683,
      thumbnail: `${host}/53000000039_0a1b2c_n.jpg`,
    }, {
      url: `${host}/53000000038_ffeedd_o.png`,
      page: "https://www.flickr.com/photos/1002@N02/53000000038/",
      caption: "Photo 38",
      author: "Owner 2",
      license: "CC BY 2.0",
      width: 3000,
      height: 2000,
      thumbnail: `${host}/53000000038_0a1b2c_n.jpg`,
    }]);
    strictEqual(standIn.requests.length, 1);
    strictEqual(standIn.requests[0].get("sort"), "relevance");
  }));

Deno.test("flickrApi() takes the largest size within the wished one", () =>
  withFlickr(() => SOME, async ({ standIn }) => {
    for (
      const [size, width, suffix] of [
        [undefined, 1024, "_b"],
        [2000, 1024, "_b"],
        [700, 640, "_z"],
        [50, 100, "_t"],
      ] as const
    ) {
      const { pictures } = await find(standIn.origin, { size });
      for (const picture of pictures) {
        strictEqual(picture.width, width);
        ok(picture.url.endsWith(`${suffix}.jpg`), picture.url);
      }
    }
  }));

Deno.test("flickrApi() leaves out what is smaller than wished, and sorts as wished", () => {
  const small = SOME.map((photo, i) => ({
    ...photo,
    width: 300 + 40 * i,
    height: 300,
    original: true,
  }));
  return withFlickr(
    () => [...small, ...SOME.slice(0, 5)],
    async ({ run, standIn }) => {
      const { pictures } = await run(["owl"], {
        minSide: 301,
        sort: "date-posted-asc",
      });
      strictEqual(pictures.length, 5);
      for (const { width, height } of pictures) {
        ok(
          width! > 300 && height! > 300,
        );
      }
      strictEqual(standIn.requests[0].get("sort"), "date-posted-asc");
    },
  );
});

Deno.test("flickrApi() knows Flickr's licences, of both versions", () =>
  withFlickr(() => SOME, async ({ run, standIn }) => {
    const all = await run(["owl"], { maxImages: 99 });
    const names = new Map(all.pictures.map(({ page, license }) => [
      Number(page.slice(-3, -1)) % 17,
      license,
    ]));
    deepStrictEqual([0, 1, 4, 7, 8, 9, 10, 11, 16].map((id) => names.get(id)), [
      "All rights reserved",
      "CC BY-NC-SA 2.0",
      "CC BY 2.0",
      "public domain",
      "United States Government Work",
      "CC0 1.0",
      "public domain",
      "CC BY 4.0",
      "CC BY-NC-ND 4.0",
    ]);
    await run(["elk"], { licences: ["cc-by", "CC0", "CC BY-SA 4.0"] });
    strictEqual(standIn.requests.at(-1)!.get("license"), "4,9,11,12");
  }));

/**
 * 9,000 photos, unevenly spread: 6,500 in one hour, a few hundred a year else, 12
 * in one second, and the first and the last second there may be.
 */
function uneven(): FlickrPhoto[] {
  const busy = 1_300_000_000;
  const now = Math.floor(Date.now() / 1000);
  return Array.from({ length: 9000 }, (_, i) => {
    const uploaded = i < 6500
      ? busy + Math.floor(3600 * i / 6500)
      : i < 6512
      ? busy + 7200
      : i === 6512
      ? Date.UTC(2004, 1, 10) / 1000
      : i === 6513
      ? now - 1
      : busy - 6 * YEAR + Math.floor((i - 6514) * 20 * YEAR / 2600);
    return flickrPhoto(i, Math.min(uploaded, now));
  });
}

Deno.test("flickrApi() finds each of 9,000 photos once, 4,000 a query", async () => {
  const photos = uneven();
  await withFlickr(() => photos, async ({ run, standIn }) => {
    const { pictures, repeats, failures } = await run(["owl"], {
      maxImages: 10_000,
    });
    deepStrictEqual([repeats, failures], [[], []]);
    strictEqual(pictures.length, 9000);
    const { pictureId } = flickrApi({ apiKey: KEY });
    const ids = pictures.map(({ url }) => pictureId(url)).toSorted();
    deepStrictEqual(ids, photos.map(({ id }) => id).toSorted());
    // 18 full pages are the least; the first 4,000 come twice, and spans are cut.
    ok(standIn.requests.length < 70);
  });
});

Deno.test("flickrApi() cuts no spans for those who want no more than 4,000", async () => {
  const photos = uneven();
  await withFlickr(() => photos, async ({ run, standIn }) => {
    const { pictures } = await run(["owl"], { maxImages: 4000 });
    strictEqual(pictures.length, 4000);
    strictEqual(standIn.requests.length, 8);
    ok(standIn.requests.every((query) => !query.has("min_upload_date")));
  });
});

Deno.test("flickrApi() ends where more than 4,000 share a second", async () => {
  const photos = Array.from(
    { length: 4100 },
    (_, i) => flickrPhoto(i, 1_300_000_000),
  );
  await withFlickr(() => photos, async ({ run, standIn }) => {
    const { pictures } = await run(["owl"], { maxImages: 10_000 });
    strictEqual(pictures.length, 4000);
    ok(standIn.requests.length < 100);
  });
});

Deno.test("flickrApi() quotes Flickr's errors, and asks again where one may pass", () =>
  withFlickr(() => SOME, async ({ run, standIn }) => {
    const down = {
      stat: "fail",
      code: "105",
      message: "Service currently unavailable",
    };
    standIn.instead.push(
      (c) => c.json(down),
      (c) => c.json({ ...down, code: 10 }),
    );
    deepStrictEqual((await run(["owl"])).failures, []);
    strictEqual(standIn.requests.length, 3);

    for (let i = 0; i < 4; i++) standIn.instead.push((c) => c.json(down));
    const { failures } = await run(["elk"]);
    strictEqual(failures[0].reason, "105: Service currently unavailable");

    const bad = await run(["fox"], { apiKey: "x" });
    strictEqual(
      bad.failures[0].reason,
      "100: Invalid API Key (Key has invalid format)",
    );
    strictEqual(standIn.requests.length, 3 + 4 + 1);
  }));

Deno.test("flickrApi() never tells the key", () =>
  withFlickr(() => SOME, async ({ run, standIn }) => {
    standIn.instead.push((c) => c.html("<p>no", 403), (c) => c.text("?"));
    const { failures } = await run(["owl", "elk"]);
    strictEqual(failures.length, 2);
    ok(!JSON.stringify(failures).includes(KEY));
  }));

Deno.test("flickrApi() without a key says where to get one", () => {
  const before = process.env.FLICKR_API_KEY;
  try {
    delete process.env.FLICKR_API_KEY;
    throws(
      () => flickrApi(),
      /expected a key in FLICKR_API_KEY, got none: .*api\/keys/,
    );
    process.env.FLICKR_API_KEY = KEY;
    strictEqual(flickrApi().name, "Flickr's API");
  } finally {
    if (before === undefined) delete process.env.FLICKR_API_KEY;
    else process.env.FLICKR_API_KEY = before;
  }
});

Deno.test("flickrApi() makes no address of what is none", () =>
  withFlickr(() => SOME, async ({ standIn }) => {
    const photo = {
      id: "1/../2",
      owner: "<a>",
      title: 7,
      url_l: "https://x.example/1.jpg",
      width_l: "NaN",
    };
    const photos = {
      total: 3,
      photo: [photo, { ...photo, url_l: undefined }, {}],
    };
    standIn.instead.push((c) => c.json({ stat: "ok", photos }));
    const { pictures } = await find(standIn.origin);
    deepStrictEqual(pictures, [{
      url: "https://x.example/1.jpg",
      page: "",
      caption: "",
      author: "",
      license: "",
    }]);
  }));
