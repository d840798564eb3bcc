import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import {
  type Chroma,
  connectChroma,
  startChroma,
} from "#lib/engines/chroma/chroma.ts";
import {
  dropIndex,
  type EmbeddingIndex,
  type HnswSettings,
  openIndex,
  queryIndex,
  queryIndexBatch,
  type Space,
} from "#lib/engines/chroma/collection.ts";
import {
  indexEmbeddings,
  type UpdateOptions,
} from "#lib/engines/chroma/update.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { cosineSimilarity, l2Distance } from "#lib/compare/metrics.ts";
import { paths } from "#lib/paths.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";

const ignore = !existsSync(paths.venv);
if (ignore) console.warn(`chroma_index_test skipped: no ${paths.venv}`);

/** Runs `body` against a server of its own over an empty folder. */
function testWithChroma(
  name: string,
  body: (chroma: Chroma, folder: string) => Promise<void>,
) {
  Deno.test(name, { ignore }, async () => {
    const folder = await Deno.makeTempDir();
    const chroma = await startChroma({ folder });
    try {
      await body(chroma, folder);
    } finally {
      await chroma.stop();
    }
  });
}

const description = <S extends Space>(space: S, dimensions = 2) => (
  { dataset: "tests", encoder: "angles/1", dimensions, space }
);

/** Row n: (cos n, sin n); even rows are owls, every third row is a bird. */
const row = (n: number) => ({
  path: `train/${n}.jpg`,
  category: n % 3 === 0 ? "birds" : "tools",
  term: n % 2 === 0 ? "owl" : "saw",
  vector: Float32Array.of(Math.cos(n), Math.sin(n)) as Float32Array,
});
const rows = (count: number) => Array.from({ length: count }, (_, n) => row(n));

const update = (
  index: EmbeddingIndex,
  rows: ReturnType<typeof row>[],
  options?: UpdateOptions,
) =>
  indexEmbeddings(
    index,
    rows,
    Matrix.of(rows.map(({ vector }) => vector), index.dimensions),
    options,
  );

/** What a client asked of a server: the last part of the address, and the ids. */
interface Asked {
  what: string;
  ids?: string[];
}

/**
 * Stands between a client and the server: notes what is asked, and may answer
 * otherwise than the server does.
 */
async function listenIn(
  chroma: Chroma,
  // deno-lint-ignore no-explicit-any -- an answer of any kind
  change: (what: string, answer: any) => unknown = (_, answer) => answer,
) {
  const asked: Asked[] = [];
  const between = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      const response = await fetch(new URL(pathname + search, chroma.url), {
        method: request.method,
        headers: { "content-type": "application/json" },
        ...(body && { body }),
      });
      const what = pathname.split("/").at(-1)!;
      asked.push({ what, ids: body ? JSON.parse(body).ids : undefined });
      const answer = await response.json();
      const { status } = response;
      return Response.json(change(what, answer), { status });
    },
  );
  const listened = await connectChroma(
    `http://127.0.0.1:${between.addr.port}`,
  );
  return { ...listened, asked, close: () => between.shutdown() };
}

testWithChroma("indexEmbeddings() sends only what differs", async (chroma) => {
  const index = await openIndex(chroma, description("cosine"));
  const progress: number[][] = [];
  const first = await update(index, rows(5), {
    batchSize: 2,
    onProgress: (done, total) => progress.push([done, total]),
  });
  deepEqual(first, { sent: 5, unchanged: 0, deleted: 0 });
  deepEqual(progress, [[0, 5], [2, 5], [4, 5], [5, 5]]);

  const turned = { ...row(1), vector: Float32Array.of(0, -1) };
  const renamed = { ...row(2), term: "hen" };
  progress.length = 0;
  const second = await update(
    index,
    [row(0), turned, renamed, row(3), row(9)],
    { batchSize: 2, onProgress: (...at) => progress.push(at) },
  );
  deepEqual(progress, [[2, 5], [4, 5], [5, 5]]);
  deepEqual(second, { sent: 3, unchanged: 2, deleted: 1 });
  equal(await index.collection.count(), 5);

  const [below] = await queryIndex(index, Float32Array.of(0, -1), { k: 1 });
  equal(below.path, "train/1.jpg");
  const hens = await queryIndex(index, row(2).vector, { term: "hen" });
  deepEqual(hens.map(({ path }) => path), ["train/2.jpg"]);

  const moved = { ...row(3), category: "toys" };
  const third = [row(0), turned, renamed, moved, row(9)];
  deepEqual(await update(index, third), { sent: 1, unchanged: 4, deleted: 0 });
  const toys = await queryIndex(index, row(3).vector, { category: "toys" });
  deepEqual(toys.map(({ path }) => path), ["train/3.jpg"]);
  // The same letters, divided between the two otherwise.
  const divided = { ...moved, category: "toyss", term: "aw" };
  equal((await update(index, [divided])).sent, 1);
});

