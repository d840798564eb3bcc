import { deepEqual, equal, ok } from "node:assert/strict";
import { rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { openSearchApp, type SearchApp } from "#lib/search_page/search_page.ts";
import { folderSource } from "#lib/search_page/index/sources.ts";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import { ask, openOver, withFolder } from "../../support/search_app.ts";

/** A page over pictures of these names and colours. */
async function withPictures(
  colours: Record<string, string>,
  body: (app: SearchApp, folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    for (const [name, colour] of Object.entries(colours)) {
      await writeFile(join(folder, name), await plain(colour));
    }
    const app = await openOver(folder);
    try {
      await body(app, folder);
    } finally {
      await app.close();
    }
  });
}

const find = async (app: SearchApp, text: string) => {
  const query = { text, mode: "visual", cut: "none", fold: 2 } as const;
  return (await app.search(query)).hits.map(({ path }) => path);
};

/** Writes a file that is seen to be another one. */
async function change(path: string, content: Uint8Array | string) {
  await writeFile(path, content);
  await utimes(path, new Date(), new Date(Date.now() + 5000));
}

Deno.test("a picture that is removed is not shown, until it is there again", () =>
  withPictures(
    { "a.png": "red", "b.png": "yellow", "c.png": "blue" },
    async (app, folder) => {
      deepEqual(await find(app, "red"), ["a.png", "b.png", "c.png"]);
      await rename(join(folder, "a.png"), join(folder, "away"));
      deepEqual(await find(app, "red"), ["b.png", "c.png"]);
      for (const path of ["random", "map"]) {
        const { json } = await ask(app, path, "{}");
        const paths = json.map((hit: { path: string }) => hit.path);
        deepEqual(paths.toSorted(), ["b.png", "c.png"], path);
      }
      await rename(join(folder, "away"), join(folder, "a.png"));
      await app.rescan();
      deepEqual(await find(app, "red"), ["a.png", "b.png", "c.png"]);
      deepEqual(app.status().failures, []);
    },
  ));

Deno.test("as many are shown as are wanted, though the nearest are removed", () =>
  withFolder(async (folder) => {
    const names = Array.from({ length: 60 }, (_, i) => `${i}.png`);
    for (const name of names) {
      const colour = name < "5" ? "red" : "blue";
      await writeFile(join(folder, name), await plain(colour));
    }
    const app = await openOver(folder);
    for (const name of names) {
      if (name < "5") await rm(join(folder, name));
    }
    const query = { text: "red", k: 2, cut: "none", fold: 2 } as const;
    const { hits, total } = await app.search(query);
    equal(hits.length, 2);
    equal(total, 15);
    await app.close();
  }));

Deno.test("a picture that changes is shown and found as what it is now", () =>
  withPictures(
    { "a.png": "red", "b.png": "green", "c.png": "blue" },
    async (app, folder) => {
      const { id } = (await app.search({ text: "red" })).hits[0];
      await change(join(folder, "a.png"), await plain("blue"));
      // At once: it is added once.
      await Promise.all([1, 2, 3].map(() => find(app, "red")));
      deepEqual((await find(app, "blue")).toSorted().slice(1), [
        ...["b.png", "c.png"],
      ]);
      deepEqual((await find(app, "blue"))[2], "b.png");
      const { indexed, total } = app.status();
      deepEqual([indexed, total], [3, 3]);
      const { collection } = app.searcher.spaces[0];
      equal(collection.count, 3);
      // Another address, since the browser keeps what the old one showed.
      const hit = (await app.search({ text: "blue", fold: 2, cut: "none" }))
        .hits.find(({ path }) => path === "a.png")!;
      ok(hit.id > id);
      equal((await ask(app, `thumbnail/${id}`)).status, 404);
      const { bytes } = await ask(app, `thumbnail/${hit.id}`);
      equal((await sharp(bytes).stats()).dominant.b > 200, true);
    },
  ));

Deno.test("a picture that becomes none is not shown, and said once", () =>
  withPictures(
    { "a.png": "red", "b.png": "yellow" },
    async (app, folder) => {
      await change(join(folder, "a.png"), "no picture");
      for (let i = 0; i < 2; i++) deepEqual(await find(app, "red"), ["b.png"]);
      deepEqual(app.status().failures.map(({ path }) => path), ["a.png"]);
      await change(join(folder, "a.png"), await plain("green"));
      await app.rescan();
      deepEqual(await find(app, "green"), ["a.png", "b.png"]);
      deepEqual(app.status().failures, []);
    },
  ));

Deno.test("with two encoders, a changed picture has one row for the page", () =>
  withFolder(async (folder) => {
    for (const colour of ["red", "blue"]) {
      await writeFile(join(folder, `${colour}.png`), await plain(colour));
    }
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [colourEncoder(), colourEncoder(undefined, "second")],
      log: () => {},
    });
    await app.ready;
    await change(join(folder, "red.png"), await plain("green"));
    for (const space of ["second", "colours"]) {
      const query = { text: "green", space, mode: "visual" } as const;
      const { hits: [{ path, id }] } = await app.search(query);
      equal(path, "red.png", space);
      equal(app.searcher.spaces[0].collection.rowOfId(id), 1, space);
    }
    await app.close();
  }));

Deno.test("a picture that becomes again what it was is shown once", () =>
  withPictures({ "a.png": "red", "b.png": "blue" }, async (app, folder) => {
    await rename(join(folder, "a.png"), join(folder, "away"));
    await change(join(folder, "a.png"), await plain("yellow"));
    deepEqual(await find(app, "yellow"), ["a.png", "b.png"]);
    await rename(join(folder, "away"), join(folder, "a.png"));
    deepEqual(await find(app, "red"), ["a.png", "b.png"]);
    for (const path of ["random", "map"]) {
      equal((await ask(app, path, "{}")).json.length, 2, path);
    }
  }));
