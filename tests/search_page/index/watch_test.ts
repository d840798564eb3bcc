import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  mkdir,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  openSearchApp,
  type SearchApp,
  type SearchAppOptions,
} from "#lib/search_page/search_page.ts";
import { watchFolder } from "#lib/search_page/index/watch.ts";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import { ask, withFolder } from "../../support/search_app.ts";

/** A page over a folder that is served, and what its encoder has embedded. */
async function served(
  folder: string,
  body: (
    app: SearchApp,
    counted: { pictures: number; texts: number },
  ) => Promise<void>,
  options: SearchAppOptions = {},
): Promise<void> {
  const counted = { pictures: 0, texts: 0 };
  const encoders = [colourEncoder(counted)];
  const app = await openSearchApp(folder, { encoders, log() {}, ...options });
  try {
    await app.ready;
    await body(app, counted);
  } finally {
    await app.close();
  }
}

/** Waits until something is so, for ten seconds. */
async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (isSo()) return;
    await wait(50);
  }
  throw new Error(`never: ${what}`);
}

const pathsIn = ({ searcher }: SearchApp) =>
  searcher.spaces[0].collection.pictures.map(({ path }) => path).sort();

Deno.test("what comes, goes, changes and is renamed in a served folder is noticed", () =>
  withFolder(async (folder) => {
    for (const colour of ["red", "green", "blue"]) {
      await writeFile(join(folder, `${colour}.png`), await plain(colour));
    }
    await served(folder, async (app, counted) => {
      const is = (...names: string[]) => {
        const wanted = names.map((name) => `${name}.png`).sort().join();
        return until(() => pathsIn(app).join() === wanted, wanted);
      };
      strictEqual(app.status().watched, true);
      await mkdir(join(folder, "new"));
      await writeFile(join(folder, "new", "white.png"), await plain("white"));
      await is("red", "green", "blue", "new/white");
      await rm(join(folder, "green.png"));
      await is("red", "blue", "new/white");
      const { generation } = app.status();
      strictEqual(counted.pictures, 4);
      await rename(join(folder, "red.png"), join(folder, "new", "crimson.png"));
      await is("blue", "new/white", "new/crimson");
      strictEqual(counted.pictures, 4, "not embedded again");
      ok(app.status().generation > generation);
      await writeFile(
        join(folder, "blue.png"),
        await plain("yellow", "png", 9),
      );
      await until(() => counted.pictures === 5, "blue is embedded anew");
      const { indexed, total, trouble } = app.status();
      deepStrictEqual([indexed, total, trouble], [3, 3, ""]);
    });
  }));

Deno.test("captions that change are read again, and no picture is embedded for it", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "a.png"), await plain("white"));
    await served(folder, async (app, counted) => {
      strictEqual(app.status().hasTexts, false);
      await writeFile(
        join(folder, "captions.json"),
        '{"a.png": "A red wall."}',
      );
      const { collection } = app.searcher.spaces[0];
      await until(
        () => collection.pictures[0].caption === "A red wall.",
        "the caption",
      );
      strictEqual(app.status().hasTexts, true);
      strictEqual(counted.pictures, 1);
    });
  }));

Deno.test("a folder that is gone loses nothing, says so, and is there when it is back", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "a.png"), await plain("red"));
    await writeFile(join(folder, "b.png"), await plain("blue"));
    await served(folder, async (app, counted) => {
      await rename(folder, `${folder}-away`);
      await until(() => app.status().trouble !== "", "trouble is said");
      ok(/cannot be read \(ENOENT\): expected a folder of pictures$/.test(
        app.status().trouble,
      ));
      const { hits } = await app.search({ text: "red", cut: "none" });
      deepStrictEqual(hits.map(({ path }) => path), ["a.png", "b.png"]);
      await rename(`${folder}-away`, folder);
      await writeFile(join(folder, "c.png"), await plain("green"));
      await until(() => pathsIn(app).length === 3, "it is back");
      strictEqual(app.status().trouble, "");
      strictEqual(counted.pictures, 3);
      // Another folder of that name is watched as well.
      await rm(folder, { recursive: true });
      await mkdir(folder);
      await writeFile(join(folder, "d.png"), await plain("white"));
      await until(() => pathsIn(app).join() === "d.png", "the new folder");
      await writeFile(join(folder, "e.png"), await plain("black"));
      await until(() => pathsIn(app).length === 2, "a change in it");
    });
  }));

