import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { l2Normalize } from "#lib/compare/metrics.ts";
import { ExactIndex } from "#lib/engines/exact.ts";
import { HnswIndex } from "#lib/engines/hnsw.ts";
import { readQuery, type SearchQuery } from "#lib/search_page/engine/query.ts";
import { measureRecall } from "#lib/search_page/engine/recall.ts";
import { Searcher } from "#lib/search_page/engine/searcher.ts";
import { whereOf } from "#lib/search_page/engine/database_rows.ts";
import { SpaceIndex } from "#lib/search_page/engine/space_index.ts";
import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
import { type KnownPicture, vectorSpace } from "../../support/vector_space.ts";

const DIMENSIONS = 32;
const COUNT = 3000;

/** Pictures with texts of their own that lie somewhat near them; a few without. */
const vectors = clusteredVectors(COUNT, DIMENSIONS);
const noise = clusteredVectors(COUNT, DIMENSIONS, { seed: 7 });
const pictures = Array.from(vectors, (vector, i) => ({
  vector: [...vector],
  ...(i % 10 > 0 && {
    text: [...noise.row(i).map((value, j) => value + 0.4 * vector[j])],
  }),
  term: i % 3 ? "owl" : "oak",
}));
const asked = clusteredVectors(10, DIMENSIONS, { seed: 3 });

/** A word's vector: "x" is one, whatever else another. */
const embed = (text: string) => [...asked.row(text === "x" ? 0 : 1)];

/** A space whose vectors an index has as well, or alone. */
async function indexed(
  many: KnownPicture[] = pictures,
  keepsVectors = true,
  word = embed,
): Promise<EncoderSpace> {
  const space = vectorSpace(many, word, keepsVectors);
  const open = () => HnswIndex.open({ dimensions: many[0].vector.length });
  space.index = new SpaceIndex(space.collection, await open(), await open());
  await space.index.sync();
  return space;
}

Deno.test("smart candidates hold nearly all of the best, whatever the weight", async () => {
  const space = await indexed();
  for (const textWeight of [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1]) {
    const query = readQuery({ text: "x", textWeight });
    const recall = await measureRecall(space, asked, query);
    ok(recall >= 0.98, `${textWeight}: ${recall}`);
  }
  for (const mode of ["visual", "text"] as const) {
    const query = readQuery({ text: "x", mode });
    const recall = await measureRecall(space, asked, query);
    ok(recall >= 0.98, `${mode}: ${recall}`);
  }
});

Deno.test("an index answers as exact search does, by every mode, filter and metric", async () => {
  const exact = new Searcher([vectorSpace(pictures, embed)]);
  const space = await indexed();
  const byIndex = new Searcher([space]);
  const queries: Partial<SearchQuery>[] = [
    ...[{}, { mode: "visual" }, { mode: "text" }, { textWeight: 0.8 }],
    ...[{ terms: ["oak"] }, { metric: "l2" }, { metric: "correlation" }],
    ...[{ cut: 0.3 }, { fold: 2 }, { like: ["7"], text: "" }],
    ...[{ minus: ["y"] }, { sort: "newest", cut: 0.3 }],
  ] as Partial<SearchQuery>[];
  for (const query of queries) {
    const what = JSON.stringify(query);
    const whole = { text: "x", k: 20, ...query };
    const [truth, found] = [
      await exact.search(whole),
      await byIndex.search(whole),
    ];
    const pathsOf = ({ hits }: typeof truth) => hits.map(({ path }) => path);
    const listed = new Set(pathsOf(found));
    const shared = pathsOf(truth).filter((path) => listed.has(path)).length;
    ok(shared >= 19, `${what}: ${shared} of ${truth.hits.length}`);
    strictEqual(found.total, truth.total, what);
    strictEqual(found.line === undefined, truth.line === undefined, what);
    if (found.line !== undefined) {
      ok(Math.abs(found.line - truth.line!) < 0.01, `${what}: ${found.line}`);
    }
    ok(found.hits.every(({ fits }, i) => fits === truth.hits[i].fits), what);
  }
});

Deno.test("every result can be reached, each once, and says what was compared", async () => {
  const space = await indexed();
  const searcher = new Searcher([space]);
  const query = { text: "x", cut: "none", fold: 2 } as const;
  const first = await searcher.search({ ...query, k: 50 });
  ok(first.candidates!.count < COUNT && first.candidates!.mayFitMore);
  ok(first.comparedBy.includes("HNSW"), first.comparedBy);
  const paths: string[] = [];
  for (let from = 0, more = true; more; from += 200) {
    const page = await searcher.search({ ...query, from, k: 200 });
    paths.push(...page.hits.map(({ path }) => path));
    more = page.more;
  }
  strictEqual(paths.length, COUNT);
  strictEqual(new Set(paths).size, COUNT);
  const last = await searcher.search({ ...query, from: COUNT - 1, k: 1 });
  strictEqual(last.candidates, undefined);
  deepStrictEqual(last.listed, { total: COUNT, fitting: COUNT });
  strictEqual(
    (await searcher.fitting({ text: "x", cut: "none" })).length,
    COUNT,
  );
});

