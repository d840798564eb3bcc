/**
 * One download for bench/download.ts, in a process of its own, so that its memory
 * is its own too.
 *
 * usage: download_run.ts HOST COUNT FOLDER resized|plain|limited
 * Prints how many pictures have a file, seconds, and megabytes.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import pLimit from "p-limit";
import { downloadEach } from "../lib/dataset/download.ts";
import { paths } from "../lib/paths.ts";
import { encodePicture } from "../lib/pictures/pictures.ts";
import type { FoundPicture } from "../lib/records.ts";
import { peakMegabytes } from "./harness.ts";

const [host, count, folder, mode] = process.argv.slice(2);
paths.downloads = join(folder, "downloads");
const written = join(folder, "pictures");
mkdirSync(written, { recursive: true });

/** As a list is read: none of it is kept. */
function* list(): Generator<FoundPicture> {
  const record = {
    category: "a",
    term: "b",
    page: "",
    author: "",
    license: "",
  };
  const path = mode === "plain" ? "small/" : "";
  for (let i = 0; i < Number(count); i++) {
    const url = `http://${host}/${path}${i}.jpg`;
    yield { ...record, url, caption: `Picture ${i} of a long list` };
  }
}

/** Asks as the others do: longer side 256, a JPEG file each. */
async function resize(file: string, index: number): Promise<void> {
  const jpeg = { format: "jpeg", quality: 95 } as const;
  const { data } = await encodePicture(file, jpeg, { longest: 256 });
  writeFileSync(join(written, `${index}.jpg`), data);
}

const start = performance.now();
const result = { pictures: 0, seconds: 0, firstMs: 0, peaks: {} };
const peaks: Record<number, number> = {};
const limit = pLimit(4);
const resizing = new Set<Promise<void>>();
const options = mode === "limited"
  ? { intervalMs: 10 }
  : { intervalMs: 0, concurrency: 16, perHost: 16 };
let settled = 0;
for await (
  const outcome of downloadEach(list(), { ...options, allowedHosts: [host] })
) {
  result.firstMs ||= performance.now() - start;
  if (++settled % 10_000 === 0) peaks[settled] = await peakMegabytes();
  if (!("file" in outcome)) continue;
  result.pictures++;
  if (mode !== "resized") continue;
  const { file, index } = outcome;
  const resized = limit(() => resize(file, index))
    .finally(() => resizing.delete(resized));
  resizing.add(resized);
  if (resizing.size >= 16) await Promise.race(resizing);
}
await Promise.all(resizing);
result.seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ ...result, peaks }));
