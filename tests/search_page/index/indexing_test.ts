import { deepEqual, equal, rejects } from "node:assert/strict";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { folderSource } from "#lib/search_page/index/sources.ts";
import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
import { indexPictures } from "#lib/search_page/index/indexing.ts";
import { openSearchApp } from "#lib/search_page/search_page.ts";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import { openOver, paint, withFolder } from "../../support/search_app.ts";

Deno.test("a folder is embedded once: a second start embeds only what is new", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const start = async () => {
      const counted = { pictures: 0, texts: 0 };
      const app = await openSearchApp(await folderSource(folder), {
        encoders: [colourEncoder(counted)],
        log: () => {},
      });
      await app.ready;
      const { indexed } = app.status();
      await app.close();
      return { ...counted, indexed };
    };
    const before = await readdir(folder, { recursive: true });
    const first = await start(), second = await start();
    deepEqual([first.pictures, first.indexed], [24, 24]);
    deepEqual([second.pictures, second.indexed], [0, 24]);
    // The query that each begins with is all that is embedded again.
    equal(second.texts, 1);
    await writeFile(join(folder, "new.png"), await plain("green"));
    const later = await start();
    deepEqual([later.pictures, later.indexed], [1, 25]);
    // Nothing of ours was written beside the pictures.
    const after = await readdir(folder, { recursive: true });
    deepEqual(after.sort(), [...before, "new.png"].sort());
  }));

Deno.test("a changed file is embedded anew, a bad one is reported and shifts nobody", () =>
  withFolder(async (folder) => {
    const file = join(folder, "a.png");
    await writeFile(file, await plain("red"));
    await writeFile(join(folder, "b.png"), "no picture");
    await writeFile(join(folder, "c.png"), await plain("blue"));
    const app = await openOver(folder);
    const { failures, indexed } = app.status();
    deepEqual([indexed, failures.map(({ path }) => path)], [2, ["b.png"]]);
    equal((await app.search({ text: "blue" })).hits[0].path, "c.png");
    await app.close();

    await writeFile(file, await plain("green"));
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    const again = await openOver(folder);
    equal((await again.search({ text: "green" })).hits[0].path, "a.png");
    await again.close();
  }));

Deno.test("indexing that is stopped keeps what it has embedded, and says how far it is", () =>
  withFolder(async (folder) => {
    await paint(folder, 28);
    const source = await folderSource(folder);
    const counted = { pictures: 0, texts: 0 };
    const encoder = colourEncoder(counted);
    const abort = new AbortController();
    const progress: number[] = [];
    await rejects(
      indexPictures(source, new EncoderSpace(encoder), {
        signal: abort.signal,
        onProgress(done, total) {
          equal(total, 56);
          progress.push(done);
          if (done < total) abort.abort(new Error("enough"));
        },
      }),
      /enough/,
    );
    deepEqual(progress, [48]);
    const space = new EncoderSpace(encoder);
    deepEqual(await indexPictures(source, space), []);
    deepEqual([space.collection.count, counted.pictures], [56, 56]);
  }));
