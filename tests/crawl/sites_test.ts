import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Context, Hono } from "hono";
import { crawl } from "#lib/crawl/crawl.ts";
import { isOneOf, licenceName } from "#lib/crawl/licences.ts";
import type { SiteOptions } from "#lib/crawl/sites/site.ts";
import { sites } from "#lib/crawl/sites/sites.ts";
import { paths } from "#lib/paths.ts";
import { commonsFile, startCommons } from "../support/stand_in_commons.ts";
import { flickrPhoto, KEY, startFlickr } from "../support/stand_in_flickr.ts";
import { museum } from "../support/museum.ts";
import {
  openverseImage,
  startOpenverse,
} from "../support/stand_in_openverse.ts";

/** All sites, and the one that CONTRIBUTING.md makes as an example. */
const all: typeof sites = { ...sites, museum };

/** What stands in for a site that is asked without a browser. */
interface StandIn {
  origin: string;
  /** Answers in place of the right ones, in their order. */
  instead: ((c: Context) => Response)[];
  close(): Promise<void>;
}

/** Pictures of each term; no stand-in counts fewer requests a second than come. */
const FOUND = 70;
const numbers = (term: string) => term === "nothing" ? 0 : FOUND;

/** A line for each site that is asked; it hears of each term. */
const standIns: Record<string, (hear: (term: string) => void) => StandIn> = {
  "flickr-api": (hear) =>
    startFlickr((term) => {
      hear(term);
      return Array.from(
        { length: numbers(term) },
        (_, i) => flickrPhoto(i, 1_500_000_000 + i),
      );
    }),
  "openverse": (hear) =>
    startOpenverse((term) => {
      hear(term);
      return numbers(term);
    }, { burst: "1000/min", sustained: "1000/day" }),
  "commons": (hear) =>
    startCommons((term) => {
      hear(term);
      return Array.from(
        { length: numbers(term) },
        (_, i) => commonsFile(term, i),
      );
    }),
  "museum": startMuseum,
};

/** The example's own interface: 20 items a page. */
function startMuseum(hear: (term: string) => void): StandIn {
  const instead: StandIn["instead"] = [];
  const app = new Hono();
  app.get("/search", (c) => {
    const answer = instead.shift();
    if (answer) return answer(c);
    const { q: term, page } = c.req.query();
    hear(term);
    const first = 20 * (Number(page) - 1);
    const count = Math.max(0, Math.min(20, numbers(term) - first));
    const items = Array.from({ length: count }, (_, i) => ({
      url: `https://museum.example/${encodeURIComponent(term)}/${
        first + i
      }.jpg`,
      page: `https://museum.example/${first + i}`,
      caption: `${term} ${first + i}`,
      author: `Artist ${i}`,
      license: ["CC BY 4.0", "CC0 1.0", "CC BY-SA 3.0"][i % 3],
      width: "1200",
      height: 800,
    }));
    return c.json({ pages: Math.ceil(numbers(term) / 20), items });
  });
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(listen, app.fetch);
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return { origin, instead, close: () => server.shutdown() };
}

