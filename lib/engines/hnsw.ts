/**
 * Vectors in an HNSW index (Malkov & Yashunin, arXiv:1603.09320) in this
 * process: a graph finds candidates, and these are compared exactly.
 *
 * hnsw_graph.ts is the graph, hnsw_nodes.ts whose vectors its nodes are,
 * hnsw_nearest.ts the way from a query to its hits, hnsw_reach.ts whether the
 * graph finds what is in it, hnsw_files.ts what of it all is in files, which
 * hnsw_read.ts reads and hnsw_write.ts writes when hnsw_saves.ts says so.
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
import { setImmediate } from "node:timers/promises";
import { Matrix } from "../compare/matrix.ts";
import { type MetricName, metricOf } from "../compare/metrics.ts";
import { checkK, checkPut, checkVector, type Expected } from "./checks.ts";
import type {
  AskOptions,
  PutOptions,
  VectorHit,
  VectorIndex,
} from "./engines.ts";
import { IndexTaken } from "./hnsw_files.ts";
import {
  completeSettings,
  type GraphSettings,
  peakOf,
  roomFor,
  sizesOf,
} from "./hnsw_graph.ts";
import { nearestOf } from "./hnsw_nearest.ts";
import { fingerprintOf, HnswNodes, partOf } from "./hnsw_nodes.ts";
import { HnswReach } from "./hnsw_reach.ts";
import { readNodes } from "./hnsw_read.ts";
import { HnswSaves } from "./hnsw_saves.ts";
import { Turns } from "./turns.ts";

/** What is opened, and how. */
export interface HnswOptions extends GraphSettings {
  /** Where it is kept; left out, in memory alone. */
  folder?: string;
  /** Its files' name in the folder. @default "vectors" */
  name?: string;
  /** Whose vectors these are: files of another encoder are refused. */
  encoder?: string;
  /**
   * Among how many vectors a query looks, never fewer than twice as many as it
   * asks for: more find more, and take longer. May be changed at any time.
   *
   * @default 240
   */
  efSearch?: number;
  /**
   * Where the exact vectors are, if the caller has them: a row for each id, NaN
   * throughout where there is none. Left out, the index keeps a copy.
   */
  vectorsOf?: (ids: readonly string[]) => Matrix | Promise<Matrix>;
  /**
   * Told why the folder cannot be written, or is another program's by now; the
   * index then goes on in memory alone. Left out, what changes it throws that.
   */
  onUnkept?: (error: Error) => void;
}

/** Aim for how long the graph holds the program up at once. */
const BATCH_MS = 100;

/** An index in this process. */
export class HnswIndex implements VectorIndex {
  readonly engine = "hnsw";
  readonly dimensions: number;
  readonly #expected: Expected;
  readonly #saves: HnswSaves;
  readonly #reach: HnswReach;
  readonly #vectorsOf: HnswOptions["vectorsOf"];
  #nodes: HnswNodes;
  #efSearch: number;
  /** Changes come one after another. */
  readonly #turns = new Turns();
  /** Vectors that the graph takes at once. */
  #batch = 200;
  #isClosed = false;

  private constructor(
    { dimensions, efSearch = 240, vectorsOf }: HnswOptions,
    nodes: HnswNodes,
    saves: HnswSaves,
  ) {
    this.dimensions = dimensions;
    const sizes = sizesOf(nodes.graph.settings);
    this.#expected = { caller: "HNSW", dimensions, sizes };
    this.#nodes = nodes;
    this.#saves = saves;
    this.#reach = new HnswReach(this);
    this.#vectorsOf = vectorsOf;
    this.#efSearch = checkedEf(efSearch);
  }

  /**
   * Opens an index with what its files hold. Where the graph is damaged, or was
   * built with other settings, and the index keeps its vectors, another graph is
   * built of them; else such files count for nothing. Either is said in a line on
   * standard error, and the next `put` writes new ones. Several programs may read
   * one folder's files; of those that write them, the first does, and the others
   * are told.
   *
   * @throws {RangeError} If a setting is out of its range, or the files hold
   *   another encoder's vectors, or vectors of another length.
   */
  static async open(options: HnswOptions): Promise<HnswIndex> {
    const { folder, name = "vectors", encoder = "", efSearch = 1 } = options;
    checkedEf(efSearch);
    const settings = completeSettings(options);
    if (!/^[^/\\]+$/.test(name)) {
      throw new RangeError(
        `HNSW: expected the name of a file, got ${JSON.stringify(name)}`,
      );
    }
    const place = folder === undefined ? undefined : { folder, name, encoder };
    const kept = !options.vectorsOf;
    const { nodes = new HnswNodes(settings, kept), version } = place
      ? await readNodes(place, settings, kept)
      : { version: 0 };
    const saves = new HnswSaves(place, version, options.onUnkept);
    return new HnswIndex(options, nodes, saves);
  }

  get label(): string {
    const { numbers, maxNeighbors } = this.settings;
    const bits = { i8: 8, f16: 16, f32: 32 }[numbers];
    return `HNSW, ${bits} bits, M ${maxNeighbors}, efSearch ${this.#efSearch}`;
  }

  /** How the graph is built. */
  get settings(): Required<GraphSettings> {
    return this.#nodes.graph.settings;
  }

