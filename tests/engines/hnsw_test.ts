import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { search } from "#lib/compare/compare.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { type MetricName, metrics } from "#lib/compare/metrics.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import type { AskOptions } from "#lib/engines/engines.ts";
import { HnswIndex, type HnswOptions } from "#lib/engines/hnsw.ts";

const vectors = clusteredVectors(2000, 64);
const queries = clusteredVectors(2050, 64).slice(2000);
const ids = idsOf(vectors);

function idsOf({ count }: Matrix): string[] {
  return Array.from({ length: count }, (_, row) => `${row}`);
}

/** An index in memory, of the vectors by their row's number. */
async function filled(
  matrix = vectors,
  options: Partial<HnswOptions> = {},
): Promise<HnswIndex> {
  const { dimensions } = matrix;
  const index = await HnswIndex.open({ dimensions, ...options });
  await index.put(idsOf(matrix), matrix);
  return index;
}

/** The share of the ten nearest that it finds; their values are exact. */
async function recall(
  index: HnswIndex,
  asked: Matrix,
  matrix: Matrix,
  options: AskOptions & { metric?: MetricName } = {},
): Promise<number> {
  const { metric = "cosine", filter } = options;
  const passing = Array.from(matrix.data.keys()).slice(0, matrix.count)
    .filter((row) => filter?.passes(`${row}`) ?? true);
  const gallery = matrix.pick(passing);
  const lists = await index.nearestBatch(asked, 10, options);
  let found = 0, all = 0;
  for (const [row, hits] of lists.entries()) {
    const exact = search(asked.row(row), gallery, metrics[metric], 10);
    strictEqual(hits.length, exact.length);
    all += exact.length;
    const values = new Map(
      exact.map(({ index, value }) => [`${passing[index]}`, value]),
    );
    for (const { id, value } of hits) {
      ok(filter?.passes(id) ?? true, id);
      if (!values.has(id)) continue;
      strictEqual(value, Math.fround(values.get(id)!));
      found++;
    }
  }
  return found / all;
}

for (const numbers of ["i8", "f16", "f32"] as const) {
  Deno.test(`of the ten nearest in ${numbers}, 99 of 100 are found, with exact values`, async () => {
    const index = await filled(vectors, { numbers });
    strictEqual(await index.count(), 2000);
    ok(await recall(index, queries, vectors) >= .99);
    const bits = { i8: 8, f16: 16, f32: 32 }[numbers];
    strictEqual(index.label, `HNSW, ${bits} bits, M 20, efSearch 240`);
  });
}

for (const metric of ["l1", "l2", "correlation"] as const) {
  Deno.test(`of the ten nearest by ${metric}, 99 of 100 are found`, async () => {
    ok(await recall(await filled(), queries, vectors, { metric }) >= .99);
  });
}

Deno.test("vectors of any length and mean are ranked by every metric", async () => {
  const shift = (matrix: Matrix) => {
    const data = matrix.data.map((value, i) => (value + .5) * (100 + i % 977));
    return new Matrix(data, matrix.dimensions);
  };
  const gallery = shift(vectors), asked = shift(queries.slice(0, 10));
  for (const graph of ["cosine", "l2", "correlation"] as const) {
    const index = await filled(gallery, { metric: graph });
    for (const metric of ["l1", "l2", "cosine", "correlation"] as const) {
      const found = await recall(index, asked, gallery, { metric });
      ok(found >= .98, `${metric} in a graph by ${graph}: ${found}`);
    }
  }
});

Deno.test("a vector of one large number is found among those of many small ones", async () => {
  const many = clusteredVectors(500, 512, { clusters: 1 });
  const peaked = Matrix.zeros(1, 512);
  peaked.row(0)[0] = 1;
  const index = await filled(many);
  await index.put(["peaked"], peaked);
  const query = many.row(0).map((value, i) => .7 * value + (i ? 0 : .72));
  strictEqual((await index.nearest(query, 1))[0].id, "peaked");
  strictEqual(await index.count(), 501);
  ok(await recall(index, many.slice(0, 50), many) >= .99);
});

Deno.test("a graph of some thousand is the same each time", async () => {
  const few = { maxNeighbors: 3, efConstruction: 5, efSearch: 1 };
  const [first, second] = await Promise.all(
    [0, 1].map(async () =>
      (await filled(vectors, few)).nearestBatch(queries, 10)
    ),
  );
  deepStrictEqual(first, second);
});