testWithChroma(
  "indexEmbeddings() deletes changed rows before it adds them anew",
  async (chroma) => {
    const listened = await listenIn(chroma);
    try {
      const index = await openIndex(listened, description("cosine"));
      await update(index, rows(4));
      const writes = () =>
        listened.asked.filter(({ what }) => /^(delete|upsert)$/.test(what));
      const path = (n: number) => `train/${n}.jpg`;
      deepEqual(writes(), [{ what: "upsert", ids: [0, 1, 2, 3].map(path) }]);

      listened.asked.length = 0;
      const turned = (n: number) => ({ ...row(n), vector: row(n + 5).vector });
      const second = [row(0), turned(1), turned(2), row(7), turned(3)];
      await update(index, second, { batchSize: 2 });
      deepEqual(writes(), [
        { what: "delete", ids: [path(1), path(2)] },
        { what: "upsert", ids: [path(1), path(2)] },
        { what: "delete", ids: [path(3)] },
        { what: "upsert", ids: [path(7), path(3)] },
      ]);
      equal(await index.collection.count(), 5);
    } finally {
      await listened.close();
    }
  },
);

testWithChroma(
  "indexEmbeddings() sends, deletes and reads no more rows at once than the server takes",
  async (chroma) => {
    const listened = await listenIn(
      chroma,
      (what, answer) =>
        what === "pre-flight-checks"
          ? { ...answer, max_batch_size: 3 }
          : answer,
    );
    try {
      const index = await openIndex(listened, description("cosine"));
      await update(index, rows(8));
      await update(index, rows(1));
      const sizes = (of: string) =>
        listened.asked.filter(({ what }) => what === of)
          .map(({ ids }) => ids?.length);
      deepEqual(sizes("upsert"), [3, 3, 2]);
      deepEqual(sizes("delete"), [3, 3, 1]);
      equal(sizes("get").length, 3);
    } finally {
      await listened.close();
    }
  },
);

testWithChroma(
  "indexEmbeddings() stops between batches and goes on later",
  async (chroma) => {
    const index = await openIndex(chroma, description("l2"));
    const abort = new AbortController();
    const onProgress = (done: number) => {
      if (done > 0) abort.abort(new Error("stopped by the reader"));
    };
    const options = { batchSize: 2, onProgress, signal: abort.signal };
    await rejects(
      update(index, rows(5), options),
      /stopped by the reader/,
    );
    equal(await index.collection.count(), 2);
    deepEqual(await update(index, rows(5)), {
      sent: 3,
      unchanged: 2,
      deleted: 0,
    });
  },
);

testWithChroma(
  "indexEmbeddings() stops while it reads and while it deletes",
  async (chroma) => {
    let abort = new AbortController(), stopAt = "";
    const listened = await listenIn(chroma, (what, answer) => {
      if (what === stopAt) abort.abort(new Error("stopped by the reader"));
      return answer;
    });
    try {
      const index = await openIndex(listened, description("l2"));
      await update(index, rows(6));
      for (const [at, left] of [["get", 6], ["delete", 4]] as const) {
        [abort, stopAt] = [new AbortController(), at];
        listened.asked.length = 0;
        await rejects(
          update(index, rows(1), { batchSize: 2, signal: abort.signal }),
          /stopped by the reader/,
        );
        equal(listened.asked.filter(({ what }) => what === at).length, 1);
        equal(await index.collection.count(), left);
      }
    } finally {
      await listened.close();
    }
  },
);

testWithChroma(
  "indexEmbeddings() refuses bad rows before it sends one",
  async (chroma) => {
    const index = await openIndex(chroma, description("l2"));
    const bad = (vector: Float32Array) => ({
      ...row(1),
      path: "bad.jpg",
      vector,
    });
    const long = Matrix.of([[1, 2, 3]]);
    await rejects(
      indexEmbeddings(index, [{ ...row(0), path: "bad.jpg" }], long),
      {
        name: "RangeError",
        message: "indexEmbeddings: expected 2 numbers of encoder angles/1, " +
          "got 3 for bad.jpg",
      },
    );
    await rejects(indexEmbeddings(index, rows(2), Matrix.of([[1, 2]])), {
      name: "RangeError",
      message: "indexEmbeddings: expected a vector for each of 2 pictures, " +
        "got 1",
    });
    await rejects(
      update(index, [row(0), bad(Float32Array.of(1, NaN))]),
      /expected finite numbers, got NaN for bad\.jpg/,
    );
    await rejects(
      update(index, [row(0), row(0)]),
      /expected each id once, got "train\/0.jpg" twice/,
    );
    await rejects(
      update(index, [row(0)], { batchSize: 0 }),
      /batch size of 1 or more, got 0/,
    );
    equal(await index.collection.count(), 0);
  },
);

