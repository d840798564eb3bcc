/**
 * Makes `.venv`, Python's virtual environment, from requirements.txt and
 * constraints.txt, which pins what those packages draw in (see pin.py).
 *
 * ```text
 * .venv/contact-sheet.json   written last, so its absence shows a half-done one
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { writeAtomic } from "../lib/files.ts";
import { paths } from "../lib/paths.ts";
import { type ChildOptions, type ChildResult, runChild } from "./child.ts";
import { CommandError } from "./command.ts";
import { findPython } from "./find_python.ts";

/** The Python program of `.venv`. */
export const venvPython: string = process.platform === "win32"
  ? join(paths.venv, "Scripts", "python.exe")
  : join(paths.venv, "bin", "python");

const requirements = join(paths.root, "requirements.txt");
const stampPath = join(paths.venv, "contact-sheet.json");

/** What a whole environment was made from. */
interface Stamp {
  /** The program behind `.venv`: another after an upgrade of the system. */
  python: string;
  /** The project's folder: scripts in `.venv` do not survive a move. */
  root: string;
  /** SHA-256 of requirements.txt and constraints.txt. */
  requirements: string;
}

/** Whether `.venv` is whole and holds what requirements.txt says. */
export function pythonReady(): boolean {
  return isWhole() && readStamp()?.requirements === currentStamp().requirements;
}

/**
 * Makes `.venv` anew, or brings it up to date if it was whole.
 *
 * Nothing of a half-done one is kept: pip takes a package in the midst of which
 * it was stopped for installed.
 *
 * @param onStage Called with what is being done.
 * @throws {CommandError} If no Python will do, or pip fails: quotes it.
 */
export async function setUpPython(
  onStage: (stage: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (!isWhole()) {
    const { program } = await findPython();
    onStage("virtual environment");
    rmSync(stampPath, { force: true });
    const { code, output } = await runChild(
      program,
      ["-m", "venv", "--clear", paths.venv],
      { signal },
    );
    if (code !== 0) {
      throw new CommandError(`${program} -m venv: ${lastLines(output)}`);
    }
  }
  await installRequirements(onStage, signal);
  await writeAtomic(stampPath, JSON.stringify(currentStamp(), null, 2));
}

async function installRequirements(
  onStage: (stage: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  let collected = 0;
  await runPip(["install", "--requirement", requirements], (line) => {
    if (line.startsWith("Collecting ")) {
      onStage(`${++collected} packages found`);
    } else if (line.startsWith("Installing collected packages")) {
      // From here on a stop leaves a package half written.
      rmSync(stampPath, { force: true });
      onStage(`installing ${line.split(",").length} packages`);
    }
  }, signal);
}

/**
 * Runs the pip of `.venv`.
 *
 * @throws {CommandError} If it fails: quotes it.
 */
export async function runPip(
  [command, ...args]: string[],
  onLine: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const quiet = "--no-input --disable-pip-version-check --progress-bar off";
  const { code, output } = await runModule(
    ["pip", command, ...quiet.split(" "), ...args],
    { signal, onLine },
  );
  if (code === 0) return;
  const broken = output.match(/connection broken by '(.*)'/)?.[1];
  throw new CommandError(
    broken
      ? `pip has no connection to its package index: ${broken}`
      : `pip ${command} failed: ${lastLines(output)}`,
  );
}

/**
 * Runs a Python module, as `python -m` does, until it or this process ends, be
 * it by `kill -9`: no pip is left to write into what the next set-up makes, and
 * no server to hold a port.
 */
export function runModule(
  args: string[],
  options: ChildOptions,
): Promise<ChildResult> {
  return runChild(venvPython, ["-c", WITH_PARENT, ...args], options);
}

const WITH_PARENT = `
import os, runpy, signal, sys, threading, time
def end_with_parent():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)
    os._exit(1)
threading.Thread(target=end_with_parent, daemon=True).start()
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
`;

function isWhole(): boolean {
  const stamp = readStamp();
  const current = currentStamp();
  return stamp !== undefined && current.python !== "" &&
    stamp.python === current.python && stamp.root === current.root;
}

function currentStamp(): Stamp {
  return {
    python: orElse("", () => realpathSync(venvPython)),
    root: paths.root,
    requirements: createHash("sha256")
      .update(readFileSync(requirements))
      .update(readFileSync(join(paths.root, "constraints.txt")))
      .digest("hex"),
  };
}

function readStamp(): Stamp | undefined {
  return orElse(undefined, () => JSON.parse(readFileSync(stampPath, "utf8")));
}

function orElse<Value>(fallback: Value, read: () => Value): Value {
  try {
    return read();
  } catch {
    return fallback;
  }
}

/** pip's and venv's own words: the errors, else the last lines. */
function lastLines(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => line.startsWith("ERROR:"));
  return (errors.length > 0 ? errors : lines).slice(-3).join("\n");
}
