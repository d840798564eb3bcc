/**
 * `.venv`, Python's virtual environment, made from requirements.txt and
 * constraints.txt.
 *
 * @module
 */
import { lstatSync, realpathSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { paths } from "../lib/paths.ts";
import { type ChildOptions, runChild, runOrFail } from "./child.ts";
import { CommandError } from "./command.ts";
import { type Step, writeStamp } from "./step.ts";

/** The Python program of `.venv`. */
export const venvPython: string = process.platform === "win32"
  ? join(paths.venv, "Scripts", "python.exe")
  : join(paths.venv, "bin", "python");

/** Makes `.venv` anew, empty. */
export const virtualEnvironment: Step = {
  name: "virtual environment",
  stamp: join(paths.venv, "environment.json"),
  files: [],
  inputs: () => ({
    // The program behind `.venv`: another after an upgrade of the system.
    python: realpathSync(venvPython),
    // Scripts in `.venv` do not survive a move.
    root: paths.root,
  }),
  outputs: [],
  async run(_, signal) {
    const program = await findPython();
    // Moved at once, so that a stop leaves no half of it; a link is not followed.
    const old = `${paths.venv}-old`;
    rmSync(old, { recursive: true, force: true });
    const found = lstatSync(paths.venv, { throwIfNoEntry: false });
    if (found) renameSync(paths.venv, old);
    rmSync(old, { recursive: true, force: true });
    const args = ["-m", "venv", paths.venv];
    await runOrFail(`${program} -m venv`, program, args, { signal });
    // The pip of an older Python takes three times as long, but does as well.
    const pip = ["install", "--no-compile", "--retries=1", "pip==26.3"];
    await runPip(pip, { signal }).catch(() => signal?.throwIfAborted());
  },
};

/** Brings the packages in `.venv` up to date. */
export const pythonPackages: Step = {
  name: "Python packages",
  stamp: join(paths.venv, "packages.json"),
  files: ["requirements.txt", "constraints.txt"],
  outputs: [],
  async run(onStage, signal) {
    let found = 0;
    const file = join(paths.root, "requirements.txt");
    // Modules are compiled when they are imported: few ever are.
    await runPip(["install", "--no-compile", "--requirement", file], {
      signal,
      onLine(line) {
        if (line.startsWith("Collecting ")) {
          onStage(`${++found} packages found`);
        } else if (line.startsWith("Installing collected packages")) {
          // pip takes a package in the midst of which it was stopped for
          // installed: after a stop from here on, all is to be made anew.
          rmSync(virtualEnvironment.stamp, { force: true });
          onStage(`installing ${line.split(",").length} packages`);
        }
      },
    });
    await writeStamp(virtualEnvironment);
  },
};

/**
 * Runs the pip of `.venv`.
 *
 * @throws {CommandError} If it fails: quotes it.
 */
export async function runPip(
  [command, ...args]: string[],
  { signal, onLine }: ChildOptions,
): Promise<void> {
  const quiet = "--no-input --disable-pip-version-check --progress-bar off";
  const all = moduleArguments("pip", command, ...quiet.split(" "), ...args);
  let broken: string | undefined;
  await runOrFail(`pip ${command}`, venvPython, all, {
    signal,
    onLine(line, stream) {
      broken ??= line.match(/connection broken by '(.*)'/)?.[1];
      onLine?.(line, stream);
    },
  }).catch((error) => {
    throw broken === undefined || signal?.aborted ? error : new CommandError(
      `pip has no connection to its package index: ${broken}`,
    );
  });
}

/**
 * Arguments with which `venvPython` runs a module, as `python -m` does, until
 * it or this process ends, be it by `kill -9`: no pip is left to write into
 * what the next set-up makes, and no server to hold a port.
 */
export function moduleArguments(...moduleAndArguments: string[]): string[] {
  return ["-c", WITH_PARENT, ...moduleAndArguments];
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

/**
 * The first Python on PATH that will do, as a program's name.
 *
 * @throws {CommandError} If none will do: says what was found and what to do.
 */
export async function findPython(): Promise<string> {
  const minors = [14, 13, 12, 11, 10].map((minor) => `python3.${minor}`);
  const found: string[] = [];
  for (const program of ["python3", "python", "py", ...minors]) {
    const { output } = await runChild(program, ["-c", PROBE]);
    if (output === "fits") return program;
    // Else not there, or not a Python: Windows has placeholders.
    if (/^\d+\.\d+\.\d+ \(/.test(output)) found.push(`${program} ${output}`);
  }
  const list = found.join(", ") || "no python3, python or py on PATH";
  const advice = list.includes("without venv")
    ? "Install that module (Debian, Ubuntu: apt install python3-venv)"
    : "Install it from python.org or with your system's package manager";
  throw new CommandError(
    `Python 3.10 or later with its venv module is needed; found ${list}. ${advice} and run this again.`,
  );
}

// Python 2 runs this too, and so can say that it is too old.
const PROBE = `
import sys
version = ".".join(map(str, sys.version_info[:3]))
if sys.version_info < (3, 10):
    sys.exit(version + " (too old)")
try:
    import ensurepip, venv
except ImportError:
    sys.exit(version + " (without venv)")
print("fits")
`;