testWithChroma(
  "queryIndex() names L2 distance and cosine similarity for what they are",
  async (chroma) => {
    const l2 = await openIndex(chroma, description("l2"));
    const cosine = await openIndex(chroma, description("cosine"));
    await update(l2, rows(20));
    await update(cosine, rows(20));
    const query = Float32Array.of(3, 4); // Not a unit vector, on purpose.
    const byPath = new Map(rows(20).map((one) => [one.path, one.vector]));
    for (const hit of await queryIndex(l2, query, { k: 20 })) {
      const expected = l2Distance(query, byPath.get(hit.path)!);
      ok(Math.abs(hit.l2Distance - expected) < 1e-5);
    }
    const similarities = await queryIndex(cosine, query, { k: 20 });
    for (const hit of similarities) {
      const expected = cosineSimilarity(query, byPath.get(hit.path)!);
      ok(Math.abs(hit.cosineSimilarity - expected) < 1e-5);
    }
    equal(similarities.length, 20);
    const [itself] = await queryIndex(l2, row(7).vector, { k: 1 });
    equal(itself.l2Distance, 0);
  },
);

testWithChroma(
  "queryIndex() takes a squared distance a little below 0 for 0",
  async (chroma) => {
    const listened = await listenIn(
      chroma,
      (what, answer) =>
        what === "query" ? { ...answer, distances: [[-1e-7, 9]] } : answer,
    );
    try {
      const index = await openIndex(listened, description("l2"));
      await update(index, rows(2));
      const hits = await queryIndex(index, row(0).vector, { k: 2 });
      deepEqual(hits.map(({ l2Distance }) => l2Distance), [0, 3]);
      deepEqual(hits.map((hit) => hit.chromaDistance), [-1e-7, 9]);
    } finally {
      await listened.close();
    }
  },
);

testWithChroma(
  "squared L2 is twice the cosine distance on unit vectors",
  async (chroma) => {
    const drawn = clusteredVectors(310, 64);
    const queries = drawn.slice(0, 10), vectors = drawn.slice(10);
    const l2 = await openIndex(chroma, description("l2", 64));
    const cosine = await openIndex(chroma, description("cosine", 64));
    const items = Array.from(vectors, (vector, n) => ({ ...row(n), vector }));
    await update(l2, items);
    await update(cosine, items);
    for (const query of queries) {
      const squared = await queryIndex(l2, query, { k: 10 });
      const distances = await queryIndex(cosine, query, { k: 10 });
      deepEqual(
        squared.map((hit) => hit.path),
        distances.map((hit) => hit.path),
      );
      squared.forEach(({ chromaDistance }, i) => {
        const difference = chromaDistance - 2 * distances[i].chromaDistance;
        ok(Math.abs(difference) < 1e-5, `differs by ${difference}`);
      });
    }
  },
);

testWithChroma(
  "queryIndex() filters by category, by term and by both",
  async (chroma) => {
    const index = await openIndex(chroma, description("cosine"));
    await update(index, rows(12));
    const found = async (options: { category?: string; term?: string }) =>
      (await queryIndex(index, row(0).vector, { k: 12, ...options }))
        .map(({ path }) => Number(path.match(/\d+/)![0])).sort((a, b) => a - b);
    deepEqual(await found({ category: "birds" }), [0, 3, 6, 9]);
    deepEqual(await found({ term: "owl" }), [0, 2, 4, 6, 8, 10]);
    deepEqual(await found({ category: "birds", term: "owl" }), [0, 6]);
    deepEqual(await found({ term: "unicorn" }), []);
    const [hit] = await queryIndex(index, row(6).vector, { k: 1 });
    deepEqual([hit.category, hit.term], ["birds", "owl"]);
  },
);

testWithChroma(
  "queryIndex() says what is wrong with a question",
  async (chroma) => {
    const index = await openIndex(chroma, description("cosine"));
    const query = row(0).vector;
    await rejects(
      queryIndex(index, query),
      /tests\.angles-1\.cosine\.\w+ is empty: fill it with indexEmbeddings/,
    );
    await rejects(queryIndex(index, new Float32Array(512)), {
      name: "RangeError",
      message: "queryIndex: expected 2 numbers of encoder angles/1, " +
        "got 512 for the query",
    });
    await rejects(queryIndex(index, query, { k: 0 }), /k of 1 or more, got 0/);
  },
);

