import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { Context } from "hono";
import { apiAsk, crawlApiTerm } from "#lib/crawl/api_term.ts";
import { keepOpenAt, readOpenAt } from "#lib/crawl/closed.ts";
import { openverse } from "#lib/crawl/sites/openverse.ts";
import type { SiteOptions } from "#lib/crawl/sites/site.ts";
import { type Crawls, withCrawls } from "../support/crawls.ts";
import {
  openverseImage,
  startOpenverse,
} from "../support/stand_in_openverse.ts";

/** Crawls at a stand-in with so many pictures for each term. */
function withOpenverse(
  found: number,
  quotas: { burst: string; sustained: string },
  test: (
    openverse: Crawls<ReturnType<typeof startOpenverse>, SiteOptions>,
  ) => Promise<void>,
): Promise<void> {
  const standIn = startOpenverse(() => found, quotas);
  const { origin } = standIn;
  return withCrawls(
    standIn,
    (options) => openverse({ origin, ...options }),
    test,
  );
}

const PLENTY = { burst: "1000/min", sustained: "1000/day" };

Deno.test("openverse() goes through all pages, to Openverse's last", () =>
  withOpenverse(1000, PLENTY, async ({ standIn }) => {
    const site = openverse({ origin: standIn.origin });
    const ask = apiAsk(site, { intervalMs: 0 });
    const { pictures, failure } = await crawlApiTerm(ask, site, "owl", {
      maxImages: 999,
    });
    strictEqual(failure, undefined);
    strictEqual(pictures.length, 240);
    strictEqual(standIn.counted.answered, 12);
    const last = openverseImage("owl", 239);
    deepStrictEqual(pictures[239], {
      url: last.url,
      page: last.foreign_landing_url,
      caption: last.title,
      author: last.creator,
      license: "public domain",
      width: 1600,
      height: 1200,
      thumbnail: last.thumbnail,
    });
  }));

Deno.test("openverse() asks for no page more than it needs", () =>
  withOpenverse(1000, PLENTY, async ({ standIn, run }) => {
    await run({ a: ["owl"] }, { maxImages: 20 });
    strictEqual(standIn.counted.answered, 1);
    await run({ a: ["elk"] }, { maxImages: 21 });
    strictEqual(standIn.counted.answered, 3);
  }));

Deno.test("openverse() stays within the short quota, and waits for it", () =>
  withOpenverse(
    60,
    { burst: "4/sec", sustained: "1000/day" },
    async ({ standIn, run }) => {
      const start = Date.now();
      const { pictures, failures } = await run(
        { a: ["owl", "elk", "fox"] },
        { maxImages: 60 },
      );
      deepStrictEqual(failures, []);
      strictEqual(pictures.length, 180);
      deepStrictEqual([standIn.counted.answered, standIn.counted.refused], [
        9,
        0,
      ]);
      ok(Date.now() - start >= 2000);
    },
  ));

Deno.test("openverse() stays within the day's quota, and loses no term to it", () =>
  withOpenverse(
    40,
    { burst: "1000/min", sustained: "7/day" },
    async ({ standIn, folder, run }) => {
      const terms = Array.from({ length: 10 }, (_, i) => `term ${i}`);
      const { counted } = standIn;
      let days = 1;
      let result = await run({ a: terms }, { maxImages: 40 });
      strictEqual(counted.answered, 7);
      strictEqual(result.pictures.length, 7 * 20);
      const reason =
        /^Openverse has no requests left for us until \d{4}-\d\d-\d\d \d\d:\d\d UTC: run again then$/;
      strictEqual(result.failures.length, 7);
      for (const failure of result.failures) match(failure.reason, reason);
      for (; result.failures.length > 0 && days < 9; days++) {
        standIn.nextDay();
        const { origin } = standIn;
        await keepOpenAt(folder, origin, Date.now() - 1); // It is over.
        result = await run({ a: terms }, { maxImages: 40 });
      }
      strictEqual(days, 4);
      strictEqual(counted.refused, 0);
      strictEqual(result.pictures.length, 10 * 40);
      deepStrictEqual(new Set(counted.terms), new Set(terms));
    },
  ));

