/**
 * `task install`: puts `contact-sheet` on the search path, a small script that
 * runs this checkout.
 *
 * `deno install --global` cannot: it does not know `#lib/`, and needs a `deno`
 * on the path.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, delimiter, join, resolve } from "node:path";
import process from "node:process";
import { statOf, writeAtomic } from "../lib/files.ts";
import { paths } from "../lib/paths.ts";
import {
  CommandError,
  defineCommand,
  DENO_VERSION,
  runCommand,
  shellWord,
} from "./command.ts";
import { ownFolder } from "./own_folder.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task install [--bin DIR] [--uninstall]

Installs what is missing in the project's folder, then writes contact-sheet into
~/.local/bin: a script that runs the project's commands from wherever you stand.
Run it again after you have moved the project's folder.

  --bin DIR    another folder than ~/.local/bin
  --uninstall  removes the script again, and nothing else`;

/** By its third line the script is known for ours. */
const MARK = "Contact Sheet: written by deno task install";

export const command = defineCommand({
  help,
  options: { bin: { type: "string" }, uninstall: { type: "boolean" } },
}, async ({ values, signal }) => {
  const given = values.bin ?? join(homedir(), ".local", "bin");
  const found = statOf(given);
  if (given.trim() === "" || found && !found.isDirectory()) {
    throw new CommandError(
      `--bin: expected a folder, got ${given.trim() ? given : '""'}${
        found ? ", which is none" : ""
      }`,
    );
  }
  const bin = resolve(given);
  const isWindows = process.platform === "win32";
  const file = join(bin, isWindows ? "contact-sheet.cmd" : "contact-sheet");
  const isThere = existsSync(file);
  if (
    isThere && !(await readFile(file, "utf8").catch(() => "")).includes(MARK)
  ) {
    throw new CommandError(
      `install: ${file} is another program's: remove it, or give another --bin`,
    );
  }
  if (values.uninstall) {
    if (!isThere) throw new CommandError(`install: ${file} is not there`);
    await rm(file);
    const data = ownFolder();
    console.log(`Removed ${file}`);
    if (existsSync(data)) console.log(`What was indexed is kept in ${data}`);
    return;
  }
  await ensureSetup(signal);
  const script = isWindows ? windowsScript : posixScript;
  try {
    await mkdir(bin, { recursive: true });
    await writeAtomic(file, script(paths.root));
    await chmod(file, 0o755);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(
      `install: ${file} cannot be written (${code}): give another --bin`,
    );
  }
  console.log(`Installed ${file}`);
  const advice = pathAdvice(bin, process.env);
  console.log(advice ?? "Try: contact-sheet search a red bird");
});

/** The script for a POSIX shell. @param root The checkout's folder. */
export function posixScript(root: string): string {
  return `#!/bin/sh
# ${MARK}
root=${shellWord(root)}
if [ ! -f "$root/tasks/contact_sheet.ts" ]; then
  echo "contact-sheet: $root is gone: run its task install where it is now" >&2
  exit 2
fi
if [ ! -d "$(pwd 2>/dev/null)" ]; then
  echo "contact-sheet: the folder that you stand in is gone: go to another" >&2
  exit 2
fi
export DENO_NO_UPDATE_CHECK=1
set -- run -A --quiet --config "$root/deno.json" "$root/tasks/contact_sheet.ts" "$@"
if [ -x "$root/.venv/bin/deno" ]; then
  exec "$root/.venv/bin/deno" "$@"
fi
exec npx --yes deno@${DENO_VERSION} "$@"
`;
}

/** The script for Windows. @param root The checkout's folder. */
export function windowsScript(root: string): string {
  const lines = [
    "@echo off",
    `rem ${MARK}`,
    "setlocal",
    `set "root=${root.replaceAll("%", "%%")}"`,
    `if not exist "%root%\\tasks\\contact_sheet.ts" (`,
    "  echo contact-sheet: %root% is gone: run its task install where it is now 1>&2",
    "  exit /b 2",
    ")",
    "set DENO_NO_UPDATE_CHECK=1",
    `set "deno=%root%\\.venv\\Scripts\\deno.exe"`,
    `if exist "%deno%" (`,
    `  "%deno%" run -A --quiet --config "%root%\\deno.json" "%root%\\tasks\\contact_sheet.ts" %*`,
    ") else (",
    `  npx --yes deno@${DENO_VERSION} run -A --quiet --config "%root%\\deno.json" "%root%\\tasks\\contact_sheet.ts" %*`,
    ")",
    "exit /b %errorlevel%",
  ];
  return lines.map((line) => `${line}\r\n`).join("");
}

/** How to put a folder on the search path; undefined if it is there. */
export function pathAdvice(
  bin: string,
  { PATH = "", SHELL = "" }: Record<string, string | undefined>,
): string | undefined {
  const folders = PATH.split(delimiter).filter(Boolean).map((one) =>
    resolve(one)
  );
  if (folders.includes(resolve(bin))) return undefined;
  if (process.platform === "win32") {
    return `${bin} is not on PATH yet: add it under "Edit environment variables for your account".`;
  }
  const shell = basename(SHELL);
  const [file, line] = shell === "fish"
    ? ["~/.config/fish/config.fish", `fish_add_path ${shellWord(bin)}`]
    : [
      shell === "zsh"
        ? "~/.zshrc"
        : shell === "bash"
        ? "~/.bashrc"
        : "~/.profile",
      `export PATH=${shellWord(bin)}:"$PATH"`,
    ];
  return `${bin} is not on PATH yet: add this line to ${file} and open a new terminal:
  ${line}`;
}

if (import.meta.main) await runCommand(command);
