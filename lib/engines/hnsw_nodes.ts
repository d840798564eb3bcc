/**
 * What an HNSW index holds: the graph's nodes, whose vectors they are, and what
 * tells a vector from another.
 *
 * Equal vectors are one node. Two thousand copies of one picture would be linked
 * to each other alone, and 2 in 100 of the other pictures were not found any more.
 *
 * Touches no files.
 *
 * ```ts
 * import { HnswNodes } from "#lib/engines/hnsw_nodes.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const nodes = new HnswNodes({ dimensions: 2 }, true);
 * nodes.insert(["a", "copy of a", "b"], Matrix.of([[3, 4], [3, 4], [1, 0]]));
 * deepStrictEqual(nodes.candidates(Matrix.of([[3, 4]]), 1, 9), [["a", "copy of a"]]);
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Matrix } from "../compare/matrix.ts";
import { type GraphSettings, HnswGraph } from "./hnsw_graph.ts";

/** A node as a file keeps it: its vector's fingerprint, and the ids it is of. */
export type NodeRow = [fingerprint: string, ...ids: string[]];

/** What all vectors have in common, so that some metrics rank them alike. */
export interface VectorTraits {
  /** All are of length 1: near by angle is near by distance. */
  isUnit: boolean;
  /** All have a mean of about 0: correlation is about their cosine. */
  isCentred: boolean;
}

/** Ids, each of a node of the graph. */
export class HnswNodes {
  readonly graph: HnswGraph;
  /** The vector of each node, unless somebody else has them. */
  readonly vectors: Matrix | undefined;
  traits: VectorTraits = { isUnit: true, isCentred: true };
  /** How often a node came or went. */
  changes = 0;
  /** By node; a free one has no ids. */
  readonly #rows: NodeRow[];
  readonly #nodeOf = new Map<string, number>();
  readonly #byFingerprint = new Map<string, number>();
  readonly #free: number[] = [];

  /**
   * @param kept Whether it keeps the vectors, too.
   * @param peak For which the graph has room.
   * @param rows What a file had; the graph and the vectors are then the caller's
   *   to fill.
   */
  constructor(
    settings: GraphSettings,
    kept: boolean,
    peak = 1,
    rows: NodeRow[] = [],
    vectors: Matrix = Matrix.empty(settings.dimensions, 0),
  ) {
    this.graph = new HnswGraph(settings, peak);
    this.vectors = kept ? vectors : undefined;
    this.#rows = rows;
    for (const [node, [fingerprint, ...ids]] of rows.entries()) {
      if (ids.length === 0) this.#free.push(node);
      else this.#byFingerprint.set(fingerprint, node);
      for (const id of ids) this.#nodeOf.set(id, node);
    }
  }

  /** How many ids there are. */
  get count(): number {
    return this.#nodeOf.size;
  }

  /** Whether so many nodes are free that walks through them take long. */
  get isWorn(): boolean {
    return this.#free.length > this.#rows.length / 2;
  }

  /** By node. */
  get rows(): readonly NodeRow[] {
    return this.#rows;
  }

  ids(): Iterable<string> {
    return this.#nodeOf.keys();
  }

  /** Whether that id has a vector of this fingerprint. */
  has(id: string, fingerprint: string): boolean {
    const node = this.#nodeOf.get(id);
    return node !== undefined && this.#rows[node][0] === fingerprint;
  }

  /** The vector that is kept for an id. */
  vector(id: string): Float32Array | undefined {
    const node = this.#nodeOf.get(id);
    return node === undefined ? undefined : this.vectors?.row(node);
  }

  /** Makes room for so many more, where that is more than there is. */
  expect(more: number): void {
    const { length } = this.#rows;
    if (more > length) this.vectors?.reserve(length + more);
  }

  /** Puts vectors in, in place of those that have these ids. */
  insert(
    ids: readonly string[],
    vectors: Matrix,
    fingerprints: readonly string[] = Array.from(vectors, fingerprintOf),
  ): void {
    this.remove(ids);
    const fresh = new Map<number, number>();
    for (const [i, id] of ids.entries()) {
      const fingerprint = fingerprints[i];
      let node = this.#byFingerprint.get(fingerprint);
      if (node === undefined) {
        node = this.#free.pop() ?? this.#rows.length;
        this.#rows[node] = [fingerprint];
        this.#byFingerprint.set(fingerprint, node);
        fresh.set(node, i);
      }
      this.#rows[node].push(id);
      this.#nodeOf.set(id, node);
    }
    for (const [node, i] of fresh) {
      if (!this.vectors) break;
      if (node < this.vectors.count) this.vectors.set(node, vectors.row(i));
      else this.vectors.append(vectors.row(i));
    }
    const added = partOf(vectors, [...fresh.values()]);
    for (const vector of added) this.#look(vector);
    this.graph.add([...fresh.keys()], added);
    this.changes += fresh.size;
  }

  /** Takes ids out, and nodes that are nobody's any more. */
  remove(ids: readonly string[]): void {
    const dead: number[] = [];
    for (const id of ids) {
      const node = this.#nodeOf.get(id);
      if (node === undefined) continue;
      this.#nodeOf.delete(id);
      const [fingerprint, ...all] = this.#rows[node];
      const others = all.filter((other) => other !== id);
      this.#rows[node] = [fingerprint, ...others];
      if (others.length > 0) continue;
      this.#byFingerprint.delete(fingerprint);
      dead.push(node);
    }
    this.graph.remove(dead);
    this.changes += dead.length;
    this.#free.push(...dead);
  }

  #look(vector: Float32Array): void {
    let sum = 0, squares = 0;
    for (let i = 0; i < vector.length; i++) {
      sum += vector[i];
      squares += vector[i] * vector[i];
    }
    if (Math.abs(squares - 1) > 1e-3) this.traits.isUnit = false;
    // The cosine of the vector with one of equal numbers.
    const tilt = Math.abs(sum) / Math.sqrt(squares * vector.length);
    if (!(tilt < .2)) this.traits.isCentred = false;
  }

  /**
   * For each query, the first `count` ids that pass, of `ef` nodes near it,
   * about the nearest first.
   */
  candidates(
    queries: Matrix,
    ef: number,
    count: number,
    passes: (id: string) => boolean = () => true,
  ): string[][] {
    return this.graph.search(queries, ef).map((nodes) => {
      const ids: string[] = [];
      for (const node of nodes) {
        const row = this.#rows[node];
        for (let i = 1; i < row.length; i++) {
          if (ids.length === count) return ids;
          if (passes(row[i])) ids.push(row[i]);
        }
      }
      return ids;
    });
  }
}

/** Rows of rising numbers; a view where they follow one another. */
export function partOf(vectors: Matrix, rows: readonly number[]): Matrix {
  const first = rows[0] ?? 0, end = (rows.at(-1) ?? -1) + 1;
  return end - first === rows.length
    ? vectors.slice(first, end)
    : vectors.pick(rows);
}

/** Tells a vector from another: 128 bits, as text. */
export function fingerprintOf(vector: Float32Array): string {
  return createHash("sha256").update(vector).digest("base64url").slice(0, 22);
}
