import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { apiAsk, crawlApiTerm } from "#lib/crawl/api_term.ts";
import { commons } from "#lib/crawl/sites/commons.ts";
import type { SiteOptions } from "#lib/crawl/sites/site.ts";
import { type Crawls, withCrawls } from "../support/crawls.ts";
import {
  type CommonsFile,
  commonsFile,
  startCommons,
} from "../support/stand_in_commons.ts";

/** Crawls at a stand-in with files of a term. */
function withCommons(
  found: (term: string) => CommonsFile[],
  test: (
    commons: Crawls<ReturnType<typeof startCommons>, SiteOptions>,
  ) => Promise<void>,
): Promise<void> {
  const standIn = startCommons(found);
  const { origin } = standIn;
  return withCrawls(
    standIn,
    (options) => commons({ origin, ...options }),
    test,
  );
}

const files = (count: number) => (term: string) =>
  Array.from({ length: count }, (_, i) => commonsFile(term, i));

const FOLDER = "https://upload.wikimedia.org/wikipedia/commons";

Deno.test("commons() goes through all pages, in the order of the search", () =>
  withCommons(files(120), async ({ run, standIn }) => {
    const { pictures, failures } = await run(["owl"], { maxImages: 999 });
    deepStrictEqual(failures, []);
    // Of ten files, one is a drawing that we do not decode.
    strictEqual(pictures.length, 108);
    const order = pictures.map(({ url }) =>
      Number(/owl_(\d+)\./.exec(url)![1])
    );
    deepStrictEqual(order, order.toSorted((a, b) => a - b));
    strictEqual(standIn.requests.length, 3);
    strictEqual(standIn.requests[2].query.get("gsroffset"), "100");
    strictEqual(standIn.requests[2].query.get("continue"), "gsroffset||");
  }));

Deno.test("commons() takes a copy of 1280 pixels, or the original that is no wider", () =>
  withCommons(files(20), async ({ standIn }) => {
    const site = commons({ origin: standIn.origin });
    const ask = apiAsk(site, { intervalMs: 0 });
    const { pictures } = await crawlApiTerm(ask, site, "owl", {
      maxImages: 20,
    });
    deepStrictEqual(pictures[0], {
      url: `${FOLDER}/a/ab/owl_0.jpg`,
      page: "https://commons.wikimedia.org/wiki/File:owl_0.jpg",
      caption: "A owl, number 0",
      author: "Ada & Bo 0",
      license: "CC BY-SA 4.0",
      width: 1000,
      height: 750,
      thumbnail: `${FOLDER}/a/ab/owl_0.jpg`,
    });
    const large = pictures[8];
    deepStrictEqual([large.url, large.width, large.height], [
      `${FOLDER}/thumb/a/ab/owl_8.tif/1280px-owl_8.tif.jpg`,
      1280,
      853,
    ]);
    strictEqual(
      large.thumbnail,
      `${FOLDER}/thumb/a/ab/owl_8.tif/330px-owl_8.tif.jpg`,
    );
  }));

Deno.test("commons() makes text of HTML, and runs nothing of it", () => {
  const metadata = {
    Artist:
      '<script>alert(1)</script><style>a{}</style><!-- x --><a href="javascript:1">Jos&eacute;</a>',
    ImageDescription: "",
    ObjectName: "5 &lt; 6 &amp;amp; <b>7",
    LicenseShortName: "<i>CC BY 2.0</i>",
  };
  return withCommons(
    () => [{ ...commonsFile("owl", 1), metadata }],
    async ({ run }) => {
      const { pictures: [{ author, caption, license }] } = await run(["owl"]);
      deepStrictEqual([author, caption, license], [
        "José",
        "5 < 6 &amp; 7",
        "CC BY 2.0",
      ]);
    },
  );
});