Deno.test("of the 200 nearest, 99 of 100 are found as well", async () => {
  const more = clusteredVectors(5100, 64);
  const index = await filled(more.slice(0, 5000));
  let found = 0;
  for (const query of more.slice(5000)) {
    const exact = search(query, more.slice(0, 5000), metrics.cosine, 200);
    const there = new Set(exact.map(({ index }) => `${index}`));
    const hits = await index.nearest(query, 200);
    found += hits.filter(({ id }) => there.has(id)).length;
  }
  ok(found >= .99 * 100 * 200, `${found}`);
});

Deno.test("a higher efSearch finds more", async () => {
  const index = await filled(vectors, { maxNeighbors: 3, efConstruction: 5 });
  index.setEfSearch(1);
  const few = await recall(index, queries, vectors);
  index.setEfSearch(400);
  const many = await recall(index, queries, vectors);
  ok(few < .9 && many > few + .05, `${few} and ${many}`);
  strictEqual(index.label, "HNSW, 8 bits, M 3, efSearch 400");
});

for (const part of [2, 40, 700, 2001]) {
  Deno.test(`a filter that one vector in ${part} passes leaves nothing else, and misses none`, async () => {
    const passes = (id: string) => Number(id) % part === 1;
    const filter = { passes };
    ok(await recall(await filled(), queries, vectors, { filter }) >= .99);
  });
}

Deno.test("a filter that nothing passes finds nothing", async () => {
  const filter = { passes: () => false };
  const index = await filled();
  deepStrictEqual(await index.nearest(queries.row(0), 10, { filter }), []);
});

Deno.test("all vectors can be asked for, in order", async () => {
  const index = await filled();
  const hits = await index.nearest(queries.row(0), 5000);
  deepStrictEqual(
    hits.map(({ id }) => Number(id)),
    search(queries.row(0), vectors, metrics.cosine).map(({ index }) => index),
  );
});

Deno.test("what is equal is passed over, what has changed is found at its new place", async () => {
  const index = await filled();
  const changed = Matrix.of([...vectors]);
  changed.set(3, queries.row(0));
  const done: number[] = [];
  const onProgress = (count: number) => done.push(count);
  await index.put(ids, changed, { onProgress });
  deepStrictEqual(done, [1999, 2000]);
  strictEqual((await index.nearest(queries.row(0), 1))[0].id, "3");
  await index.remove(["3", "3", "nobody"]);
  strictEqual(await index.count(), 1999);
  ok((await index.nearest(queries.row(0), 1))[0].id !== "3");
  strictEqual((await index.vectors(["3"])).row(0)[0], NaN);
});

Deno.test("an index whose vectors have all changed three times finds as many", async () => {
  const index = await filled();
  for (const seed of [2, 3, 4]) {
    const other = clusteredVectors(2050, 64, { seed });
    await index.put(ids, other.slice(0, 2000));
    const found = await recall(index, other.slice(2000), other.slice(0, 2000));
    ok(found >= .99, `${found}`);
  }
});

Deno.test("an index of which little is left holds no more than that", async () => {
  const index = await filled();
  const whole = index.graphBytes;
  await index.remove(ids.slice(200));
  strictEqual(index.graphBytes, whole / 10);
  const rest = vectors.slice(0, 200);
  ok(await recall(index, queries, rest) >= .99);
  await index.remove(ids);
  deepStrictEqual(await index.nearest(queries.row(0), 3), []);
  await index.put(ids, vectors);
  ok(await recall(index, queries, vectors) >= .99);
});

Deno.test("a thousand equal vectors hide none of the others, and all are found", async () => {
  const equal = Matrix.of(Array(1000).fill(vectors.row(0)));
  const index = await HnswIndex.open({ dimensions: 64 });
  await index.put(Array.from(equal, (_, row) => `copy ${row}`), equal);
  await index.put(ids, vectors);
  const hits = await index.nearestBatch(vectors.slice(1), 1);
  deepStrictEqual(hits.map(([{ id }]) => id), ids.slice(1));
  const copies = await index.nearest(vectors.row(0), 1001);
  strictEqual(copies.filter(({ value }) => value > .9999).length, 1001);
  await index.remove(["0", ...Array.from(equal, (_, row) => `copy ${row}`)]);
  ok((await index.nearest(vectors.row(0), 1))[0].value < .999);
});

