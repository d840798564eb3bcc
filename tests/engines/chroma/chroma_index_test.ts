import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import type { Metadata, Where } from "chromadb";
import process from "node:process";
import { search } from "#lib/compare/compare.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { type MetricName, metrics } from "#lib/compare/metrics.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { connectChroma, startChroma } from "#lib/engines/chroma/chroma.ts";
import {
  type ChromaIndexOptions,
  openChromaIndex,
} from "#lib/engines/chroma/chroma_index.ts";
import type { VectorIndex } from "#lib/engines/engines.ts";
import { testWithChroma } from "../../support/chroma.ts";

const all = Object.keys(metrics) as MetricName[];
const of = { dataset: "tests", encoder: "test/1", dimensions: 16 };

/** Vectors of many lengths, none centred, so that no two metrics agree. */
function uneven(count: number, dimensions: number): Matrix {
  const vectors = clusteredVectors(count, dimensions);
  return Matrix.of(Array.from(
    vectors,
    (row, n) =>
      row.map((value, i) => (1 + n % 5) * value + (i % 3) * (n % 7) / 9),
  ));
}

const names = (count: number) =>
  Array.from({ length: count }, (_, n) => `${n}`);

/** How many of the true `k` nearest an index finds, of all queries together. */
async function recallOf(
  index: VectorIndex,
  vectors: Matrix,
  queries: Matrix,
  metric: MetricName,
  k = 10,
): Promise<number> {
  const answers = await index.nearestBatch(queries, k, { metric });
  let found = 0;
  answers.forEach((hits, row) => {
    const query = queries.row(row);
    const truth = search(query, vectors, metrics[metric], k);
    const best = new Set(truth.map(({ index }) => `${index}`));
    for (const { id, value } of hits) {
      const exact = metrics[metric].measure(query, vectors.row(Number(id)));
      ok(Math.abs(value - exact) < 2e-4, `${metric}: ${value}, ${exact}`);
      found += Number(best.has(id));
    }
  });
  return found / (k * queries.count);
}

testWithChroma(
  "a Chroma index answers by all four metrics, with their values",
  async (chroma) => {
    const drawn = uneven(1020, 16);
    const vectors = drawn.slice(20), queries = drawn.slice(0, 20);
    const index = await openChromaIndex(chroma, { ...of, metrics: all });
    await index.put(names(1000), vectors);
    for (const metric of all) {
      const recall = await recallOf(index, vectors, queries, metric);
      const least = metric === "l1" ? .97 : .99;
      ok(recall >= least, `${metric}: recall ${recall}`);
      const ids = ["7", "none", "0", "7"];
      const values = await index.compare(queries.row(0), ids, metric);
      const exact = (row: number) =>
        metrics[metric].measure(queries.row(0), vectors.row(row));
      [exact(7), NaN, exact(0), exact(7)].forEach((value, i) =>
        ok(
          Object.is(value, NaN)
            ? Number.isNaN(values[i])
            : Math.abs(value - values[i]) < 2e-4,
          `${metric} ${i}: ${values[i]}, ${value}`,
        )
      );
    }
  },
);

testWithChroma(
  "a collection of centred vectors measures correlation as exactly as it measures cosine",
  async (chroma) => {
    const vectors = uneven(300, 16);
    const index = await openChromaIndex(chroma, {
      ...of,
      metrics: ["correlation"],
    });
    await index.put(names(300), vectors);
    const query = vectors.row(3);
    const hits = await index.nearest(query, 300, { metric: "correlation" });
    equal(hits.length, 300);
    const truth = search(query, vectors, metrics.correlation);
    hits.forEach(({ value }, rank) => {
      ok(Math.abs(value - truth[rank].value) < 1e-6, `${rank}: ${value}`);
    });
    // A vector of one repeated value varies with nothing.
    const flat = new Float32Array(16).fill(3);
    await index.put(["flat"], Matrix.of([flat]));
    deepEqual(
      await index.compare(query, ["flat"], "correlation"),
      Float32Array.of(0),
    );
    deepEqual(
      await index.compare(flat, ["3"], "correlation"),
      Float32Array.of(0),
    );
  },
);