Deno.test("openverse() that comes too early in a later run asks for nothing", () =>
  withOpenverse(
    40,
    { burst: "1000/min", sustained: "2/day" },
    async ({ standIn, folder, run }) => {
      await run({ a: ["owl"] }, { maxImages: 40 });
      const plan = { a: ["owl", "elk", "fox"] };
      const reason = /^Openverse has no requests left for us until/;
      for (const resume of [true, false]) {
        const { failures } = await run(plan, { maxImages: 40, resume });
        for (const failure of failures) match(failure.reason, reason);
        deepStrictEqual(
          failures.map(({ term }) => term),
          resume ? ["elk", "fox"] : plan.a,
        );
      }
      deepStrictEqual([standIn.counted.answered, standIn.counted.refused], [
        2,
        0,
      ]);
      // What is no such file is none.
      for (
        const text of ["{", "[1]", '{"x": "y"}', `{"${standIn.origin}": 9e15}`]
      ) {
        await writeFile(join(folder, "closed.json"), text);
        strictEqual(await readOpenAt(folder, standIn.origin), 0, text);
      }
    },
  ));

Deno.test("openverse() that has no file of its quota is refused once, and asks no more", () =>
  withOpenverse(
    40,
    { burst: "1000/min", sustained: "2/day" },
    async ({ standIn, folder, run }) => {
      await run({ a: ["owl"] }, { maxImages: 40 });
      await rm(join(folder, "closed.json"));
      const { failures, pictures } = await run({ a: ["owl", "elk", "fox"] }, {
        maxImages: 40,
      });
      strictEqual(pictures.length, 40);
      deepStrictEqual(failures.map(({ term }) => term), ["elk", "fox"]);
      match(
        failures[0].reason,
        /^Openverse has no requests left for us until/,
      );
      strictEqual(standIn.counted.refused, 1);
    },
  ));

Deno.test("openverse() that others have slowed down comes back when told to", () =>
  withOpenverse(
    20,
    { burst: "2/sec", sustained: "1000/day" },
    async ({ standIn, run }) => {
      const other = `${standIn.origin}/v1/images/?q=others`;
      for (let i = 0; i < 2; i++) await (await fetch(other)).body?.cancel();
      const { failures } = await run({ a: ["owl"] });
      deepStrictEqual(failures, []);
      strictEqual(standIn.counted.refused, 1);
    },
  ));

Deno.test("openverse() quotes what Openverse says of an error", () =>
  withOpenverse(20, PLENTY, async ({ standIn, run }) => {
    const detail = { license: ["License 'x' does not exist."] };
    standIn.instead.push(
      (c) => c.json({ detail }, 400),
      (c) => c.json({ detail: "Authentication\ncredentials missing." }, 401),
    );
    const { failures } = await run({ a: ["owl", "elk"] });
    deepStrictEqual(failures.map(({ reason }) => reason), [
      `400 Bad Request: {"license":["License 'x' does not exist."]}`,
      "401 Unauthorized: Authentication credentials missing.",
    ]);
  }));

Deno.test("openverse() waits no longer than told for an answer that stalls", () =>
  withOpenverse(20, PLENTY, async ({ standIn, run }) => {
    const stall = (c: Context) => c.body(new ReadableStream({}));
    standIn.instead.push(stall, stall, stall, stall);
    const options = { timeoutMs: 200 };
    const { failures, pictures } = await run({ a: ["owl", "elk"] }, options);
    strictEqual(pictures.length, 20);
    deepStrictEqual(failures, [
      { category: "a", term: "owl", reason: "no whole answer in time" },
    ]);
  }));

