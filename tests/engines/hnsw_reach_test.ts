import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { HnswIndex, type HnswOptions } from "#lib/engines/hnsw.ts";

/** Vectors with one number other than 0: by L2, a graph falls into islands. */
const sparse = Matrix.zeros(3000, 64);
for (let row = 0; row < 3000; row++) {
  sparse.row(row)[row % 64] = (row * 7919 % 1000 - 500.5) / 500;
}

/** An index of these, and what is said on standard error meanwhile. */
async function filled(vectors: Matrix, options: Partial<HnswOptions> = {}) {
  const ids = Array.from(vectors, (_, row) => `${row}`);
  const { dimensions } = vectors;
  const { warn } = console;
  const said: string[] = [];
  console.warn = (line: string) => said.push(line);
  try {
    const index = await HnswIndex.open({ dimensions, ...options });
    for (let end = 1000; end <= vectors.count; end += 1000) {
      await index.put(ids.slice(0, end), vectors.slice(0, end));
    }
    return { index, said };
  } finally {
    console.warn = warn;
  }
}

Deno.test("vectors that a graph has lost are found all the same, which is said once", async () => {
  const { index, said } = await filled(sparse, { metric: "l2" });
  let found = 0;
  for (let row = 0; row < 200; row++) {
    const query = sparse.row(row * 7);
    const [{ value }] = await index.nearest(query, 1, { metric: "l2" });
    if (value === 0) found++;
  }
  strictEqual(found, 200);
  strictEqual(said.length, 1);
  ok(/does not find \d+ of 100 vectors.* all vectors are com/.test(said[0]));
});

Deno.test("nothing is said of a graph that is asked with few candidates or has few links", async () => {
  const vectors = clusteredVectors(3000, 32);
  deepStrictEqual((await filled(vectors, { efSearch: 1 })).said, []);
  const few = { metric: "l2", maxNeighbors: 4 } as const;
  deepStrictEqual((await filled(sparse, few)).said, []);
});

Deno.test("a caller who has lost vectors, or cannot read them, is no reason not to put", async () => {
  const vectors = clusteredVectors(1000, 32);
  let isBroken = true;
  const vectorsOf = (ids: readonly string[]) => {
    if (isBroken) throw new Error("broken");
    const rows = vectors.pick(ids.map(Number));
    ids.forEach((id, row) => Number(id) % 2 || rows.row(row).fill(NaN));
    return rows;
  };
  const { index, said } = await filled(vectors, { vectorsOf });
  isBroken = false;
  const hits = await index.nearest(vectors.row(7), 5);
  strictEqual(hits.length, 5);
  deepStrictEqual(said, []);
});
