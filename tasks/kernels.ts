/**
 * `task kernels`: compiles the kernels, each NAME.as.ts in AssemblyScript to
 * NAME.wasm beside it, which is committed.
 *
 * @module
 */
import { glob, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../lib/paths.ts";
import { runOrFail } from "./child.ts";
import { defineCommand, runCommand } from "./command.ts";
import { ensureSetup } from "./setup.ts";

/** Fast, and on the caller's memory; no code for what is not used. */
const OPTIONS = "-O3 --runtime stub --use abort= --enable simd " +
  "--importMemory --noExportMemory";

/** The kernels' sources, by their paths in the project. */
export function listKernels(): Promise<string[]> {
  return Array.fromAsync(glob("{lib,bench}/**/*.as.ts", { cwd: paths.root }));
}

/**
 * Compiles a source, with the options of its own that its head names.
 *
 * @throws {CommandError} With what the compiler says.
 */
export async function compileKernel(
  source: string,
  target: string,
): Promise<void> {
  const compiler = join("node_modules", "assemblyscript", "bin", "asc.js");
  const text = await readFile(join(paths.root, source), "utf8").catch(() => "");
  const own = /^ \* @options (.+)$/m.exec(text)?.[1];
  const options = own ? `${OPTIONS} ${own}` : OPTIONS;
  const args = [source, "--outFile", target, ...options.split(" ")];
  await runOrFail(source, Deno.execPath(), ["run", "-A", compiler, ...args], {
    env: { NO_COLOR: "1" },
  });
}

export const command = defineCommand({
  help: `Usage: deno task kernels

Compiles the kernels, each NAME.as.ts in lib/ and bench/, to the NAME.wasm
beside it.`,
}, async ({ signal }) => {
  await ensureSetup(signal);
  for (const source of await listKernels()) {
    const target = join(paths.root, source.replace(/\.as\.ts$/, ".wasm"));
    await compileKernel(source, target);
    console.log(`${source}: ${(await stat(target)).size} bytes`);
  }
});

if (import.meta.main) await runCommand(command);
