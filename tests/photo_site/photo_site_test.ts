import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { connect } from "node:net";
import sharp from "sharp";
import { readSample, samplePath } from "#lib/photo_site/sample.ts";
import type { Fault } from "#lib/photo_site/faults.ts";
import { openLibrary } from "#lib/photo_site/library.ts";
import { type PhotoSite, startPhotoSite } from "#lib/photo_site/photo_site.ts";

const library = openLibrary(await readSample());

/** Runs a test against a site of its own, which it closes. */
async function withSite(
  test: (site: PhotoSite) => Promise<void>,
  faults: Fault[] = [],
): Promise<void> {
  const site = await startPhotoSite({ port: 0, faults });
  try {
    await test(site);
  } finally {
    await site.close();
  }
}

async function get(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  const body = new Uint8Array(await response.arrayBuffer());
  const { status, headers } = response;
  return { status, headers, body, text: new TextDecoder().decode(body) };
}

Deno.test("the site serves each sample picture byte for byte", () =>
  withSite(async ({ origin }) => {
    for (const photo of library.photos.slice(0, 5)) {
      equal(photo.flaw, undefined);
      const url = `${origin}/pictures/${photo.id}-${photo.name}_b.jpg`;
      const { headers, body } = await get(url);
      equal(headers.get("content-type"), "image/jpeg");
      deepEqual(body, await Deno.readFile(samplePath(photo)));
    }
  }));

Deno.test("a photo's page shows both captions, author, licence and source", () =>
  withSite(async ({ origin }) => {
    const photo = library.photos.find(({ page }) => page !== "")!;
    const { text } = await get(`${origin}/photos/${photo.id}/`);
    const { captions, author, license, page } = photo;
    for (const shown of [...captions, `>${author}<`, `>${license}<`]) {
      ok(text.includes(shown), shown);
    }
    ok(text.includes(`href="${page}"`));
  }));

Deno.test("the site serves thumbnails no larger than their letter says", () =>
  withSite(async ({ origin }) => {
    const { id, name } = library.photos[0];
    for (const [letter, side] of Object.entries({ s: 75, t: 100, m: 240 })) {
      const file = await get(`${origin}/pictures/${id}-${name}_${letter}.jpg`);
      const { width, height } = await sharp(file.body).metadata();
      equal(Math.max(width, height), side);
      if (letter === "s") equal(width, height);
    }
  }));

Deno.test("the site has one of each kind of photo that is no good", () =>
  withSite(async ({ origin }) => {
    const outcomes: Record<string, string> = {};
    for (const { id, name, flaw } of library.photos) {
      if (!flaw) continue;
      const { status, body } = await get(
        `${origin}/pictures/${id}-${name}_b.jpg`,
      );
      outcomes[flaw] = status === 404
        ? "404"
        : await sharp(body, { failOn: "truncated" }).raw().toBuffer({
          resolveWithObject: true,
        }).then(
          ({ info }) => `${Math.max(info.width, info.height)} pixels`,
          (error) => /unsupported|premature/.exec(error.message)![0],
        );
    }
    deepEqual(outcomes, {
      "cut off": "premature",
      "too small": "40 pixels",
      "not a picture": "unsupported",
      "gone": "404",
    });
  }));

Deno.test("a near copy is smaller than the photo that it shows, in every third term", () =>
  withSite(async ({ origin }) => {
    const copies = library.photos.filter(({ isNearCopy }) => isNearCopy);
    equal(copies.length, Math.floor(library.terms.length / 3));
    for (const copy of copies.slice(0, 3)) {
      const original = library.photos.find(({ path }) => path === copy.path)!;
      notEqual(original.id, copy.id);
      const { body } = await get(
        `${origin}/pictures/${copy.id}-${copy.name}_b.jpg`,
      );
      const shown = await sharp(body).metadata();
      const own = await sharp(samplePath(copy)).metadata();
      ok(shown.width < own.width && shown.height < own.height, copy.path);
    }
  }));