Deno.test("openverse() names a licence that Openverse does not have, without a request", () =>
  withOpenverse(20, PLENTY, async ({ standIn, run }) => {
    const { failures } = await run({ a: ["owl"] }, { licences: ["FAL"] });
    match(
      failures[0].reason,
      /^Openverse has no pictures under FAL: expected one of CC BY, /,
    );
    strictEqual(standIn.counted.answered, 0);
  }));

Deno.test("openverse() takes only the version of a licence that is wanted", () =>
  withOpenverse(40, PLENTY, async ({ run }) => {
    const licences = ["CC BY-SA 4.0", "CC BY 2.0"];
    const { pictures } = await run({ a: ["owl"] }, { licences });
    deepStrictEqual(
      new Set(pictures.map(({ license }) => license)),
      new Set(["CC BY 2.0"]),
    );
  }));

Deno.test("openverse() keeps what a hostile answer has of pictures, cut and counted", () =>
  withOpenverse(20, PLENTY, async ({ standIn, run }) => {
    const good = openverseImage("owl", 1);
    const results = [
      { ...good, url: "javascript:alert(1)" },
      { ...good, url: "data:image/png;base64,AAAA" },
      { ...good, url: 42 },
      {
        ...good,
        url: "https://pictures.example/2.jpg",
        foreign_landing_url: "javascript:1",
      },
      {
        ...good,
        title: `${"<b>".repeat(300)}\n`,
        creator: { name: "Ada" },
        width: -4,
      },
      {
        ...good,
        url: "https://pictures.example/3.jpg",
        title: null,
        width: "wide",
        thumbnail: "file:///x",
      },
    ];
    standIn.instead.push((c) =>
      c.json({ page_count: 1, results, result_count: 1e9 })
    );
    const { pictures, skipped, failures } = await run({ a: ["owl"] });
    deepStrictEqual(failures, []);
    deepStrictEqual(pictures.map(({ page }) => page), [
      "",
      good.foreign_landing_url,
      good.foreign_landing_url,
    ]);
    deepStrictEqual(pictures[1].caption, "<b>".repeat(300).slice(0, 500));
    deepStrictEqual(pictures[1].author, "");
    for (const { width, height } of pictures.slice(1)) {
      deepStrictEqual([width, height], [undefined, undefined]);
    }
    deepStrictEqual(skipped.map(({ url }) => url), [
      "javascript:alert(1)",
      "data:image/png;base64,AAAA",
      good.foreign_landing_url,
      "javascript:1",
      "file:///x",
    ]);
  }));

Deno.test("crawl() of an interface starts no browser, and goes on where it stopped", () =>
  withOpenverse(40, PLENTY, async ({ standIn, run }) => {
    const before = process.env.CHROME_PATH;
    process.env.CHROME_PATH = "/nowhere/chrome";
    try {
      const stop = new AbortController();
      const plan = { a: ["owl", "elk", "fox"] };
      const stopped = await run(plan, {
        signal: stop.signal,
        onProgress: () => stop.abort(),
      });
      deepStrictEqual(stopped.notReached.map(({ term }) => term), [
        "elk",
        "fox",
      ]);
      const { pictures, failures } = await run(plan);
      deepStrictEqual(failures, []);
      strictEqual(pictures.length, 60);
      deepStrictEqual(standIn.counted.terms, ["owl", "elk", "fox"]);
    } finally {
      if (before === undefined) delete process.env.CHROME_PATH;
      else process.env.CHROME_PATH = before;
    }
  }));

Deno.test("openverse() may be stopped while it waits for the quota", () =>
  withOpenverse(
    60,
    { burst: "1/min", sustained: "1000/day" },
    async ({ run }) => {
      const signal = AbortSignal.timeout(300);
      const start = Date.now();
      const { pictures, notReached } = await run({ a: ["owl"] }, {
        signal,
        maxImages: 60,
      });
      ok(Date.now() - start < 3000);
      strictEqual(pictures.length, 20);
      deepStrictEqual(notReached.length, 1);
    },
  ));
