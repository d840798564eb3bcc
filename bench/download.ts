/**
 * Downloads against img2dataset, against a host with limits and faults, and
 * against memory.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { paths } from "../lib/paths.ts";
import { runChild } from "../tasks/child.ts";
import {
  type BenchContext,
  benchFolder,
  type BenchRow,
  row,
} from "./harness.ts";

/** Pictures that both download, shrink and write. */
const COUNT = 10_000;
/** A host's limit, requests a second, and pictures of it. */
const RATE = 100;
const LIMITED = 2680;
const LONG_LIST = 100_000;

interface Run {
  pictures: number;
  seconds: number;
  firstMs: number;
  peaks: Record<string, number>;
}

export async function bench(
  { log, peer, signal }: BenchContext,
): Promise<BenchRow[]> {
  const folder = join(benchFolder, "downloads");
  const server = await startServer();
  const run = async (host: number, count: number, mode: string) => {
    // What is removed now, Linux makes new files wait for: hence other folders.
    const to = join(folder, mode);
    const { code, output } = await runChild(process.execPath, [
      ...["run", "-A", join(paths.root, "bench", "download_run.ts")],
      ...[`127.0.0.1:${host}`, `${count}`, to, mode],
    ], { signal });
    if (code !== 0) throw new Error(output);
    return JSON.parse(output.trimEnd().split("\n").at(-1)!) as Run;
  };
  try {
    const [fast, limited] = server.ports;
    log(`${COUNT} pictures, shrunk`);
    const list = join(benchFolder, "list.csv");
    const url = (_: unknown, i: number) => `http://127.0.0.1:${fast}/${i}.jpg`;
    await writeFile(
      list,
      ["url", ...Array.from({ length: COUNT }, url)].join("\n"),
    );
    const ours = await run(fast, COUNT, "resized");
    log("img2dataset");
    const theirs = await peer(
      "list_to_pictures.py",
      ...[list, join(folder, "img2dataset"), "16"],
    );
    for (const { pictures } of [ours, theirs ?? ours]) {
      if (pictures !== COUNT) {
        throw new Error(`${pictures} of ${COUNT} pictures`);
      }
    }
    log(`${LIMITED} pictures of a host of ${RATE} a second, with faults`);
    const polite = await run(limited, LIMITED, "limited");
    const { requests, refused } = await server.seen();
    log(`${LONG_LIST} pictures`);
    const long = await run(fast, LONG_LIST, "plain");

    const alone = (what: string, unit: string, value: number) =>
      row(what, unit, value, "", undefined);
    return [
      row(
        "downloaded, shrunk, written",
        "pictures/s",
        COUNT / ours.seconds,
        "img2dataset, 2 x 16 threads",
        theirs && COUNT / theirs.seconds,
      ),
      alone(`most memory, ${COUNT} pictures`, "MB", ours.peaks[COUNT]),
      alone("faulty host: lost", "pictures", LIMITED - polite.pictures),
      alone(
        "faulty host: time over the least",
        "times",
        polite.seconds / (requests / RATE),
      ),
      alone("faulty host: refused", "%", 100 * refused / requests),
      alone("long list: first picture", "ms", long.firstMs),
      alone("long list: download only", "pictures/s", LONG_LIST / long.seconds),
      alone("long list: most memory by 20,000", "MB", long.peaks[20_000]),
      alone("long list: most memory by 100,000", "MB", long.peaks[LONG_LIST]),
    ];
  } finally {
    server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts bench/picture_server.ts. */
async function startServer() {
  const child = spawn(process.execPath, [
    ...["run", "-A", join(paths.root, "bench", "picture_server.ts"), `${RATE}`],
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