testWithChroma(
  "queryIndexBatch() answers each query as queryIndex() does, in one request",
  async (chroma) => {
    const listened = await listenIn(chroma);
    try {
      const index = await openIndex(listened, description("cosine"));
      await rejects(
        queryIndexBatch(index, Matrix.of([[1, 2]])),
        /^Error: queryIndexBatch: .* is empty: fill it/,
      );
      await update(index, rows(20));
      const queries = Matrix.of([5, 0, 12].map((n) => row(n).vector));
      const options = { k: 3, term: "owl" };
      const alone = [];
      for (const query of queries) {
        alone.push(await queryIndex(index, query, options));
      }
      listened.asked.length = 0;
      deepEqual(await queryIndexBatch(index, queries, options), alone);
      deepEqual(listened.asked.map(({ what }) => what), ["query"]);
      deepEqual(await queryIndexBatch(index, Matrix.of([])), []);
      await rejects(queryIndexBatch(index, Matrix.of([[1, 2, 3]])), {
        name: "RangeError",
        message: "queryIndexBatch: expected 2 numbers of encoder angles/1, " +
          "got 3 for query 0",
      });
      await rejects(
        queryIndexBatch(index, queries, { k: 0.5 }),
        /queryIndexBatch: expected a whole k of 1 or more, got 0.5/,
      );
    } finally {
      await listened.close();
    }
  },
);

testWithChroma("openIndex() keeps two encoders apart", async (chroma) => {
  await openIndex(chroma, description("cosine"));
  await openIndex(chroma, { ...description("cosine"), encoder: "other" });
  equal(await chroma.client.countCollections(), 2);
  // Another id that looks the same where only letters and digits can stand.
  await openIndex(chroma, { ...description("cosine"), encoder: "angles:1" });
  equal(await chroma.client.countCollections(), 3);
  await rejects(
    openIndex(chroma, description("cosine", 3)),
    /holds data set tests, encoder angles\/1, 2 dimensions; asked for data set tests, encoder angles\/1, 3 dimensions/,
  );
});

testWithChroma(
  "openIndex() takes any name of a data set, and other names to other collections",
  async (chroma) => {
    const datasets = [
      ...["birds", "Birds", "birds_", "a.b", "a..b", "a-b", "a/b", "a b", "_x"],
      ...["-x", "x", "", " ", "鸟", "鹰", "S\u00e4ge", "1.2.3.4", "\ud800"],
      ...["x".repeat(600), "x".repeat(601)],
    ];
    const open = async (dataset: string, encoder = "offline") => {
      const of = { dataset, encoder, dimensions: 2, space: "l2" } as const;
      return (await openIndex(chroma, of)).collection.name;
    };
    const names = new Set<string>();
    for (const dataset of datasets) names.add(await open(dataset));
    // "a" and "b.c" are not "a.b" and "c".
    for (const parts of [["a", "b.c"], ["a.b", "c"]]) {
      names.add(await open(parts[0], parts[1]));
    }
    equal(names.size, datasets.length + 2);
    equal(await open("Sa\u0308ge"), await open("S\u00e4ge"));
    ok(names.has("birds.offline.l2"), "as plain as it can be");
  },
);

testWithChroma(
  "openIndex() refuses an unknown space and settings that cannot change",
  async (chroma) => {
    await rejects(openIndex(chroma, description("ip" as Space)), {
      name: "RangeError",
      message: "openIndex: expected space l2, cosine or correlation, got ip",
    });
    const open = (hnsw?: Partial<HnswSettings>) =>
      openIndex(chroma, { ...description("l2"), hnsw });
    const made = await open({ maxNeighbors: 8 });
    deepEqual(made.hnsw, {
      maxNeighbors: 8,
      efConstruction: 100,
      efSearch: 100,
    });
    equal((await open()).hnsw?.maxNeighbors, 8);
    await rejects(
      open({ maxNeighbors: 32 }),
      /built with maxNeighbors 8, asked for 32/,
    );
    equal((await open({ efSearch: 20 })).hnsw?.efSearch, 20);
    equal((await open()).hnsw?.efSearch, 20);
    await dropIndex(made);
    const again = await open({ maxNeighbors: 32, efConstruction: 50 });
    deepEqual([again.hnsw?.maxNeighbors, again.hnsw?.efConstruction], [32, 50]);
    await rejects(
      open({ efConstruction: 60 }),
      /built with efConstruction 50, asked for 60/,
    );
  },
);

testWithChroma(
  "rows survive a restart and a server killed with -9",
  async (chroma, folder) => {
    const index = await openIndex(chroma, description("l2"));
    await update(index, rows(2500));
    process.kill(chroma.pid!, "SIGKILL");
    await chroma.stop();
    for (const round of ["after the kill", "after a restart"]) {
      const again = await startChroma({ folder });
      try {
        const reopened = await openIndex(again, description("l2"));
        equal(await reopened.collection.count(), 2500, round);
        const [hit] = await queryIndex(reopened, row(77).vector, { k: 1 });
        equal(hit.l2Distance, 0);
        deepEqual(await update(reopened, rows(2500)), {
          sent: 0,
          unchanged: 2500,
          deleted: 0,
        });
      } finally {
        await again.stop();
      }
    }
  },
);
