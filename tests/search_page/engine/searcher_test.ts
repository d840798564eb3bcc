import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Searcher } from "#lib/search_page/engine/searcher.ts";
import type { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
import type { SearchApp } from "#lib/search_page/search_page.ts";
import { NO_FOLDING } from "#lib/search_page/web/query.js";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import { ask, openOver, paint, withFolder } from "../../support/search_app.ts";
import { vectorSpace } from "../../support/vector_space.ts";

Deno.test("openSearchApp() finds by text, by picture, by likeness, within filters", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const terms = async (query: Parameters<SearchApp["search"]>[0]) =>
      (await app.search({ cut: "none", fold: 2, k: 6, ...query })).hits
        .map(({ term }) => term);
    deepEqual(new Set(await terms({ text: "blue" })), new Set(["blue"]));
    deepEqual(
      new Set(await terms({ text: "blue", mode: "visual" })),
      new Set(["blue"]),
    );
    const like = "paint/red/red-0.png";
    deepEqual(new Set(await terms({ like })), new Set(["red"]));
    deepEqual(
      new Set(await terms({ like, terms: ["blue"] })),
      new Set(["blue"]),
    );
    const { hits } = await app.search({ like, cut: "none" });
    ok(
      !hits.some(({ path }) => path === like),
      "a picture is not its own result",
    );

    const upload = await ask(app, "upload", await plain("#0000fe", "jpeg", 80));
    deepEqual(
      new Set(await terms({ picture: upload.json.picture })),
      new Set(["blue"]),
    );
    deepEqual(
      new Set(
        await terms({
          picture: upload.json.picture,
          space: "pixels",
          metric: "l1",
        }),
      ),
      new Set(["blue"]),
    );
    await app.close();
  }));

Deno.test("words of another language are remarked on, where the encoder knows English only", () =>
  withFolder(async (folder) => {
    await paint(folder, 2);
    const app = await openOver(folder, {
      ...colourEncoder(),
      languages: ["en"],
    });
    const remarkOn = async (query: Parameters<SearchApp["search"]>[0]) =>
      (await app.search(query)).remark;
    match((await remarkOn({ text: "ein roter Apfel" }))!, /knows English only/);
    match((await remarkOn({ text: "red", minus: ["犬"] }))!, /English only/);
    equal(await remarkOn({ text: "a red apple" }), undefined);
    equal(await remarkOn({ like: "paint/red/red-0.png" }), undefined);
    await app.close();
    const other = await openOver(folder);
    equal((await other.search({ text: "ein roter Apfel" })).remark, undefined);
    await other.close();
  }));

Deno.test("plus and minus terms lead a query towards and away", () =>
  withFolder(async (folder) => {
    for (const colour of ["red", "yellow", "green", "white"]) {
      await writeFile(join(folder, `${colour}.png`), await plain(colour));
    }
    const app = await openOver(folder);
    const first = async (query: Parameters<SearchApp["search"]>[0]) =>
      (await app.search({ mode: "visual", ...query })).hits[0].path;
    equal(await first({ text: "red" }), "red.png");
    equal(await first({ text: "red", plus: ["green"] }), "yellow.png");
    equal(await first({ text: "yellow", minus: ["red"] }), "green.png");
    await app.close();
  }));

Deno.test("near copies are folded behind the best of them", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const { hits } = await app.search({
      text: "red",
      fold: 0.995,
      cut: "none",
    });
    ok(hits[0].copies.length > 0);
    const all = hits.flatMap(({ path, copies }) => [path, ...copies]);
    equal(new Set(all).size, all.length);
    await app.close();
  }));

Deno.test("what unrelated texts reach is no result", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const found = await app.search({ text: "red" });
    ok(found.cut! > 0 && found.relevant > 0 && found.relevant < found.total);
    const none = await app.search({ text: "the price of shares" });
    deepEqual([none.hits.length, none.relevant], [0, 0]);
    equal(none.scores.bins.reduce((sum, bin) => sum + bin), 24);
    const forced = await app.search({
      text: "the price of shares",
      cut: "none",
      fold: 2,
    });
    equal(forced.hits.length, 12);
    await app.close();
  }));

const found = async (
  space: EncoderSpace,
  query: Parameters<Searcher["search"]>[0],
) => {
  const all = { cut: "none", fold: NO_FOLDING } as const;
  const { hits } = await new Searcher([space])
    .search({ text: "x", ...all, ...query });
  return hits.map(({ path }) => path);
};

/** Near by its picture, near by its text, and one that nobody wrote about. */
const threeWays = () =>
  vectorSpace([
    { path: "picture", vector: [1, 0, 0], text: [0, 0, 1] },
    { path: "text", vector: [0, 1, 0], text: [1, 0.1, 0] },
    { path: "silent", vector: [0.8, 0.6, 0] },
  ], () => [1, 0, 0]);

Deno.test("each mode compares with its own: pictures, texts, or both by weight", async () => {
  const space = threeWays();
  const byPicture = ["picture", "silent", "text"];
  deepEqual(await found(space, { mode: "visual" }), byPicture);
  deepEqual(await found(space, { mode: "text" }), ["text", "picture"]);
  deepEqual(await found(space, { mode: "smart", textWeight: 0 }), byPicture);
  deepEqual(
    await found(space, { mode: "smart", textWeight: 1 }),
    ["text", "silent", "picture"],
    "without words a picture is found by itself",
  );
});

