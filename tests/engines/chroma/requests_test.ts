import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import type { Where } from "chromadb";
import { Matrix } from "#lib/compare/matrix.ts";
import { type Chroma, connectChroma } from "#lib/engines/chroma/chroma.ts";
import {
  type ChromaIndexOptions,
  openChromaIndex,
} from "#lib/engines/chroma/chroma_index.ts";
import { testWithChroma } from "../../support/chroma.ts";

const of = { dataset: "tests", encoder: "angles/1", dimensions: 2 };

/** Vector n: (cos n, sin n). */
const vectorsOf = (...numbers: number[]) =>
  Matrix.of(numbers.map((n) => [Math.cos(n), Math.sin(n)]), 2);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
const named = (...numbers: number[]) => numbers.map((n) => `${n}`);

/**
 * What a client asked of a server: the last part of the address, the ids, and how
 * many queries by vectors.
 */
interface Asked {
  what: string;
  ids?: string[];
  queries?: number;
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
      const { ids, query_embeddings } = body ? JSON.parse(body) : {};
      const queries = query_embeddings?.length;
      asked.push({ what, ids, ...(queries && { queries }) });
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

/** An index that is listened in to, over a server of its own. */
function testRequests(
  name: string,
  options: Partial<ChromaIndexOptions>,
  body: (
    index: Awaited<ReturnType<typeof openChromaIndex>>,
    asked: Asked[],
  ) => Promise<void>,
  change?: Parameters<typeof listenIn>[1],
) {
  testWithChroma(name, async (chroma) => {
    const listened = await listenIn(chroma, change);
    try {
      const index = await openChromaIndex(listened, { ...of, ...options });
      await body(index, listened.asked);
    } finally {
      await listened.close();
    }
  });
}

testRequests(
  "put() deletes changed rows before it adds them anew, and sends no other",
  { batchSize: 2 },
  async (index, asked) => {
    const writes = () =>
      asked.filter(({ what }) => /^(delete|upsert)$/.test(what));
    await index.put(named(...upTo(4)), vectorsOf(...upTo(4)));
    deepEqual(writes(), [
      { what: "upsert", ids: ["0", "1"] },
      { what: "upsert", ids: ["2", "3"] },
    ]);
    asked.length = 0;
    await index.put(named(0, 1, 2, 7, 3), vectorsOf(0, 6, 7, 7, 8));
    deepEqual(writes(), [
      { what: "delete", ids: ["1", "2"] },
      { what: "upsert", ids: ["1", "2"] },
      { what: "delete", ids: ["3"] },
      { what: "upsert", ids: ["7", "3"] },
    ]);
    equal(await index.count(), 5);
    const [nearest] = await index.nearest(vectorsOf(6).row(0), 1);
    equal(nearest.id, "1");
  },
);

testRequests(
  "put() and remove() send, read and delete no more rows at once than the server takes",
  {},
  async (index, asked) => {
    const ids = named(...upTo(8)), vectors = vectorsOf(...upTo(8));
    await index.put(ids, vectors);
    await index.put(ids, vectors);
    await index.remove(ids);
    const sizes = (of: string) =>
      asked.filter(({ what }) => what === of).map(({ ids }) => ids?.length);
    deepEqual(sizes("upsert"), [3, 3, 2]);
    deepEqual(sizes("delete"), [3, 3, 2]);
    deepEqual(sizes("get").slice(-3), [3, 3, 2]);
  },
  (what, answer) =>
    what === "pre-flight-checks" ? { ...answer, max_batch_size: 3 } : answer,
);

testRequests(
  "put() sends vectors of 12 MB at once",
  { dimensions: 100_000 },
  async (index, asked) => {
    await index.put(named(...upTo(31)), Matrix.zeros(31, 100_000));
    const sizes = asked.filter(({ what }) => what === "upsert")
      .map(({ ids }) => ids?.length);
    deepEqual(sizes, [30, 1]);
  },
);

testRequests(
  "a wrong filter is refused before it is sent, in the words of Chroma's client",
  {},
  async (index, asked) => {
    await index.put(named(...upTo(3)), vectorsOf(...upTo(3)));
    asked.length = 0;
    const query = vectorsOf(1).row(0);
    const near = (where: Where) =>
      index.nearest(query, 3, { filter: { where, passes: () => true } });
    for (
      const [where, message] of [
        [{}, /exactly one operator, but got 0/],
        [{ $and: [{ term: "owl" }] }, /list of 'where' expressions/],
        [{ term: { $is: "owl" } }, /one of \$gt, .* but got \$is/],
      ] as [Where, RegExp][]
    ) await rejects(near(where), message);
    deepEqual(asked, []);
    deepEqual(await near({ term: "owl" }), []);
  },
);

{
  const abort = new AbortController();
  let isAwaited = false;
  testRequests(
    "put() stops while it reads what is there",
    { batchSize: 2 },
    async (index, asked) => {
      const ids = named(...upTo(6)), vectors = vectorsOf(...upTo(6));
      await index.put(ids, vectors);
      isAwaited = true;
      asked.length = 0;
      const { signal } = abort;
      await rejects(
        index.put(ids, vectorsOf(...upTo(6).reverse()), { signal }),
        /stopped by the reader/,
      );
      equal(asked.filter(({ what }) => what === "get").length, 1);
      ok(!asked.some(({ what }) => what === "upsert"));
    },
    (what, answer) => {
      if (isAwaited && what === "get") {
        abort.abort(new Error("stopped by the reader"));
      }
      return answer;
    },
  );
}

testRequests(
  "nearestBatch() answers each query as nearest() does, in one request",
  {},
  async (index, asked) => {
    await index.put(named(...upTo(20)), vectorsOf(...upTo(20)));
    const queries = vectorsOf(5, 0, 12);
    const alone = [];
    for (const query of queries) alone.push(await index.nearest(query, 3));
    asked.length = 0;
    deepEqual(await index.nearestBatch(queries, 3), alone);
    deepEqual(asked.map(({ what }) => what), ["query"]);
  },
);

const queriesIn = (asked: Asked[]) =>
  asked.filter(({ what }) => what === "query").map(({ queries }) => queries);

testRequests(
  "nearestBatch() sends half a million numbers of queries at once",
  { dimensions: 100_000 },
  async (index, asked) => {
    const vectors = Matrix.zeros(7, 100_000);
    upTo(7).forEach((n) => vectors.row(n)[n] = 1);
    await index.put(named(...upTo(7)), vectors);
    asked.length = 0;
    const hits = await index.nearestBatch(vectors, 1);
    deepEqual(hits.map(([{ id }]) => id), named(...upTo(7)));
    deepEqual(queriesIn(asked), [5, 2]);
  },
);

testRequests(
  "nearestBatch() asks for 200,000 rows at once, or those of one query",
  {},
  async (index, asked) => {
    await index.put(named(...upTo(20)), vectorsOf(...upTo(20)));
    const queries = vectorsOf(5, 0, 12);
    const alone = [];
    for (const query of queries) alone.push(await index.nearest(query, 20));
    for (const [k, parts] of [[100_000, [2, 1]], [1e6, [1, 1, 1]]] as const) {
      asked.length = 0;
      deepEqual(await index.nearestBatch(queries, k), alone);
      deepEqual(queriesIn(asked), parts);
    }
  },
);

testRequests(
  "a query that has its hits is not asked again with those that lack some",
  {},
  async (index, asked) => {
    await index.put(named(...upTo(20)), vectorsOf(...upTo(20)));
    asked.length = 0;
    const passes = (id: string) => id === "5" || id === "18";
    const queries = vectorsOf(5, 12, 19, 2);
    const hits = await index.nearestBatch(queries, 1, { filter: { passes } });
    deepEqual(hits.map((list) => list.map(({ id }) => id)), [
      ["5"],
      ["18"],
      ["18"],
      ["18"],
    ]);
    deepEqual(queriesIn(asked), [4, 3, 2, 1]);
  },
);

{
  let isGone = false;
  testRequests(
    "by l1 the vectors of those that pass are fetched, and one deleted meanwhile is left out",
    { metrics: ["l1"], batchSize: 2 },
    async (index, asked) => {
      await index.put(named(...upTo(60)), vectorsOf(...upTo(60)));
      asked.length = 0;
      const options = {
        metric: "l1",
        filter: { passes: (id: string) => Number(id) % 20 === 7 },
      } as const;
      const ask = () => index.nearest(vectorsOf(8).row(0), 5, options);
      const distance = (n: number) =>
        Math.fround(
          Math.abs(Math.cos(n) - Math.cos(8)) +
            Math.abs(Math.sin(n) - Math.sin(8)),
        );
      const truth = [7, 27, 47].sort((a, b) => distance(a) - distance(b));
      const hits = await ask();
      deepEqual(hits.map(({ id }) => id), named(...truth));
      hits.forEach(({ value }, i) =>
        ok(Math.abs(value - distance(truth[i])) < 1e-6)
      );
      const got = asked.filter(({ what }) => what === "get");
      deepEqual(got.flatMap(({ ids }) => ids).sort(), named(27, 47, 7).sort());
      deepEqual(got.map(({ ids }) => ids?.length), [2, 1]);
      isGone = true;
      deepEqual(await ask(), []);
    },
    (what, answer) =>
      what === "get" && isGone
        ? { ...answer, ids: [], embeddings: [] }
        : answer,
  );
}

testRequests(
  "a squared distance a little below 0 is taken for 0",
  { metrics: ["l2"] },
  async (index) => {
    await index.put(["0", "1"], vectorsOf(0, 1));
    const hits = await index.nearest(vectorsOf(0).row(0), 2, { metric: "l2" });
    deepEqual(hits.map(({ value }) => value), [0, 3]);
  },
  (what, answer) =>
    what === "query" ? { ...answer, distances: [[-1e-7, 9]] } : answer,
);
