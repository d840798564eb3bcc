/**
 * `task bench vectors`: 100,000 unit vectors of 512 numbers in clusters, asked
 * for the ten nearest by each engine, against NumPy, faiss, hnswlib and Chroma's
 * Python client, which read the same file. Chroma has the first 30,000 of them,
 * and both clients speak to the same program, started anew for each.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { search, topK } from "../lib/compare/compare.ts";
import type { Matrix } from "../lib/compare/matrix.ts";
import { multiplyRows } from "../lib/compare/matrix_product.ts";
import { metrics } from "../lib/compare/metrics.ts";
import { QuantizedGallery } from "../lib/compare/quantized_gallery.ts";
import { startChroma } from "../lib/engines/chroma/chroma.ts";
import { openChromaIndex } from "../lib/engines/chroma/chroma_index.ts";
import { ExactIndex } from "../lib/engines/exact.ts";
import { HnswIndex } from "../lib/engines/hnsw.ts";
import {
  type Bench,
  type BenchContext,
  benchFolder,
  type BenchRow,
  medianMs,
  row,
} from "./harness.ts";
import {
  ask,
  DIMENSIONS,
  K,
  openVectors,
  QUERIES,
  recallOf,
  type VectorFile,
} from "./vectors/vector_file.ts";

const COUNT = 100_000;
const CHROMA_COUNT = 30_000;
/** How many queries are asked together in a batch. */
const BATCH = 100;
/** The recall that an index has to reach, and what it may set to reach it. */
const RECALL = 0.99;
const EF_SEARCH = [
  ...[32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256],
  ...[288, 320, 400, 512],
];

/** Measures. */
export const bench: Bench = async (context) => {
  const file = await openVectors(COUNT, context);
  try {
    const vectors = file.rows(0, COUNT);
    const truth = await truthOf(file.queries, vectors);
    return [
      ...await benchExact(file, vectors, truth, context),
      ...await benchHnsw(file, vectors, truth, context),
      ...await benchChroma(file, context),
    ];
  } finally {
    await file.close();
  }
};

/** The nearest by the products of all with all. */
async function truthOf(queries: Matrix, vectors: Matrix): Promise<string[][]> {
  const products = await multiplyRows(queries, vectors);
  return Array.from(
    products,
    (row) => topK(row, K, "higher").map(({ index }) => `${index}`),
  );
}

async function benchExact(
  { path, ids, queries }: VectorFile,
  vectors: Matrix,
  truth: string[][],
  { log, peer }: BenchContext,
): Promise<BenchRow[]> {
  log("exact: the peers");
  const theirs = await peer("vectors.py", "exact", path, `${QUERIES}`);
  log("exact: ours");
  const index = new ExactIndex(DIMENSIONS);
  await index.put(ids, vectors);
  const one = await ask(index, queries);
  const some = queries.slice(0, BATCH);
  const batch = await medianMs(() => index.nearestBatch(some, K), 3) / BATCH;
  const gallery = QuantizedGallery.of(vectors);
  let turn = 0;
  const next = () => queries.row(turn++ % QUERIES);
  const searched = (from: Matrix | QuantizedGallery, repeats: number) =>
    medianMs(() => search(next(), from, metrics.cosine, K), repeats);
  const fast = await searched(gallery, 50), plain = await searched(vectors, 5);
  const l1 = await medianMs(() => gallery.nearest(next(), "l1", K), 50);
  const share = recallOf(one.ids, truth);
  return [
    row("exact, one query", "ms", one.medianMs, "NumPy", theirs?.numpy),
    row("exact, one query", "ms", one.medianMs, "faiss flat", theirs?.faiss),
    row("exact, one query, p95", "ms", one.p95Ms, "–", undefined),
    row("exact, recall@10", "share", share, "–", undefined),
    row("search(), 8 bits first", "ms", fast, "NumPy", theirs?.numpy),
    row("search(), 8 bits first, L1", "ms", l1, "NumPy", theirs?.l1),
    row("search(), a plain Matrix", "ms", plain, "NumPy", theirs?.numpy),
    row("exact, 100 at once, each", "ms", batch, "NumPy", theirs?.numpyBatch),
    row("exact, 100 at once, each", "ms", batch, "faiss", theirs?.faissBatch),
  ];
}