testWithChroma(
  "put() sends what is new or changed, and deletes nothing that is not named",
  async (chroma) => {
    const vectors = uneven(10, 16);
    const index = await openChromaIndex(chroma, {
      ...of,
      batchSize: 3,
      metrics: ["cosine", "l2"],
    });
    const progress: number[][] = [];
    const onProgress = (done: number, total: number) =>
      progress.push([done, total]);
    const metadata = names(10).map((name) => ({
      term: name,
      year: 1900 + Number(name),
    }));
    await index.put(names(4), vectors.slice(0, 4), {
      metadata: metadata.slice(0, 4),
      onProgress,
    });
    deepEqual(progress, [[0, 4], [1, 4], [2, 4], [2, 4], [3, 4], [4, 4]]);
    progress.length = 0;
    await index.put(names(10), vectors, { metadata, onProgress });
    deepEqual(progress[0], [2, 10]);
    equal(await index.count(), 10);

    progress.length = 0;
    // The same, its keys in another order.
    await index.put(["3"], vectors.slice(3, 4), {
      metadata: [{ year: 1903, term: "3" }],
      onProgress,
    });
    deepEqual(progress, [[0, 1], [1, 1]]);
    await index.put(["3"], vectors.slice(4, 5), {
      metadata: [{ term: "moved" }],
    });
    deepEqual(await index.metadata(["3", "none", "4"]), [
      { term: "moved" },
      undefined,
      metadata[4],
    ]);
    deepEqual((await index.vectors(["3", "none"])).row(0), vectors.row(4));
    ok((await index.vectors(["none"])).row(0).every(Number.isNaN));
    equal(await index.count(), 10);

    await index.remove(["3", "none", "3", "0"]);
    await index.remove([]);
    const left = [];
    for await (const { id, metadata: { year } } of index.rows()) {
      left.push([id, year]);
    }
    deepEqual(
      left.sort(),
      names(10).filter((n) => n !== "3" && n !== "0").map((
        n,
      ) => [n, 1900 + Number(n)]),
    );
    for (const { collection } of index.collections.values()) {
      equal(await collection.count(), 8);
    }
  },
);

testWithChroma(
  "nearest() filters on the server and after it, and reaches every result",
  async (chroma) => {
    const vectors = uneven(60, 16);
    const index = await openChromaIndex(chroma, of);
    await index.put(names(60), vectors, {
      metadata: names(60).map((n) => ({ half: Number(n) % 2 })),
    });
    const query = vectors.row(5);
    const filter = (where: boolean, passes: (id: string) => boolean) => ({
      ...(where && { where: { half: 1 } }),
      passes,
    });
    const truth = search(query, vectors, metrics.cosine).map(({ index }) =>
      `${index}`
    );
    for (
      const [where, passes, wanted] of [
        [true, () => true, (n: number) => n % 2 === 1],
        [
          false,
          (id: string) => Number(id) % 20 === 0,
          (n: number) => n % 20 === 0,
        ],
        [
          true,
          (id: string) => Number(id) > 40,
          (n: number) => n % 2 === 1 && n > 40,
        ],
        [false, () => false, () => false],
      ] as const
    ) {
      const hits = await index.nearest(query, 5, {
        filter: filter(where, passes),
      });
      deepEqual(
        hits.map(({ id }) => id),
        truth.filter((id) => wanted(Number(id))).slice(0, 5),
      );
    }
    // One that has a state of its own.
    const few = { names: new Set(["7", "9"]), passes };
    function passes(this: { names: Set<string> }, id: string) {
      return this.names.has(id);
    }
    const named = await index.nearest(query, 5, { filter: few });
    deepEqual(named.map(({ id }) => id).sort(), ["7", "9"]);
    equal((await index.nearest(query, 1000)).length, 60);
    equal((await index.nearest(query, 2 ** 40)).length, 60);
    const batch = await index.nearestBatch(vectors.slice(0, 3), 2);
    batch.forEach(([hit], row) => equal(hit.id, `${row}`));
    deepEqual(await index.nearestBatch(Matrix.empty(16), 2), []);
  },
);

