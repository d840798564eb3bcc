/**
 * `task bench vectors_million`: a million unit vectors of 512 numbers, 2 GB in a
 * file. HNSW has them in 8 bits and reads those that it compares exactly out of
 * the file; the exact engine has all of them in memory. Takes 10 minutes, and
 * 3 GB of memory for the second.
 *
 * @module
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { topK } from "../lib/compare/compare.ts";
import { multiplyRows } from "../lib/compare/matrix_product.ts";
import { QuantizedGallery } from "../lib/compare/quantized_gallery.ts";
import { HnswIndex } from "../lib/engines/hnsw.ts";
import {
  type Bench,
  type BenchContext,
  benchFolder,
  type BenchRow,
  median,
  peakMegabytes,
  row,
} from "./harness.ts";
import {
  ask,
  DIMENSIONS,
  K,
  openVectors,
  p95,
  recallOf,
  type VectorFile,
} from "./vectors/vector_file.ts";

const COUNT = 1_000_000;
/** Rows that are read and put in at a time. */
const BLOCK = 50_000;
const EF_SEARCH = [128, 192, 256, 384, 512];

/** Measures. */
export const bench: Bench = async (context) => {
  const file = await openVectors(COUNT, context);
  try {
    // The index first: memory at its most does not fall again.
    return [...await benchHnsw(file, context), ...await benchExact(file)];
  } finally {
    await file.close();
  }
};

async function benchHnsw(
  file: VectorFile,
  { signal, log }: BenchContext,
): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(benchFolder, "hnsw-"));
  try {
    const { vectorsOf } = file;
    const options = { dimensions: DIMENSIONS, folder, vectorsOf };
    const index = await HnswIndex.open({ ...options, numbers: "i8" });
    const start = performance.now();
    for (let first = 0; first < COUNT; first += BLOCK) {
      const ids = file.ids.slice(first, first + BLOCK);
      await index.put(ids, file.rows(first, ids.length), { signal });
      log(`${first + ids.length} of ${COUNT}`);
    }
    const seconds = (performance.now() - start) / 1000;
    const peak = await peakMegabytes();
    const truth = await truthOf(file);
    const rows: BenchRow[] = [];
    for (const ef of EF_SEARCH) {
      index.setEfSearch(ef);
      const answers = await ask(index, file.queries);
      const what = `HNSW, i8, efSearch ${ef}`;
      const recall = recallOf(answers.ids, truth);
      rows.push(
        row(`${what}, median`, "ms", answers.medianMs, "–", undefined),
        row(`${what}, p95`, "ms", answers.p95Ms, "–", undefined),
        row(`${what}, recall@10`, "share", recall, "–", undefined),
      );
      if (recall >= 0.99) break;
    }
    await index.close();
    const sizes = (await readdir(folder)).map(async (name) =>
      (await stat(join(folder, name))).size
    );
    const bytes = (await Promise.all(sizes)).reduce((a, b) => a + b, 0);
    return [
      row("HNSW, i8, build", "s", seconds, "–", undefined),
      row("HNSW, i8, its files", "MB", bytes / 1e6, "–", undefined),
      row("HNSW, i8, most memory", "MB", peak, "–", undefined),
      ...rows,
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchExact({ queries, rows }: VectorFile): Promise<BenchRow[]> {
  const vectors = rows(0, COUNT);
  const start = performance.now();
  const gallery = QuantizedGallery.of(vectors);
  const seconds = (performance.now() - start) / 1000;
  const times = Array.from(queries, (query) => {
    const start = performance.now();
    gallery.nearest(query, "cosine", K);
    return performance.now() - start;
  });
  const peak = await peakMegabytes();
  return [
    row("exact, codes made", "s", seconds, "–", undefined),
    row("exact, most memory", "MB", peak, "–", undefined),
    row("exact, median", "ms", median(times), "–", undefined),
    row("exact, p95", "ms", p95(times), "–", undefined),
  ];
}

/** The nearest by the products of all with all, a block after the other. */
async function truthOf({ queries, rows }: VectorFile): Promise<string[][]> {
  const best = Array.from(queries, () => [] as { id: string; value: number }[]);
  for (let first = 0; first < COUNT; first += BLOCK) {
    const products = await multiplyRows(queries, rows(first, BLOCK));
    best.forEach((hits, query) => {
      for (const { index, value } of topK(products.row(query), K, "higher")) {
        hits.push({ id: `${first + index}`, value });
      }
    });
  }
  return best.map((hits) =>
    hits.toSorted((a, b) => b.value - a.value).slice(0, K).map(({ id }) => id)
  );
}