async function benchHnsw(
  { path, ids, queries }: VectorFile,
  vectors: Matrix,
  truth: string[][],
  { log, peer, signal }: BenchContext,
): Promise<BenchRow[]> {
  log("HNSW: hnswlib");
  const settings = [`${RECALL}`, EF_SEARCH.join()];
  const args = ["hnsw", path, `${QUERIES}`, ...settings];
  const theirs = await peer("vectors.py", ...args);
  const at = (ef: number) => `hnswlib, efSearch ${ef}`;
  const rows: BenchRow[] = [];
  for (const numbers of ["i8", "f16", "f32"] as const) {
    log(`HNSW: ours, ${numbers}`);
    const index = await HnswIndex.open({ dimensions: DIMENSIONS, numbers });
    const start = performance.now();
    await index.put(ids, vectors, { signal });
    const seconds = (performance.now() - start) / 1000;
    let answers = await ask(index, queries), recall = 0, ef = 0;
    for (ef of EF_SEARCH) {
      index.setEfSearch(ef);
      answers = await ask(index, queries);
      recall = recallOf(answers.ids, truth);
      if (recall >= RECALL) break;
    }
    const what = `HNSW, ${numbers}`, query = `${what}, efSearch ${ef}`;
    rows.push(
      row(`${what}, build`, "s", seconds, "hnswlib", theirs?.seconds),
      row(query, "ms", answers.medianMs, at(theirs?.ef), theirs?.ms),
      row(`${query}, p95`, "ms", answers.p95Ms, at(theirs?.ef), theirs?.p95),
      row(`${query}, recall@10`, "share", recall, "–", undefined),
    );
    await index.close();
  }
  log(`hnswlib: recall ${theirs?.recall}`);
  return rows;
}

async function benchChroma(
  { path, ids, rows, queries }: VectorFile,
  { log, peer, signal }: BenchContext,
): Promise<BenchRow[]> {
  const vectors = rows(0, CHROMA_COUNT);
  const truth = await truthOf(queries, vectors);
  const own = await onServer(async (chroma) => {
    log("Chroma: ours");
    const index = await openChromaIndex(chroma, {
      dataset: "bench",
      encoder: "clustered",
      dimensions: DIMENSIONS,
    });
    const start = performance.now();
    await index.put(ids.slice(0, CHROMA_COUNT), vectors, { signal });
    const seconds = (performance.now() - start) / 1000;
    const answers = await ask(index, queries);
    return { ...answers, seconds, recall: recallOf(answers.ids, truth) };
  });
  const theirs = await onServer(({ url }) => {
    log("Chroma: its Python client");
    const { port } = new URL(url);
    const args = [path, `${QUERIES}`, `${CHROMA_COUNT}`, port];
    return peer("vectors.py", "chroma", ...args);
  });
  const client = "Chroma's Python client";
  return [
    row("Chroma, 30,000 added", "s", own.seconds, client, theirs?.seconds),
    row(
      "Chroma, 30,000 added",
      "s",
      own.seconds,
      `${client}, a number beside each`,
      theirs?.withNumbers,
    ),
    row("Chroma, one query", "ms", own.medianMs, client, theirs?.ms),
    row("Chroma, one query, p95", "ms", own.p95Ms, client, theirs?.p95),
    row("Chroma, recall@10", "share", own.recall, "–", undefined),
  ];
}

/** Runs with a server of its own, whose files are deleted in the end. */
async function onServer<Result>(
  run: (chroma: Awaited<ReturnType<typeof startChroma>>) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(benchFolder, "chroma-"));
  const chroma = await startChroma({ folder });
  try {
    return await run(chroma);
  } finally {
    await chroma.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
