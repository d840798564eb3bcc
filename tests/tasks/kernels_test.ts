import { deepEqual, equal, rejects } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { compileKernel, listKernels } from "../../tasks/kernels.ts";

Deno.test("each .wasm is what its source compiles to: run `task kernels` where not", async () => {
  const sources = await listKernels();
  deepEqual(sources.toSorted(), [
    "bench/kernels/reading.as.ts",
    "lib/compare/code_sums.as.ts",
    "lib/compare/pixel_sums.as.ts",
    "lib/pictures/resize.as.ts",
  ]);
  await Promise.all(sources.map(async (source) => {
    const file = join(paths.root, source.replace(/\.as\.ts$/, ".wasm"));
    const compiled = await Deno.makeTempFile({ suffix: ".wasm" });
    await compileKernel(source, compiled);
    const [ours, theirs] = [await readFile(file), await readFile(compiled)];
    equal(ours.compare(theirs), 0, source);
    await Deno.remove(compiled);
  }));
});

Deno.test("compileKernel() says what the compiler says", () =>
  rejects(
    compileKernel("lib/none.as.ts", "none.wasm"),
    /lib\/none\.as\.ts.*not found/s,
  ));
