/**
 * What each thread of a pass over codes does: take blocks of rows while there
 * are some. code_pass.ts says what lies where in the memory.
 *
 * Nothing but what stands in the shared memory says what is to be done, and it
 * is written before there are blocks to take; so a thread that wakes late takes
 * blocks of whichever pass is then under way, or none.
 *
 * ```ts
 * import { Control, takeBlocks } from "#lib/compare/code_blocks.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const control = new Int32Array(new SharedArrayBuffer(Control.BYTES));
 * takeBlocks(control, {}); // none is left
 * strictEqual(control[Control.DONE], 0);
 * ```
 *
 * @module
 */
import type { Kernels } from "../pictures/kernels.ts";

/** What compiles to the sums. */
export const KERNELS: URL = new URL("./code_sums.wasm", import.meta.url);

/** Numbers of 32 bits at the memory's beginning, by their places. */
export const Control = {
  /** Blocks that nobody has taken; below 0 where others asked in vain. */
  LEFT: 0,
  /** Blocks that are done. */
  DONE: 1,
  /** Which sum. */
  KIND: 2,
  /** How many rows count. */
  COUNT: 3,
  /** Rows a block, a multiple of 4. */
  BLOCK: 4,
  /** Bytes a row. */
  SIZE: 5,
  /** Addresses, in the memory's order. */
  QUERY: 6,
  RESULTS: 7,
  SUMS: 8,
  SCALES: 9,
  CODES: 10,
  /** Its length. */
  BYTES: 64,
  /** Kinds. */
  PRODUCTS: 0,
  DIFFERENCES: 1,
} as const;

/** Takes blocks until none is left. */
export function takeBlocks(control: Int32Array, kernels: Kernels): void {
  // Taken by counting down, so that one step both asks and takes.
  for (let left; (left = Atomics.sub(control, Control.LEFT, 1)) > 0;) {
    const at = (place: number) => control[place] >>> 0;
    const first = (left - 1) * at(Control.BLOCK);
    const rows = Math.min(at(Control.BLOCK), at(Control.COUNT) - first);
    const isProducts = at(Control.KIND) === Control.PRODUCTS;
    kernels[isProducts ? "products" : "differences"](
      at(Control.QUERY),
      at(isProducts ? Control.SUMS : Control.SCALES) + 4 * first,
      at(Control.CODES) + at(Control.SIZE) * first,
      at(Control.SIZE),
      Math.ceil(rows / 4) * 4,
      at(Control.RESULTS) + 8 * first,
    );
    Atomics.add(control, Control.DONE, 1);
    Atomics.notify(control, Control.DONE);
  }
}
