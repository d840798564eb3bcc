import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jupyterDisplay } from "#lib/display/display.ts";
import { folderSource } from "#lib/search_page/index/sources.ts";
import { openSearchApp } from "#lib/search_page/search_page.ts";
import { colourEncoder, plain } from "../support/colour_encoder.ts";
import { ask, openOver, paint, withFolder } from "../support/search_app.ts";

Deno.test("cells see what the reader does: query, selection, next()", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const next = app.next();
    await ask(app, "search", JSON.stringify({ text: "red", k: 6 }));
    equal((await next).query?.text, "red");
    const selected = app.next();
    await ask(
      app,
      "select",
      JSON.stringify({
        paths: ["paint/red/red-1.png", "gone", "paint/blue/blue-3.png"],
      }),
    );
    deepEqual((await selected).selection.map(({ path }) => path), [
      "paint/red/red-1.png",
      "paint/blue/blue-3.png",
    ]);
    equal((await ask(app, "select", '{"paths":[5]}')).status, 400);
    equal(app.selection.length, 2);
    await app.search({ text: "blue" });
    equal(app.query?.text, "red", "a cell's own search is not the reader's");
    match(
      `${app[jupyterDisplay]()["text/html"]}`,
      /<iframe src="http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/"/,
    );
    await app.close();
    await rejects(fetch(app.url));
  }));

Deno.test("a proxy's address is used in the frame and accepted as Host", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [colourEncoder()],
      publicUrl: "https://hub.example/user/ada/proxy/8000/",
      log: () => {},
    });
    await app.ready;
    match(
      `${app.frame()[jupyterDisplay]()["text/html"]}`,
      /src="https:\/\/hub\.example\/user\/ada\/proxy\/8000\/[0-9a-f]{32}\/"/,
    );
    equal(new URL(app.address).pathname.split("/").at(-2)?.length, 32);
    await app.close();
  }));

Deno.test("a collection can be searched while it is indexed", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const encoder = colourEncoder();
    const held = Promise.withResolvers<void>();
    const { encodeDecoded } = encoder;
    let batches = 0;
    encoder.encodeDecoded = async (pixels) => {
      if (++batches === 2) await held.promise;
      return await encodeDecoded(pixels);
    };
    for (let i = 0; i < 60; i++) {
      await writeFile(
        join(folder, `z${String(i).padStart(2, "0")}.png`),
        await plain({ r: 4 * i, g: 200, b: i }),
      );
    }
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [encoder],
      log: () => {},
    });
    batches = -2; // let the first group of 48 pass, then hold
    while (app.status().indexed === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { indexed, done } = app.status();
    ok(indexed > 0 && indexed < 84 && !done, `${indexed} indexed`);
    ok((await app.search({ text: "red", cut: "none" })).hits.length > 0);
    held.resolve();
    await app.ready;
    equal(app.status().indexed, 84);
    await app.close();
  }));

Deno.test("an encoder that fails stops indexing, and says so", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const encoder = colourEncoder();
    encoder.encodeDecoded = () => Promise.reject(new Error("out of memory"));
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [encoder],
      log: () => {},
    });
    await rejects(app.ready, /out of memory/);
    const { json } = await ask(app, "status");
    deepEqual([json.done, json.error, json.indexed], [
      true,
      "out of memory",
      0,
    ]);
    await app.close();
  }));

Deno.test("two encoders stand beside each other, each with its own vectors", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const counted = { pictures: 0, texts: 0 };
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [colourEncoder(), colourEncoder(counted, "others")],
      log: () => {},
    });
    await app.ready;
    equal(counted.pictures, 24);
    const { hits, comparedBy } = await app.search({
      text: "blue",
      space: "others",
    });
    deepEqual([hits[0].term, comparedBy], [
      "blue",
      "Cosine similarity, others: mean colours",
    ]);
    await app.close();
  }));
