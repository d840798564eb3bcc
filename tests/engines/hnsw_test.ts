import { ok, strictEqual } from "node:assert/strict";
import { search } from "#lib/compare/compare.ts";
import { metrics } from "#lib/compare/metrics.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { HnswIndex } from "#lib/engines/hnsw.ts";

const vectors = clusteredVectors(2000, 64);
const queries = clusteredVectors(2050, 64).slice(2000);
const ids = Array.from(vectors, (_, row) => `${row}`);

Deno.test("an index finds nearly all of the ten nearest, with exact values", async () => {
  const index = await HnswIndex.open({ dimensions: 64 });
  await index.put(ids, vectors);
  strictEqual(await index.count(), 2000);
  let found = 0;
  for (const [i, hits] of (await index.nearestBatch(queries, 10)).entries()) {
    const exact = search(queries.row(i), vectors, metrics.cosine, 10);
    const values = new Map(
      exact.map(({ index, value }) => [`${index}`, value]),
    );
    for (const { id, value } of hits) {
      if (!values.has(id)) continue;
      found++;
      strictEqual(value, Math.fround(values.get(id)!));
    }
  }
  ok(found / 500 >= .99, `recall ${found / 500}`);
});
