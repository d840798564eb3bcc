/**
 * The exact engine: every vector counts, none is missed. They are in memory, in
 * 32 bits and beside them in 8, which are looked at first.
 *
 * Reads only the kernels of lib/compare.
 *
 * ```ts
 * import { ExactIndex } from "#lib/engines/exact.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const index = new ExactIndex(2);
 * await index.put(["east", "north"], Matrix.of([[1, 0], [0, 1]]));
 * deepStrictEqual(await index.nearest(Float32Array.of(0, 2), 1), [
 *   { id: "north", value: 1 },
 * ]);
 * ```
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";
import type { Hit } from "../compare/compare.ts";
import { Matrix } from "../compare/matrix.ts";
import { type MetricName, metricOf } from "../compare/metrics.ts";
import { QuantizedGallery } from "../compare/quantized_gallery.ts";
import { checkK, checkPut, checkVector, type Expected } from "./checks.ts";
import type {
  AskOptions,
  PutOptions,
  VectorHit,
  VectorIndex,
} from "./engines.ts";

/** Vectors put in before others get a turn: some ten milliseconds. */
const BATCH = 2000;

/** Finds the nearest of all vectors. */
export class ExactIndex implements VectorIndex {
  readonly engine = "exact";
  readonly label: string = "exact, 8 bits first";
  readonly dimensions: number;
  readonly #expected: Expected;
  readonly #vectors: Matrix;
  readonly #gallery: QuantizedGallery;
  readonly #ids: string[] = [];
  readonly #rows: Map<string, number> = new Map();

  /** An empty one, for vectors of this length. */
  constructor(dimensions: number) {
    if (!Number.isInteger(dimensions) || dimensions < 1) {
      throw new RangeError(
        `ExactIndex: expected a whole length of 1 or more, got ${dimensions}`,
      );
    }
    this.dimensions = dimensions;
    this.#expected = { caller: "ExactIndex", dimensions };
    this.#vectors = Matrix.empty(dimensions);
    this.#gallery = QuantizedGallery.of(this.#vectors);
  }

  // deno-lint-ignore require-await -- throws as a promise
  async count(): Promise<number> {
    return this.#ids.length;
  }

  // deno-lint-ignore require-await
  async nearest(
    query: Float32Array,
    k: number,
    { metric = "cosine", filter }: AskOptions = {},
  ): Promise<VectorHit[]> {
    checkVector(this.#expected, query, "the query");
    checkK("ExactIndex", k);
    const passes = filter && ((row: number) => filter.passes(this.#ids[row]));
    return this.#named(this.#gallery.nearest(query, metric, k, passes));
  }

  async nearestBatch(
    queries: Matrix,
    k: number,
    options: AskOptions = {},
  ): Promise<VectorHit[][]> {
    for (const [row, query] of Array.from(queries).entries()) {
      checkVector(this.#expected, query, `query ${row}`);
    }
    checkK("ExactIndex", k);
    const { metric = "cosine", filter } = options;
    const passes = filter && ((row: number) => filter.passes(this.#ids[row]));
    const named = (hits: Hit[]) => this.#named(hits);
    return await this.#gallery.nearestBatch(queries, metric, k, named, passes);
  }

  #named(hits: Hit[]): VectorHit[] {
    return hits.map(({ index, value }) => ({ id: this.#ids[index], value }));
  }

  // deno-lint-ignore require-await
  async compare(
    query: Float32Array,
    ids: readonly string[],
    metric: MetricName = "cosine",
  ): Promise<Float32Array> {
    checkVector(this.#expected, query, "the query");
    const { measure } = metricOf(metric);
    return Float32Array.from(ids, (id) => {
      const row = this.#rows.get(id);
      return row === undefined ? NaN : measure(query, this.#vectors.row(row));
    });
  }

  // deno-lint-ignore require-await
  async vectors(ids: readonly string[]): Promise<Matrix> {
    const found = Matrix.zeros(ids.length, this.dimensions);
    ids.forEach((id, place) => {
      const row = this.#rows.get(id);
      if (row === undefined) found.row(place).fill(NaN);
      else found.set(place, this.#vectors.row(row));
    });
    return found;
  }

  async put(
    ids: readonly string[],
    vectors: Matrix,
    { onProgress, signal }: PutOptions = {},
  ): Promise<void> {
    checkPut(this.#expected, ids, vectors);
    for (let start = 0; start < ids.length; start += BATCH) {
      signal?.throwIfAborted();
      const end = Math.min(ids.length, start + BATCH);
      const changed = new Set<number>();
      for (let i = start; i < end; i++) {
        this.#put(ids[i], vectors.row(i), changed);
      }
      this.#gallery.refresh(changed);
      onProgress?.(end, ids.length);
      if (end < ids.length) await setImmediate();
    }
  }

  #put(id: string, vector: Float32Array, changed: Set<number>): void {
    const row = this.#rows.get(id);
    if (row === undefined) {
      this.#rows.set(id, this.#ids.length);
      this.#ids.push(id);
      this.#vectors.append(vector);
    } else if (vector.some((x, i) => x !== this.#vectors.row(row)[i])) {
      this.#vectors.set(row, vector);
      changed.add(row);
    }
  }

  // deno-lint-ignore require-await
  async remove(ids: readonly string[]): Promise<void> {
    const changed = new Set<number>();
    for (const id of ids) {
      const row = this.#rows.get(id);
      if (row === undefined) continue;
      // The last one takes its place.
      const last = this.#ids.length - 1, moved = this.#ids[last];
      this.#vectors.set(row, this.#vectors.row(last));
      this.#ids[row] = moved;
      this.#rows.set(moved, row);
      this.#rows.delete(id);
      this.#ids.pop();
      this.#vectors.shorten(last);
      changed.add(row);
    }
    this.#gallery.refresh(changed);
  }

  /** Nothing is kept in files. */
  async close(): Promise<void> {}
}