Deno.test("a search shows six photos and the way to more of them", () =>
  withSite(async ({ origin }) => {
    const search = `${origin}/search/?text=flower`;
    const pages = await Promise.all(
      [1, 2, 3].map(async (page) => (await get(`${search}&page=${page}`)).text),
    );
    const counts = pages.map((html) => html.split('<li class="photo">').length);
    deepEqual(counts.slice(0, 2), [7, 7]);
    match(pages[0], /data-when="seen"/);
    match(pages[1], /data-when="pressed"[^]*<button type="button">Load more/);
    match(pages[2], /That was the last photo/);
    // The first photo comes again on the second page, under another address.
    const [{ id, name }] = library.search("flower");
    const again = `src="/pictures/${id}-${name}_t.jpg?from=promoted"`;
    deepEqual(pages.map((html) => html.includes("?from=")), [
      false,
      true,
      false,
    ]);
    ok(pages[1].includes(again));
  }));

Deno.test("a search needs all its words, and finds nothing for none", () => {
  const terms = (text: string) =>
    new Set(library.search(text).map(({ term }) => term)).size;
  ok(terms("bird") > terms("Water  BIRD"));
  equal(terms("water bird"), 1);
  equal(terms("unicorn"), 0);
  equal(terms(" "), 0);
});

Deno.test("what is searched for is text on the page, never markup", () =>
  withSite(async ({ origin }) => {
    const asked = encodeURIComponent(`"><script>alert(1)</script>`);
    const { text } = await get(`${origin}/search/?text=${asked}`);
    match(text, /No photos for “&quot;&gt;&lt;script&gt;/);
    equal(text.includes("<script>alert"), false);
  }));

Deno.test("what is not there is a 404, and no path leads out", () =>
  withSite(async ({ origin, port }) => {
    for (const path of ["/photos/1/", "/photos/1001", "/pictures/x_b.jpg"]) {
      equal((await get(origin + path)).status, 404);
    }
    // fetch() would tidy these up before sending them.
    for (const path of ["/pictures/../../deno.json", "//", "/%2e%2e/%00"]) {
      match(await rawGet(port, path), /^HTTP\/1\.1 (404|500)/);
    }
  }));

/** Sends a path as it is; the answer's first line and headers. */
function rawGet(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
    });
    socket.once("data", (data) => {
      socket.destroy();
      resolve(String(data));
    });
    socket.once("error", reject);
  });
}

Deno.test("a taken port gives way to a free one, and rebase() to its addresses", async () => {
  const first = await startPhotoSite({ port: 0 });
  const second = await startPhotoSite({ port: first.port });
  try {
    notEqual(second.port, first.port);
    const { id, name } = library.photos[0];
    const picture = `/pictures/${id}-${name}_b.jpg`;
    equal(second.rebase(first.origin + picture), second.origin + picture);
    equal((await get(second.rebase(first.origin + picture))).status, 200);
    const elsewhere = "https://live.example.org/65535/1_a_b.jpg";
    equal(second.rebase(elsewhere), elsewhere);
    equal(second.rebase("http://127.0.0.1:9/x"), "http://127.0.0.1:9/x");
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
});

const anyPicture = `/pictures/1001-${library.photos[0].name}_b.jpg`;

Deno.test("faults answer as asked, as often as asked", () =>
  withSite(
    async ({ origin }) => {
      const url = origin + anyPicture;
      const refused = await get(url);
      equal(refused.status, 429);
      equal(refused.headers.get("retry-after"), "7");
      equal((await get(url)).status, 500);
      const loop = await get(url, { redirect: "manual" });
      equal(loop.status, 302);
      equal(loop.headers.get("location"), anyPicture);
      equal((await get(url)).headers.get("content-type"), "text/plain");
      const start = performance.now();
      equal((await get(url)).status, 200);
      ok(performance.now() - start >= 200);
      const cut = await get(url).then(() => "whole", () => "broken");
      equal(cut, "broken");
      equal((await get(url)).status, 200);
      equal((await get(`${origin}/`)).status, 200);
    },
    [
      { answer: "429", retryAfter: 7 },
      { answer: "500" },
      { answer: "redirect loop" },
      { answer: "wrong type" },
      { answer: "slow", delayMs: 200 },
      { answer: "cut off" },
    ].map((fault) => ({ ...fault, match: /^\/pictures/, times: 1 }) as Fault),
  ));
