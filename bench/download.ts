/**
 * Downloads against img2dataset, against a host with limits and faults, and
 * against memory.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { paths } from "../lib/paths.ts";
import { runChild } from "../tasks/child.ts";
import {
  type BenchContext,
  benchFolder,
  type BenchRow,
  median,
  row,
} from "./harness.ts";

/** Pictures of a round, which both download, shrink and write. */
const COUNT = 2500;
/** Threads of img2dataset in each round: the best is taken. */
const THREADS = [16, 32, 64];
/** A host's limit, requests a second, and pictures of it. */
const RATE = 100;
const LIMITED = 2680;
const LONG_LIST = 100_000;

interface Run {
  pictures: number;
  seconds: number;
  cpuMs: number;
}

interface OurRun extends Run {
  firstMs: number;
  /** Megabytes at the most, in the end and by so many pictures. */
  peak: number;
  peaks: Record<number, number>;
}

export async function bench(
  { log, peer, signal }: BenchContext,
): Promise<BenchRow[]> {
  const folder = join(benchFolder, "downloads");
  await mkdir(folder, { recursive: true });
  const server = await startServer();
  /** Writes a list of addresses; a host's port, a folder of the server's. */
  const listOf = async (port: number, count: number, of = "") => {
    const list = join(folder, `${port}-${count}.csv`);
    const url = (_: unknown, i: number) =>
      `http://127.0.0.1:${port}/${of}${i}.jpg`;
    const rows = Array.from({ length: count }, url);
    await writeFile(list, ["url", ...rows].join("\n"));
    return list;
  };
  // What is removed now, Linux makes new files wait for: hence other folders.
  let runs = 0;
  const run = async (port: number, list: string, mode: string) => {
    const { code, output } = await runChild(process.execPath, [
      ...[
        "run",
        "-A",
        join(paths.root, "bench", "pictures", "download_run.ts"),
      ],
      ...[list, `127.0.0.1:${port}`, join(folder, `${++runs}`), mode],
    ], { signal });
    if (code !== 0) throw new Error(output);
    return JSON.parse(output.trimEnd().split("\n").at(-1)!) as OurRun;
  };
  try {
    const [fast, limited] = server.ports;
    const list = await listOf(fast, COUNT);
    const ours: OurRun[] = [], theirs: Run[] = [];
    for (const threads of THREADS) {
      log(`${COUNT} pictures, shrunk, and by img2dataset, ${threads} threads`);
      ours.push(await run(fast, list, "prepared"));
      const to = join(folder, `img2dataset-${threads}`);
      const their = await peer("list_to_pictures.py", list, to, `${threads}`);
      if (their) theirs.push(their);
    }
    for (const { pictures } of [...ours, ...theirs]) {
      if (pictures !== COUNT) {
        throw new Error(`${pictures} of ${COUNT} pictures`);
      }
    }
    log(`${LIMITED} pictures of a host of ${RATE} a second, with faults`);
    const faulty = await listOf(limited, LIMITED);
    const polite = await run(limited, faulty, "limited");
    const { requests, refused } = await server.seen();
    log(`${LONG_LIST} pictures`);
    const longList = await listOf(fast, LONG_LIST, "small/");
    const long = await run(fast, longList, "plain");

    const alone = (what: string, unit: string, value: number) =>
      row(what, unit, value, "", undefined);
    const best = theirs.toSorted((a, b) => a.seconds - b.seconds).at(0);
    const threads = THREADS[best ? theirs.indexOf(best) : 0];
    const name = `img2dataset, 2 x ${threads} threads`;
    return [
      row(
        "downloaded, shrunk, written",
        "pictures/s",
        COUNT / median(ours.map(({ seconds }) => seconds)),
        name,
        best && COUNT / best.seconds,
      ),
      row(
        "the same, of the processor",
        "ms/picture",
        median(ours.map(({ cpuMs }) => cpuMs)) / COUNT,
        name,
        best && best.cpuMs / COUNT,
      ),
      alone("the same, most memory", "MB", ours.at(-1)!.peak),
      alone("faulty host: lost", "pictures", LIMITED - polite.pictures),
      alone(
        "faulty host: time over the least",
        "times",
        polite.seconds / (requests / RATE),
      ),
      alone("faulty host: refused", "%", 100 * refused / requests),
      alone("long list: first picture", "ms", long.firstMs),
      alone("long list: download only", "pictures/s", LONG_LIST / long.seconds),
      ...[10_000, 20_000, LONG_LIST].map((count) =>
        alone(`long list: most memory by ${count}`, "MB", long.peaks[count])
      ),
    ];
  } finally {
    server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts bench/pictures/picture_server.ts. */
async function startServer() {
  const child = spawn(process.execPath, [
    ...[
      "run",
      "-A",
      join(paths.root, "bench", "pictures", "picture_server.ts"),
      `${RATE}`,
    ],
  ], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })
    [Symbol.asyncIterator]();
  const read = async () => JSON.parse((await lines.next()).value!);
  return {
    ports: await read() as [fast: number, limited: number],
    seen: (): Promise<{ requests: number; refused: number }> => {
      child.stdin.write("\n");
      return read();
    },
    stop: () => child.stdin.end(),
  };
}
