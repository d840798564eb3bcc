/**
 * The two sums over pixels that all four metrics come down to, 16 bytes at a
 * time (WebAssembly SIMD):
 *
 * ```text
 * differences   Σ |g − q|    L1 distance
 * products      Σ g q        L2 distance, cosine, correlation
 * ```
 *
 * Rows and queries are bytes, padded with zeros to a multiple of 16, which
 * adds nothing to either sum. Both sums are whole numbers below 2⁵³, and exact.
 *
 * Several queries are compared in one pass, since reading the gallery from
 * memory takes about as long as computing on it.
 *
 * Touches no files.
 *
 * ```ts
 * import { compilePixelKernels } from "#lib/compare/pixel_kernels.ts";
 * import { equal } from "node:assert/strict";
 *
 * const memory = new WebAssembly.Memory({ initial: 1 });
 * const bytes = new Uint8Array(memory.buffer);
 * bytes.set([10, 20], 0); // one row of 16 bytes
 * bytes.set([13, 16], 16); // one query
 * compilePixelKernels(memory).differences[1](0, 16, 16, 16, 32);
 * equal(new Float64Array(memory.buffer)[32 / 8], 7);
 * ```
 *
 * @module
 */
import {
  add,
  add16,
  add32,
  addF64,
  addLanes32,
  addPairs16,
  addPairs8,
  assemble,
  type AssembledFunction,
  type Code,
  dotPairs16,
  firstHalf8,
  get,
  i32,
  lastHalf8,
  load,
  locals,
  or,
  repeatWhileBelow,
  set,
  smaller,
  storeF64,
  subtractToZero8,
  toF64,
  zeroF64,
  zeroVector,
} from "../pictures/assembler.ts";

/**
 * Sums over every row of a gallery, for the queries of one pass.
 *
 * All are addresses and sizes in bytes. Sums are written as float64, row by
 * row, the queries of a row side by side.
 */
export type PixelKernel = (
  rows: number,
  rowsEnd: number,
  rowBytes: number,
  queries: number,
  sums: number,
) => void;

/** Most queries that one pass takes. More would run out of registers. */
export const QUERIES_A_PASS = 4;

/** The kernels: the one at place n compares n queries, from 1 on. */
export interface PixelKernels {
  /** Takes queries as they are, 16 bytes of each in turn. */
  differences: PixelKernel[];
  /** Takes queries as 16-bit numbers, 16 of each in turn. */
  products: PixelKernel[];
}

/**
 * Compiles the kernels for a memory that holds gallery, queries and sums.
 *
 * @throws {Error} If this machine's WebAssembly has no SIMD.
 */
export function compilePixelKernels(memory: WebAssembly.Memory): PixelKernels {
  const counts = Array.from({ length: QUERIES_A_PASS }, (_, i) => i + 1);
  const functions = counts.flatMap((count) => [
    kernel(`differences${count}`, count, differences),
    kernel(`products${count}`, count, products),
  ]);
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(assemble(functions)),
    { host: { memory } },
  );
  const byCount = (name: string) =>
    [0, ...counts].map((count) => exports[name + count] as PixelKernel);
  return { differences: byCount("differences"), products: byCount("products") };
}

/** What tells one kernel from the other. */
interface Sum {
  /** Row bytes after which a lane could overflow, so that it is emptied. */
  stripBytes: number;
  /** Bytes of a query that belong to 16 bytes of a row. */
  queryBytes: number;
  /** What is done once to 16 bytes of a row, kept in `row`. */
  prepare: (row: number[], address: Code) => Code;
  /** Adds up 16 bytes of the row and of a query. */
  accumulate: (sum: Code, row: number[], query: Code, offset: number) => Code;
  /** A strip's sum, from the lanes in a local. */
  total: (lanes: number) => Code;
}

const differences: Sum = {
  // A step adds at most 2 × 255 to a 16-bit lane: 128 steps fit.
  stripBytes: 128 * 16,
  queryBytes: 16,
  prepare: ([row], address) => set(row, load(address)),
  accumulate: (sum, [row], query, offset) => {
    const g = get(row), q = load(query, offset);
    // One of the two is 0, the other |g − q|.
    const difference = or(subtractToZero8(g, q), subtractToZero8(q, g));
    return add16(sum, addPairs8(difference));
  },
  total: (lanes) => [
    ...set(lanes, addPairs16(get(lanes))),
    ...addLanes32(get(lanes)),
  ],
};

const products: Sum = {
  // A step adds at most 4 × 255² to a 32-bit lane, and the four lanes are
  // added up within 32 bits too: 512 steps fit.
  stripBytes: 512 * 16,
  queryBytes: 32,
  prepare: ([first, last], address) => [
    ...set(last, load(address)),
    ...set(first, firstHalf8(get(last))),
    ...set(last, lastHalf8(get(last))),
  ],
  accumulate: (sum, [first, last], query, offset) =>
    add32(
      sum,
      add32(
        dotPairs16(get(first), load(query, offset)),
        dotPairs16(get(last), load(query, offset + 16)),
      ),
    ),
  total: (lanes) => addLanes32(get(lanes)),
};

/** Rows, in them strips, in them steps of 16 bytes, each for all queries. */
function kernel(name: string, count: number, sum: Sum): AssembledFunction {
  const [row, rowsEnd, rowBytes, queries, sums] = [0, 1, 2, 3, 4];
  const [position, rowEnd, stripEnd, query] = [5, 6, 7, 8];
  const totals = locals(9, count);
  const lanes = locals(9 + count, count);
  const loaded = locals(9 + 2 * count, 2);

  const step = [
    ...sum.prepare(loaded, get(position)),
    ...lanes.flatMap((local, q) => {
      const offset = q * sum.queryBytes;
      return set(
        local,
        sum.accumulate(get(local), loaded, get(query), offset),
      );
    }),
    ...set(query, add(get(query), i32(count * sum.queryBytes))),
    ...set(position, add(get(position), i32(16))),
  ];
  const strip = [
    ...lanes.flatMap((local) => set(local, zeroVector)),
    ...set(
      stripEnd,
      smaller(add(get(position), i32(sum.stripBytes)), get(rowEnd)),
    ),
    ...repeatWhileBelow(position, get(stripEnd), step),
    ...totals.flatMap((local, q) =>
      set(local, addF64(get(local), toF64(sum.total(lanes[q]))))
    ),
  ];
  const oneRow = [
    ...set(position, get(row)),
    ...set(rowEnd, add(get(row), get(rowBytes))),
    ...set(query, get(queries)),
    ...totals.flatMap((local) => set(local, zeroF64)),
    ...repeatWhileBelow(position, get(rowEnd), strip),
    ...totals.flatMap((local, q) => storeF64(get(sums), get(local), 8 * q)),
    ...set(sums, add(get(sums), i32(8 * count))),
    ...set(row, get(rowEnd)),
  ];
  return {
    name,
    parameters: 5,
    locals: { i32: 4, f64: count, vectors: count + 2 },
    body: repeatWhileBelow(row, get(rowsEnd), oneRow),
  };
}
