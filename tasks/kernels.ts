/**
 * `task kernels`: compiles the kernels, each NAME.as.ts in AssemblyScript to
 * NAME.wasm beside it, which is committed.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../lib/paths.ts";
import { importLater, runCommand } from "./command.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task kernels

Compiles the kernels, each NAME.as.ts in lib/ and bench/, to the NAME.wasm
beside it.`;

await runCommand({ help }, async ({ signal }) => {
  await ensureSetup(signal);
  const { compileKernel, listKernels } = await importLater<
    typeof import("./kernel_compiler.ts")
  >("./kernel_compiler.ts");
  for (const source of await listKernels()) {
    const wasm = await compileKernel(source);
    const target = source.replace(/\.as\.ts$/, ".wasm");
    await writeFile(join(paths.root, target), wasm);
    console.log(`${source}: ${wasm.length} bytes`);
  }
});
