/**
 * One download for bench/download.ts, in a process of its own, so that its memory
 * is its own too.
 *
 * usage: download_run.ts LIST HOST FOLDER prepared|plain|limited
 * Makes a data set of the list's pictures, shrunk, or only downloads them; prints
 * how many came, seconds, milliseconds of the processor and megabytes.
 *
 * @module
 */
import { join } from "node:path";
import process from "node:process";
import { downloadEach } from "../../lib/dataset/download.ts";
import { readList } from "../../lib/dataset/lists.ts";
import { prepareDataset } from "../../lib/dataset/prepare.ts";
import { paths } from "../../lib/paths.ts";
import { peakMegabytes } from "../harness.ts";

const [list, host, folder, mode] = process.argv.slice(2);
paths.downloads = join(folder, "downloads");
paths.dataset = join(folder, "dataset");

const start = performance.now();
const result = { pictures: 0, firstMs: 0 };
const peaks: Record<number, number> = {};

async function* downloads() {
  const options = mode === "limited"
    ? { intervalMs: 10 }
    : { intervalMs: 0, concurrency: 16, perHost: 16 };
  let settled = 0;
  for await (
    const outcome of downloadEach(readList(list), {
      ...options,
      allowedHosts: [host],
    })
  ) {
    result.firstMs ||= performance.now() - start;
    if ("file" in outcome) result.pictures++;
    if (++settled % 10_000 === 0) peaks[settled] = await peakMegabytes();
    yield outcome;
  }
}

if (mode === "prepared") {
  const { counts: { train, test } } = await prepareDataset(downloads(), {
    maxSide: 256,
    nearDuplicates: false,
  });
  result.pictures = train + test;
} else for await (const _ of downloads());
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage();
const cpuMs = (user + system) / 1000;
const peak = await peakMegabytes();
console.log(JSON.stringify({ ...result, seconds, cpuMs, peak, peaks }));
