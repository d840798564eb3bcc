/**
 * The graph of an HNSW index, which usearch builds and searches: each vector
 * linked to some of its neighbours, so that a query walks from one to a nearer
 * one, and looks at some thousand vectors instead of all.
 *
 * Vectors are in it as rough as is wished, in 8 bits a number by default, and all
 * of one length, unless it is lengths that count: so their product tells the
 * angle, for a third of what an angle takes. What it finds are candidates: who
 * asks compares them exactly.
 *
 * Touches no files.
 *
 * ```ts
 * import { HnswGraph } from "#lib/engines/hnsw_graph.ts";
 * import { clusteredVectors } from "#lib/compare/synthetic.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const vectors = clusteredVectors(300, 32);
 * const graph = new HnswGraph({ dimensions: 32 });
 * graph.add(Array.from({ length: 300 }, (_, row) => row), vectors);
 * const [candidates] = graph.search(vectors.slice(7, 8), 20);
 * strictEqual(candidates[0], 7);
 * ```
 *
 * @module
 */
import { Index, MetricKind, ScalarKind } from "usearch";
import type { Matrix } from "../compare/matrix.ts";
import type { Expected } from "./checks.ts";

/** What a vector's numbers are kept in, inside the graph. */
export type GraphNumbers = "i8" | "f16" | "f32";

/** What the graph's links are arranged by. */
export type GraphMetric = "cosine" | "l2" | "correlation";

/** How a graph is built; another setting, another graph. */
export interface GraphSettings {
  /** Length of every vector. */
  dimensions: number;
  /** @default "cosine" */
  metric?: GraphMetric;
  /**
   * 8 bits by default. By `l2` 16, since rows of one length keep angles, but no
   * lengths.
   */
  numbers?: GraphNumbers;
  /** M: links of a vector, twice as many on the lowest layer. @default 20 */
  maxNeighbors?: number;
  /** Candidates among which a new vector's links are chosen. @default 80 */
  efConstruction?: number;
}

/** Vectors by numbers of the caller's, each 0 or more. */
export class HnswGraph {
  readonly settings: Required<GraphSettings>;
  /** The peak for which it has room. */
  readonly peak: number;
  readonly #index: Index;