Deno.test("commons() leaves out what a browser does not show, and keeps words apart", async () => {
  const shown = async (Artist: string, ImageDescription = "") => {
    let said: string[] = [];
    const metadata = { Artist, ImageDescription };
    await withCommons(
      () => [{ ...commonsFile("owl", 1), metadata }],
      async ({ run }) => {
        const { pictures: [{ author, caption }] } = await run(["owl"]);
        said = [author, caption];
      },
    );
    return said;
  };
  deepStrictEqual(
    await shown(
      '<bdi>Unknown author</bdi><span style="display: none;">Unknown author</span>',
      '<div class="description en" lang="en"><span class="language en" ' +
        'title="English"><b>English: </b></span>A snowy owl</div>',
    ),
    ["Unknown author", "A snowy owl"],
  );
  deepStrictEqual(
    await shown(
      '<bdi><a href="//x">Vincent van Gogh</a></bdi><div STYLE="color:red;' +
        'DISPLAY :none !important">Creator QS:P170,Q5582</div>',
      "An owl<br/>on a <b>bra</b>nch<p>in snow</p>at night<ul><li>a<li>b</ul>",
    ),
    ["Vincent van Gogh", "An owl on a branch in snow at night a b"],
  );
  deepStrictEqual(
    await shown(
      "Ada<i hidden>x</i><template>y</template> &amp; Bo",
      "<p>owl</p>",
    ),
    ["Ada & Bo", "owl"],
  );
});

Deno.test("commons() reads the start of HTML without end", () => {
  const metadata = {
    Artist: "<b>".repeat(1e6),
    ImageDescription: "<p>owl</p>".repeat(1e5),
  };
  return withCommons(
    () => [{ ...commonsFile("owl", 1), metadata }],
    async ({ run }) => {
      const { pictures: [{ author, caption }] } = await run(["owl"]);
      // A tag that is cut off is none.
      deepStrictEqual([author, caption.length], ["<", 500]);
      match(caption, /^owl owl owl /);
    },
  );
});

Deno.test("commons() takes a file's name where nobody has written about it", () =>
  withCommons(
    () => [{ ...commonsFile("owl", 1), metadata: {} }],
    async ({ run }) => {
      const { pictures: [{ author, caption, license }] } = await run(["owl"]);
      deepStrictEqual([author, caption, license], ["", "owl 1", ""]);
    },
  ));

Deno.test("commons() asks for licences by their groups, where all have one", () =>
  withCommons(files(50), async ({ run, standIn }) => {
    const asked = () => standIn.requests.at(-1)!.query.get("gsrsearch");
    await run(["owl"], { licences: ["CC0", "by"] });
    strictEqual(
      asked(),
      "owl filetype:bitmap haslicense:unrestricted|attribution",
    );
    const { pictures } = await run(["elk"], { licences: ["GFDL", "CC0"] });
    strictEqual(asked(), "elk filetype:bitmap");
    deepStrictEqual(
      new Set(pictures.map(({ license }) => license)),
      new Set(["CC0 1.0", "GFDL"]),
    );
    await run(["fox"]);
    strictEqual(asked(), "fox filetype:bitmap");
  }));

Deno.test("commons() takes a licence of Commons' own for no CC BY", () => {
  const metadata = { LicenseShortName: "Attribution" };
  return withCommons(
    () => [{ ...commonsFile("owl", 1), metadata }],
    async ({ run }) => {
      const { pictures } = await run(["owl"]);
      strictEqual(pictures[0].license, "any use with attribution");
      const { failures } = await run(["elk"], { licences: ["CC BY"] });
      match(failures[0].reason, /^no pictures for "elk"/);
    },
  );
});

Deno.test("commons() asks one after the other, and says who asks", () =>
  withCommons(files(120), async ({ run, standIn }) => {
    await run(["owl", "elk", "fox"], { maxImages: 99, tabs: 3 });
    strictEqual(standIn.state.mostAtOnce, 1);
    strictEqual(standIn.requests.length, 9);
    for (const { userAgent, query } of standIn.requests) {
      match(userAgent, /^contact-sheet/);
      strictEqual(query.get("maxlag"), "5");
    }
  }));

Deno.test("commons() stands back while the databases lag", () =>
  withCommons(files(20), async ({ run, standIn }) => {
    standIn.state.lag = 9;
    const start = Date.now();
    const { pictures, failures } = await run(["owl"]);
    deepStrictEqual([pictures.length, failures], [18, []]);
    strictEqual(standIn.requests.length, 2);
    ok(Date.now() - start >= 1000);
  }));

