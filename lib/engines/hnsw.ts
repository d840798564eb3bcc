/**
 * Vectors in an HNSW index (Malkov & Yashunin, arXiv:1603.09320) in this
 * process: a graph finds candidates, and these are compared exactly.
 *
 * hnsw_graph.ts is the graph, hnsw_files.ts what of it is in files.
 *
 * A row is never written over: a changed vector gets a new row, the old one is
 * dead, and where most are dead the graph is built anew of those alive.
 *
 * ```ts
 * import { HnswIndex } from "#lib/engines/hnsw.ts";
 * import { clusteredVectors } from "#lib/compare/synthetic.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const vectors = clusteredVectors(500, 32);
 * const index = await HnswIndex.open({ dimensions: 32 });
 * await index.put(Array.from(vectors, (_, row) => `${row}.jpg`), vectors);
 * const [nearest] = await index.nearest(vectors.row(7), 10);
 * strictEqual(nearest.id, "7.jpg");
 * await index.close();
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { topK } from "../compare/compare.ts";
import { Matrix } from "../compare/matrix.ts";
import { type MetricName, metrics } from "../compare/metrics.ts";
import type {
  AskOptions,
  PutOptions,
  VectorHit,
  VectorIndex,
} from "./engines.ts";
import { type GraphSettings, HnswGraph } from "./hnsw_graph.ts";

/** What is opened, and how. */
export interface HnswOptions extends GraphSettings {
  /** Where it is kept; left out, in memory alone. */
  folder?: string;
  /** Its files' name in the folder. @default "vectors" */
  name?: string;
  /** Whose vectors these are: files of another encoder are refused. */
  encoder?: string;
  /**
   * Among how many vectors a query looks: more find more, and take longer. May
   * be changed at any time.
   *
   * @default 128
   */
  efSearch?: number;
  /**
   * Where the exact vectors are, if the caller has them: a row for each id, NaN
   * throughout where there is none. Left out, the index keeps a copy.
   */
  vectorsOf?: (ids: readonly string[]) => Matrix | Promise<Matrix>;
}

/** Rows that the graph takes at once, between which others have their turn. */
const BATCH = 500;

/** An index in this process. */
export class HnswIndex implements VectorIndex {
  readonly engine = "hnsw";
  readonly dimensions: number;
  #efSearch: number;
  readonly #vectorsOf: HnswOptions["vectorsOf"];
  #graph: HnswGraph;
  /** Whose each row is; undefined where it is dead. */
  #ids: (string | undefined)[] = [];
  /** What each row's vector is told by. */
  #prints: string[] = [];
  /** The row of each id. */
  #rows = new Map<string, number>();
  /** The exact vectors by row, unless the caller has them. */
  #vectors: Matrix;
  /** Changes come one after another. */
  #last: Promise<void> = Promise.resolve();

  private constructor(options: HnswOptions) {
    this.#graph = new HnswGraph(options);
    this.dimensions = options.dimensions;
    this.#vectors = Matrix.empty(options.dimensions, 0);
    this.#vectorsOf = options.vectorsOf;
    this.#efSearch = checkedEf(options.efSearch ?? 128);
  }

  /**
   * Opens an index, with what its files hold.
   *
   * @throws {RangeError} If a setting is out of its range.
   */
  static async open(options: HnswOptions): Promise<HnswIndex> {
    return await Promise.resolve(new HnswIndex(options));
  }

  get label(): string {
    const { numbers, maxNeighbors } = this.#graph.settings;
    const bits = { i8: 8, f16: 16, f32: 32 }[numbers];
    return `HNSW, ${bits} bits, M ${maxNeighbors}, efSearch ${this.#efSearch}`;
  }

  /** Among how many vectors a query looks. */
  get efSearch(): number {
    return this.#efSearch;
  }

  /**
   * Holds from the next query on.
   *
   * @throws {RangeError} If it is not a whole number of 1 or more.
   */
  setEfSearch(efSearch: number): void {
    this.#efSearch = checkedEf(efSearch);
  }

