import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { search } from "#lib/compare/compare.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { type MetricName, metrics } from "#lib/compare/metrics.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { ExactIndex } from "#lib/engines/exact.ts";

const names = Object.keys(metrics) as MetricName[];
const idsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => `${i}.jpg`);

Deno.test("ExactIndex gives the exact nearest by every metric, by id", async () => {
  const vectors = clusteredVectors(3000, 24);
  const index = new ExactIndex(24);
  const ids = idsOf(3000);
  await index.put(ids, vectors);
  strictEqual(await index.count(), 3000);
  const query = vectors.row(17);
  for (const metric of names) {
    const expected = search(query, vectors, metrics[metric], 10)
      .map(({ index, value }) => ({ id: ids[index], value }));
    deepStrictEqual(await index.nearest(query, 10, { metric }), expected);
  }
  deepStrictEqual(await index.nearestBatch(vectors.slice(0, 3), 4), [
    await index.nearest(vectors.row(0), 4),
    await index.nearest(vectors.row(1), 4),
    await index.nearest(vectors.row(2), 4),
  ]);
  await index.close();
});

Deno.test("ExactIndex finds among those that pass, and fewer where fewer do", async () => {
  const index = new ExactIndex(2);
  await index.put(["a", "b", "c"], Matrix.of([[1, 0], [2, 1], [0, 1]]));
  const filter = { passes: (id: string) => id !== "a" };
  const hits = await index.nearest(Float32Array.of(1, 0), 5, { filter });
  deepStrictEqual(hits.map(({ id }) => id), ["b", "c"]);
  deepStrictEqual(
    await index.nearest(Float32Array.of(1, 0), 5, {
      filter: { passes: () => false },
    }),
    [],
  );
  deepStrictEqual(
    await new ExactIndex(2).nearest(Float32Array.of(1, 0), 5),
    [],
  );
});

Deno.test("ExactIndex holds what a map would, whatever is put in and taken out", async () => {
  const id = fc.constantFrom(..."abcdefgh");
  const vector = fc.array(fc.integer({ min: -9, max: 9 }), {
    minLength: 3,
    maxLength: 3,
  });
  const change = fc.oneof(
    fc.uniqueArray(fc.tuple(id, vector), { selector: ([id]) => id }),
    fc.uniqueArray(id),
  );
  await fc.assert(fc.asyncProperty(
    fc.array(change, { maxLength: 20 }),
    async (changes) => {
      const index = new ExactIndex(3);
      const map = new Map<string, number[]>();
      for (const change of changes) {
        if (change.every((one) => typeof one === "string")) {
          await index.remove(change);
          change.forEach((id) => map.delete(id));
        } else {
          const pairs = change as [string, number[]][];
          await index.put(
            pairs.map(([id]) => id),
            Matrix.of(pairs.map(([, vector]) => vector), 3),
          );
          pairs.forEach(([id, vector]) => map.set(id, vector));
        }
        const query = Float32Array.of(1, 2, 3);
        const hits = await index.nearest(query, 8, { metric: "l1" });
        const found = hits.toSorted((a, b) => a.id < b.id ? -1 : 1);
        deepStrictEqual(
          found,
          [...map].map(([id, vector]) => ({
            id,
            value: metrics.l1.measure(query, vector),
          })).toSorted((a, b) => a.id < b.id ? -1 : 1),
        );
      }
      strictEqual(await index.count(), map.size);
    },
  ));
});

Deno.test("ExactIndex compares and hands out by id, and says by NaN that there is none", async () => {
  const index = new ExactIndex(2);
  await index.put(["a", "b"], Matrix.of([[3, 4], [0, 1]]));
  const query = Float32Array.of(0, 0);
  deepStrictEqual(
    await index.compare(query, ["b", "none", "a"], "l2"),
    Float32Array.of(1, NaN, 5),
  );
  deepStrictEqual(
    (await index.vectors(["none", "a"])).data,
    Float32Array.of(NaN, NaN, 3, 4),
  );
});

Deno.test("ExactIndex tells its progress, and stops between batches with what is in", async () => {
  const vectors = clusteredVectors(5000, 8);
  const index = new ExactIndex(8);
  const stop = new AbortController();
  const seen: number[] = [];
  await rejects(
    index.put(idsOf(5000), vectors, {
      onProgress(done, total) {
        strictEqual(total, 5000);
        seen.push(done);
        if (seen.length === 2) stop.abort(new Error("enough"));
      },
      signal: stop.signal,
    }),
    /enough/,
  );
  strictEqual(await index.count(), seen[1]);
  await index.put(idsOf(5000), vectors);
  strictEqual(await index.count(), 5000);
});

Deno.test("ExactIndex refuses what it cannot hold or answer, and stays as it was", async () => {
  const index = new ExactIndex(2);
  const two = Matrix.of([[1, 0], [0, 1]]);
  const put = (ids: string[], vectors: Matrix) => index.put(ids, vectors);
  await rejects(put(["a"], two), /each of 1 ids, got 2/);
  await rejects(put(["a", "a"], two), /each id once, got "a" twice/);
  await rejects(put(["a"], Matrix.of([[1]])), /expected 2 numbers, got 1/);
  const broken = Matrix.of([[1, 0], [0, NaN]]);
  await rejects(put(["a", "b"], broken), /finite.*got NaN for "b"/);
  await rejects(put(["a", ""], two), /text of one character or more, got ""/);
  strictEqual(await index.count(), 0);
  await put([], Matrix.of([]));
  const ask = (query: number[], k = 1) =>
    index.nearest(Float32Array.from(query), k);
  await rejects(ask([1]), /expected 2 numbers, got 1/);
  await rejects(ask([1, Infinity]), /finite numbers, got Infinity/);
  await rejects(ask([1, 2], 1.5), /whole k of 1 or more, got 1.5/);
  const metric = "dot" as "l1";
  const query = Float32Array.of(1, 2);
  for (
    const attempt of [
      index.nearest(query, 1, { metric }),
      index.nearestBatch(two, 1, { metric }),
      index.compare(query, ["a"], metric),
    ]
  ) {
    await rejects(attempt, /expected a metric .*, correlation\), got dot/);
  }
});

Deno.test("ExactIndex refuses a length that no vector has", () => {
  for (const length of [0, 1.5, NaN]) {
    throws(() => new ExactIndex(length), RegExp(`1 or more, got ${length}`));
  }
});