/** Runs a test on each of them, with a crawl that does not wait. */
function forEachApi(
  name: string,
  test: (site: {
    name: string;
    instead: StandIn["instead"];
    terms: string[];
    run: (
      plan: Record<string, string[]>,
      options?: SiteOptions,
    ) => ReturnType<typeof crawl>;
  }) => Promise<void>,
): void {
  for (const [site, start] of Object.entries(standIns)) {
    Deno.test(`${site}: ${name}`, async () => {
      const terms: string[] = [];
      const standIn = start((term) => terms.push(term));
      const folder = await Deno.makeTempDir();
      try {
        const { origin, instead } = standIn;
        const run = (plan: Record<string, string[]>, options?: SiteOptions) =>
          crawl(all[site]({ origin, apiKey: KEY, ...options }), plan, {
            folder,
            maxImages: 50,
            intervalMs: 0,
            backoffMs: 5,
          });
        await test({ name: site, instead, terms, run });
      } finally {
        await standIn.close();
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
}

Deno.test("each site has a name of its own, and is a page or has a stand-in", () => {
  const made = Object.entries(all).map(([key, make]) => {
    const site = make({ apiKey: KEY, licences: ["CC0"] });
    deepStrictEqual(site.licences, ["CC0"], key);
    strictEqual("search" in site, key in standIns, key);
    strictEqual(site.allowedHost, undefined);
    return site;
  });
  strictEqual(new Set(made.map(({ name }) => name)).size, made.length);
});

Deno.test("CONTRIBUTING.md's example of a site is the one that is tested here", async () => {
  const read = (name: string) => readFile(join(paths.root, name), "utf8");
  const code = (await read("tests/support/museum.ts"))
    .replaceAll("#lib/crawl/sites/", "./").replaceAll("#lib/crawl/", "../");
  ok((await read("CONTRIBUTING.md")).includes(`\n${code}`));
});

forEachApi(
  "each record says what, where, by whom and how large",
  async ({ run }) => {
    const { pictures, failures, skipped } = await run({ birds: ["owl"] });
    deepStrictEqual([failures, skipped], [[], []]);
    strictEqual(pictures.length, 50);
    strictEqual(new Set(pictures.map(({ url }) => url)).size, 50);
    for (const { url, page, caption, author, license, ...rest } of pictures) {
      match(url, /^https:\/\/[^?]+\.(jpg|png|tif)$/);
      match(page, /^https:\/\/[^?]+$/);
      for (const text of [caption, author, license]) {
        match(text, /^[^<>&]*\w[^<>]*$/);
      }
      strictEqual(license, licenceName(license));
      const { width, height, category, term } = rest;
      ok(
        width! > height! && Number.isInteger(width) && Number.isInteger(height),
      );
      deepStrictEqual([category, term], ["birds", "owl"]);
    }
  },
);

forEachApi(
  "a licence is asked for, and no other comes",
  async ({ name, run }) => {
    for (
      const licences of [["CC BY"], ["CC0", "public domain"], ["CC BY-SA"]]
    ) {
      const { pictures } = await run({ birds: [`owl ${licences}`] }, {
        licences,
      });
      ok(pictures.length >= 8, `${name} ${licences}: ${pictures.length}`);
      for (const { license } of pictures) {
        ok(isOneOf(license, licences), license);
      }
    }
    const none = await run({ birds: ["elk"] }, { licences: ["Apache 2.0"] });
    strictEqual(none.pictures.length, 0);
    match(none.failures[0].reason, /under Apache 2\.0/);
  },
);

forEachApi(
  "a term without pictures is a failure of its own",
  async ({ run }) => {
    const { pictures, failures } = await run({ a: ["nothing", "owl"] });
    strictEqual(pictures.length, 50);
    deepStrictEqual(failures, [
      { category: "a", term: "nothing", reason: 'no pictures for "nothing"' },
    ]);
  },
);

forEachApi(
  "every term arrives as it is, or cut by whole characters",
  async ({ terms, run }) => {
    const plain = ["AC/DC", "../../etc", "?&=#%", "🦉", "ينظر بومة", "\\ \" '"];
    const long = [
      "owl".repeat(100),
      "🦉".repeat(150),
      "بومة ".repeat(60).trim(),
    ];
    const { failures } = await run({ odd: [...plain, ...long] });
    deepStrictEqual(failures, []);
    const asked = [...new Set(terms)];
    deepStrictEqual(asked.filter((term) => plain.includes(term)), plain);
    const cut = asked.filter((term) => !plain.includes(term));
    for (const [i, term] of long.entries()) {
      ok(term.startsWith(cut[i].trimEnd()), cut[i]);
      ok(cut[i].length >= 200 && cut[i].isWellFormed());
    }
  },
);

const html = "<!doctype html><title>Please log in</title>";
const HOSTILE: [string, (c: Context) => Response, RegExp][] = [
  [
    "a page in place of JSON",
    (c) => c.html(html),
    /^expected Object, got "<!doctype html>/,
  ],
  [
    "nothing at all",
    (c) => c.body(""),
    /^expected Object, got ""$/,
  ],
  ["null", (c) => c.json(null), /^expected Object, got "null"$/],
  ["a list", (c) => c.json([1, 2]), /^expected .* got .*"\[1,2\]"$/],
  [
    "another shape",
    (c) => c.json({ photos: 1, results: "x", query: 1 }),
    /^expected/,
  ],
  [
    "6 MB",
    (c) => c.body(`["${"x".repeat(6e6)}"]`),
    /^expected 5242880 bytes at most/,
  ],
  ["a million brackets", (c) => c.body("[".repeat(1e6)), /^expected/],
  [
    "closed brackets",
    (c) => c.body("[".repeat(1e5) + "]".repeat(1e5)),
    /^expected/,
  ],
  [
    "a pause without end",
    (c) => c.text("", 429, { "retry-after": "9".repeat(300) }),
    /refuses requests for .*: run again later$/,
  ],
  ["403 and a page", (c) => c.html(html, 403), /^403 Forbidden/],
  [
    "a way elsewhere",
    (c) => c.redirect("http://10.0.0.1/"),
    /^expected an answer, got 302/,
  ],
];

forEachApi(
  "a hostile answer is reported, bounded, on one line",
  async ({ instead, run }) => {
    for (const [what, answer, reason] of HOSTILE) {
      instead.push(answer);
      const { pictures, failures } = await run({ a: [what] });
      strictEqual(pictures.length, 0, what);
      match(failures[0].reason, reason);
      ok(
        !/\n/.test(failures[0].reason) && failures[0].reason.length < 200,
        what,
      );
    }
  },
);

forEachApi(
  "what fails once is asked again, and pictures so far are kept",
  async ({ name, instead, run }) => {
    instead.push((c) => c.text("", 500), (c) => c.text("", 502));
    const whole = await run({ a: ["owl"] });
    strictEqual(whole.pictures.length, 50);
    deepStrictEqual(whole.failures, []);
    if (name !== "openverse") return;
    const after = (count: number) => (c: Context) => {
      const results = Array.from(
        { length: 20 },
        (_, i) => openverseImage("elk", count + i),
      );
      return c.json({ page_count: 9, results });
    };
    instead.push(after(0), after(20), (c) => c.json({ detail: "Gone." }, 410));
    const { pictures, failures } = await run({ a: ["owl", "elk"] });
    strictEqual(pictures.length, 50 + 40);
    strictEqual(failures[0].reason, "410 Gone: Gone.");
  },
);

/** Answers with two pictures, and with items that are none between them. */
const among = (item: (address: string) => unknown) =>
  [
    ...["https://x.example/1.jpg", "https://x.example/2.jpg"].map(item),
    ...[null, "owl", 7, null],
  ].toSpliced(1, 0, null);
const spoilt: Record<string, Record<string, unknown>> = {
  "flickr-api": {
    stat: "ok",
    photos: { total: 6, photo: among((url_l) => ({ id: "1", url_l })) },
  },
  "openverse": { page_count: 1, results: among((url) => ({ url })) },
  "commons": {
    batchcomplete: true,
    query: {
      pages: [
        ...among((thumburl) => ({
          imageinfo: [{ thumburl, mime: "image/jpeg" }],
        })),
        { title: "File:Owl.jpg", imageinfo: [null] },
      ],
    },
  },
  "museum": { pages: 1, items: among((url) => ({ url })) },
};

forEachApi(
  "an item that is none is left out and told, and the others come",
  async ({ name, instead, run }) => {
    instead.push((c) => c.json(spoilt[name]));
    const { pictures, skipped, failures } = await run({ a: ["owl"] });
    deepStrictEqual(failures, []);
    const urls = pictures.map(({ url }) => url);
    deepStrictEqual(
      urls,
      among((url) => url).filter((url) => /^http/.test(`${url}`)),
    );
    const reasons = new Set(skipped.map(({ reason }) => reason));
    deepStrictEqual(
      reasons,
      new Set([
        "expected Object, got null",
        'expected Object, got "owl"',
        "expected Object, got 7",
      ]),
    );
  },
);

const endless: Record<string, Record<string, unknown>> = {
  "flickr-api": { stat: "ok", photos: { total: 1e9, photo: [] } },
  "openverse": { page_count: 1e9, results: [] },
  "commons": { continue: { gsroffset: 50 }, query: { pages: [] } },
  "museum": { pages: 1e9, items: [] },
};

forEachApi(
  "a search that never ends is ended",
  async ({ name, instead, run }) => {
    const answers = Array.from(
      { length: 200 },
      () => (c: Context) => c.json(endless[name]),
    );
    instead.push(...answers);
    const { failures } = await run({ a: ["owl"] });
    match(
      failures[0].reason,
      /^(nothing new in 100 answers|no pictures for "owl")$/,
    );
    ok(instead.length >= 100);
  },
);