Deno.test("a picture that comes, changes or goes is found so, and hidden ones are not", async () => {
  const space = await indexed();
  const searcher = new Searcher([space]);
  const { collection, index } = space;
  const first = async () =>
    (await searcher.search({ text: "x", mode: "visual", fold: 2 })).hits[0]
      .path;
  const picture = { ...collection.pictures[0], path: "new" };
  collection.add(picture, l2Normalize(asked.row(0)));
  strictEqual(index!.isReady, false);
  strictEqual(await first(), "new", "exact search answers until it is in");
  await index!.sync();
  strictEqual(await first(), "new");
  collection.hide("new", true);
  ok(await first() !== "new");
  collection.hide("new", false);
  collection.add(picture, l2Normalize(asked.row(0).map((value) => -value)));
  await index!.sync();
  ok(await first() !== "new");
  collection.remove("new");
  await index!.sync();
  strictEqual(await index!.pictures.count(), COUNT);
});

Deno.test("what many pictures share as their text is found by it, nearest pictures first", async () => {
  const many = pictures.map(({ vector }, i) => ({
    ...{ vector, title: `word ${i % 3}` },
    text: [...asked.row(i % 3)],
  }));
  const space = await indexed(many);
  strictEqual(await space.index!.texts.count(), 3);
  for (const mode of ["smart", "text"] as const) {
    const { total } = await new Searcher([space]).search({ text: "x", mode });
    strictEqual(total, COUNT);
  }
  const query = readQuery({ text: "x", textWeight: 0.6 });
  const recall = await measureRecall(space, asked, query);
  ok(recall >= 0.95, `${recall}`);
});

Deno.test("where a server has the vectors, shared texts find their pictures, whatever the weight", async () => {
  const many = pictures.map(({ vector }, i) => ({
    ...{ vector, title: `word ${i % 60}` },
    text: [...noise.row(i % 60)],
  }));
  const { encoder, collection } = vectorSpace(many, embed);
  const space = new EncoderSpace(encoder, 0, false);
  collection.pictures.forEach((picture, row) =>
    space.collection.add(
      picture,
      collection.pictureEmbeddings.row(row),
      collection.textEmbeddings.row(collection.textRows[row]),
    )
  );
  const asServer = () => new ExactIndex(DIMENSIONS);
  const texts = asServer();
  space.index = new SpaceIndex(space.collection, asServer(), texts);
  await space.index.sync();
  let textsAsked = 0;
  texts.nearest = () => (textsAsked++, Promise.resolve([]));
  for (const textWeight of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    const query = readQuery({ text: "x", textWeight });
    const recall = await measureRecall(space, asked, query, {
      candidates: 20,
    });
    ok(recall >= 0.98, `${textWeight}: ${recall}`);
  }
  strictEqual(textsAsked, 0, "few texts are compared here");
});

Deno.test("an index that fails says why, and works on once it is back", async () => {
  const space = vectorSpace(pictures.slice(0, 20));
  const open = () => HnswIndex.open({ dimensions: DIMENSIONS });
  const broken = await open();
  const { put } = broken;
  broken.put = () => Promise.reject(new Error("the disk is full"));
  const index = new SpaceIndex(space.collection, broken, await open());
  space.index = index;
  await index.sync().catch(() => {});
  strictEqual(index.trouble, "the disk is full");
  const { hits } = await new Searcher([space]).search({ text: "x" });
  strictEqual(hits.length > 0, true, "exact search answers");
  broken.put = put;
  await index.sync();
  strictEqual(index.trouble, "");
  strictEqual(index.isReady, true);
});

Deno.test("a recall that cannot be measured says why, and leaves nothing behind that fails later", async () => {
  const space = await indexed(pictures.slice(0, 40), false);
  const gone = () => Promise.reject(new Error("no server answers"));
  const { pictures: index } = space.index!;
  Object.assign(index, { nearest: gone, compare: gone, vectors: gone });
  const unheard: unknown[] = [];
  const hear = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unheard.push(event.reason);
  };
  addEventListener("unhandledrejection", hear);
  try {
    const query = readQuery({ text: "x", mode: "visual" });
    const measured = measureRecall(space, asked, query);
    await rejects(measured, /no server answers/);
    await sleep(0);
    deepStrictEqual(unheard, []);
  } finally {
    removeEventListener("unhandledrejection", hear);
  }
});

