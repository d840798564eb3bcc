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
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import sharp from "sharp";
import { writeAtomic } from "../lib/files.ts";
import { paths } from "../lib/paths.ts";
import { readSample, samplePath } from "../lib/photo_site/sample.ts";
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

/** What some runs cost, each in the median, in milliseconds. */
export interface Cost {
  /** Time that passed. */
  wallMs: number;
  /** Time of all processor cores together; it depends less on other programs. */
  cpuMs: number;
}

/**
 * Measures several runs in turns, so that a change of the machine's load meets
 * all of them alike; a first round is not counted.
 */
export async function inTurns<Name extends string>(
  runs: Record<Name, () => Promise<unknown>>,
  repeats = 5,
): Promise<Record<Name, Cost>> {
  const measured = {} as Record<Name, { wall: number[]; cpu: number[] }>;
  for (let round = 0; round <= repeats; round++) {
    for (const name of Object.keys(runs) as Name[]) {
      const before = process.cpuUsage();
      const start = performance.now();
      await runs[name]();
      const wall = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      if (round === 0) measured[name] = { wall: [], cpu: [] };
      else {
        measured[name].wall.push(wall);
        measured[name].cpu.push((user + system) / 1000);
      }
    }
  }
  const costs = {} as Record<Name, Cost>;
  for (const name of Object.keys(runs) as Name[]) {
    const { wall, cpu } = measured[name];
    costs[name] = { wallMs: median(wall), cpuMs: median(cpu) };
  }
  return costs;
}

/** The one in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** What benchmarks make once, and keep. */
export const benchFolder: string = join(paths.data, "bench");

/**
 * JPEG photographs of 640 x 480, made once: each shows twelve of the sample's
 * pictures, other ones each time.
 *
 * @returns Their paths.
 */
export async function photographs(count: number): Promise<string[]> {
  const folder = join(benchFolder, "pictures");
  await mkdir(folder, { recursive: true });
  const sample = await readSample();
  const files: string[] = [];
  for (let i = 0; i < count; i++) {
    const file = join(folder, `${String(i).padStart(3, "0")}.jpg`);
    files.push(file);
    if (existsSync(file)) continue;
    const tiles = Array.from({ length: 12 }, async (_, tile) => ({
      input: await sharp(samplePath(sample[(i * 12 + tile) % sample.length]))
        .resize(160, 160).toBuffer(),
      left: tile % 4 * 160,
      top: Math.floor(tile / 4) * 160,
    }));
    const bytes = await sharp({
      create: { width: 640, height: 480, channels: 3, background: "#ffffff" },
    }).composite(await Promise.all(tiles)).jpeg({ quality: 90 }).toBuffer();
    await writeAtomic(file, bytes);
  }
  return files;
}

/** The most that this process has held, as Linux counts it; else what it holds. */
export async function peakMegabytes(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const kilobytes = status.match(/VmHWM:\s+(\d+)/)?.[1];
  return kilobytes ? Number(kilobytes) / 1000 : process.memoryUsage().rss / 1e6;
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
  return median(times.slice(1));
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
