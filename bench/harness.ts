/**
 * What every benchmark shares: rows of a table, a median, and Python peers.
 *
 * A benchmark is a file bench/NAME.ts that exports `bench`; `task bench NAME`
 * runs it. A figure is compared with a named peer that is measured in the same
 * run, on the same machine, with the same load. A peer that is not installed is
 * left out, and that is said.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { paths } from "../lib/paths.ts";
import { runChild } from "../tasks/child.ts";

/** One figure, and the peer's. */
export interface BenchRow {
  /** What was measured: "L1 query". */
  what: string;
  /** Of both figures. More is better if it is something a second ("/s"). */
  unit: string;
  ours: number;
  /** Whom it is compared with: "NumPy float64"; left out if it did not run. */
  peer?: string;
  peerValue?: number;
  /** Above 1 is better than the peer. */
  ratio?: number;
}

/** Measures. */
export type Bench = (context: BenchContext) => Promise<BenchRow[]>;

/** What a benchmark is given. */
export interface BenchContext {
  signal: AbortSignal;
  /** Says what is being done. */
  log: (line: string) => void;
  /**
   * Runs bench/SCRIPT in `.venv-bench`.
   *
   * @returns What the JSON on its last line says; undefined if it is not
   *   installed, which is then said.
   */
  // deno-lint-ignore no-explicit-any -- each script prints its own
  peer: (script: string, ...args: string[]) => Promise<any | undefined>;
}

/** The Python of `.venv-bench`. */
export const benchPython: string = process.platform === "win32"
  ? join(paths.root, ".venv-bench", "Scripts", "python.exe")
  : join(paths.root, ".venv-bench", "bin", "python");

/** A row; without the peer's value it has no ratio. */
export function row(
  what: string,
  unit: string,
  ours: number,
  peer: string,
  peerValue: number | undefined,
): BenchRow {
  const rounded = (value: number) => Number(value.toPrecision(3));
  if (peerValue === undefined) return { what, unit, ours: rounded(ours) };
  const ratio = unit.endsWith("/s") ? ours / peerValue : peerValue / ours;
  return {
    ...{ what, unit, ours: rounded(ours), peer },
    ...{ peerValue: rounded(peerValue), ratio: rounded(ratio) },
  };
}

/** The median time of several runs, in milliseconds; a first run is not counted. */
export async function medianMs(
  run: () => unknown,
  repeats = 5,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i <= repeats; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times.slice(1).sort((a, b) => a - b)[repeats >> 1];
}

/** What `BenchContext.peer` does. */
export async function runPeer(
  script: string,
  args: string[],
  { signal, log }: Pick<BenchContext, "signal" | "log">,
) {
  const advice = `${script} is left out: deno task bench --peers installs it`;
  if (!existsSync(benchPython)) {
    log(advice);
    return undefined;
  }
  const { code, output } = await runChild(
    benchPython,
    [join(paths.root, "bench", script), ...args],
    { signal },
  );
  const last = output.trimEnd().split("\n").at(-1) ?? "";
  if (code === 0) return JSON.parse(last);
  if (!/^ModuleNotFoundError/.test(last)) throw new Error(`${script}: ${last}`);
  log(`${advice} (${last})`);
}