Deno.test("a link that leads to itself is left out, and stops nothing", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "a.png"), await plain("red"));
    await symlink("loop.png", join(folder, "loop.png"));
    await served(folder, async (app) => {
      const { error, trouble, failures } = app.status();
      deepStrictEqual([error, trouble], ["", ""]);
      deepStrictEqual(failures.map(({ path }) => path), ["loop.png"]);
      await writeFile(join(folder, "z.png"), await plain("blue"));
      await until(() => pathsIn(app).length === 2, "what comes after it");
    });
  }));

Deno.test("an empty folder that is served waits for pictures, and says so", () =>
  withFolder(async (folder) => {
    await served(folder, async (app) => {
      ok(/holds no pictures/.test(app.status().trouble), app.status().trouble);
      deepStrictEqual([app.status().error, app.status().done], ["", true]);
      await writeFile(join(folder, "a.png"), await plain("red"));
      await until(() => app.status().indexed === 1, "the first picture");
      strictEqual(app.status().trouble, "");
    });
    await rejects(
      openSearchApp(join(folder, "nowhere"), { log() {} }),
      /nowhere is no folder: expected a folder of pictures/,
    );
  }));

Deno.test("a folder that is not watched is looked over when that is asked for", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "a.png"), await plain("red"));
    await served(folder, async (app) => {
      strictEqual(app.status().watched, false);
      await writeFile(join(folder, "b.png"), await plain("blue"));
      await wait(600);
      deepStrictEqual(pathsIn(app), ["a.png"]);
      const { status, json } = await ask(app, "rescan", "{}");
      deepStrictEqual([status, json], [200, {}]);
      deepStrictEqual(pathsIn(app), ["a.png", "b.png"]);
    }, { watch: false });
  }));

Deno.test("a picture that cannot be decoded is not tried again until it changes", () =>
  withFolder(async (folder) => {
    const bad = join(folder, "a.png");
    await writeFile(bad, (await plain("red")).slice(0, 60));
    await writeFile(join(folder, "b.png"), await plain("blue"));
    await served(folder, async (app, counted) => {
      await app.rescan();
      strictEqual(app.status().failures.length, 1);
      await writeFile(bad, await plain("red"));
      await utimes(bad, new Date(), new Date(Date.now() + 5000));
      await app.rescan();
      deepStrictEqual([app.status().failures, counted.pictures], [[], 2]);
    }, { watch: false });
  }));

Deno.test("looks never overlap, and take a small share of the time", () =>
  withFolder(async (folder) => {
    let looks = 0, atOnce = 0, most = 0;
    const watch = watchFolder(folder, async () => {
      looks++;
      most = Math.max(most, ++atOnce);
      await wait(100);
      atOnce--;
      return 100;
    });
    for (let i = 0; i < 40; i++) {
      await writeFile(join(folder, `${i}.png`), "x");
      if (i % 10 === 0) void watch.now();
      await wait(20);
    }
    await wait(400);
    await watch.close();
    const before = looks;
    // Four were asked for; of those that events ask for, one in 2 s at most.
    ok(looks <= 5 && looks >= 2, `${looks}`);
    strictEqual(most, 1);
    await writeFile(join(folder, "after.png"), "x");
    await wait(500);
    strictEqual(looks, before, "closed");
  }));

Deno.test("after an import that took long, the next change is noticed soon", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "red.png"), await plain("red"));
    const slow = colourEncoder();
    const encoders = [{
      ...slow,
      async encodeDecoded(...given: Parameters<typeof slow.encodeDecoded>) {
        await wait(1500);
        return await slow.encodeDecoded(...given);
      },
    }];
    const app = await openSearchApp(folder, { encoders, log() {} });
    await app.ready;
    await writeFile(join(folder, "blue.png"), await plain("blue"));
    await until(() => pathsIn(app).length === 2, "the import");
    const start = performance.now();
    await rename(join(folder, "blue.png"), join(folder, "navy.png"));
    await until(() => pathsIn(app).includes("navy.png"), "the new name");
    await rm(folder, { recursive: true });
    await until(() => app.status().trouble !== "", "the folder is gone");
    const ms = performance.now() - start;
    await app.close();
    ok(ms < 5000, `${ms} ms, an import takes 1500`);
  }));

Deno.test("a change waits for fifteen seconds at most, however slow looking is", async () => {
  const { setTimeout } = globalThis;
  const waits: unknown[] = [];
  const watch = watchFolder("/nowhere", () => Promise.resolve(60_000), false);
  try {
    await watch.now();
    globalThis.setTimeout = ((_: unknown, ms: unknown) => {
      waits.push(ms);
    }) as unknown as typeof setTimeout;
    watch.soon();
  } finally {
    globalThis.setTimeout = setTimeout;
    await watch.close();
  }
  strictEqual(waits.length, 1);
  ok(Number(waits[0]) > 14_000 && Number(waits[0]) <= 15_000, `${waits[0]}`);
});
