/**
 * `task kernels`: compiles the kernels, each NAME.as.ts in AssemblyScript to
 * NAME.wasm beside it, which is committed.
 *
 * @module
 */
import { glob, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { main } from "assemblyscript/asc";
import { paths } from "../lib/paths.ts";
import { CommandError, readArguments, runCommand } from "./command.ts";

const HELP = `Usage: deno task kernels

Compiles the kernels, each NAME.as.ts in lib/ and bench/, to the NAME.wasm
beside it.`;

/** Fast, and on the caller's memory; no code for what is not used. */
const OPTIONS = "-O3 --runtime stub --use abort= --enable simd " +
  "--importMemory --noExportMemory";

/** The kernels' sources, by their paths in the project. */
export function listKernels(): Promise<string[]> {
  return Array.fromAsync(glob("{lib,bench}/**/*.as.ts", { cwd: paths.root }));
}

/** A source's .wasm. @throws {CommandError} With what the compiler says. */
export async function compileKernel(source: string): Promise<Uint8Array> {
  let wasm = new Uint8Array();
  const { error, stderr } = await main(
    [source, "--outFile", "out.wasm", ...OPTIONS.split(" ")],
    {
      readFile: (name) =>
        readFile(join(paths.root, name), "utf8").catch(() => null),
      writeFile: (_, bytes) =>
        void (wasm = new Uint8Array(bytes as Uint8Array)),
      listFiles: () => [],
    },
  );
  if (error) throw new CommandError(`${source}: ${stderr}`);
  return wasm;
}

if (import.meta.main) {
  await runCommand(async () => {
    readArguments({ name: "kernels", help: HELP, options: {} });
    for (const source of await listKernels()) {
      const wasm = await compileKernel(source);
      await writeFile(
        join(paths.root, source.replace(/\.as\.ts$/, ".wasm")),
        wasm,
      );
      console.log(`${source}: ${wasm.length} bytes`);
    }
    return 0;
  });
}