  count(): Promise<number> {
    return Promise.resolve(this.#rows.size);
  }

  async nearest(
    query: Float32Array,
    k: number,
    options: AskOptions = {},
  ): Promise<VectorHit[]> {
    const [hits] = await this.nearestBatch(Matrix.of([query]), k, options);
    return hits;
  }

  async nearestBatch(
    queries: Matrix,
    k: number,
    { metric = "cosine", filter }: AskOptions = {},
  ): Promise<VectorHit[][]> {
    this.#check("a query", queries);
    if (!Number.isInteger(k) || k < 1) {
      throw new RangeError(`HNSW: expected a whole k of 1 or more, got ${k}`);
    }
    const lists: VectorHit[][] = [];
    for (let row = 0; row < queries.count; row += 64) {
      const part = queries.slice(row, row + 64);
      const ef = Math.max(this.#efSearch, 4 * k);
      const found = this.#graph.search(part, ef);
      for (const [i, rows] of found.entries()) {
        const ids = rows.flatMap((row) => this.#ids[row] ?? [])
          .filter((id) => !filter || filter.passes(id));
        lists.push(await this.#rank(part.row(i), ids, k, metric));
      }
      await setImmediate();
    }
    return lists;
  }

  async compare(
    query: Float32Array,
    ids: readonly string[],
    metric: MetricName = "cosine",
  ): Promise<Float32Array> {
    this.#check("the query", Matrix.of([query]));
    const vectors = await this.vectors(ids);
    const { measure } = metrics[metric];
    return Float32Array.from(vectors, (vector) => measure(query, vector));
  }

  async vectors(ids: readonly string[]): Promise<Matrix> {
    if (this.#vectorsOf) return await this.#vectorsOf(ids);
    const vectors = Matrix.zeros(ids.length, this.dimensions);
    for (const [i, id] of ids.entries()) {
      const row = this.#rows.get(id);
      if (row === undefined) vectors.row(i).fill(NaN);
      else vectors.set(i, this.#vectors.row(row));
    }
    return vectors;
  }

  async put(
    ids: readonly string[],
    vectors: Matrix,
    { onProgress, signal }: PutOptions = {},
  ): Promise<void> {
    this.#check("a vector", vectors);
    if (ids.length !== vectors.count || new Set(ids).size !== ids.length) {
      throw new RangeError(
        `HNSW: expected a vector for each of ${ids.length} ids, each once, ` +
          `got ${vectors.count} vectors for ${new Set(ids).size}`,
      );
    }
    await this.#inTurn(async () => {
      const prints = Array.from(vectors, printOf);
      const isNew = (i: number) => {
        const row = this.#rows.get(ids[i]);
        return row === undefined || this.#prints[row] !== prints[i];
      };
      const changed = [...ids.keys()].filter(isNew);
      let done = ids.length - changed.length;
      onProgress?.(done, ids.length);
      for (let start = 0; start < changed.length; start += BATCH) {
        signal?.throwIfAborted();
        const batch = changed.slice(start, start + BATCH);
        this.#kill(batch.map((i) => ids[i]));
        const first = this.#ids.length;
        const rows = batch.map((_, place) => first + place);
        this.#graph.add(rows, vectors.pick(batch));
        for (const [place, i] of batch.entries()) {
          this.#ids.push(ids[i]);
          this.#prints.push(prints[i]);
          this.#rows.set(ids[i], first + place);
          if (!this.#vectorsOf) this.#vectors.append(vectors.row(i));
        }
        done += batch.length;
        onProgress?.(done, ids.length);
        await setImmediate();
      }
    });
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.#inTurn(() => Promise.resolve(this.#kill(ids)));
  }

  async close(): Promise<void> {
    await this.#last;
  }

  #kill(ids: readonly string[]): void {
    const dead = ids.flatMap((id) => this.#rows.get(id) ?? []);
    this.#graph.remove(dead);
    for (const row of dead) {
      this.#rows.delete(this.#ids[row]!);
      this.#ids[row] = undefined;
    }
  }

  async #rank(
    query: Float32Array,
    ids: string[],
    k: number,
    metric: MetricName,
  ): Promise<VectorHit[]> {
    const values = await this.compare(query, ids, metric);
    return topK(values, k, metrics[metric].better)
      .filter(({ value }) => !Number.isNaN(value))
      .map(({ index, value }) => ({ id: ids[index], value }));
  }

  #check(what: string, { data, dimensions, count }: Matrix): void {
    if (count > 0 && dimensions !== this.dimensions) {
      throw new RangeError(
        `HNSW: expected ${what} of ${this.dimensions} numbers, got ${dimensions}`,
      );
    }
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new RangeError(
        `HNSW: expected ${what} of finite numbers, got ${data[bad]} in row ` +
          Math.floor(bad / dimensions),
      );
    }
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

function checkedEf(efSearch: number): number {
  if (!Number.isInteger(efSearch) || efSearch < 1) {
    throw new RangeError(
      `HNSW: expected efSearch to be a whole number of 1 or more, got ${efSearch}`,
    );
  }
  return efSearch;
}

/** Tells a vector from another; 16 bytes, as text. */
function printOf(vector: Float32Array): string {
  return createHash("sha256").update(vector).digest("base64url").slice(0, 22);
}
