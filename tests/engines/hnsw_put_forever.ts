/**
 * Puts vectors into the index of a folder, a hundred at a time, and prints how
 * many are in for good; hnsw_files_test.ts kills it.
 */
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { HnswIndex } from "#lib/engines/hnsw.ts";

const [folder] = Deno.args;
const vectors = clusteredVectors(2000, 32);
const ids = Array.from(vectors, (_, row) => `${row}`);
const index = await HnswIndex.open({ dimensions: 32, folder });
for (let end = 100; end <= 2000; end += 100) {
  await index.put(ids.slice(0, end), vectors.slice(0, end));
  console.log(end);
}
await index.close();
