/**
 * Rows of 8-bit codes in memory that threads share, and passes over all of them
 * by the sums of code_sums.as.ts.
 *
 * ```text
 * memory   control | query | results | sums | scales | rows of codes
 * ```
 *
 * A pass is cut into blocks of rows, and whoever is free takes the next one. So
 * nothing waits for a thread that is still starting or cannot start here: this
 * one takes all blocks then. Threads do not keep the program alive.
 *
 * Reads only the kernels.
 *
 * ```ts
 * import { CodeMemory } from "#lib/compare/code_pass.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const memory = new CodeMemory(2, 3);
 * memory.set(0, Int8Array.of(1, 2, 3), 1);
 * memory.set(1, Int8Array.of(-1, 0, 0), 0.5);
 * deepStrictEqual([...memory.products([10, 1, 1], 2)], [15, -10]);
 * deepStrictEqual([...memory.differences([1, 1, 1], 2)], [3, 3.5]);
 * ```
 *
 * @module
 */
import { type Kernels, openKernels } from "../pictures/kernels.ts";
import { Control, KERNELS, takeBlocks } from "./code_blocks.ts";
import { endThreads, wakeThreads } from "./code_threads.ts";

/** The most that a WebAssembly memory can hold, in bytes. */
const LARGEST_BYTES = 2 ** 32;
/** Codes a row, past which a sum would overflow. */
const LARGEST_LENGTH = 2 ** 19;
/** The largest number that `products` takes, either way. */
export const LARGEST_NUMBER: number = 2 ** 13 - 1;
/** Bytes of rows that a thread takes at a time: some tenth of a millisecond. */
const BLOCK_BYTES = 2 ** 20;
/** Bytes of rows from which on other threads are worth waking. */
const SHARED_BYTES = 2 ** 22;
/** After so long, a thread that has a block is taken for dead. */
const PATIENCE_MS = 5000;

/** Rows of whole numbers from -127 to 127, each with a scale. */
export class CodeMemory {
  /** How many rows it has room for. */
  readonly capacity: number;
  /** Length D of each. */
  readonly length: number;
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: Kernels;
  readonly #control: Int32Array;
  /** From one row to the next: the length, rounded up to 16 bytes. */
  readonly #size: number;
  readonly #query: Uint8Array;
  readonly #results: Float64Array;
  readonly #sums: Int32Array;
  readonly #scales: Float32Array;
  readonly #codes: Int8Array;

  /**
   * Makes room for so many rows of so many codes, all 0.
   *
   * @throws {RangeError} If it would be larger than 4 GB, or a row too long.
   */
  constructor(capacity: number, length: number) {
    // A kernel takes four rows at a time, and 16 codes.
    const rows = Math.ceil(capacity / 4) * 4;
    const size = Math.ceil(length / 16) * 16;
    // Query, results, sums, scales, codes: where each begins, and the end.
    const starts: number[] = [Control.BYTES];
    for (const bytes of [4 * size, 8 * rows, 4 * rows, 4 * rows, rows * size]) {
      starts.push(starts.at(-1)! + bytes);
    }
    const [query, results, sums, scales, codes, end] = starts;
    if (end > LARGEST_BYTES || length > LARGEST_LENGTH) {
      throw new RangeError(
        `expected 4 GB of codes and ${LARGEST_LENGTH} numbers a vector at ` +
          `most, got ${capacity} vectors of ${length} numbers: search them in ` +
          "parts, or by an index",
      );
    }
    const pages = Math.ceil(end / 2 ** 16);
    this.#memory = new WebAssembly.Memory({
      initial: pages,
      maximum: pages,
      shared: true,
    });
    this.#kernels = openKernels(KERNELS, this.#memory);
    this.capacity = rows;
    this.length = length;
    this.#size = size;
    const { buffer } = this.#memory;
    this.#query = new Uint8Array(buffer, query, 4 * size);
    this.#results = new Float64Array(buffer, results, rows);
    this.#sums = new Int32Array(buffer, sums, rows);
    this.#scales = new Float32Array(buffer, scales, rows);
    this.#codes = new Int8Array(buffer, codes, rows * size);
    this.#control = new Int32Array(buffer, 0, Control.BYTES / 4);
    this.#control.set([query, results, sums, scales, codes], Control.QUERY);
    this.#control[Control.SIZE] = size;
    this.#control[Control.BLOCK] =
      Math.max(1, Math.floor(BLOCK_BYTES / size / 4)) * 4;
  }

  /** Puts codes, and what they are multiplied by, into a row. */
  set(row: number, codes: Int8Array, scale: number): void {
    this.#codes.set(codes, row * this.#size);
    let sum = 0;
    for (let i = 0; i < codes.length; i++) sum += codes[i];
    this.#sums[row] = sum;
    this.#scales[row] = scale;
  }

  /** Takes over the first rows of another memory of this length. */
  copy(from: CodeMemory, count: number): void {
    this.#codes.set(from.#codes.subarray(0, count * this.#size));
    this.#sums.set(from.#sums.subarray(0, count));
    this.#scales.set(from.#scales.subarray(0, count));
  }

  /**
   * Σ code × number, for each of the first `count` rows: exact.
   *
   * @param query Whole numbers, at most LARGEST_NUMBER either way.
   * @returns A view, overwritten by the next pass.
   */
  products(query: ArrayLike<number>, count: number): Float64Array {
    for (let i = 0; i < this.length; i++) {
      const number = query[i] + LARGEST_NUMBER + 1;
      this.#query[i] = number >> 7;
      this.#query[this.#size + i] = number & 127;
    }
    return this.#pass(Control.PRODUCTS, count);
  }

  /**
   * Σ |scale × code − number|, for each of the first `count` rows, as 32-bit
   * floats add up.
   *
   * @returns A view, overwritten by the next pass.
   */
  differences(query: ArrayLike<number>, count: number): Float64Array {
    this.#query.fill(0);
    const { buffer, byteOffset } = this.#query;
    new Float32Array(buffer, byteOffset, this.length).set(query);
    return this.#pass(Control.DIFFERENCES, count);
  }

  #pass(kind: number, count: number): Float64Array {
    const control = this.#control;
    const blocks = Math.ceil(count / control[Control.BLOCK]);
    control[Control.KIND] = kind;
    control[Control.COUNT] = count;
    Atomics.store(control, Control.DONE, 0);
    // From here on a thread may take blocks.
    Atomics.store(control, Control.LEFT, blocks);
    if (count * this.#size >= SHARED_BYTES) wakeThreads(this.#memory);
    takeBlocks(control, this.#kernels);
    for (let done; (done = Atomics.load(control, Control.DONE)) < blocks;) {
      const woken = Atomics.wait(control, Control.DONE, done, PATIENCE_MS);
      if (woken !== "timed-out") continue;
      endThreads();
      return this.#pass(kind, count);
    }
    return this.#results.subarray(0, count);
  }
}