Deno.test("commons() waits as long as it is told to, in a status or in an error", () =>
  withCommons(files(20), async ({ run, standIn }) => {
    const wait = { "retry-after": "1" };
    const error = {
      code: "ratelimited",
      info: "You've exceeded your rate limit.",
    };
    standIn.instead.push(
      (c) => c.text("", 429, wait),
      (c) => c.json({ error }, 200, wait),
    );
    const start = Date.now();
    deepStrictEqual((await run(["owl"])).failures, []);
    ok(Date.now() - start >= 2000);
    strictEqual(standIn.requests.length, 3);
  }));

Deno.test("commons() quotes MediaWiki's errors, and asks again where one may pass", () =>
  withCommons(files(20), async ({ run, standIn }) => {
    const error = (code: string, info: string) => ({
      error: { code, info, docref: "…" },
    });
    standIn.instead.push(
      (c) =>
        c.json(
          error("cirrussearch-too-busy-error", "Search is currently too busy."),
        ),
      (c) =>
        c.json(
          error("internal_api_error_DBQueryError", "[x] Caught exception"),
        ),
    );
    deepStrictEqual((await run(["owl"])).failures, []);
    strictEqual(standIn.requests.length, 3);
    standIn.instead.push(
      (c) =>
        c.json(
          error(
            "missingparam",
            'The "gsrsearch" <b>parameter</b>\nmust be set.',
          ),
        ),
    );
    const { failures } = await run(["elk"]);
    strictEqual(
      failures[0].reason,
      'missingparam: The "gsrsearch" parameter must be set.',
    );
    strictEqual(standIn.requests.length, 4);
  }));

Deno.test("commons() takes a file once that an answer continues", () =>
  withCommons(files(3), async ({ run, standIn }) => {
    const page = (more: Record<string, unknown>) => ({
      index: 1,
      title: "File:Owl.jpg",
      ...more,
    });
    const thumburl = `${FOLDER}/a/ab/Owl.jpg?utm_source=x`;
    const imageinfo = [{ thumburl, mime: "image/jpeg", extmetadata: [] }];
    standIn.instead.push(
      (c) =>
        c.json({
          continue: { iicontinue: "Owl.jpg|1", continue: "||" },
          query: { pages: [page({})] },
        }),
      (c) =>
        c.json({
          batchcomplete: true,
          query: { pages: [page({ imageinfo })] },
        }),
    );
    const { pictures } = await run(["owl"]);
    deepStrictEqual(pictures.map(({ url, caption }) => [url, caption]), [
      [`${FOLDER}/a/ab/Owl.jpg`, "Owl"],
    ]);
    strictEqual(standIn.requests[1].query.get("iicontinue"), "Owl.jpg|1");
  }));

Deno.test("commons() takes an original of which no copy could be made, and tells of one too large", () =>
  withCommons(() => [], async ({ run, standIn }) => {
    const file = (index: number, more: Record<string, unknown>) => ({
      index,
      title: `File:Owl ${index}.jpg`,
      imageinfo: [{
        mime: "image/jpeg",
        thumberror: "Error creating thumbnail: out of memory",
        descriptionurl:
          `https://commons.wikimedia.org/wiki/File:Owl_${index}.jpg`,
        extmetadata: [],
        ...more,
      }],
    });
    const url = `${FOLDER}/a/ab/Owl.jpg?utm_source=x`;
    const sides = { width: 9000, height: 6000 };
    const pages = [
      file(2, { url, ...sides, size: 20_000_001 }),
      file(1, { url, ...sides, size: 9_000_000 }),
      file(3, {}),
      file(4, { url, size: 9, mime: "video/webm" }),
    ];
    standIn.instead.push((c) =>
      c.json({ batchcomplete: true, query: { pages } })
    );
    const { pictures, skipped, failures } = await run(["owl"]);
    deepStrictEqual(failures, []);
    deepStrictEqual(pictures.map(({ url, width }) => [url, width]), [
      [`${FOLDER}/a/ab/Owl.jpg`, 9000],
    ]);
    deepStrictEqual(skipped.map(({ url }) => url.slice(-9)), [
      "Owl_2.jpg",
      "Owl_3.jpg",
    ]);
    match(
      skipped[0].reason,
      /^no smaller copy \(Error .*: out of memory\), and an original of 20000001 bytes: expected 20000000 at most$/,
    );
  }));
