import { deepEqual, equal, rejects } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { compileKernel, listKernels } from "../../tasks/kernel_compiler.ts";

Deno.test("each .wasm is what its source compiles to: run `task kernels` where not", async () => {
  const sources = await listKernels();
  deepEqual(sources.toSorted(), [
    "bench/kernels/reading.as.ts",
    "lib/compare/pixel_sums.as.ts",
    "lib/pictures/resize.as.ts",
  ]);
  for (const source of sources) {
    const file = join(paths.root, source.replace(/\.as\.ts$/, ".wasm"));
    const committed = await readFile(file);
    equal(committed.compare(await compileKernel(source)), 0, source);
  }
});

Deno.test("compileKernel() says what the compiler says", () =>
  rejects(compileKernel("lib/none.as.ts"), /lib\/none\.as\.ts.*not found/s));