Deno.test("compare() and vectors() keep the order asked for, NaN where there is none", async () => {
  const index = await filled();
  const asked = ["5", "nobody", "2"];
  const values = await index.compare(queries.row(0), asked, "l2");
  const l2 = (row: number) =>
    Math.fround(metrics.l2.measure(queries.row(0), vectors.row(row)));
  deepStrictEqual([...values], [l2(5), NaN, l2(2)]);
  const rows = await index.vectors(asked);
  deepStrictEqual(rows.row(2), vectors.row(2));
  ok(rows.row(1).every(Number.isNaN));
  strictEqual((await index.vectors([])).count, 0);
});

Deno.test("vectors that the caller has are read from there; lost ones are left out", async () => {
  const lost = new Set<string>();
  const nothing = new Float32Array(64).fill(NaN);
  const vectorsOf = (asked: readonly string[]) =>
    Matrix.of(
      asked.map((id) => lost.has(id) ? nothing : vectors.row(Number(id))),
      64,
    );
  const index = await filled(vectors, { vectorsOf });
  ok(await recall(index, queries, vectors) >= .99);
  const [first, second] = await index.nearest(queries.row(0), 2);
  lost.add(first.id);
  strictEqual((await index.nearest(queries.row(0), 1))[0].id, second.id);
  // Most are taken out, so that the graph is built anew of the rest.
  await index.remove(ids.filter((id) => Number(id) % 8 > 0 && id !== first.id));
  strictEqual(await index.count(), 250);
});

Deno.test("queries are answered while vectors are put in", async () => {
  const index = await filled();
  const more = clusteredVectors(6000, 64, { seed: 7 });
  let isDone = false;
  const names = Array.from(more, (_, row) => `more ${row}`);
  const putting = index.put(names, more).then(() => isDone = true);
  strictEqual((await index.nearest(vectors.row(7), 1))[0].id, "7");
  strictEqual(isDone, false);
  await putting;
  strictEqual(await index.count(), 8000);
});

Deno.test("a signal stops a put, and what is in stays", async () => {
  const index = await HnswIndex.open({ dimensions: 64 });
  const stop = new AbortController();
  const onProgress = (done: number) =>
    done > 0 && stop.abort(new Error("enough"));
  const options = { onProgress, signal: stop.signal };
  await rejects(index.put(ids, vectors, options), /enough/);
  const count = await index.count();
  ok(count > 0 && count < 2000, `${count}`);
  await index.put(ids, vectors);
  strictEqual(await index.count(), 2000);
});

Deno.test("changes that are asked for at once come one after another", async () => {
  const index = await HnswIndex.open({ dimensions: 64 });
  await Promise.all([
    index.put(ids, vectors),
    index.remove(ids.slice(5)),
    index.put(["new"], queries.slice(0, 1)),
  ]);
  strictEqual(await index.count(), 6);
});

Deno.test("a vector of zeros can be put in and asked for", async () => {
  const index = await filled(Matrix.of([[0, 0], [1, 0], [0, -3]]));
  const hits = await index.nearest(Float32Array.of(0, 0), 3);
  deepStrictEqual(hits.map(({ value }) => value), [0, 0, 0]);
  const [first] = await index.nearest(Float32Array.of(0, -1), 3);
  deepStrictEqual(first, { id: "2", value: 1 });
});

Deno.test("an empty index finds nothing", async () => {
  const index = await HnswIndex.open({ dimensions: 2 });
  deepStrictEqual(await index.nearest(Float32Array.of(1, 2), 3), []);
  deepStrictEqual(await index.nearestBatch(Matrix.zeros(0, 2), 3), []);
  await index.put([], new Matrix(new Float32Array(0), 0));
  strictEqual(await index.count(), 0);
});

Deno.test("what is wrong is refused before anything is put in", async () => {
  const index = await HnswIndex.open({ dimensions: 2 });
  const metric = "dot" as "l1";
  const put = (names: string[], rows: number[][]) =>
    index.put(names, Matrix.of(rows));
  for (
    const [attempt, message] of [
      [put(["a"], [[1, 2, 3]]), /expected 2 numbers, got 3 for each vector/],
      [put(["a", "b"], [[1, 2], [NaN, 2]]), /finite numbers, got NaN for "b"/],
      [put(["a"], [[1, 2], [3, 4]]), /a vector for each of 1 ids, got 2/],
      [put(["a", "a"], [[1, 2], [3, 4]]), /each id once, got "a" twice/],
      [
        put([""], [[1, 2]]),
        /each id to be text of one character or more, got ""/,
      ],
      [index.nearest(Float32Array.of(1), 1), /2 numbers, got 1 for the query/],
      [index.nearest(new Float32Array(0), 1), /2 numbers, got 0 for the query/],
      [index.nearest(Float32Array.of(1, NaN), 1), /finite numbers, got NaN/],
      [index.nearest(Float32Array.of(1, 2), 0), /whole k of 1 or more, got 0/],
      [index.nearest(Float32Array.of(1, 2), 1.5), /1 or more, got 1.5/],
      [index.compare(Float32Array.of(1), ["a"]), /2 numbers, got 1/],
      [index.nearest(Float32Array.of(1, 2), 1, { metric }), /, got dot/],
      [index.compare(Float32Array.of(1, 2), ["a"], metric), /, got dot/],
    ] as const
  ) {
    await rejects(attempt, (error) => {
      ok(
        error instanceof RangeError && message.test(error.message),
        `${error}`,
      );
      return true;
    });
  }
  strictEqual(await index.count(), 0);
});