Deno.test("each metric gives the same order as cosine, in each mode", async () => {
  const space = threeWays();
  for (const mode of ["visual", "text", "smart"] as const) {
    const expected = await found(space, { mode, textWeight: 0.4 });
    for (const metric of ["l2", "cosine", "l1"] as const) {
      const paths = await found(space, { mode, metric, textWeight: 0.4 });
      deepEqual(paths, expected, `${mode} ${metric}`);
    }
  }
});

Deno.test("rows without a value are no results, and do not count", async () => {
  const space = threeWays();
  const searcher = new Searcher([space]);
  const { total, relevant, scores, hits } = await searcher.search({
    text: "x",
    mode: "text",
    cut: "none",
  });
  deepEqual([total, relevant, scores.count, hits.length], [2, 2, 2, 2]);
});

Deno.test("folding leaves as many results as were asked for, copies or not", async () => {
  // Five groups of four that are nearly equal, each group further away.
  const groups = Array.from({ length: 24 }, (_, i) => {
    const angle = Math.floor(i / 4) * 0.3 + (i % 4) * 0.001;
    return { path: `${i}`, vector: [Math.cos(angle), Math.sin(angle)] };
  });
  const query = { cut: "none", k: 5, mode: "visual" } as const;
  const space = vectorSpace([{ path: "asked", vector: [1, -0.4] }, ...groups]);
  const { hits } = await new Searcher([space]).search({
    ...query,
    like: "asked",
  });
  deepEqual(hits.map(({ path }) => path), ["0", "4", "8", "12", "16"]);
  deepEqual(hits.map(({ copies }) => copies.length), [3, 3, 3, 3, 3]);
  deepEqual(hits[1].copies, ["5", "6", "7"]);
  const unfolded = await found(space, { ...query, text: "", like: "asked" });
  deepEqual(unfolded, ["0", "1", "2", "3", "4"]);
});

Deno.test("a cut-off of one's own leaves out what is not better, either way", async () => {
  const space = threeWays();
  const query = { mode: "visual", text: "x" } as const;
  deepEqual(await found(space, { ...query, cut: 0.5 }), ["picture", "silent"]);
  const l1 = { ...query, metric: "l1" } as const;
  deepEqual(await found(space, { ...l1, cut: 0.9 }), ["picture", "silent"]);
  const { relevant, cut } = await new Searcher([space])
    .search({ ...query, cut: 0.5 });
  deepEqual([relevant, cut], [2, 0.5]);
});

const filed = () =>
  vectorSpace(
    ["owl", "oak", "owl", "elm", "owl"].map((term, i) => ({
      ...{ path: `${i}`, vector: [1, i / 10], term },
      ...{ category: i < 3 ? "a" : "b", license: i % 2 ? "CC0" : "" },
    })),
    () => [1, 0],
  );

Deno.test("filters: one name of each kind must fit, for searches and at random", async () => {
  const space = filed();
  deepEqual(await found(space, { terms: ["owl"] }), ["0", "2", "4"]);
  deepEqual(await found(space, { terms: ["oak", "elm"] }), ["1", "3"]);
  deepEqual(
    await found(space, { terms: ["owl", "elm"], categories: ["b"] }),
    ["3", "4"],
  );
  deepEqual(await found(space, { licenses: ["CC0"], categories: ["a"] }), [
    "1",
  ]);
  const searcher = new Searcher([space]);
  const drawn = (query: Parameters<Searcher["random"]>[0]) =>
    searcher.random(query).map(({ path }) => path).sort();
  deepEqual(drawn({ terms: ["owl"] }), ["0", "2", "4"]);
  equal(drawn({ k: 2 }).length, 2);
  deepEqual(drawn({}), ["0", "1", "2", "3", "4"], "nobody twice");
  const firsts = Array.from({ length: 60 }, () => searcher.random({})[0].path);
  equal(new Set(firsts).size, 5, "any can come first");
});

Deno.test("a query is a text, a picture, or both by weight, towards and away from others", async () => {
  const directions: Record<string, number[]> = { up: [0, 1], down: [0, -1] };
  const space = vectorSpace([
    { path: "right", vector: [1, 0] },
    { path: "up", vector: [0, 1] },
    { path: "between", vector: [1, 1] },
    { path: "below", vector: [1, -1] },
  ], (text) => directions[text]);
  const first = async (query: Parameters<Searcher["search"]>[0]) =>
    (await found(space, { text: "", mode: "visual", ...query }))[0];
  equal(await first({ text: "up" }), "up");
  equal(await first({ like: "right", plus: ["up"] }), "between");
  equal(await first({ like: "right", minus: ["up"] }), "below");
  equal(await first({ plus: ["down"] }), "below");
  const both = { like: "right", text: "up", mode: "smart" } as const;
  equal(await first({ ...both, textWeight: 0.5 }), "between");
  equal(await first({ ...both, textWeight: 1 }), "up");
  equal(await first({ ...both, textWeight: 0 }), "between", "right is asked");
  equal(await first({ ...both, mode: "visual" }), "between", "right is asked");
  for (const names of [["up"], ["up", "down"], ["up", "up", "down"]]) {
    await rejects(first({ plus: names, minus: names.toReversed() }), {
      name: "QueryError",
      message: "what is added and what is taken away cancel out",
    });
  }
});
