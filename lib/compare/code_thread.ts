/**
 * One of the threads of code_threads.ts: the program that it runs.
 *
 * ```ts
 * import { Control } from "#lib/compare/code_blocks.ts";
 * import { strictEqual } from "node:assert/strict";
 * import { Worker } from "node:worker_threads";
 *
 * const file = import.meta.resolve("#lib/compare/code_thread.ts");
 * const thread = new Worker(new URL(file));
 * const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
 * const control = new Int32Array(memory.buffer);
 * control[Control.LEFT] = 1; // a block of no rows
 * thread.postMessage(memory);
 * Atomics.wait(control, Control.DONE, 0);
 * strictEqual(control[Control.DONE], 1);
 * await thread.terminate();
 * ```
 *
 * @module
 */
import { parentPort } from "node:worker_threads";
import { openKernels } from "../pictures/kernels.ts";
import { Control, KERNELS, takeBlocks } from "./code_blocks.ts";

parentPort?.on("message", (memory: WebAssembly.Memory) => {
  const control = new Int32Array(memory.buffer, 0, Control.BYTES / 4);
  takeBlocks(control, openKernels(KERNELS, memory));
});
