import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { join } from "node:path";
import {
  mkdir,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { openChroma, startChroma } from "#lib/engines/chroma/chroma.ts";
import { paths } from "#lib/paths.ts";
import type { SearchQuery } from "#lib/search_page/engine/query.ts";
import {
  openSearchApp,
  type SearchApp,
  type SearchAppOptions,
} from "#lib/search_page/search_page.ts";
import { searchOnce } from "#lib/search_page/search_once.ts";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import { ask, paint, withFolder } from "../../support/search_app.ts";

const open = async (folder: string, options: SearchAppOptions) => {
  const app = await openSearchApp(folder, {
    ...{ encoders: [colourEncoder()], watch: false, log() {} },
    ...options,
  });
  await app.ready;
  return app;
};

/** Runs with a Chroma server that the environment names. */
async function withChroma(body: () => Promise<void>) {
  const before = Deno.env.get("CHROMA_URL");
  const folder = await Deno.makeTempDir({ prefix: "chroma-" });
  const chroma = await startChroma({ folder });
  Deno.env.set("CHROMA_URL", chroma.url);
  try {
    await body();
  } finally {
    if (before === undefined) Deno.env.delete("CHROMA_URL");
    else Deno.env.set("CHROMA_URL", before);
    await chroma.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

/** How many results a query has whose copies are not folded, found in the database. */
const count = async (app: SearchApp, mode: SearchQuery["mode"] = "visual") => {
  const query = { text: `red ${queries++}`, mode, fold: 2, k: 200 };
  return (await app.search(query)).hits.length;
};
let queries = 0;

/** Of pictures, and of texts, as somebody else sees them. */
const collections = async () => {
  const { client } = await openChroma();
  const all = await client.listCollections();
  return ["pictures", "texts"].map((kind) =>
    all.find(({ name }) => name.includes(`-${kind}`))!
  );
};

/** Waits until something holds. */
const until = async (holds: () => boolean | Promise<boolean>) => {
  for (let i = 0; i < 1000; i++) {
    if (await holds()) return;
    await sleep(20);
  }
  ok(false, `${holds} does not hold`);
};

const found = async (app: SearchApp, query: Partial<SearchQuery>) => {
  const { hits, line, total, fitting } = await app.search(query);
  const seen = hits.map(({ path, value, fits, copies }) => [
    ...[path, Number(value.toFixed(4)), fits, copies.length],
  ]);
  return { seen, total, fitting, line: line?.toFixed(4) };
};

const QUERIES: Partial<SearchQuery>[] = [
  ...[{ text: "red" }, { text: "red", mode: "text" }],
  ...[{ text: "blue", mode: "visual", k: 30 }],
  ...[{ text: "blue", terms: ["blue"] }, { text: "blue", terms: ["red"] }],
  ...[{ like: ["paint/red/red-3.png"], k: 5 }],
  ...[{ text: "red", textWeight: 0.9 }, { text: "red", metric: "l1" }],
  ...[{ text: "red", metric: "correlation" }, { text: "red", sort: "newest" }],
  ...[{ text: "red", cut: "none", fold: 2, k: 200 }, { plus: ["red", "blue"] }],
] as Partial<SearchQuery>[];

Deno.test("the page answers alike by each engine, and after a second start", () =>
  withFolder((folder) =>
    withChroma(async () => {
      await paint(folder, 20);
      const exact = await open(folder, {});
      const truth = [];
      for (const query of QUERIES) truth.push(await found(exact, query));
      await exact.close();
      for (const index of ["hnsw", "chroma"] as const) {
        for (const start of [1, 2]) {
          const app = await open(folder, { index });
          while (!app.status().index.isReady) await sleep(10);
          const { comparedBy } = await app.search({ text: "red" });
          match(comparedBy, index === "hnsw" ? /HNSW/ : /Chroma at http/);
          for (const [i, query] of QUERIES.entries()) {
            const what = `${index} ${start}: ${JSON.stringify(query)}`;
            deepStrictEqual(await found(app, query), truth[i], what);
          }
          const status = app.status().index;
          deepStrictEqual([status.engine, status.count], [index, 40]);
          strictEqual((await ask(app, "map")).json.length, 40);
          strictEqual((await ask(app, "statistics")).json.count, 780);
          const { recall } = (await ask(app, "recall")).json;
          ok(recall >= 0.98, `${index}: ${recall}`);
          const detail = await ask(
            app,
            "detail",
            '{"path":"paint/red/red-1.png"}',
          );
          strictEqual(detail.json.vector.length, 4);
          await app.close();
        }
      }
    })
  ));

Deno.test("by Chroma, no vector stays in memory", () =>
  withFolder((folder) =>
    withChroma(async () => {
      await paint(folder);
      const app = await open(folder, { index: "chroma" });
      const [{ collection }] = app.searcher.spaces;
      strictEqual(collection.count, 24);
      strictEqual(collection.pictureEmbeddings.count, 0);
      strictEqual(collection.textEmbeddings.count, 0);
      strictEqual(collection.pending.size, 0);
      await app.close();
    })
  ));

Deno.test("two pages over one Chroma server see each other's additions and removals", () =>
  withFolder((folder) =>
    withChroma(async () => {
      await paint(folder);
      const [one, other] = [
        await open(folder, { index: "chroma" }),
        await open(folder, { index: "chroma" }),
      ];
      const query = { text: "green", mode: "visual", k: 1 } as const;
      const first = async (app: SearchApp) =>
        (await app.search(query)).hits[0].path;
      ok(await first(other) !== "leaf.png");
      await writeFile(
        join(folder, "leaf.png"),
        await plain({ r: 0, g: 255, b: 0 }),
      );
      await one.rescan();
      strictEqual(await first(one), "leaf.png");
      // The same was asked before: what came since is looked for all the same.
      const [hit] = (await other.search(query)).hits;
      strictEqual(hit.path, "leaf.png");
      strictEqual(other.status().indexed, 25);
      const shown = await ask(other, `thumbnail/${hit.id}`);
      strictEqual(shown.status, 200);
      await rm(join(folder, "leaf.png"));
      await other.rescan();
      ok(await first(one) !== "leaf.png");
      await one.close();
      await other.close();
    })
  ));

Deno.test("what a database has lost is put in again, by a rescan and by itself", () =>
  withFolder((folder) =>
    withChroma(async () => {
      await paint(folder);
      const app = await open(folder, { index: "chroma" });
      const [pictures, texts] = await collections();
      const lose = async (of: typeof pictures, limit: number) =>
        of.delete({ ids: (await of.get({ limit, include: [] })).ids });
      await lose(pictures, 3);
      await app.rescan();
      strictEqual(await count(app), 24);
      await lose(texts, 1);
      await app.rescan();
      strictEqual(await count(app, "text"), 24);
      await lose(pictures, 24);
      await lose(texts, 24);
      await count(app);
      await until(async () => await pictures.count() === 24);
      await until(async () => await count(app) === 24);
      await app.close();
    })
  ));

Deno.test("a picture that another page took out, and that is back, is found again", () =>
  withFolder((folder) =>
    withChroma(async () => {
      await paint(folder);
      const one = await open(folder, { index: "chroma" });
      const other = await open(folder, { index: "chroma" });
      const file = join(folder, "paint/red/red-3.png");
      await rename(file, `${folder}-aside.png`);
      await one.rescan();
      const [pictures] = await collections();
      await until(async () => await pictures.count() === 23);
      await one.close();
      await rename(`${folder}-aside.png`, file);
      await other.rescan();
      strictEqual(await count(other), 24);
      strictEqual(await pictures.count(), 24);
      await other.close();
    })
  ));

Deno.test("collections that are deleted under a page are made anew, and all is put in again", () =>
  withFolder((folder) =>
    withChroma(async () => {
      await paint(folder);
      const app = await open(folder, { index: "chroma" });
      const { client } = await openChroma();
      const drop = async (kind: string) => {
        for (const { name } of await client.listCollections()) {
          if (name.includes(kind)) await client.deleteCollection({ name });
        }
      };
      for (const kind of ["pictures", "texts", ""]) {
        await drop(kind);
        for (const mode of ["visual", "text"] as const) {
          await until(async () => await count(app, mode).catch(() => 0) === 24);
        }
        await drop(kind);
        await app.rescan();
        strictEqual(await count(app), 24, kind);
        strictEqual(app.status().trouble, "");
      }
      await app.close();
    })
  ));

Deno.test("searchOnce() finds by each engine what the page finds", () =>
  withFolder((folder) =>
    withChroma(async () => {
      await paint(folder);
      for (const index of ["exact", "hnsw", "chroma"] as const) {
        const once = await searchOnce({
          ...{ folder, index, encoder: "offline", log() {} },
          query: { text: "something red", k: 3 },
        });
        strictEqual(once.index, index);
        strictEqual(once.result.hits.length, 3);
      }
    })
  ));

Deno.test("a page whose server is gone says so in a sentence, and goes on when it is back", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const before = Deno.env.get("CHROMA_URL");
    const place = await Deno.makeTempDir({ prefix: "chroma-" });
    let chroma = await startChroma({ folder: place });
    const port = Number(new URL(chroma.url).port);
    Deno.env.set("CHROMA_URL", chroma.url);
    const app = await open(folder, { index: "chroma" });
    await chroma.stop();
    await writeFile(join(folder, "wall.png"), await plain("red"));
    const [failed] = await Promise.all([
      ask(app, "search", '{"text":"red"}'),
      app.rescan(),
    ]);
    strictEqual(failed.status, 500);
    match(failed.json.error, /server|Chroma/i);
    match(app.status().trouble, /Chroma/);
    chroma = await startChroma({ folder: place, port });
    const again = await ask(app, "search", '{"text":"red"}');
    strictEqual(again.status, 200);
    ok(again.json.hits.length > 0);
    // By itself: what could not be sent is, and nothing is said of it any more.
    await until(async () => await count(app) === 25);
    await until(() => app.status().trouble === "");
    await app.close();
    await chroma.stop();
    if (before === undefined) Deno.env.delete("CHROMA_URL");
    else Deno.env.set("CHROMA_URL", before);
    await Deno.remove(place, { recursive: true });
  }));

Deno.test("a second start over the same pictures sends nothing and builds nothing again", () =>
  withFolder((folder) =>
    withChroma(async () => {
      await paint(folder);
      const asked: string[] = [];
      const { fetch } = globalThis;
      globalThis.fetch = (input, init) => {
        asked.push(input instanceof Request ? input.url : `${input}`);
        return fetch(input, init);
      };
      const indexes = join(paths.search, "indexes");
      const filesOf = async () => {
        const names = await readdir(indexes, { recursive: true });
        return await Promise.all(
          names.toSorted().map(async (name) => {
            const { mtimeMs, size } = await stat(join(indexes, name));
            return [name, mtimeMs, size];
          }),
        );
      };
      try {
        const writes = () => asked.filter((url) => /\/upsert|\/add$/.test(url));
        await (await open(folder, { index: "chroma" })).close();
        ok(writes().length > 0);
        asked.length = 0;
        await (await open(folder, { index: "chroma" })).close();
        deepStrictEqual(writes(), []);
        const first = await open(folder, { index: "hnsw" });
        while (!first.status().index.isReady) await sleep(10);
        await first.close();
        const files = await filesOf();
        ok(files.length > 0);
        const second = await open(folder, { index: "hnsw" });
        while (!second.status().index.isReady) await sleep(10);
        await second.close();
        const isFile = ([, , size]: unknown[]) => size as number > 4096;
        deepStrictEqual(
          (await filesOf()).filter(isFile),
          files.filter(isFile),
        );
        strictEqual((await filesOf()).length, files.length);
      } finally {
        globalThis.fetch = fetch;
      }
    })
  ));

Deno.test("an empty folder finds nothing by any engine, and then what comes", () =>
  withFolder((folder) =>
    withChroma(async () => {
      for (const index of ["hnsw", "chroma"] as const) {
        const app = await open(folder, { index });
        for (const mode of ["smart", "text", "visual"] as const) {
          const { hits } = await app.search({ text: "red", mode });
          deepStrictEqual(hits, [], `${index} ${mode}`);
        }
        deepStrictEqual((await ask(app, "map")).json, []);
        strictEqual((await ask(app, "statistics")).json.count, 0);
        const file = join(folder, "wall.png");
        await writeFile(file, await plain({ r: 255, g: 0, b: 0 }));
        await app.rescan();
        const { hits } = await app.search({ text: "red" });
        deepStrictEqual(hits.map(({ path }) => path), ["wall.png"], index);
        await rm(file);
        deepStrictEqual((await app.search({ text: "red" })).hits, [], index);
        await app.close();
      }
    })
  ));

Deno.test("a server that is not there is said in one sentence, before anything is indexed", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const before = Deno.env.get("CHROMA_URL");
    Deno.env.set("CHROMA_URL", "http://127.0.0.1:9");
    try {
      await rejects(open(folder, { index: "chroma" }), /127\.0\.0\.1:9/);
    } finally {
      if (before === undefined) Deno.env.delete("CHROMA_URL");
      else Deno.env.set("CHROMA_URL", before);
    }
  }));

