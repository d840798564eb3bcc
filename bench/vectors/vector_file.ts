/**
 * The vectors that `task bench vectors` and its peers search: drawn once, kept
 * as a `.npy` file that both sides read, its last rows being the queries.
 *
 * @module
 */
import { existsSync, readSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { Matrix } from "../../lib/compare/matrix.ts";
import { NPY_HEADER_BYTES, npyHeader } from "../../lib/compare/npy.ts";
import { eachClusteredVector } from "../../lib/compare/synthetic.ts";
import type { VectorHit, VectorIndex } from "../../lib/engines/engines.ts";
import { type BenchContext, benchFolder, median } from "../harness.ts";

/** Length of every vector, as CLIP's. */
export const DIMENSIONS = 512;
/** How many queries there are, behind the gallery. */
export const QUERIES = 200;
/** Of how many results recall is told. */
export const K = 10;

const ROW_BYTES = 4 * DIMENSIONS;

/** A gallery in a file, and queries. */
export interface VectorFile {
  path: string;
  /** Rows of the gallery; its ids are their numbers. */
  count: number;
  ids: string[];
  queries: Matrix;
  /** So many rows from one on. */
  rows(start: number, count: number): Matrix;
  /** The rows of these ids. */
  vectorsOf(ids: readonly string[]): Matrix;
  close(): Promise<void>;
}

/** Opens the file of so many unit vectors in 50 clusters; draws them first. */
export async function openVectors(
  count: number,
  { signal, log }: Pick<BenchContext, "signal" | "log">,
): Promise<VectorFile> {
  const path = join(benchFolder, `clustered_${count}x${DIMENSIONS}.npy`);
  if (!existsSync(path)) {
    log(`drawing ${count} vectors, once`);
    await draw(path, count + QUERIES, signal);
  }
  const file = await open(path);
  // A row comes sooner so than by a promise: an index asks for some 40 a query.
  const read = (numbers: Float32Array, row: number) => {
    const bytes = new Uint8Array(
      numbers.buffer,
      numbers.byteOffset,
      numbers.byteLength,
    );
    // One call reads 2 GB at most.
    for (let done = 0; done < bytes.length;) {
      const at = NPY_HEADER_BYTES + row * ROW_BYTES + done;
      const length = Math.min(2 ** 28, bytes.length - done);
      const bytesRead = readSync(file.fd, bytes, done, length, at);
      if (bytesRead === 0) throw new Error(`${path} is cut off: delete it`);
      done += bytesRead;
    }
  };
  const rows = (start: number, count: number) => {
    const matrix = Matrix.zeros(count, DIMENSIONS);
    read(matrix.data, start);
    return matrix;
  };
  return {
    path,
    count,
    ids: Array.from({ length: count }, (_, row) => `${row}`),
    queries: rows(count, QUERIES),
    rows,
    vectorsOf(ids) {
      const matrix = Matrix.zeros(ids.length, DIMENSIONS);
      ids.forEach((id, place) => read(matrix.row(place), Number(id)));
      return matrix;
    },
    close: () => file.close(),
  };
}

/** How an engine answers all queries, one after another. */
export interface Answers {
  ids: string[][];
  medianMs: number;
  p95Ms: number;
}

/** Asks an engine each query once, after a few that do not count. */
export async function ask(
  index: VectorIndex,
  queries: Matrix,
): Promise<Answers> {
  const idsOf = (hits: VectorHit[]) => hits.map(({ id }) => id);
  for (const query of queries.slice(0, 20)) await index.nearest(query, K);
  const times: number[] = [], ids: string[][] = [];
  for (const query of queries) {
    const start = performance.now();
    const hits = await index.nearest(query, K);
    times.push(performance.now() - start);
    ids.push(idsOf(hits));
  }
  return { ids, medianMs: median(times), p95Ms: p95(times) };
}

/** The time that one in twenty exceeds. */
export function p95(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(0.95 * times.length)];
}

/** The share of the true nearest that were found. */
export function recallOf(found: string[][], truth: string[][]): number {
  const hits = found.map((ids, query) =>
    ids.filter((id) => truth[query].includes(id)).length
  );
  return hits.reduce((a, b) => a + b, 0) / (truth.length * K);
}

async function draw(path: string, count: number, signal: AbortSignal) {
  await mkdir(benchFolder, { recursive: true });
  const part = `${path}.part`;
  const file = await open(part, "w");
  try {
    await file.write(npyHeader(count, DIMENSIONS));
    const vectors = eachClusteredVector(DIMENSIONS);
    for (let row = 0; row < count;) {
      signal.throwIfAborted();
      const block = Matrix.empty(DIMENSIONS, 5000);
      while (block.count < 5000 && row < count) {
        block.append(vectors.next().value);
        row++;
      }
      const { buffer, byteLength } = block.data;
      await file.writeFile(new Uint8Array(buffer, 0, byteLength));
    }
  } finally {
    await file.close();
  }
  await rename(part, path);
}
