import {
  deepEqual,
  deepStrictEqual,
  equal,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Matrix } from "#lib/compare/matrix.ts";
import { ExactIndex } from "#lib/engines/exact.ts";
import type { SearchQuery } from "#lib/search_page/engine/query.ts";
import { Searcher } from "#lib/search_page/engine/searcher.ts";
import { SpaceIndex } from "#lib/search_page/engine/space_index.ts";
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
    const like = ["paint/red/red-0.png"];
    deepEqual(new Set(await terms({ like })), new Set(["red"]));
    deepEqual(
      new Set(await terms({ like, terms: ["blue"] })),
      new Set(["blue"]),
    );
    const { hits } = await app.search({ like, cut: "none" });
    ok(
      !hits.some(({ path }) => path === like[0]),
      "a picture is not its own result",
    );

    const upload = await ask(app, "upload", await plain("#0000fe", "jpeg", 80));
    deepEqual(
      new Set(await terms({ like: [upload.json.picture] })),
      new Set(["blue"]),
    );
    deepEqual(
      new Set(
        await terms({
          like: [upload.json.picture],
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
    equal(await remarkOn({ like: ["paint/red/red-0.png"] }), undefined);
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

Deno.test("what unrelated words reach does not fit, and is shown all the same", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openOver(folder);
    const red = await app.search({ text: "red", k: 24, fold: NO_FOLDING });
    ok(red.cut! > 0 && red.line! > red.cut!);
    deepStrictEqual([red.hits.length, red.total], [24, 24]);
    const fitting = red.hits.filter(({ fits }) => fits);
    strictEqual(red.fitting, fitting.length);
    ok(fitting.length > 0 && fitting.length < 24);
    ok(fitting.every(({ value }) => value >= red.line!));
    deepStrictEqual(red.hits.slice(0, red.fitting), fitting, "they come first");
    deepStrictEqual(red.listed, { total: 24, fitting: red.fitting });
    const none = await app.search({ text: "green" });
    deepStrictEqual([none.hits.length > 0, none.fitting], [true, 0]);
    strictEqual(none.scores.bins.reduce((sum, bin) => sum + bin), 24);
    const all = await app.search({ text: "green", cut: "none" });
    deepStrictEqual(
      [all.cut, all.line, all.fitting, all.hits[0].fits],
      [undefined, undefined, 24, true],
    );
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
  const { total, fitting, scores, hits } = await searcher.search({
    text: "x",
    mode: "text",
    cut: "none",
  });
  deepEqual([total, fitting, scores.count, hits.length], [2, 2, 2, 2]);
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
    like: ["asked"],
  });
  deepEqual(hits.map(({ path }) => path), ["0", "4", "8", "12", "16"]);
  deepEqual(hits.map(({ copies }) => copies.length), [3, 3, 3, 3, 3]);
  deepEqual(hits[1].copies, ["5", "6", "7"]);
  const unfolded = await found(space, { ...query, text: "", like: ["asked"] });
  deepEqual(unfolded, ["0", "1", "2", "3", "4"]);
});

Deno.test("a cut-off of one's own is the line, either way", async () => {
  const space = threeWays();
  const fitting = async (query: Parameters<Searcher["search"]>[0]) => {
    const { hits, cut, line } = await new Searcher([space])
      .search({ text: "x", mode: "visual", fold: NO_FOLDING, ...query });
    deepStrictEqual([cut, line, hits.length], [query.cut, query.cut, 3]);
    return hits.filter(({ fits }) => fits).map(({ path }) => path);
  };
  deepStrictEqual(await fitting({ cut: 0.5 }), ["picture", "silent"]);
  deepStrictEqual(
    await fitting({ cut: 0.9, metric: "l1" }),
    ["picture", "silent"],
  );
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

Deno.test("filters alone list all that passes, by path, page by page", async () => {
  const space = vectorSpace(
    Array.from({ length: 30 }, (_, i) => ({
      path: `${i % 2 ? "b" : "a"}/${String(29 - i).padStart(2, "0")}`,
      vector: [Math.cos(i), Math.sin(i)],
      term: i % 2 ? "owl" : "oak",
    })),
    () => [1, 0],
  );
  const searcher = new Searcher([space]);
  space.collection.hide("b/00", true);
  const query = { terms: ["owl"], k: 10 };
  const first = await searcher.search(query);
  const second = await searcher.search({ ...query, from: 10 });
  const { total, fitting, listed, line, more, comparedBy } = first;
  deepStrictEqual([total, fitting, listed, line, more, comparedBy], [
    ...[14, 14, { total: 14, fitting: 14 }, undefined, true],
    "Path, from A to Z",
  ]);
  const paths = [...first.hits, ...second.hits].map(({ path }) => path);
  deepStrictEqual(
    paths,
    Array.from(
      { length: 14 },
      (_, i) => `b/${String(2 * i + 2).padStart(2, "0")}`,
    ),
  );
  deepStrictEqual(await searcher.fitting(query), paths);
});

Deno.test("one seed draws the same pictures again, and one in the place of one that is hidden", () => {
  const space = vectorSpace(
    Array.from({ length: 200 }, (_, i) => ({
      path: `holiday/IMG_${1000 + i}.jpg`,
      vector: [1, i],
    })),
    () => [1, 0],
  );
  const searcher = new Searcher([space]);
  const draw = (seed: number) =>
    searcher.random({ k: 12 }, seed).map(({ path }) => path);
  const before = draw(7);
  deepStrictEqual(draw(7), before);
  space.collection.hide(before[3], true);
  space.collection.remove(before[8]);
  const after = draw(7);
  deepStrictEqual(
    after.slice(0, 10),
    before.filter((_, i) => i !== 3 && i !== 8),
  );
  strictEqual(new Set(after).size, 12);
  const seen = new Set(Array.from({ length: 100 }, (_, i) => draw(i)).flat());
  ok(seen.size > 190, `${seen.size} of 200`);
});

const directions: Record<string, number[]> = {
  ...{ up: [0, 1], down: [0, -1], right: [1, 0] },
};

const compass = () =>
  vectorSpace([
    { path: "right", vector: [1, 0] },
    { path: "up", vector: [0, 1] },
    { path: "between", vector: [1, 1] },
    { path: "below", vector: [1, -1] },
  ], (text) => directions[text] ?? [-1, -1]);

Deno.test("a query is words, pictures, or both, towards and away from others", async () => {
  const space = compass();
  const first = async (query: Parameters<Searcher["search"]>[0]) =>
    (await found(space, { text: "", mode: "visual", ...query }))[0];
  strictEqual(await first({ text: "up" }), "up");
  strictEqual(await first({ like: ["right"], plus: ["up"] }), "between");
  strictEqual(await first({ like: ["right"], minus: ["up"] }), "below");
  strictEqual(await first({ plus: ["down"] }), "below");
  strictEqual(await first({ like: ["right", "up"] }), "between");
  strictEqual(await first({ like: ["right"], unlike: ["up"] }), "below");
  strictEqual(await first({ text: "a photo of an up" }), "up");
  for (const names of [["up"], ["up", "down"], ["up", "up", "down"]]) {
    await rejects(first({ plus: names, minus: names.toReversed() }), {
      name: "QueryError",
      message: "what is added and what is taken away cancel out",
    });
  }
  await rejects(first({ like: ["up"], unlike: ["up"] }), /cancel out/);
});

Deno.test("words and a picture combine in every mode: by the weight in smart mode, halves in the others", async () => {
  const space = vectorSpace([
    { path: "asked", vector: [1, 0], text: [1, 0] },
    ...[0, 30, 45, 60, 90].map((degrees) => {
      const angle = degrees * Math.PI / 180;
      const vector = [Math.cos(angle), Math.sin(angle)];
      return { path: `${degrees}`, vector, text: vector };
    }),
  ], () => [0, 1]);
  const first = async (mode: "smart" | "text" | "visual", textWeight = 0.3) => {
    const both = { like: ["asked"], text: "up", mode, textWeight };
    return (await found(space, both))[0];
  };
  strictEqual(await first("visual"), "45");
  strictEqual(await first("text", 0.9), "45");
  strictEqual(await first("smart", 0.5), "45");
  strictEqual(await first("smart", 0.64), "60");
  strictEqual(await first("smart", 0.36), "30");
  strictEqual(await first("smart", 1), "90");
  strictEqual(await first("smart", 0), "0");
});

Deno.test("what weighs more leads further", async () => {
  const space = compass();
  const value = async (
    query: Parameters<Searcher["search"]>[0],
    path: string,
  ) => {
    const { hits } = await new Searcher([space])
      .search({ mode: "visual", fold: NO_FOLDING, ...query });
    return hits.find((hit) => hit.path === path)!.value;
  };
  const near = async (actual: Promise<number>, x: number, y: number) => {
    const expected = x / Math.hypot(x, y);
    const close = Math.abs(await actual - expected) < 1e-6;
    ok(close, `${await actual}, expected ${expected}`);
  };
  await near(value({ text: "right", plus: ["3:up"] }, "right"), 1, 3);
  await near(value({ text: "right", minus: ["0.5:up"] }, "right"), 1, 0.5);
  await near(value({ plus: ["right"], like: ["3:up"] }, "right"), 1, 1);
  await near(value({ plus: ["right"], unlike: ["2:up"] }, "right"), 1, 2);
  const { hits: [first] } = await new Searcher([space])
    .search({ like: ["2:right", "1:up"], mode: "visual" });
  ok(Math.abs(first.value - 3 / Math.sqrt(10)) < 1e-6, `${first.value}`);
});

Deno.test("a path that looks like a weight is a path first", async () => {
  const space = vectorSpace([
    { path: "2:up", vector: [0, 1] },
    { path: "up", vector: [1, 0] },
    { path: "near up", vector: [0.9, 0.1] },
    { path: "near 2:up", vector: [0.1, 0.9] },
  ]);
  const first = async (like: string[]) =>
    (await found(space, { text: "", like, mode: "visual" }))[0];
  strictEqual(await first(["2:up"]), "near 2:up");
  strictEqual(await first(["3:2:up"]), "near 2:up");
  strictEqual(await first(["3:up"]), "near up");
});

Deno.test("the query's own pictures are no results, no scores, and no measure for others", async () => {
  const space = vectorSpace([
    { path: "asked", vector: [1, 0] },
    { path: "copy", vector: [0.9, 0.4] },
    { path: "far", vector: [0, 1] },
    { path: "farther", vector: [-1, 0.5] },
  ]);
  const { hits, total, scores, cut, line } = await new Searcher([space])
    .search({ like: ["asked"], mode: "visual" });
  deepStrictEqual(hits.map(({ path }) => path), ["copy", "far", "farther"]);
  deepStrictEqual([total, scores.count], [3, 3]);
  const top = hits[0].value;
  ok(Math.abs(line! - (cut! + 0.3 * (top - cut!))) < 1e-6);
  const away = await new Searcher([space])
    .search({ text: "x", unlike: ["asked"], mode: "visual", plus: ["y"] });
  ok(away.hits.some(({ path }) => path === "asked"), "but those of unlike are");
});

Deno.test("the line is where the best of all is, whatever the filters leave", async () => {
  const space = filed(), searcher = new Searcher([space]);
  const query = { text: "x", mode: "visual" } as const;
  const { line } = await searcher.search(query);
  const other = await searcher.search({ ...query, terms: ["elm"] });
  strictEqual(other.line, line);
  strictEqual(other.total, 1);
});

Deno.test("a query that only leads away has no cut: all fit, the farthest first", async () => {
  const { hits, cut, fitting } = await new Searcher([compass()])
    .search({ minus: ["up"], mode: "visual" });
  deepStrictEqual([hits[0].path, hits.at(-1)!.path], ["below", "up"]);
  deepStrictEqual([cut, fitting], [undefined, 4]);
});

Deno.test("a metric without a cut claims none", async () => {
  for (const metric of ["l1", "l2", "correlation"] as const) {
    const { cut, line, fitting, total, hits } = await new Searcher([compass()])
      .search({ text: "up", mode: "visual", metric });
    deepStrictEqual([cut, line, fitting], [undefined, undefined, total]);
    ok(hits.every(({ fits }) => fits));
  }
});

Deno.test("pages follow one another without a gap, at any fold, to the end", async () => {
  const groups = Array.from({ length: 90 }, (_, i) => {
    const angle = Math.floor(i / 3) * 0.1 + (i % 3) * 0.001;
    return { path: `${i}`, vector: [Math.cos(angle), Math.sin(angle)] };
  });
  const searcher = new Searcher([vectorSpace(groups, () => [1, 0])]);
  for (const fold of [0.999, NO_FOLDING]) {
    const query = { text: "x", mode: "visual", fold } as const;
    const all = await searcher.search({ ...query, k: 200 });
    strictEqual(all.more, false);
    const paths: string[] = [];
    for (let from = 0;; from += 7) {
      const page = await searcher.search({ ...query, from, k: 7 });
      strictEqual(page.from, from);
      paths.push(...page.hits.map(({ path }) => path));
      if (!page.more) break;
    }
    deepStrictEqual(paths, all.hits.map(({ path }) => path));
    strictEqual(paths.length, fold === NO_FOLDING ? 90 : 30);
  }
  const beyond = await searcher.search({ text: "x", from: 1e6 });
  deepStrictEqual([beyond.hits, beyond.more, beyond.total], [[], false, 90]);
});

Deno.test("the next page asks the encoder nothing and compares nothing anew, until the collection changes", async () => {
  const space = filed(), searcher = new Searcher([space]);
  let compared = 0;
  const { compare } = space;
  space.compare = (...given) => (compared++, compare.apply(space, given));
  const ask = (query: Parameters<Searcher["search"]>[0]) =>
    searcher.search({ text: "x", mode: "visual", ...query });
  await ask({});
  await ask({ from: 2, k: 2 });
  await ask({ fold: NO_FOLDING });
  strictEqual(compared, 1);
  await ask({ terms: ["owl"] });
  strictEqual(compared, 2);
  const { generation } = await ask({});
  space.collection.hide("0", true);
  const after = await ask({ fold: NO_FOLDING });
  strictEqual(compared, 3);
  ok(after.generation !== generation);
  deepStrictEqual([after.total, after.hits.length], [4, 4]);
  ok(
    after.hits.every(({ path }) => path !== "0"),
    "what is hidden is no result",
  );
});

Deno.test("a search that rows move under begins anew", async () => {
  const space = compass(), searcher = new Searcher([space]);
  const { compare } = space;
  space.compare = async (...given) => {
    const values = await compare.apply(space, given);
    space.collection.remove("right");
    return values;
  };
  const { hits } = await searcher.search({ text: "up", mode: "visual" });
  deepStrictEqual(hits.map(({ path }) => path), ["up", "between", "below"]);
  const values = hits.map(({ value }) => value.toFixed(3));
  deepStrictEqual(values, ["1.000", "0.707", "-0.707"]);
});

const dated = () => {
  const space = vectorSpace(
    [0.1, 0.2, 2, 0.3, 2.5].map((angle, i) => ({
      path: `${i}`,
      vector: [Math.cos(angle), Math.sin(angle)],
    })),
    (text) => text === "dog" ? [0, 1] : text === "x" ? [1, 0] : [0, -1],
  );
  ["2019-06-01", "2021-01-01", "2020-01-01", "", "2018-01-01"]
    .forEach((day, row) => {
      const date = day && `${day}T12:00:00`;
      const { facts } = space.collection;
      facts[row] = { ...facts[row], date, camera: row % 2 ? "Canon" : "Leica" };
    });
  return space;
};

Deno.test("sorted by date, what fits comes first, and the rest nearest first", async () => {
  const sorted = async (sort: "newest" | "oldest") => {
    const { hits, fitting } = await new Searcher([dated()])
      .search({ text: "x", mode: "visual", sort, cut: 0.9, fold: NO_FOLDING });
    strictEqual(fitting, 3);
    deepStrictEqual(
      hits.map(({ fits }) => fits),
      [true, true, true, false, false],
    );
    return hits.map(({ path }) => path);
  };
  deepStrictEqual(await sorted("newest"), ["1", "0", "3", "2", "4"]);
  deepStrictEqual(await sorted("oldest"), ["0", "1", "3", "2", "4"]);
});

Deno.test("an empty query is browsed by date, within filters, and else refused", async () => {
  const searcher = new Searcher([dated()]);
  const browse = async (query: Parameters<Searcher["search"]>[0]) => {
    const { hits, total, fitting, cut } = await searcher
      .search({ fold: NO_FOLDING, ...query });
    deepStrictEqual([total, fitting, cut], [
      hits.length,
      hits.length,
      undefined,
    ]);
    ok(hits.every(({ value, fits }) => value === 0 && fits));
    return hits.map(({ path }) => path);
  };
  deepStrictEqual(await browse({ sort: "newest" }), ["1", "2", "0", "4", "3"]);
  deepStrictEqual(await browse({ sort: "oldest" }), ["4", "0", "2", "1", "3"]);
  deepStrictEqual(
    await browse({ sort: "oldest", after: "2019", before: "2020" }),
    ["0", "2"],
  );
  deepStrictEqual(await browse({ sort: "newest", cameras: ["Canon"] }), [
    "1",
    "3",
  ]);
  await rejects(searcher.search({}), {
    name: "QueryError",
    message: /^nothing to look for/,
  });
});

Deno.test("where nothing is written, the mode of text says so", async () => {
  const remark = async (mode: "text" | "smart", text?: number[]) => {
    const vectors = [[1, 0], [1, 1], [0, 1]];
    const space = vectorSpace(vectors.map((vector) => ({ vector, text })));
    return (await new Searcher([space]).search({ text: "x", mode })).remark;
  };
  match((await remark("text"))!, /^Nothing is written about these pictures/);
  strictEqual(await remark("smart"), undefined);
  strictEqual(await remark("text", [1, 0]), undefined);
});

Deno.test("a search says where nothing tells what fits: too few pictures, or only what to go away from", async () => {
  const find = async (vectors: number[][], query: Partial<SearchQuery>) => {
    const space = vectorSpace(vectors.map((vector) => ({ vector })));
    const result = await new Searcher([space]).search(query);
    const { remark, cut, line, fitting } = result;
    return { remark, cut, line, fitting };
  };
  const none = { cut: undefined, line: undefined };
  const two = [[1, 0], [0, 1]], three = [...two, [1, 1]];
  const tooFew = "There are too few pictures to tell what fits.";
  deepStrictEqual(await find(two, { text: "x" }), {
    ...none,
    ...{ remark: tooFew, fitting: 2 },
  });
  deepStrictEqual(await find(three, { minus: ["x"] }), {
    ...none,
    remark: "Nothing tells what fits where things are only taken away.",
    fitting: 3,
  });
  strictEqual((await find(three, { text: "x" })).remark, undefined);
  strictEqual((await find(two, { text: "x", cut: "none" })).remark, undefined);
});

Deno.test("what a query names must be there", async () => {
  const searcher = new Searcher([compass()]);
  for (const name of ["like", "unlike"] as const) {
    await rejects(searcher.search({ text: "x", [name]: ["2:gone.jpg"] }), {
      name: "QueryError",
      message: 'there is no picture "gone.jpg" in this collection',
    });
    await rejects(searcher.search({ text: "x", [name]: ["0:up"] }), {
      name: "QueryError",
      message: `${name}: expected a weight above 0 and up to 100, got "0:up"`,
    });
  }
  for (const upload of ["upload:", `upload:${"0".repeat(64)}`, "upload:../x"]) {
    await rejects(searcher.search({ like: [upload] }), {
      name: "QueryError",
      message: "the query's picture is gone: give it again",
    });
  }
});

Deno.test("pixels say that words do not count for them", () =>
  withFolder(async (folder) => {
    await paint(folder, 2);
    const app = await openOver(folder);
    const query = { like: ["paint/red/red-0.png"], space: "pixels" };
    strictEqual((await app.search(query)).remark, undefined);
    match(
      (await app.search({ ...query, text: "blue" })).remark!,
      /^Pixels are compared with the pictures alone/,
    );
    const both = { ...query, like: [...query.like, "paint/blue/blue-0.png"] };
    const { hits } = await app.search({ ...both, metric: "l2" });
    strictEqual(hits.length, 2);
    await rejects(app.search({ text: "blue", space: "pixels" }), /give a pict/);
    await app.close();
  }));

Deno.test("pixels are those of each row's picture, after rows have moved", () =>
  withFolder(async (folder) => {
    await paint(folder, 3);
    const app = await openOver(folder);
    const nearest = async () =>
      (await app.search({
        like: ["paint/red/red-0.png"],
        space: "pixels",
        metric: "l1",
        k: 1,
      })).hits[0].path;
    strictEqual(await nearest(), "paint/red/red-1.png");
    const [{ collection }] = app.searcher.spaces;
    collection.remove("paint/red/red-1.png");
    strictEqual(await nearest(), "paint/red/red-2.png");
    await app.close();
  }));

Deno.test("collections of no, one, two and three pictures are searched", async () => {
  const pictures = [{ vector: [1, 0] }, { vector: [0, 1] }, { vector: [1, 1] }];
  for (const count of [0, 1, 2, 3]) {
    const space = vectorSpace(pictures);
    for (let i = count; i < 3; i++) space.collection.remove(`${i}`);
    const searcher = new Searcher([space]);
    for (const mode of ["smart", "text", "visual"] as const) {
      const query = { text: "x", mode, k: 5, fold: NO_FOLDING };
      const { hits, cut } = await searcher.search(query);
      strictEqual(hits.length, mode === "text" ? 0 : count);
      strictEqual(cut !== undefined, count === 3 && mode !== "text");
    }
    const browsed = await searcher.search({ sort: "newest", fold: NO_FOLDING });
    strictEqual(browsed.hits.length, count);
    if (count > 0) {
      const { hits } = await searcher.search({ like: ["0"], fold: NO_FOLDING });
      strictEqual(hits.length, count - 1);
    }
  }
});

Deno.test("what other programs have added is looked for beside the search, after its words are embedded", async () => {
  const space = vectorSpace([{ vector: [1, 0] }, { vector: [0, 1] }]);
  const order: string[] = [];
  const { embedText, find } = space;
  space.embedText = async (text) => {
    const vector = await embedText.call(space, text);
    order.push("embedded");
    return vector;
  };
  space.find = async (...args) => {
    const found = await find.apply(space, args);
    order.push("found");
    return found;
  };
  const lookFor = () => (order.push("looked"), Promise.resolve(0));
  await new Searcher([space], undefined, lookFor).search({ text: "x" });
  ok(order.indexOf("looked") > order.indexOf("embedded"), `${order}`);
  ok(order.indexOf("looked") < order.indexOf("found"), `${order}`);
  strictEqual(order.filter((what) => what === "looked").length, 1);
});

Deno.test("a picture that came after it was looked for, and that a search meets, is taken in by that search", async () => {
  const space = vectorSpace([{ vector: [1, 0] }], () => [0, 1], false);
  // Asked as a server is: for candidates.
  const pictures = Object.assign(new ExactIndex(2), { engine: "chroma" });
  space.index = new SpaceIndex(space.collection, pictures, new ExactIndex(2));
  await space.index.sync();
  const { collection } = space;
  let looked = 0;
  const takeIn = () => {
    looked++;
    const { strangers } = space.index!;
    const news = [...strangers];
    strangers.clear();
    for (const path of news) {
      const picture = { ...collection.pictures[0], path };
      collection.adopt(picture, collection.facts[0], "", NaN);
      space.index!.adopted(path);
    }
    return Promise.resolve(news.length);
  };
  await pictures.put(["new"], Matrix.of([[0, 1]]));
  const searcher = new Searcher([space], undefined, takeIn);
  const query = { text: "x", mode: "visual", cut: "none" } as const;
  const { hits } = await searcher.search(query);
  deepStrictEqual(hits.map(({ path }) => path), ["new", "0"]);
  strictEqual(looked, 2);
  await searcher.search({ ...query, k: 5 });
  strictEqual(looked, 3, "nothing was met: it is looked for once");
});

Deno.test("where the words cannot be embedded, the search says so, and nothing is left that fails later", async () => {
  const space = vectorSpace([{ vector: [1, 0] }], () => {
    throw new Error("no model");
  });
  const refuse = () => Promise.reject(new Error("no database"));
  const searcher = new Searcher([space], undefined, refuse);
  await rejects(searcher.search({ text: "x" }), /no model/);
});