Deno.test("numbers that 16 bits do not hold are refused, where their size counts", async () => {
  const rows = Matrix.of([[70_000, 1], [1, 90_000]]);
  const rough = await HnswIndex.open({ dimensions: 2, metric: "l2" });
  await rejects(
    rough.put(["a", "b"], rows),
    /between 0.000062 and 65504, or 0, got 70000 for "a": .*"f32"/,
  );
  await rejects(rough.nearest(rows.row(1), 1), /got 90000 for the query/);
  const small = Matrix.of([[1e-10, 2e-10]]);
  await rejects(rough.put(["a"], small), /or 0, got 2.*e-10 for "a": .*"f32"/);
  const fine = await HnswIndex.open({
    ...{ dimensions: 2, metric: "l2", numbers: "f32" },
  });
  await fine.put(["a"], small);
  for (const size of [1e-30, 1e30]) {
    await rejects(
      fine.put(["b"], Matrix.of([[size, 0]])),
      /got 1.*e.30 for "b": scale all vectors alike/,
    );
  }
  for (
    const options of [{ numbers: "f16" }, { metric: "l2", numbers: "f32" }]
  ) {
    const all = { dimensions: 2, ...options } as HnswOptions;
    const index = await HnswIndex.open(all);
    await index.put(["a", "b"], rows);
    strictEqual((await index.nearest(rows.row(1), 1))[0].id, "b");
  }
});

Deno.test("settings out of their range are refused by name", async () => {
  for (
    const [options, message] of [
      [{ dimensions: 0 }, /expected dimensions to be .* got 0/],
      [{ maxNeighbors: 1 }, /expected maxNeighbors to be .* got 1/],
      [{ efConstruction: NaN }, /expected efConstruction to be .* got NaN/],
      [{ efSearch: 0 }, /expected efSearch to be .* got 0/],
      [{ numbers: "i4" }, /expected numbers to be i8, f16, f32, got i4/],
      [{ name: "a/b" }, /expected the name of a file, got "a.b"/],
      [{ name: "" }, /expected the name of a file, got ""/],
      [{ metric: "l1" }, /expected metric to be cosine, l2 or .* got l1/],
      [
        { metric: "l2", numbers: "i8" },
        /f16 or f32 where metric is l2, got i8/,
      ],
    ] as const
  ) {
    const all = { dimensions: 2, ...options } as HnswOptions;
    await rejects(HnswIndex.open(all), { name: "RangeError", message });
  }
});

Deno.test("an efSearch of more than there are looks at all, and takes no memory for more", async () => {
  const index = await filled(vectors, { efSearch: 2 ** 40 });
  strictEqual((await index.nearest(vectors.row(7), 1))[0].id, "7");
  const pair = await index.nearestBatch(vectors.slice(7, 9), 1);
  deepStrictEqual(pair.map(([{ id }]) => id), ["7", "8"]);
});

Deno.test("a closed index says so", async () => {
  const index = await filled();
  await index.close();
  await rejects(index.nearest(queries.row(0), 1), /closed: open it again/);
  await rejects(index.put(ids, vectors), /closed: open it again/);
  await rejects(index.remove(ids), /closed: open it again/);
  await rejects(index.vectors(ids), /closed: open it again/);
});

Deno.test("graphBytes is the length of the graph's file, within a tenth", async () => {
  const folder = await Deno.makeTempDir();
  const index = await filled(vectors, { folder });
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  const graph = names.find((name) => name.endsWith(".graph"));
  const { size } = await Deno.stat(`${folder}/${graph}`);
  ok(Math.abs(index.graphBytes / size - 1) < .1, `${index.graphBytes} ${size}`);
});
