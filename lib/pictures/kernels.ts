/**
 * Opens what `deno task kernels` compiles: loops over many numbers, written in
 * AssemblyScript as NAME.as.ts, which run from NAME.wasm, 16 bytes at a time.
 *
 * ```ts
 * import { openKernels } from "#lib/pictures/kernels.ts";
 * import { paths } from "#lib/paths.ts";
 * import { equal } from "node:assert/strict";
 *
 * const memory = new WebAssembly.Memory({ initial: 1 });
 * new Uint8Array(memory.buffer).set([10, 20]); // one vector of 16 bytes
 * const file = new URL(`file://${paths.root}/lib/compare/pixel_sums.wasm`);
 * const { differences } = openKernels(file, memory);
 * differences(0, 16, 16, 128); // against four of zeros
 * equal(new Float64Array(memory.buffer)[128 / 8], 30);
 * ```
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** Functions of addresses and sizes; what each takes stands in its source. */
export type Kernels = Record<string, (...numbers: number[]) => void>;

/** A module is compiled, and made faster while it runs, once for all. */
const modules = new Map<string, WebAssembly.Module>();

/** A module's functions, which work on `memory`. */
export function openKernels(file: URL, memory: WebAssembly.Memory): Kernels {
  const module = modules.get(file.href) ??
    new WebAssembly.Module(readFileSync(file));
  modules.set(file.href, module);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return exports as Kernels;
}