Deno.test("the line is the same by an index, where the query is a picture and a filter leaves others out", async () => {
  const exact = new Searcher([vectorSpace(pictures, embed)]);
  const byIndex = new Searcher([await indexed()]);
  for (const mode of ["smart", "visual"] as const) {
    for (const [path, term] of [["1", "oak"], ["3", "owl"], ["8", "oak"]]) {
      const query = { like: [path], terms: [term], mode, k: 5 };
      const [truth, found] = [
        await exact.search(query),
        await byIndex.search(query),
      ];
      strictEqual(found.line!.toFixed(4), truth.line!.toFixed(4), path);
    }
  }
});

Deno.test("where more may fit than is known it is said, and all that fits is found when it is asked for", async () => {
  const exact = new Searcher([vectorSpace(pictures, embed)]);
  const byIndex = new Searcher([await indexed()]);
  let isOpen = 0;
  for (const mode of ["smart", "visual", "text"] as const) {
    for (const metric of ["cosine", "l2", "l1"] as const) {
      for (const cut of metric === "l1" ? [6, 5] : [0.1, 0.3, 0.5, 1.1]) {
        const query = { text: "x", mode, metric, cut, k: 5 };
        const what = JSON.stringify(query);
        const truth = await exact.fitting(query);
        const found = await byIndex.search(query);
        const { candidates } = found;
        if (candidates?.mayFitMore) isOpen++;
        else ok(found.fitting >= 0.99 * truth.length, what);
        const all = new Set(await byIndex.fitting(query));
        const missed = truth.filter((path) => !all.has(path)).length;
        ok(missed <= 0.01 * truth.length, `${what}: ${missed}`);
      }
    }
  }
  ok(isOpen > 0);
});

Deno.test("who goes on past what fits sees each picture once, also when more are found to fit", async () => {
  const word = () => [...asked.row(2)];
  const searcher = new Searcher([await indexed(pictures, true, word)]);
  let later = 0;
  for (const textWeight of [0.1, 0.3, 0.5]) {
    for (const cut of [0.2, 0.25]) {
      const query = { text: "x", textWeight, cut, fold: 2, k: 60 };
      const paths: string[] = [], fitting: number[] = [];
      for (let more = true; more;) {
        const page = await searcher.search({ ...query, from: paths.length });
        paths.push(...page.hits.map(({ path }) => path));
        if (page.hits.some(({ fits }) => !fits)) fitting.push(page.fitting);
        more = page.more;
      }
      strictEqual(paths.length, COUNT);
      strictEqual(new Set(paths).size, COUNT, JSON.stringify(query));
      if (fitting.at(-1)! > fitting[0]) later++;
      const all = await searcher.fitting(query);
      strictEqual(new Set(all).size, fitting.at(-1));
    }
  }
  ok(later > 0, "of some query more fit than were known past the line");
});

Deno.test("near copies are folded as exact search folds them, however late they come, and all can be reached", async () => {
  // Copies of 60 motifs come in turns: those of the first, up to the last row.
  const motifs = Array.from({ length: 60 }, (_, i) => {
    const angle = 0.3 + i / 60;
    return [Math.cos(angle), Math.sin(angle), 0];
  });
  const many = Array.from({ length: 900 }, (_, i) => ({
    vector: motifs[i % 60].map((value, j) =>
      j === 2 ? 0.0003 * Math.floor(i / 60) : value
    ),
    text: [1, i / 9000, 0],
  }));
  const word = () => [1, 0, 0];
  const list = async (searcher: Searcher) => {
    const listed: string[][] = [];
    const query = readQuery({ text: "x", mode: "text", cut: "none" });
    for (let more = true; more;) {
      const page = await searcher.search({
        ...{ ...query, fold: 0.9999, from: listed.length, k: 9 },
      });
      listed.push(...page.hits.map(({ path, copies }) => [path, ...copies]));
      more = page.more;
    }
    return listed;
  };
  const truth = await list(new Searcher([vectorSpace(many, word)]));
  deepStrictEqual([truth.length, truth.flat().length], [60, 900]);
  for (const keepsVectors of [true, false]) {
    const space = await indexed(many, keepsVectors, word);
    const listed = await list(new Searcher([space]));
    deepStrictEqual(listed, truth, `${keepsVectors}`);
  }
});

Deno.test("whereOf() says a query's filters as a database takes them", () => {
  const where = (query: Partial<SearchQuery>) => whereOf(readQuery(query));
  strictEqual(where({ text: "x" }), undefined);
  deepStrictEqual(where({ terms: ["owl"] }), { term: { $in: ["owl"] } });
  deepStrictEqual(where({ cameras: ["a"], after: "2019-06", before: "2020" }), {
    $and: [
      { camera: { $in: ["a"] } },
      { day: { $gte: 20190600 } },
      { day: { $lte: 20209999 } },
      { day: { $gt: 0 } },
    ],
  });
});
