/**
 * `task package`: builds lib/ for Node, which takes no .ts from node_modules.
 * Each NAME.ts becomes NAME.js and NAME.d.ts; what lies beside them (kernels,
 * the search page, WordNet's groups) is copied. package.json names the result,
 * so `npm pack` makes a package of it.
 *
 * @module
 */
import {
  cp,
  glob,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { paths } from "../lib/paths.ts";
import { CommandError, defineCommand, runCommand } from "./command.ts";
import { venvPython } from "./python.ts";
import { ensureSetup, npmPackages } from "./setup.ts";

/** Where package.json expects the built library. */
const built = join(paths.root, "data", "package");

/**
 * Builds the library.
 *
 * @param target Replaced whole, or left as it is if the build fails.
 * @returns How many files there are.
 */
export async function buildPackage(
  target: string = built,
  signal?: AbortSignal,
): Promise<number> {
  await mkdir(dirname(target), { recursive: true });
  const part = await mkdtemp(join(dirname(target), ".package-"));
  try {
    const files = (await readdir(join(paths.root, "lib"), { recursive: true }))
      .filter((name) => !name.includes("__pycache__"))
      .map((name) => name.replaceAll("\\", "/"));
    const modules = files.filter((name) => /(?<!\.as)\.ts$/.test(name));
    const beside = files.filter((name) => /\.(?!ts$)\w+$/.test(name));
    await transpile(modules.map((name) => `lib/${name}`), part, signal);
    for (const name of beside) {
      await cp(join(paths.root, "lib", name), join(part, "lib", name));
    }
    const made = await Array.fromAsync(glob("**/*.{js,d.ts}", { cwd: part }));
    for (const file of made.map((name) => join(part, name))) {
      await writeFile(file, forNode(await readFile(file, "utf8")));
    }
    await rm(target, { recursive: true, force: true });
    await rename(join(part, "lib"), target);
    return made.length + beside.filter((name) => !name.endsWith(".js")).length;
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** Compiles modules into a folder: .js and .d.ts. */
async function transpile(
  modules: string[],
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const args = ["transpile", "--quiet", "--declaration", "--outdir", folder];
  // node:child_process takes this subcommand, which it does not know, for a file.
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, ...modules],
    cwd: paths.root,
    env: { NO_COLOR: "1", RUST_BACKTRACE: "0" },
    signal,
  }).output();
  signal?.throwIfAborted();
  if (success) return;
  throw new CommandError(`deno transpile: ${new TextDecoder().decode(stderr)}`);
}

/** Names modules as they are called in the package. */
function forNode(text: string): string {
  return text
    // The compiler's own remark names a folder of this machine.
    .replace(/^\/\/\/ <amd-module .*\n/m, "")
    .replace(/((?:from|import)\s*\(?\s*)"(\.[^"]+)\.ts"/g, '$1"$2.js"')
    .replace(/"#lib\/([^"]+)\.[jt]s"/g, '"contact-sheet/$1"');
}

/** Lets the notebooks of tslab find the package, and through it node_modules. */
async function linkForTslab(): Promise<void> {
  const link = join(paths.root, ...TSLAB_LINK.split("/"));
  await mkdir(dirname(link), { recursive: true });
  await rm(link, { force: true });
  await symlink("../../..", link, "junction");
}

const TSLAB_LINK = "notebooks/tslab/node_modules/contact-sheet";

export const command = defineCommand({
  help: `Usage: deno task package

Builds lib/ as an npm package for Node 22 or later, in data/package of the
project, and links it for the notebook in notebooks/tslab. Afterwards

  npm pack            makes contact-sheet-VERSION.tgz of it
  npm install FOLDER  in a project of yours, uses the project's build in place

docs/node.md says what differs from Deno.`,
}, async ({ signal }) => {
  await ensureSetup(signal, [npmPackages]);
  const count = await buildPackage(built, signal);
  await linkForTslab();
  console.log(`${count} files in ${built}, linked from ${TSLAB_LINK}
In a project of yours: npm install ${resolve(paths.root)}
The kernel of notebooks/tslab, with Node 22 or later:
  npm install -g tslab
  tslab install --python ${venvPython} --sys-prefix`);
});

if (import.meta.main) await runCommand(command);