testWithChroma(
  "a Chroma index refuses bad vectors, counts, metrics and ids before it sends one",
  async (chroma) => {
    const index = await openChromaIndex(chroma, of);
    const vectors = uneven(2, 16);
    deepEqual(await index.nearest(vectors.row(0), 3), [], "empty");
    const bad = Matrix.of([vectors.row(0), vectors.row(1).fill(NaN)]);
    const [huge, tiny] = [1e19, 1e-25].map((size) =>
      Matrix.of([new Float32Array(16).fill(size)])
    );
    const refused: [() => Promise<unknown>, RegExp][] = [
      [() => index.put(["a"], vectors), /for each of 1 ids, got 2/],
      [
        () => index.put(["a", "b"], vectors.slice(0, 2), { metadata: [] }),
        /metadata for each of 2 ids, got 0/,
      ],
      [() => index.put(["a", "a"], vectors), /expected each id once|finite/],
      [
        () => index.put(["a", "b"], bad),
        /expected finite numbers, got NaN for "b"/,
      ],
      [
        () => index.put(["a"], Matrix.of([[1, 2]])),
        /expected 16 numbers of encoder test\/1, got 2 for each vector/,
      ],
      [
        () => index.put([""], vectors.slice(0, 1)),
        /expected each id to be text of one character or more, got ""/,
      ],
      [
        () =>
          index.put(["a"], vectors.slice(0, 1), {
            metadata: [{ fingerprint: "mine" }],
          }),
        /no metadata of "a" named "fingerprint"/,
      ],
      ...[
        [{ year: NaN }, /expected year of "b" to be text, .*, got NaN/],
        [{ year: Infinity }, /got Infinity: leave it out/],
        [{ year: null }, /got null/],
        [{ year: undefined }, /got undefined/],
        [{ year: 1n }, /got 1n/],
        [{ years: [] }, /got \[\]/],
        [{ years: [1900, "1901"] }, /list of these of one kind, got \[ 1900/],
        [{ term: "\ud800" }, /expected term of "b"/],
        [{ "chroma:document": "x" }, /named "chroma:document"/],
        [{ "#year": 1 }, /named "#year"/],
        [{ "": 1 }, /of "b" named ""/],
        ["owl", /metadata of "b" to be names with values, got 'owl'/],
      ].map(([metadata, message]): [() => Promise<unknown>, RegExp] => [
        () =>
          index.put(["a", "b"], uneven(2, 16), {
            metadata: [{}, metadata as Metadata],
          }),
        message as RegExp,
      ]),
      [
        () => index.put(["\ud800"], uneven(1, 16)),
        /expected each id to be text .*, got "\\ud800"/,
      ],
      [
        () => index.put(["a"], huge),
        /got 9\d+ for "a": the server computes/,
      ],
      [() => index.put(["a"], tiny), /got \S*e-2\d for "a"/],
      [() => index.nearest(huge.row(0), 1), /got 9\d+ for query 0/],
      [() => index.compare(tiny.row(0), ["a"]), /got \S*e-2\d for the query/],
      ...[0, -1, 1.5, NaN, "3"].map((
        dimensions,
      ): [() => Promise<unknown>, RegExp] => [
        () =>
          openChromaIndex(chroma, { ...of, dimensions: dimensions as number }),
        new RegExp(
          `whole number of dimensions, 1 or more, got '?${dimensions}`,
        ),
      ]),
      ...[0, .5, -1, NaN].map((
        l1Candidates,
      ): [() => Promise<unknown>, RegExp] => [
        () => openChromaIndex(chroma, { ...of, l1Candidates }),
        /openChromaIndex: expected a whole number of l1Candidates of 1 or more/,
      ]),
      [
        () => index.nearest(vectors.row(0), 1, { metric: "l3" as "l1" }),
        /expected a metric \(l1, l2, cosine, correlation\), got l3/,
      ],
      [() => index.nearest(Float32Array.of(1), 1), /expected 16 numbers/],
      [() => index.nearest(bad.row(1), 1), /finite numbers, got NaN/],
      [() => index.nearest(vectors.row(0), 0), /k of 1 or more, got 0/],
      [() => index.nearest(vectors.row(0), 1.5), /k of 1 or more, got 1.5/],
      [
        () => index.nearest(vectors.row(0), 1, { metric: "l1" }),
        /got l1: name it in openChromaIndex's metrics/,
      ],
      [
        () => index.compare(vectors.row(0), ["a"], "correlation"),
        /got correlation/,
      ],
      [
        () => openChromaIndex(chroma, { ...of, metrics: ["l3" as "l1"] }),
        /cosine, l2, l1, correlation, got l3/,
      ],
      [() => openChromaIndex(chroma, { ...of, metrics: [] }), /got none/],
      [
        () => openChromaIndex(chroma, { ...of, hnsw: { efSearch: .5 } }),
        /expected a whole efSearch of 1 or more, got 0.5/,
      ],
      [
        () => openChromaIndex(chroma, { ...of, batchSize: 0 }),
        /whole batch size of 1 or more, got 0/,
      ],
    ];
    for (const [run, message] of refused) {
      await rejects(run(), (error: Error) => {
        equal(error.name, "RangeError", `${message}: ${error.stack}`);
        ok(message.test(error.message), error.message);
        return true;
      });
    }
    equal(await index.count(), 0);
  },
);

testWithChroma(
  "an index opened for fewer metrics keeps the other collections in line",
  async (chroma) => {
    const vectors = uneven(5, 16);
    const both = await openChromaIndex(chroma, {
      ...of,
      metrics: ["l2", "cosine", "correlation"],
    });
    await both.put(["a", "b"], vectors.slice(0, 2));
    const one = await openChromaIndex(chroma, of);
    await one.remove(["a"]);
    await one.put(["b", "c"], vectors.slice(3, 5));
    equal(await both.count(), 2);
    for (const metric of ["l2", "cosine", "correlation"] as const) {
      const hits = await both.nearest(vectors.row(3), 9, { metric });
      deepEqual(hits.map(({ id }) => id), ["b", "c"], metric);
    }
    deepEqual((await both.vectors(["b"])).row(0), vectors.row(3));
  },
);

testWithChroma(
  "a metric that is added later finds what was there, or says what is missing",
  async (chroma) => {
    const vectors = uneven(7, 16);
    const open = (...metrics: MetricName[]) =>
      openChromaIndex(chroma, { ...of, batchSize: 3, metrics });
    const l2 = await open("l2");
    await l2.put(names(7), vectors, {
      metadata: names(7).map((name) => ({ name })),
    });
    // Made of l2's, in batches.
    const progress: number[][] = [];
    const later = await openChromaIndex(chroma, {
      ...of,
      batchSize: 3,
      metrics: ["cosine", "correlation"],
      onProgress: (...at) => progress.push(at),
    });
    deepEqual(progress.slice(0, 3), [[3, 7], [6, 7], [7, 7]]);
    equal(await later.count(), 7);
    for (const metric of ["cosine", "correlation"] as const) {
      const hits = await later.nearest(vectors.row(4), 1, { metric });
      equal(hits[0].id, "4");
      ok(Math.abs(hits[0].value - 1) < 1e-5);
    }
    deepEqual(await later.metadata(["4"]), [{ name: "4" }]);
    // What was copied is known, so that it is not sent again.
    const sent: number[] = [];
    await later.put(names(7), vectors, { onProgress: (n) => sent.push(n) });
    equal(sent[0], 2);
    equal(Math.min(...sent.slice(1)), 4);

    // Directions alone are left of vectors in the other two.
    await chroma.client.deleteCollection({
      name: l2.collections.get("l2")!.collection.name,
    });
    const again = await open("l2", "cosine");
    equal(await again.count(), 7);
    ok(!(await again.vectors(["4"])).row(0).some(Number.isNaN));
    const ask = () => again.nearest(vectors.row(4), 1, { metric: "l2" });
    await rejects(
      ask(),
      /l2\S* lacks 7 of 7 vectors.*put them again to ask by l2/,
    );
    await again.put(names(7), vectors);
    deepEqual(await ask(), [{ id: "4", value: 0 }]);
  },
);

testWithChroma(
  "a collection in which an update was broken off is completed when it is opened",
  async (chroma) => {
    const vectors = uneven(6, 16);
    const options = { ...of, metrics: ["cosine", "l2"] as const, batchSize: 2 };
    const index = await openChromaIndex(chroma, options);
    const abort = new AbortController();
    // All of the first collection is in, and a part of the second.
    const onProgress = (done: number) =>
      done >= 4 && abort.abort(new Error("broken off"));
    const { signal } = abort;
    await rejects(index.put(names(6), vectors, { onProgress, signal }));
    const again = await openChromaIndex(chroma, options);
    for (const { collection } of again.collections.values()) {
      equal(await collection.count(), 6);
    }
    // Rows of which one collection knows nothing are those of a broken removal.
    await again.collections.get("cosine")!.collection.delete({ ids: ["3"] });
    const last = await openChromaIndex(chroma, options);
    equal((await last.nearest(vectors.row(3), 1))[0].id, "3");
    equal((await last.nearest(vectors.row(3), 1, { metric: "l2" }))[0].id, "3");
  },
);

testWithChroma(
  "what can be no id is not there, and is no mistake to ask for",
  async (chroma) => {
    const vectors = uneven(1, 16);
    const index = await openChromaIndex(chroma, { ...of, metrics: ["l2"] });
    await index.put(["a"], vectors);
    const ids = ["", "\ud800", "a"];
    deepEqual(await index.metadata(ids), [undefined, undefined, {}]);
    const values = await index.compare(vectors.row(0), ids, "l2");
    deepEqual(values, Float32Array.of(NaN, NaN, 0));
    deepEqual((await index.vectors(ids)).row(2), vectors.row(0));
    await index.remove(["", "\ud800"]);
    equal(await index.count(), 1);
    await index.remove(ids);
    equal(await index.count(), 0);
  },
);

testWithChroma(
  "put() without metadata leaves what is kept, and with metadata replaces it",
  async (chroma) => {
    const vectors = uneven(3, 16);
    const index = await openChromaIndex(chroma, { ...of, metrics: ["l2"] });
    const keep = { term: "owl", years: [1900, 1901], seen: true };
    await index.put(["a"], vectors.slice(0, 1), { metadata: [keep] });
    const put = async (row: number, metadata?: Metadata[]) => {
      const done: number[] = [];
      await index.put(["a"], vectors.slice(row, row + 1), {
        metadata,
        onProgress: (n) => done.push(n),
      });
      const [kept] = await index.metadata(["a"]);
      return { kept, wasSent: done[0] === 0 };
    };
    deepEqual(await put(0), { kept: keep, wasSent: false });
    deepEqual(await put(1), { kept: keep, wasSent: true });
    deepEqual((await index.vectors(["a"])).row(0), vectors.row(1));
    const other = { term: "hen" };
    deepEqual(await put(1, [other]), { kept: other, wasSent: true });
    deepEqual(await put(1, [{}]), { kept: {}, wasSent: true });
    const toys = { toy: "saw" };
    deepEqual(await put(1, [toys]), { kept: toys, wasSent: true });
    // The same letters, divided otherwise.
    const divided = { toys: "aw" };
    deepEqual(await put(1, [divided]), { kept: divided, wasSent: true });
  },
);

testWithChroma(
  "changes of one index asked for at once are made in their order, in each collection",
  async (chroma) => {
    const vectors = uneven(300, 16), ids = names(300);
    const index = await openChromaIndex(chroma, {
      ...of,
      batchSize: 50,
      metrics: ["l2", "cosine"],
    });
    const counts = () =>
      Promise.all(
        [...index.collections.values()].map(({ collection }) =>
          collection.count()
        ),
      );
    await Promise.all([index.put(ids, vectors), index.remove(ids)]);
    deepEqual(await counts(), [0, 0]);
    await index.put(ids, vectors);
    const later = Matrix.of(Array.from(vectors).reverse());
    await Promise.all([
      index.remove(ids),
      index.put(ids, later),
      index.remove(["7"]),
    ]);
    deepEqual(await counts(), [299, 299]);
    deepEqual((await index.vectors(["0"])).row(0), vectors.row(299));
    // A mistake is told before its turn, and one that fails holds none up.
    let isDone = false;
    const put = index.put(["a"], vectors.slice(0, 1)).then(() => isDone = true);
    await rejects(index.put([""], vectors.slice(0, 1)), /got ""/);
    equal(isDone, false);
    const failed = rejects(
      index.put(ids, vectors, { signal: AbortSignal.abort(new Error("stop")) }),
      /stop/,
    );
    await Promise.all([put, failed, index.put(["7"], vectors.slice(0, 1))]);
    deepEqual(await counts(), [301, 301]);
  },
);

testWithChroma(
  "put() stops between two batches and goes on later",
  async (chroma) => {
    const vectors = uneven(9, 16);
    const index = await openChromaIndex(chroma, { ...of, batchSize: 2 });
    const abort = new AbortController();
    const onProgress = (done: number) =>
      done >= 4 && abort.abort(new Error("by the reader"));
    await rejects(
      index.put(names(9), vectors, { onProgress, signal: abort.signal }),
      /by the reader/,
    );
    equal(await index.count(), 4);
    const first: number[] = [];
    await index.put(names(9), vectors, {
      onProgress: (done) => first.push(done),
    });
    equal(first[0], 4);
    equal(await index.count(), 9);
  },
);

testWithChroma(
  "on unit vectors, squared L2 is twice what the cosine lacks of 1",
  async (chroma) => {
    const drawn = clusteredVectors(310, 64);
    const index = await openChromaIndex(chroma, {
      ...of,
      dimensions: 64,
      metrics: ["l2", "cosine"],
    });
    await index.put(names(300), drawn.slice(10));
    for (const query of drawn.slice(0, 10)) {
      const near = await index.nearest(query, 10, { metric: "l2" });
      const alike = await index.nearest(query, 10);
      deepEqual(near.map(({ id }) => id), alike.map(({ id }) => id));
      near.forEach(({ value }, rank) => {
        const difference = value ** 2 - 2 * (1 - alike[rank].value);
        ok(Math.abs(difference) < 1e-5, `differs by ${difference}`);
      });
    }
  },
);

testWithChroma(
  "a filter of two names counts rows that have both",
  async (chroma) => {
    const vectors = uneven(12, 16);
    const index = await openChromaIndex(chroma, of);
    await index.put(names(12), vectors, {
      metadata: names(12).map((_, n) => ({
        category: n % 3 === 0 ? "birds" : "tools",
        term: n % 2 === 0 ? "owl" : "saw",
      })),
    });
    const found = async (where: Where) => {
      const filter = { where, passes: () => true };
      const hits = await index.nearest(vectors.row(0), 12, { filter });
      return hits.map(({ id }) => Number(id)).sort((a, b) => a - b);
    };
    const birds = { category: "birds" }, owl = { term: "owl" };
    deepEqual(await found(birds), [0, 3, 6, 9]);
    deepEqual(await found(owl), [0, 2, 4, 6, 8, 10]);
    deepEqual(await found({ $and: [birds, owl] }), [0, 6]);
    deepEqual(await found({ term: "unicorn" }), []);
    // After a change, by what is kept now.
    await index.put(["6"], vectors.slice(6, 7), {
      metadata: [{ ...birds, term: "hen" }],
    });
    deepEqual(await found({ $and: [birds, owl] }), [0]);
    deepEqual(await found({ term: "hen" }), [6]);
  },
);

testWithChroma(
  "rows survive a server killed with -9 and a restart",
  async (chroma, folder) => {
    const vectors = clusteredVectors(2500, 16);
    const options: ChromaIndexOptions = { ...of, metrics: ["l2"] };
    const index = await openChromaIndex(chroma, options);
    await index.put(names(2500), vectors);
    process.kill(chroma.pid!, "SIGKILL");
    await chroma.stop();
    for (const round of ["after the kill", "after a restart"]) {
      const again = await startChroma({ folder });
      try {
        const reopened = await openChromaIndex(again, options);
        equal(await reopened.count(), 2500, round);
        const [hit] = await reopened.nearest(vectors.row(77), 1, {
          metric: "l2",
        });
        deepEqual(hit, { id: "77", value: 0 });
        const progress: number[][] = [];
        await reopened.put(names(2500), vectors, {
          onProgress: (...at) => progress.push(at),
        });
        deepEqual(progress, [[2500, 2500]], "nothing is sent again");
      } finally {
        await again.stop();
      }
    }
  },
);

testWithChroma(
  "two programs over one server see each other's additions and removals",
  async (chroma) => {
    const vectors = uneven(3, 16);
    const options: ChromaIndexOptions = { ...of, metrics: ["cosine"] };
    const one = await openChromaIndex(chroma, options);
    const two = await openChromaIndex(await connectChroma(chroma.url), options);
    await one.put(["a"], vectors.slice(0, 1), {
      metadata: [{ caption: "an owl" }],
    });
    await two.put(["b"], vectors.slice(1, 2));
    equal((await one.nearest(vectors.row(1), 1))[0].id, "b");
    deepEqual(await two.metadata(["a"]), [{ caption: "an owl" }]);
    await two.remove(["a"]);
    deepEqual((await one.nearest(vectors.row(0), 9)).map(({ id }) => id), [
      "b",
    ]);
  },
);
