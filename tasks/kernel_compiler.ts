/**
 * Compiles kernels in AssemblyScript to WebAssembly.
 *
 * @module
 */
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { main } from "assemblyscript/asc";
import { paths } from "../lib/paths.ts";
import { CommandError } from "./command.ts";

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
