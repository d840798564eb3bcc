import {
  deepEqual,
  deepStrictEqual,
  equal,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { launchBrowser } from "#lib/crawl/browser.ts";
import {
  crawl,
  type CrawlOptions,
  type CrawlProgress,
} from "#lib/crawl/crawl.ts";
import type { SearchPlan } from "#lib/crawl/plan.ts";
import { readJsonLines } from "#lib/files.ts";
import { paths } from "#lib/paths.ts";
import { readSample } from "#lib/photo_site/sample.ts";
import type { Fault } from "#lib/photo_site/faults.ts";
import type { CrawlResult, PlanTerm } from "#lib/crawl/records.ts";
import { localSite } from "#lib/crawl/sites/local.ts";
import type { ApiSite, Site } from "#lib/crawl/sites/site.ts";
import { openLibrary } from "#lib/photo_site/library.ts";
import { startPhotoSite } from "#lib/photo_site/photo_site.ts";

const library = openLibrary(await readSample());
const browser = await launchBrowser();
Deno.test.afterAll(() => browser.close());

/** With a limit that no term of the sample reaches. */
const QUICK = { backoffMs: 20, timeoutMs: 5000, maxImages: 100 };

/** A running photo site, its requests, and crawls of it. */
async function withCrawls(
  test: (site: {
    origin: string;
    folder: string;
    requests: string[];
    run: (
      plan: SearchPlan,
      options?: CrawlOptions & { site?: Site },
    ) => Promise<CrawlResult>;
  }) => Promise<void>,
  faults: Fault[] = [],
): Promise<void> {
  const requests: string[] = [];
  const photoSite = await startPhotoSite({
    port: 0,
    faults,
    onRequest: (path) => requests.push(path),
  });
  const folder = await Deno.makeTempDir();
  try {
    await test({
      origin: photoSite.origin,
      folder,
      requests,
      run: (plan, options) =>
        crawl(options?.site ?? localSite(photoSite.origin), plan, {
          browser,
          folder,
          ...QUICK,
          ...options,
        }),
    });
  } finally {
    await photoSite.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** The addresses that a search page leads to, each once, from the library. */
function addresses(origin: string, term: string): string[] {
  const listed = library.search(term).map(({ id, name }) =>
    `${origin}/pictures/${id}-${name}_b.jpg`
  );
  return [...new Set(listed)];
}

/** The planets, which are the fewest pages. */
const planetCount = addresses("", "planet").length;

const urlsOf = (pictures: { term: string; url: string }[], term: string) =>
  pictures.filter((picture) => picture.term === term).map(({ url }) => url);

Deno.test("crawl() follows the scroll and presses the button to the last photo", () =>
  withCrawls(async ({ origin, folder, requests, run }) => {
    const { pictures, repeats, failures } = await run({ plants: ["flower"] });
    deepEqual(failures, []);
    // Fifteen photos are three pages: the first, one for the scroll, one more.
    equal(pictures.length, 15);
    deepEqual(urlsOf(pictures, "flower"), addresses(origin, "flower"));
    ok(requests.includes("/search/?text=flower&page=3"));

    const photos = new Map(library.photos.map((photo) => [photo.id, photo]));
    for (const { page, caption, author, license } of pictures) {
      const photo = photos.get(Number(/\/photos\/(\d+)\/$/.exec(page)![1]))!;
      deepEqual({ caption, author, license }, {
        caption: photo.caption,
        author: photo.author,
        license: photo.license,
      });
    }
    equal(repeats.length, 1);
    equal(
      repeats[0].url,
      pictures[0].url.replace("_b", "_t") + "?from=promoted",
    );
    deepEqual(repeats[0].of, pictures[0]);

    const text = await readFile(join(folder, "image_urls.json"), "utf8");
    const urls = { plants: { flower: addresses(origin, "flower") } };
    equal(text, JSON.stringify(urls, null, 4) + "\n");
    deepEqual(await readJsonLines(join(folder, "images.jsonl")), pictures);
  }));

Deno.test("crawl() refuses counts that are none", async () => {
  const site = localSite("http://127.0.0.1:9");
  for (const options of [{ maxImages: 0 }, { maxImages: 2.5 }, { tabs: 0 }]) {
    const [[name, count]] = Object.entries(options);
    await rejects(crawl(site, { a: ["owl"] }, options), {
      name: "RangeError",
      message:
        `crawl: expected ${name} to be a whole number from 1, got ${count}`,
    });
  }
});

Deno.test("crawl() stops at maxImages, without asking for more", () =>
  withCrawls(async ({ origin, requests, run }) => {
    const { pictures } = await run({ plants: ["flower"] }, { maxImages: 4 });
    deepEqual(
      urlsOf(pictures, "flower"),
      addresses(origin, "flower").slice(0, 4),
    );
    ok(!requests.includes("/search/?text=flower&page=3"));
    equal(requests.filter((path) => path.startsWith("/photos/")).length, 4);
  }));

Deno.test("crawl() finds the same in the same order, however many tabs", () =>
  withCrawls(async ({ run }) => {
    const plan = {
      animals: ["ground bird", "livestock"],
      space: ["planet"],
    };
    const one = await run(plan, { tabs: 1 });
    const four = await run(plan, { tabs: 4, resume: false });
    deepEqual(four, one);
    // The site lists the hen and the rooster under livestock too.
    const again = one.repeats.filter(({ term, of }) =>
      term === "livestock" && of.term === "ground bird"
    );
    deepEqual(
      again.map(({ url }) => /\d-([a-z-]+)_b/.exec(url)![1]),
      ["hen", "rooster"],
    );
    equal(
      new Set(one.pictures.map(({ url }) => url)).size,
      one.pictures.length,
    );
  }));

Deno.test("crawl() waits as long as a 429 asks for", () =>
  withCrawls(async ({ run }) => {
    const start = performance.now();
    const { pictures, failures } = await run({ space: ["planet"] });
    ok(performance.now() - start >= 2000);
    equal(pictures.length, planetCount);
    deepEqual(failures, []);
  }, [
    { match: /text=planet$/, answer: "429", retryAfter: 1, times: 1 },
    { match: /text=planet&page=2/, answer: "429", retryAfter: 1, times: 1 },
  ]));

Deno.test("crawl() goes on when a term fails, and says why", () =>
  withCrawls(async ({ origin, requests, run }) => {
    const { pictures, failures } = await run({
      animals: ["fish", "predator", "livestock"],
      food: ["fruit", "vegetable"],
      plants: ["flower"],
      space: ["planet"],
    }, { timeoutMs: 4000 });
    deepEqual(
      failures.map(({ term, reason }) => [
        term,
        reason,
      ]),
      [
        ["predator", "500 Internal Server Error"],
        ["livestock", "no answer in 4 s"],
        ["fruit", "too many redirects"],
        ["vegetable", "expected a page, got text/plain"],
        ["flower", "content length mismatch"],
      ],
    );
    for (const term of ["fish", "planet"]) {
      deepEqual(urlsOf(pictures, term), addresses(origin, term));
    }
    equal(pictures.length, addresses(origin, "fish").length + planetCount);
    // What may pass is asked for four times; the rest once, which takes the
    // browser 20 requests to say of a loop.
    const asked = ["predator", "flower", "livestock", "vegetable", "fruit"].map(
      (term) => requests.filter((path) => path.endsWith(`text=${term}`)).length,
    );
    deepEqual(asked, [4, 4, 1, 1, 20]);
  }, [
    { match: /text=predator/, answer: "500" },
    { match: /text=livestock/, answer: "slow", delayMs: 9000 },
    { match: /text=fruit/, answer: "redirect loop" },
    { match: /text=vegetable/, answer: "wrong type" },
    { match: /text=flower/, answer: "cut off" },
  ]));

Deno.test("crawl() tries again what may pass: a page, more photos, a licence", () =>
  withCrawls(async ({ origin, run }) => {
    const { pictures, failures } = await run({
      animals: ["livestock"],
      food: ["vegetable"],
      plants: ["flower"],
    });
    deepEqual(failures, []);
    for (const term of ["vegetable", "flower", "livestock"]) {
      deepEqual(urlsOf(pictures, term), addresses(origin, term));
    }
    ok(pictures.every(({ license }) => license !== ""));
  }, [
    { match: /text=flower$/, answer: "500", times: 1 },
    { match: /text=vegetable&page=2/, answer: "500", times: 1 },
    { match: /text=livestock&page=3/, answer: "cut off", times: 1 },
    { match: /^\/photos/, answer: "500", times: 2 },
  ]));

Deno.test("crawl() keeps the first photos when the next ones fail, and completes them later", async () => {
  let broken = false;
  const whenBroken = Object.assign(/text=flower$/, { test: () => broken });
  const faults: Fault[] = [
    { match: whenBroken, answer: "500" },
    { match: /text=flower&page=2/, answer: "500", times: 4 },
  ];
  await withCrawls(async ({ origin, run }) => {
    const sixOf = async (expected: RegExp) => {
      const { pictures, failures } = await run({ plants: ["flower"] });
      strictEqual(failures.length, 1);
      match(failures[0].reason, expected);
      deepStrictEqual(
        urlsOf(pictures, "flower"),
        addresses(origin, "flower").slice(0, 6),
      );
    };
    await sixOf(/^500 Internal Server Error$/);
    // A try that brings less takes nothing away, and says why it failed itself.
    broken = true;
    await sixOf(/robots\.txt did not answer: 500 Internal Server Error$/);
    broken = false;
    const last = await run({ plants: ["flower"] });
    deepEqual(last.failures, []);
    equal(last.pictures.length, 15);
  }, faults);
});

Deno.test("crawl() asks only for what earlier runs have not found", () =>
  withCrawls(async ({ folder, requests, run }) => {
    const first = await run({ space: ["planet"] });
    requests.length = 0;
    const progress: unknown[] = [];
    const onProgress = (now: unknown) => progress.push(now);

    const { robots, ...again } = await run({ space: ["planet"] }, {
      onProgress,
    });
    const { robots: asked, ...before } = first;
    deepStrictEqual(again, before);
    strictEqual(robots.decision, "nothing is left to ask for");
    strictEqual(robots.url, asked.url);
    equal(requests.length, 0);
    deepStrictEqual(progress, [{
      done: 1,
      total: 1,
      term: "planet",
      pictures: planetCount,
      finds: [],
    }]);

    const both = { animals: ["fish"], space: ["planet"] };
    const second = await run(both);
    ok(requests.length > 0);
    ok(!requests.some((path) => path.includes("planet")));
    deepEqual(
      Object.keys(JSON.parse(
        await readFile(join(folder, "image_urls.json"), "utf8"),
      )),
      ["animals", "space"],
    );
    deepEqual(second.pictures.slice(-planetCount), first.pictures);

    requests.length = 0;
    await run({ space: ["planet"] }, { maxImages: 3 });
    ok(requests.some((path) => path.includes("planet")));
  }));

Deno.test("crawl() takes over nothing from another site, limit or plan", () =>
  withCrawls(async ({ origin, folder, requests, run }) => {
    const plan = { space: ["planet"] };
    await run(plan, { maxImages: 2 });
    const anew = async (options: CrawlOptions & { site?: Site }) => {
      requests.length = 0;
      const { pictures } = await run(plan, { maxImages: 3, ...options });
      equal(pictures.length, 3);
      ok(requests.some((path) => path.includes("planet")));
    };
    await anew({});
    await anew({ resume: false });
    const site = { ...localSite(origin), name: "another" };
    await anew({ site });
    // What is no longer in the plan stays known, but is no result.
    const others = await run({ x: ["unicorn"] }, { maxImages: 3, site });
    deepEqual(others.pictures, []);
    requests.length = 0;
    const again = await run(plan, { maxImages: 3, site });
    deepEqual([again.pictures.length, requests], [3, []]);
    const text = await readFile(join(folder, "image_urls.json"), "utf8");
    deepEqual(Object.keys(JSON.parse(text)), ["space"]);
  }));

Deno.test("crawl() gives results and files in the plan's order, not the sites'", () =>
  withCrawls(async ({ folder, run }) => {
    // The first takes longest, the second starts with the third.
    const plan = { z: ["planet"], a: ["unicorn", "fish"] };
    const { pictures } = await run(plan, { maxImages: 2, tabs: 2 });
    const terms = ["planet", "planet", "fish", "fish"];
    deepEqual(pictures.map(({ term }) => term), terms);
    const lines = await readJsonLines<PlanTerm>(join(folder, "images.jsonl"));
    deepEqual(lines.map(({ term }) => term), terms);
    // What is done is listed by name, whenever it was done.
    const done = await readJsonLines<PlanTerm>(join(folder, "terms.jsonl"));
    deepEqual(done.map(({ term }) => term), ["fish", "unicorn", "planet"]);
    const text = await readFile(join(folder, "image_urls.json"), "utf8");
    deepEqual(
      Object.entries(JSON.parse(text)).map(([category, terms]) => [
        category,
        Object.keys(terms as object),
      ]),
      Object.entries(plan),
    );
  }, [{ match: /text=planet/, answer: "slow", delayMs: 1000, times: 1 }]));

/** In front of the site, with a robots.txt of its own. */
async function withRobots<Result>(
  origin: string,
  robots: string,
  body: (front: { site: Site; times: number[] }) => Promise<Result>,
): Promise<Result> {
  const times: number[] = [];
  const front = createServer(async ({ url }, response) => {
    if (/^\/(search|photos)\//.test(url!)) times.push(Date.now());
    const answer = await fetch(origin + url);
    response.setHeader("content-type", answer.headers.get("content-type")!);
    const text = await answer.text();
    response.end(url === "/robots.txt" ? robots : text);
  });
  await new Promise<void>((done) => front.listen(0, "127.0.0.1", done));
  const { port } = front.address() as AddressInfo;
  try {
    return await body({ site: localSite(`http://127.0.0.1:${port}`), times });
  } finally {
    front.closeAllConnections();
    front.close();
  }
}

Deno.test("crawl() keeps to the interval that robots.txt asks for", () =>
  withCrawls(async ({ origin, run }) => {
    const robots = "User-agent: *\nCrawl-delay: 0.4\n";
    await withRobots(origin, robots, async ({ site, times }) => {
      const options = { maxImages: 2, site };
      const { pictures, failures } = await run({ space: ["planet"] }, options);
      deepEqual([pictures.length, failures], [2, []]);
      // A search page and two photos' pages.
      equal(times.length, 3);
      for (const [i, at] of times.slice(1).entries()) {
        ok(at - times[i] >= 350, `${at - times[i]} ms`);
      }
    });
  }));

Deno.test("crawl() says where robots.txt forbids the pages that have the credits", () =>
  withCrawls(async ({ origin, run }) => {
    const robots = "User-agent: *\nDisallow: /photos/\n";
    await withRobots(origin, robots, async ({ site, times }) => {
      const plan = { space: ["planet"] };
      const options = { maxImages: 2, site };
      const { pictures, failures, remarks } = await run(plan, options);
      deepStrictEqual(failures, []);
      deepStrictEqual(pictures.map(({ license }) => license), ["", ""]);
      strictEqual(times.length, 1);
      deepStrictEqual(remarks, [{
        category: "space",
        term: "planet",
        remark: "robots.txt forbids 2 of the pictures' pages: " +
          "their authors or licences may be missing",
      }]);
      // What an earlier run has found is still told.
      deepStrictEqual((await run(plan, options)).remarks, remarks);
      strictEqual(times.length, 1);
    });
  }));

Deno.test("crawl() leaves a site alone whose robots.txt is out of order", async () => {
  const requests: string[] = [];
  const photoSite = await startPhotoSite({
    port: 0,
    faults: [{ match: /robots/, answer: "500" }],
    onRequest: (path) => requests.push(path),
  });
  const folder = await Deno.makeTempDir();
  const plan = { food: ["fruit", "vegetable"] };
  const { pictures, failures } = await crawl(
    localSite(photoSite.origin),
    plan,
    { ...QUICK, folder },
  );
  await photoSite.close();
  deepEqual(pictures, []);
  deepEqual(failures.map(({ term }) => term), plan.food);
  match(failures[0].reason, /robots\.txt did not answer: 500 Internal Server/);
  deepEqual(new Set(requests), new Set(["/robots.txt"]));
});

/** Shows one picture again, under another address, each time it is asked. */
const endlessPage = `<ul><li class="photo"><a href="/photos/1/">
  <img src="/pictures/1-owl_t.jpg"></a><p class="title">An owl</p></li></ul>
  <button>Load more</button><script>
  let times = 0;
  document.querySelector("button").onclick = () => {
    const photo = document.querySelector(".photo").cloneNode(true);
    photo.querySelector("img").src += "?" + ++times;
    document.querySelector("ul").append(photo);
  };</script>`;

Deno.test("crawl() stops asking for more where nothing new has come for a while", () =>
  withCrawls(async ({ run }) => {
    const server = createServer(({ url }, response) => {
      response.setHeader("content-type", "text/html");
      response.end(url!.startsWith("/search/") ? endlessPage : "");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const site = localSite(`http://127.0.0.1:${port}`);
    const { pictures, repeats, failures } = await run({ birds: ["owl"] }, {
      site,
      signal: AbortSignal.timeout(8000),
    });
    server.closeAllConnections();
    server.close();
    deepEqual([pictures.length, failures, repeats.length], [1, [], 3]);
  }));

Deno.test("crawl() says that a term has no pictures", () =>
  withCrawls(async ({ folder, run }) => {
    const { pictures, failures } = await run({ x: ["unicorn"], y: ["planet"] });
    deepEqual(failures, [
      { category: "x", term: "unicorn", reason: `no pictures for "unicorn"` },
    ]);
    equal(pictures.length, planetCount);
    const text = await readFile(join(folder, "image_urls.json"), "utf8");
    deepEqual(JSON.parse(text).x, { unicorn: [] });
    ok(!(await readdir(folder)).includes("nothing"));
  }));

Deno.test("crawl() saves a page that shows nothing, under a name that any disk takes", () =>
  withCrawls(async ({ origin, folder }) => {
    const site = {
      ...localSite(origin),
      // Its layout is another by now, and so is what it says.
      readResults: () => [],
      nothingFound: undefined,
    };
    const terms = [
      ...["a/b", "a_b", "../../b", "..", "Owl", "owl", "🦉🦉", "بومة", "CON"],
      "long ".repeat(60).trim(),
    ];
    const { failures } = await crawl(site, { x: terms }, {
      ...QUICK,
      browser,
      folder: join(folder, "1_crawl"),
      ignoreRobots: true,
    });
    deepStrictEqual(failures.map(({ term }) => term), terms);
    const files = await readdir(join(folder, "1_crawl", "nothing"));
    strictEqual(files.length, 2 * terms.length);
    const folded = files.map((name) => name.normalize("NFC").toLowerCase());
    strictEqual(new Set(folded).size, files.length);
    for (const { reason } of failures) {
      const [, name] =
        /^found nothing: the page may have changed; see 1_crawl\/nothing\/(.*)\.png and \1\.html$/
          .exec(reason)!;
      ok(new TextEncoder().encode(name).length < 200, name);
      const path = join(folder, "1_crawl", "nothing", name);
      match(await readFile(`${path}.html`, "utf8"), /Darkroom/);
      const { width, height } = await sharp(`${path}.png`).metadata();
      deepStrictEqual([width, height], [800, 600]);
    }
    // Nothing was written beside it.
    deepStrictEqual(await readdir(folder), ["1_crawl"]);
  }));

Deno.test("crawl() keeps terms apart that look alike, in its files and when it goes on", () =>
  withCrawls(async ({ origin, folder, requests, run }) => {
    const known = ["planet", "fruit", "fish", "flower", "hammer", "tower"];
    const long = "owl ".repeat(75);
    const terms = ["a/b", "a_b", "Owl", "owl", `${long}1`, `${long}2`];
    const site = {
      ...localSite(origin),
      searchUrl: (term: string) =>
        localSite(origin).searchUrl(known[terms.indexOf(term)]),
    };
    const options = { site, maxImages: 2 };
    const { pictures, failures } = await run({ "../x": terms }, options);
    deepStrictEqual(failures, []);
    deepStrictEqual(
      pictures.map(({ term }) => term),
      [...terms, ...terms].sort(
        (a, b) => terms.indexOf(a) - terms.indexOf(b),
      ),
    );
    const text = await readFile(join(folder, "image_urls.json"), "utf8");
    deepStrictEqual(Object.keys(JSON.parse(text)["../x"]), terms);
    requests.length = 0;
    const again = await run({ "../x": terms }, options);
    deepStrictEqual([again.pictures, requests], [pictures, []]);
  }));

Deno.test("crawl() keeps 5 MB of an endless page, and answers what a page asks", () =>
  withCrawls(async ({ folder, run }) => {
    const server = createServer(({ url }, response) => {
      response.setHeader("content-type", "text/html; charset=utf-8");
      const page = `<script>alert(1)</script><!--${"é".repeat(3_000_000)}-->`;
      response.end(url!.startsWith("/search/") ? page : "");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const site = localSite(`http://127.0.0.1:${port}`);
    const { failures } = await run({ x: ["owl"] }, { site, timeoutMs: 30_000 });
    server.closeAllConnections();
    server.close();
    match(failures[0].reason, /^found nothing: .*; see /);
    const names = await readdir(join(folder, "nothing"));
    const html = names.find((name) => name.endsWith(".html"))!;
    const { size } = await stat(join(folder, "nothing", html));
    strictEqual(size, 5_000_000);
  }));

Deno.test("crawl() looks for more where pictures have other licences than those wanted", () =>
  withCrawls(async ({ origin, run }) => {
    // The tenth of eleven.
    const site = localSite(origin, { licences: ["cc-by-sa"] });
    const { pictures, failures } = await run({ x: ["rodent or rabbit"] }, {
      site,
      maxImages: 4,
    });
    deepStrictEqual(failures, []);
    deepStrictEqual(
      pictures.map(({ license }) => license),
      ["CC BY-SA 4.0"],
    );
    const none = await run({ x: ["planet"] }, {
      site: localSite(origin, { licences: ["CC BY-NC-ND"] }),
    });
    strictEqual(
      none.failures[0].reason,
      'no pictures for "planet" under CC BY-NC-ND',
    );
    // What was found under one licence says nothing of another.
    const any = await run({ x: ["rodent or rabbit"] }, { maxImages: 4 });
    strictEqual(any.pictures.length, 4);
  }));

Deno.test("crawl() keeps no picture whose licence it could not ask, where it matters", () =>
  withCrawls(async ({ origin, run }) => {
    const site = localSite(origin, { licences: ["GPL-2.0-or-later"] });
    const { pictures, failures } = await run({ x: ["planet"] }, {
      site,
      maxImages: 3,
    });
    strictEqual(failures[0].reason, "500 Internal Server Error");
    strictEqual(pictures.length, 1);
    strictEqual(pictures[0].license, "GPL-2.0-or-later");
  }, [{
    match: new RegExp(`/photos/${library.search("planet")[1].id}/`),
    answer: "500",
  }]));

Deno.test("crawl() tells finds as they come, with small pictures that no file keeps", () =>
  withCrawls(async ({ origin, folder, run }) => {
    const told: CrawlProgress[] = [];
    const { pictures } = await run({ space: ["planet"] }, {
      onProgress: (progress) => told.push(progress),
    });
    const [{ finds }] = told;
    strictEqual(finds.length, planetCount);
    strictEqual(finds[0].caption, pictures[0].caption);
    strictEqual(finds[0].thumbnail, pictures[0].url.replace("_b.", "_m."));
    ok(finds[0].thumbnail!.startsWith(origin));
    for (const name of ["images.jsonl", "terms.jsonl"]) {
      const text = await readFile(join(folder, name), "utf8");
      ok(!text.includes("thumbnail"), name);
    }
  }));

Deno.test("crawl() opens no more tabs than it uses at once", () =>
  withCrawls(async ({ run }) => {
    let opened = 0;
    const count = () => opened++;
    browser.on("targetcreated", count);
    const plan = { food: ["fruit", "vegetable"], space: ["planet"] };
    const { failures } = await run(plan, { tabs: 1, maxImages: 2 });
    browser.off("targetcreated", count);
    deepStrictEqual([failures, opened], [[], 1]);
  }));

Deno.test("crawl() refuses what is no plan, and a contact that is none, before it asks for anything", () =>
  withCrawls(async ({ requests, run }) => {
    await rejects(run({ birds: ["owl", "owl"] }), {
      name: "TypeError",
      message: 'plan: expected each term once, got "owl" twice, in "birds"',
    });
    process.env.CONTACT_SHEET_CONTACT = "me\r\nCookie: 1";
    try {
      await rejects(run({ birds: ["owl"] }), /CONTACT_SHEET_CONTACT: expected/);
    } finally {
      delete process.env.CONTACT_SHEET_CONTACT;
    }
    deepStrictEqual(requests, []);
  }));

Deno.test("crawl() tells the site who asks, in the browser too", async () => {
  const agents = new Set<string>();
  const server = createServer(({ headers }, response) => {
    agents.add(headers["user-agent"]!.replace(/^Mozilla.* Safari\S+/, "…"));
    response.setHeader("content-type", "text/html").end("");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  process.env.CONTACT_SHEET_CONTACT = "ada@example.org";
  try {
    const folder = await Deno.makeTempDir();
    const site = localSite(`http://127.0.0.1:${port}`);
    await crawl(site, { x: ["owl"] }, { ...QUICK, browser, folder });
  } finally {
    delete process.env.CONTACT_SHEET_CONTACT;
    server.closeAllConnections();
    server.close();
  }
  const own = "contact-sheet/0.1.0 (ada@example.org)";
  deepStrictEqual(agents, new Set([own, `… ${own}`]));
});

Deno.test("crawl() stops on request, keeps the terms that are done and says which it has not reached", () =>
  withCrawls(async ({ folder, run }) => {
    const stop = new AbortController();
    const plan = { space: ["planet"], food: ["fruit"], animals: ["fish"] };
    const progress: string[] = [];
    const stopped = await run(plan, {
      tabs: 1,
      signal: stop.signal,
      onProgress({ done, total, term }) {
        progress.push(`${done} of ${total}: ${term}`);
        stop.abort();
      },
    });
    const terms = new Set(stopped.pictures.map(({ term }) => term));
    deepStrictEqual(terms, new Set(["planet"]));
    deepStrictEqual(stopped.failures, []);
    deepStrictEqual(stopped.notReached, [
      { category: "food", term: "fruit" },
      { category: "animals", term: "fish" },
    ]);
    deepStrictEqual(progress, ["1 of 3: planet"]);
    deepStrictEqual(
      await readJsonLines(join(folder, "images.jsonl")),
      stopped.pictures,
    );
    const { failures, notReached } = await run(plan);
    deepStrictEqual([failures, notReached], [[], []]);
  }));

Deno.test("crawl() stops in the middle of a page that does not come", () =>
  withCrawls(async ({ run }) => {
    const { failures, notReached } = await run({ space: ["planet"] }, {
      timeoutMs: 30_000,
      signal: AbortSignal.timeout(500),
    });
    deepStrictEqual(failures, []);
    deepStrictEqual(notReached, [{ category: "space", term: "planet" }]);
  }, [{ match: /planet/, answer: "slow", delayMs: 2000 }]));

Deno.test("crawl() calls a term that failed before, and was stopped now, not reached", () =>
  withCrawls(async ({ run }) => {
    const plan = { plants: ["flower"] };
    const first = await run(plan);
    strictEqual(first.failures[0].reason, "500 Internal Server Error");
    const stopped = await run(plan, { signal: AbortSignal.abort() });
    deepStrictEqual(stopped.failures, []);
    strictEqual(stopped.notReached.length, 1);
    // What the first run had found stays.
    deepStrictEqual(stopped.pictures, first.pictures);
    strictEqual(first.pictures.length, 6);
  }, [{ match: /text=flower&page=2/, answer: "500" }]));

Deno.test("crawl() loses no more than the term under way to a kill", () =>
  withCrawls(async ({ origin, folder, requests, run }) => {
    const script = join(await Deno.makeTempDir(), "script.ts");
    const lib = new URL("../../lib/", import.meta.url).href;
    await writeFile(
      script,
      `import { crawl } from "${lib}crawl/crawl.ts";
       import { localSite } from "${lib}crawl/sites/local.ts";
       const plan = { space: ["planet"], food: ["fruit"] };
       await crawl(localSite("${origin}"), plan, { folder: ${
        JSON.stringify(folder)
      }, tabs: 1, maxImages: ${QUICK.maxImages} });`,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", join(paths.root, "deno.json"), script],
    }).spawn();
    // The second term hangs, so by then the first one has been written.
    while (!requests.some((path) => path.includes("fruit"))) await sleep(20);
    child.kill("SIGKILL");
    await child.status;
    deepEqual((await readdir(folder)).sort(), [
      "image_urls.json",
      "images.jsonl",
      "terms.jsonl",
    ]);
    await writeFile(join(folder, ".0a1b.part"), "[");
    requests.length = 0;
    const { pictures } = await run({ space: ["planet"], food: ["fruit"] });
    equal((await readdir(folder)).length, 3);
    equal(pictures.length, planetCount + addresses(origin, "fruit").length);
    ok(!requests.some((path) => path.includes("planet")));
  }, [{ match: /text=fruit/, answer: "slow", delayMs: 60_000, times: 1 }]));

Deno.test("crawl() does what robots.txt says, unless it is told not to, and says which", () =>
  withCrawls(async ({ origin, folder, requests }) => {
    const site = {
      ...localSite(origin),
      searchUrl: (term: string) => `${origin}/account/?text=${term}`,
    };
    const plan = { food: ["fruit"] };
    const told: unknown[] = [];
    const onRobots = (robots: unknown) => told.push(robots);
    const options = { ...QUICK, browser, folder, onRobots };
    const { failures, robots } = await crawl(site, plan, options);
    deepStrictEqual(told, [robots]);
    strictEqual(
      failures[0].reason,
      `robots.txt excludes ${origin}/account/?text=fruit`,
    );
    const url = `${origin}/robots.txt`;
    const decision = `${url} forbids /account/`;
    deepStrictEqual(robots, { url, decision });
    deepEqual(requests, ["/robots.txt"]);

    const ignoring = { ...options, ignoreRobots: true };
    const second = await crawl(site, plan, ignoring);
    strictEqual(
      second.robots.decision,
      `${decision}; asked all the same, as ignoreRobots says`,
    );
    strictEqual(second.failures[0].reason, "404 Not Found");
    ok(requests.includes("/account/?text=fruit"));
    const third = await crawl(localSite(origin), plan, ignoring);
    strictEqual(
      third.robots.decision,
      `${url} allows /search/; asked all the same, as ignoreRobots says`,
    );
    strictEqual(third.pictures.length > 0, true);
  }));

Deno.test("crawl() asks an interface by its own terms, and anew where what was wished for changes", async () => {
  const folder = await Deno.makeTempDir();
  const asked: string[] = [];
  const owl = {
    ...{ url: "https://example.org/owl.jpg", page: "", caption: "An owl" },
    ...{ author: "Ada", license: "cc-by-4.0", width: 1024, height: 683 },
  };
  const site: ApiSite = {
    ...{ name: "Museum", intervalMs: 0, origin: "https://example.org" },
    pictureId: (url) => url,
    async *search(term) {
      asked.push(term);
      await Promise.resolve();
      yield [{ ...owl, thumbnail: "https://example.org/small.jpg" }];
    },
  };
  const plan = { birds: ["owl"] };
  const { pictures, robots } = await crawl(site, plan, { folder });
  const about = { category: "birds", term: "owl" };
  deepStrictEqual(pictures, [{ ...about, ...owl, license: "CC BY 4.0" }]);
  deepStrictEqual(robots, {
    url: "https://example.org",
    decision: "Museum is asked by its programming interface, whose terms " +
      "hold in place of robots.txt",
  });
  const same = await crawl(site, plan, { folder });
  deepStrictEqual([same.pictures, asked], [pictures, ["owl"]]);
  await crawl({ ...site, variant: "newest first" }, plan, { folder });
  await crawl({ ...site, licences: ["CC BY"] }, plan, { folder });
  strictEqual(asked.length, 3);
});

Deno.test("crawl() asks a site whose robots.txt is out of order only where it is told to", () =>
  withCrawls(async ({ origin, run }) => {
    const plan = { space: ["planet"] };
    const said =
      `${origin}/robots.txt did not answer: 500 Internal Server Error`;
    const first = await run(plan);
    strictEqual(first.robots.decision, `${said}; the site is left alone`);
    const { robots, pictures } = await run(plan, { ignoreRobots: true });
    strictEqual(
      robots.decision,
      `${said}; asked all the same, as ignoreRobots says`,
    );
    strictEqual(pictures.length, planetCount);
  }, [{ match: /robots/, answer: "500" }]));

Deno.test("crawl() of a site that does not answer says so for each term", async () => {
  const photoSite = await startPhotoSite({ port: 0 });
  await photoSite.close();
  const folder = await Deno.makeTempDir();
  const plan = { food: ["fruit", "vegetable"] };
  const { failures } = await crawl(localSite(photoSite.origin), plan, {
    folder,
    backoffMs: 20,
  });
  equal(failures.length, 2);
  match(failures[1].reason, /^http.*\/robots\.txt did not answer: .*refused/i);
});