  /**
   * @param peak What `peakOf` is at most of any vector: a tighter one leaves more
   *   of 8 bits to each number. One that is higher is in it with a shorter length,
   *   and found less often.
   * @throws {RangeError} If a setting is out of its range.
   */
  constructor(settings: GraphSettings, peak = 1) {
    const full = this.settings = completeSettings(settings);
    this.peak = peak;
    this.#index = new Index({
      dimensions: full.dimensions,
      metric: full.metric === "l2" ? MetricKind.L2sq : MetricKind.IP,
      quantization: SCALARS[full.numbers],
      connectivity: full.maxNeighbors,
      expansion_add: full.efConstruction,
      // It looks among as many as are asked for, if that is more than this: so
      // each search says its own.
      expansion_search: 1,
      multi: false,
    });
  }

  /** How many vectors are in it. */
  get count(): number {
    return Number(this.#index.size());
  }

  /** Memory of a node, in bytes, about. */
  get nodeBytes(): number {
    const { dimensions, numbers, maxNeighbors } = this.settings;
    const numberBytes = { i8: 1, f16: 2, f32: 4 }[numbers];
    // Links of four bytes: 2 M of them below, and one in M nodes lies higher.
    const links = 4 * (2 * maxNeighbors + 1 + 1);
    return dimensions * numberBytes + links + 10;
  }

  /**
   * Adds vectors under numbers that are not in it yet. Holds the program up
   * while it does, by all cores, once it is no small graph.
   */
  add(keys: readonly number[], vectors: Matrix): void {
    const all = BigUint64Array.from(keys, BigInt);
    const { dimensions } = vectors;
    const rough = this.#rough(vectors, this.peak);
    const step = this.count < IN_ORDER ? 1 : Math.max(1, keys.length);
    for (let start = 0; start < keys.length; start += step) {
      const end = start + step;
      const part = rough.subarray(start * dimensions, end * dimensions);
      this.#index.add(all.subarray(start, end), asFloats(part), 0);
    }
  }

  /** Takes these out. */
  remove(keys: readonly number[]): void {
    if (keys.length > 0) this.#index.remove(BigUint64Array.from(keys, BigInt));
  }

  /**
   * For each query, the numbers of vectors near it, the nearest first as far as
   * rough numbers tell.
   *
   * @param ef How many, and so among how many it looks: more, and fewer of the
   *   nearest are missed.
   */
  search(queries: Matrix, ef: number): number[][] {
    if (queries.count === 0 || this.count === 0) {
      return Array.from({ length: queries.count }, () => []);
    }
    // usearch makes room for as many as are asked for.
    const most = Math.min(ef, this.count);
    // Its length counts for nothing: so each has all 8 bits.
    const rough = asFloats(this.#rough(queries, 0));
    if (queries.count === 1) {
      return [numbersOf(this.#index.search(rough, most, 1).keys)];
    }
    // Typed for lists of vectors, where one long array does as well.
    const lists = rough as unknown as Float32Array[];
    const found = this.#index.search(lists, most, 0);
    return Array.from(queries, (_, query) => numbersOf(found.get(query).keys));
  }

  /** Writes the graph into a file. */
  save(path: string): void {
    this.#index.save(path);
  }

  /** Reads a file that `save` wrote with the same settings, whole. */
  load(path: string): void {
    this.#index.load(path);
  }

  /** Rows as the graph takes them: centred, of one length, where it is so set. */
  #rough({ data, dimensions }: Matrix, peak: number): Float32Array | Int8Array {
    const { metric, numbers } = this.settings;
    if (metric === "l2") return data;
    const isBytes = numbers === "i8";
    const rough = isBytes
      ? new Int8Array(data.length)
      : new Float32Array(data.length);
    for (let start = 0; start < data.length; start += dimensions) {
      const end = start + dimensions;
      const mean = metric === "correlation" ? meanOf(data, start, end) : 0;
      const { most, length } = sizeOf(data, start, end, mean);
      // An angle is the same at any length; a vector of zeros has none.
      const full = isBytes ? Math.max(most, peak * length) / 127 : length;
      const scale = most > 0 ? 1 / full : 0;
      if (rough instanceof Int8Array) {
        // Math.round() of numbers that 8 bits hold, in less time.
        for (let i = start; i < end; i++) {
          rough[i] = ((data[i] - mean) * scale + 128.5 | 0) - 128;
        }
      } else {
        for (let i = start; i < end; i++) rough[i] = (data[i] - mean) * scale;
      }
    }
    return rough;
  }
}

/**
 * usearch takes bytes as they are, but its JavaScript turns them into floats first,
 * of which it makes bytes by the vector's length: of 512 numbers that leaves some
 * 3 bits each. It goes by this name.
 */
function asFloats(rough: Float32Array | Int8Array): Float32Array {
  if (rough instanceof Int8Array) {
    Object.defineProperty(rough, "constructor", { value: Float32Array });
  }
  return rough as Float32Array;
}

/** Keys as numbers: of each 64 bits the lower half, which holds all of it. */
function numbersOf(keys: BigUint64Array): number[] {
  const halves = new Uint32Array(keys.buffer, keys.byteOffset, 2 * keys.length);
  return Array.from({ length: keys.length }, (_, i) => halves[2 * i]);
}

function meanOf(data: Float32Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += data[i];
  return sum / (end - start);
}

/** Its largest number, and its length. */
function sizeOf(data: Float32Array, start: number, end: number, mean: number) {
  let most = 0, squares = 0;
  for (let i = start; i < end; i++) {
    const value = data[i] - mean;
    squares += value * value;
    if (value > most) most = value;
    else if (-value > most) most = -value;
  }
  return { most, length: Math.sqrt(squares) };
}

/**
 * A vector's largest number, as a share of its length: from 1 / √dimensions to 1,
 * and 0 of one that has no length, or where it matters not: only 8 bits need room.
 */
export function peakOf(
  vector: Float32Array,
  { metric, numbers }: Required<GraphSettings>,
): number {
  if (numbers !== "i8") return 0;
  const end = vector.length;
  const mean = metric === "correlation" ? meanOf(vector, 0, end) : 0;
  const { most, length } = sizeOf(vector, 0, end, mean);
  return most > 0 ? most / length : 0;
}

/** The peak of a graph for vectors of such a peak, and somewhat higher ones. */
export function roomFor(peak: number): number {
  return peak > 0 ? Math.min(1, 1.5 * peak) : 1;
}

/**
 * A graph of fewer is built a vector at a time, and so is the same each time.
 * Of vectors that are added at once, some in 10,000 lose each other.
 */
const IN_ORDER = 5000;

const SCALARS = { i8: ScalarKind.I8, f16: ScalarKind.F16, f32: ScalarKind.F32 };

/**
 * The settings with what was left out.
 *
 * @throws {RangeError} If a setting is out of its range.
 */
export function completeSettings(
  settings: GraphSettings,
): Required<GraphSettings> {
  const { dimensions, metric = "cosine" } = settings;
  const { numbers = metric === "l2" ? "f16" : "i8" } = settings;
  const { maxNeighbors = 20, efConstruction = 80 } = settings;
  const fail = (name: string, expected: string, got: unknown): never => {
    throw new RangeError(
      `HNSW: expected ${name} to be ${expected}, got ${got}`,
    );
  };
  const check = (name: string, got: number, least: number, most: number) => {
    if (!Number.isInteger(got) || got < least || got > most) {
      fail(name, `a whole number from ${least} to ${most}`, got);
    }
  };
  check("dimensions", dimensions, 1, 65_536);
  check("maxNeighbors", maxNeighbors, 2, 512);
  check("efConstruction", efConstruction, 1, 100_000);
  if (!Object.hasOwn(SCALARS, numbers)) {
    fail("numbers", Object.keys(SCALARS).join(", "), numbers);
  }
  if (!["cosine", "l2", "correlation"].includes(metric)) {
    fail("metric", "cosine, l2 or correlation", metric);
  }
  if (metric === "l2" && numbers === "i8") {
    fail("numbers", "f16 or f32 where metric is l2", numbers);
  }
  return { dimensions, metric, numbers, maxNeighbors, efConstruction };
}

/**
 * How large a vector's largest number may be. Angles do not depend on it; of
 * distances, rough numbers leave nothing where it is too small, and the squares of
 * large ones are past all that 32 bits hold.
 */
export function sizesOf(
  { metric, numbers }: Required<GraphSettings>,
): Expected["sizes"] {
  if (metric !== "l2") return;
  return numbers === "f16"
    ? {
      least: 6.2e-5,
      most: 65_504,
      help: 'open the index with numbers "f32", or scale all vectors alike',
    }
    : { least: 1e-15, most: 1e15, help: "scale all vectors alike" };
}