  /** Memory of the graph, in bytes: what its file is long, all but some. */
  get graphBytes(): number {
    const { graph, rows } = this.#nodes;
    return graph.nodeBytes * rows.length;
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
    return Promise.resolve(this.#nodes.count);
  }

  async nearest(
    query: Float32Array,
    k: number,
    options: AskOptions = {},
  ): Promise<VectorHit[]> {
    checkVector(this.#expected, query, "the query");
    const queries = new Matrix(query, query.length);
    return (await this.nearestBatch(queries, k, options))[0];
  }

  async nearestBatch(
    queries: Matrix,
    k: number,
    options: AskOptions = {},
  ): Promise<VectorHit[][]> {
    this.#checkOpen();
    for (const [row, query] of Array.from(queries).entries()) {
      checkVector(this.#expected, query, `query ${row}`);
    }
    checkK("HNSW", k);
    metricOf(options.metric ?? "cosine");
    const lists: VectorHit[][] = [];
    const isSound = queries.count === 0 ||
      await this.#reach.isSound(this.#nodes);
    for (let start = 0; start < queries.count; start += 64) {
      if (start > 0) await setImmediate();
      const part = queries.slice(start, start + 64);
      const nodes = this.#nodes;
      lists.push(...await nearestOf(this, nodes, part, k, options, isSound));
    }
    return lists;
  }

  async compare(
    query: Float32Array,
    ids: readonly string[],
    metric: MetricName = "cosine",
  ): Promise<Float32Array> {
    checkVector(this.#expected, query, "the query");
    const { measure } = metricOf(metric);
    if (this.#vectorsOf) {
      const vectors = await this.vectors(ids);
      return Float32Array.from(vectors, (vector) => measure(query, vector));
    }
    this.#checkOpen();
    return Float32Array.from(ids, (id) => {
      const vector = this.#nodes.vector(id);
      return vector ? measure(query, vector) : NaN;
    });
  }

  async vectors(ids: readonly string[]): Promise<Matrix> {
    this.#checkOpen();
    if (this.#vectorsOf) return await this.#vectorsOf(ids);
    const vectors = Matrix.zeros(ids.length, this.dimensions);
    for (const [row, id] of ids.entries()) {
      const vector = this.#nodes.vector(id);
      if (vector) vectors.set(row, vector);
      else vectors.row(row).fill(NaN);
    }
    return vectors;
  }

  async put(
    ids: readonly string[],
    vectors: Matrix,
    options: PutOptions = {},
  ): Promise<void> {
    this.#checkOpen();
    checkPut(this.#expected, ids, vectors);
    await this.#turns.take(() => this.#put(ids, vectors, options));
  }

  async remove(ids: readonly string[]): Promise<void> {
    this.#checkOpen();
    await this.#turns.take(async () => {
      const before = this.#nodes.count;
      this.#nodes.remove(ids);
      if (this.#nodes.count === before) return;
      this.#saves.isDone = false;
      await this.#settle();
    });
  }

  async close(): Promise<void> {
    await this.#turns.take(async () => {
      try {
        await this.#saves.save(this.#nodes);
      } catch (error) {
        // A full disk may have room later, and this be closed again.
        if (error instanceof IndexTaken) this.#isClosed = true;
        throw error;
      }
      this.#isClosed = true;
    });
  }

  async #put(
    ids: readonly string[],
    vectors: Matrix,
    { onProgress, signal }: PutOptions,
  ): Promise<void> {
    const fingerprints: string[] = [];
    const changed: number[] = [];
    let peak = 0;
    for (let row = 0; row < ids.length; row++) {
      signal?.throwIfAborted();
      const vector = vectors.row(row);
      fingerprints.push(fingerprintOf(vector));
      if (!this.#nodes.has(ids[row], fingerprints[row])) {
        changed.push(row);
        peak = Math.max(peak, peakOf(vector, this.settings));
      }
      if (row % 2000 === 1999) await setImmediate();
    }
    let done = ids.length - changed.length;
    onProgress?.(done, ids.length);
    const { count, graph } = this.#nodes;
    if (count === 0 || peak > graph.peak) {
      await this.#rebuild(roomFor(peak), signal);
    }
    this.#nodes.expect(changed.length);
    try {
      for (let start = 0; start < changed.length;) {
        signal?.throwIfAborted();
        const rows = changed.slice(start, start + this.#batch);
        const from = performance.now();
        this.#saves.isDone = false;
        this.#nodes.insert(
          rows.map((row) => ids[row]),
          partOf(vectors, rows),
          rows.map((row) => fingerprints[row]),
        );
        start += rows.length;
        const pace = BATCH_MS / (performance.now() - from) * rows.length;
        this.#batch = Math.max(20, Math.min(2000, Math.round(pace)));
        if (this.#saves.isDue) await this.#saves.save(this.#nodes);
        onProgress?.(done += rows.length, ids.length);
        await setImmediate();
      }
    } finally {
      await this.#settle();
    }
  }

  /** After changes: a graph that is worn is built anew, and all is saved. */
  async #settle(): Promise<void> {
    if (this.#nodes.isWorn) await this.#rebuild();
    await this.#saves.save(this.#nodes);
    // Now, and not while a query waits for it.
    await this.#reach.isSound(this.#nodes).catch(() => {});
  }

  /**
   * Builds the graph of what is there, beside the one that answers meanwhile.
   *
   * @param peak For which it is to have room.
   */
  async #rebuild(
    peak = this.#nodes.graph.peak,
    signal?: AbortSignal,
  ): Promise<void> {
    const ids = [...this.#nodes.ids()];
    const fresh = new HnswNodes(this.settings, !this.#vectorsOf, peak);
    for (let start = 0; start < ids.length; start += this.#batch) {
      signal?.throwIfAborted();
      const part = ids.slice(start, start + this.#batch);
      const vectors = await this.vectors(part);
      // Who has the vectors may have lost some since.
      const there = [...part.keys()].filter((row) =>
        vectors.row(row).every(Number.isFinite)
      );
      fresh.insert(there.map((row) => part[row]), vectors.pick(there));
      await setImmediate();
    }
    this.#nodes = fresh;
  }

  #checkOpen(): void {
    if (this.#isClosed) {
      throw new Error("HNSW: the index is closed: open it again");
    }
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
