/**
 * One of the threads of code_threads.ts: the program that it runs.
 *
 * ```ts
 * import "#lib/compare/code_thread.ts"; // where nobody posts, it does nothing
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
