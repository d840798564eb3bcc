/**
 * Three engines that find the vectors nearest to a query, asked in one way:
 *
 * | engine   | where vectors are    | finds            | for                     |
 * | -------- | -------------------- | ---------------- | ----------------------- |
 * | `exact`  | this process         | all of them      | up to some 100,000      |
 * | `hnsw`   | this process, a file | nearly all       | up to some millions     |
 * | `chroma` | a server             | nearly all       | more, or several machines |
 *
 * Beside this file: exact.ts, hnsw.ts and chroma/, one engine each, and checks.ts,
 * what all of them ask of what they are given.
 *
 * Touches no files.
 *
 * ```ts
 * import { ENGINES } from "#lib/engines/engines.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(ENGINES, ["exact", "hnsw", "chroma"]);
 * ```
 *
 * @module
 */
import type { Metadata, Where } from "chromadb";
import type { Matrix } from "../compare/matrix.ts";
import type { MetricName } from "../compare/metrics.ts";

/** The engines' names, as a command takes them. */
export const ENGINES = ["exact", "hnsw", "chroma"] as const;

/** One of them. */
export type EngineName = typeof ENGINES[number];

/** One result: whose vector, and how it compares. */
export interface VectorHit {
  id: string;
  /** The metric's value, exact as far as 32-bit numbers are. */
  value: number;
}

/** Which vectors count, said twice: for a database, and for a program. */
export interface VectorFilter {
  /** By what is kept beside the vectors. */
  where?: Where;
  /** By id. What a database does not keep, this still leaves out. */
  passes(id: string): boolean;
}

/** How to ask. */
export interface AskOptions {
  /** @default "cosine" */
  metric?: MetricName;
  /** Left out, all vectors count. */
  filter?: VectorFilter;
}

/** What is put in beside vectors, and how that is watched. */
export interface PutOptions {
  /**
   * For each id, what a database's filter can ask for, in place of what is kept
   * of it; where left out, that stays.
   */
  metadata?: readonly Metadata[];
  /** Called after each batch; what was there already counts as done. */
  onProgress?: (done: number, total: number) => void;
  /** Stops between two batches, by throwing its reason; what is in stays. */
  signal?: AbortSignal;
}

/** Vectors, each under an id, that can be asked for those nearest to a query. */
export interface VectorIndex {
  readonly engine: EngineName;
  /** What it is and how it is set: "HNSW, 8 bits, M 20, efSearch 240". */
  readonly label: string;
  /** Length of every vector. */
  readonly dimensions: number;

  /** How many vectors there are. */
  count(): Promise<number>;

  /**
   * The `k` nearest, best first; fewer where fewer count. An engine other than
   * `exact` can miss one.
   *
   * @throws {RangeError} If the query has another length, or a value that is no
   *   finite number, the metric is none, or k is not a whole number of 1 or more.
   */
  nearest(
    query: Float32Array,
    k: number,
    options?: AskOptions,
  ): Promise<VectorHit[]>;

  /** The same for many queries at once: a list of hits for each. */
  nearestBatch(
    queries: Matrix,
    k: number,
    options?: AskOptions,
  ): Promise<VectorHit[][]>;

  /** How the vectors of these ids compare, in their order; NaN where there is none. */
  compare(
    query: Float32Array,
    ids: readonly string[],
    metric?: MetricName,
  ): Promise<Float32Array>;

  /** The vectors of these ids, a row each; NaN throughout where there is none. */
  vectors(ids: readonly string[]): Promise<Matrix>;

  /**
   * Puts vectors in, in place of those that have these ids; what is there
   * already and equal is passed over.
   *
   * @throws {RangeError} Before anything is put in, if lengths or counts differ,
   *   an id is empty or comes twice, or a value is no finite number.
   */
  put(
    ids: readonly string[],
    vectors: Matrix,
    options?: PutOptions,
  ): Promise<void>;

  /** Takes these out; ids that are not there count for nothing. */
  remove(ids: readonly string[]): Promise<void>;

  /** Writes what a file keeps, and frees memory. */
  close(): Promise<void>;
}
