/**
 * Finds a Python on PATH that can make the project's virtual environment.
 *
 * ```ts
 * import { choosePython } from "./find_python.ts";
 * import { throws } from "node:assert/strict";
 *
 * const old = { program: "python3", version: [3, 9, 2], venv: true };
 * throws(() => choosePython([old]), /found python3 3\.9\.2 \(too old\)/);
 * ```
 *
 * @module
 */
import { runChild } from "./child.ts";
import { CommandError } from "./command.ts";

/** A Python on PATH. */
export interface Python {
  program: string;
  /** Major, minor, micro. */
  version: number[];
  /** Whether it can make virtual environments with pip in them. */
  venv: boolean;
}

/**
 * The first Python on PATH that will do.
 *
 * @throws {CommandError} If none will do.
 */
export async function findPython(): Promise<Python> {
  const minors = [14, 13, 12, 11, 10].map((minor) => `python3.${minor}`);
  const found: Python[] = [];
  for (const program of ["python3", "python", "py", ...minors]) {
    const python = await probe(program);
    if (python) found.push(python);
    if (python && isUsable(python)) break;
  }
  return choosePython(found);
}

/**
 * The Python to use.
 *
 * @throws {CommandError} If none will do: says what was found and what to do.
 */
export function choosePython(found: Python[]): Python {
  const usable = found.find(isUsable);
  if (usable) return usable;
  const list = found.map(({ program, version }) =>
    `${program} ${version.join(".")} (${
      isRecent(version) ? "without venv" : "too old"
    })`
  );
  const advice = found.some(({ version }) => isRecent(version))
    ? "Install that module (Debian, Ubuntu: apt install python3-venv)"
    : "Install it from python.org or with your system's package manager";
  throw new CommandError(
    `Python 3.10 or later with its venv module is needed; found ${
      list.join(", ") || "no python3, python or py on PATH"
    }. ${advice} and run this again.`,
  );
}

function isUsable({ version, venv }: Python): boolean {
  return venv && isRecent(version);
}

function isRecent([major, minor]: number[]): boolean {
  return major === 3 && minor >= 10;
}

async function probe(program: string): Promise<Python | undefined> {
  const { output } = await runChild(program, ["-c", PROBE]);
  try {
    const [version, venv] = JSON.parse(output);
    return { program, version, venv };
  } catch {
    return undefined; // Not there, or not a Python: Windows has placeholders.
  }
}

// Python 2 runs this too, and so can say that it is too old.
const PROBE = `
import json, sys
try:
    import ensurepip, venv
    found = True
except ImportError:
    found = False
print(json.dumps([list(sys.version_info[:3]), found]))
`;