Deno.test("where an index cannot be written, what is found is told, and why it is not kept", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const said: string[] = [];
    const log = (line: string) => said.push(line);
    const once = { folder, index: "hnsw", encoder: "offline", log } as const;
    const { search } = paths;
    await mkdir(search, { recursive: true });
    // A link that leads nowhere: there is nothing to read, and no folder to make.
    await symlink(join(search, "nowhere", "else"), join(search, "indexes"));
    const query = { text: "something red", k: 3 };
    const { result } = await searchOnce({ ...once, query });
    strictEqual(result.hits.length, 3);
    const kept = said.filter((line) => /^The index is not kept: /.test(line));
    strictEqual(kept.length, 1, said.join("\n"));
  }));

Deno.test("two pages over one folder's graph both find what comes, and one keeps it", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const said: string[][] = [[], [], []];
    const openPage = (i: number) =>
      open(folder, { index: "hnsw", log: (line) => said[i].push(line) });
    const pages = [await openPage(0), await openPage(1)];
    const find = async (page: SearchApp, name: string) => {
      await page.rescan();
      // The graph takes it in beside the search, and answers once it has it.
      for (let turn = 0; turn < 100; turn++) {
        const { hits, comparedBy } = await page.search({ text: "red", k: 50 });
        ok(hits.some(({ path }) => path === name), name);
        if (/HNSW/.test(comparedBy)) return;
        await sleep(20);
      }
      throw new Error(`the graph never took in ${name}`);
    };
    try {
      for (const [name, g] of [["wall.png", 255], ["gate.png", 99]] as const) {
        // Like none that is there: equal ones would be folded.
        await writeFile(join(folder, name), await plain({ r: 99, g, b: 99 }));
        for (const page of pages) await find(page, name);
      }
    } finally {
      for (const page of pages) await page.close();
    }
    pages.push(await openPage(2));
    await find(pages[2], "gate.png").finally(() => pages[2].close());
    deepStrictEqual(
      said.map((lines) =>
        lines.filter((line) => /index is not kep/.test(line))
      ),
      [[], [
        "The index is not kept: another program has written it meanwhile; what " +
        "comes here is put in again at the next start",
      ], []],
    );
  }));
