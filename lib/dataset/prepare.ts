/**
 * From downloaded files to the data set: clean, drop duplicates, split, write,
 * and account for every picture that the crawl found.
 *
 * The same downloads give the same data set. A run that is killed leaves the
 * earlier data set as it was: new pictures are put beside the old ones, then
 * the manifest is exchanged, then what it no longer lists is removed.
 *
 * ```ts
 * import { countLeft } from "#lib/dataset/prepare.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const owl = { category: "birds", term: "owl", url: "https://example.org/a.jpg",
 *   page: "", caption: "", author: "", license: "" };
 * deepEqual(
 *   countLeft([
 *     { ...owl, outcome: "corrupt", reason: "an empty file" },
 *     { ...owl, outcome: "train", reason: "" },
 *   ]),
 *   { found: 2, downloaded: 2, decodable: 1, "right size": 1, distinct: 1 },
 * );
 * ```
 *
 * @module
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import pLimit from "p-limit";
import {
  type CleanPicture,
  cleanPicture,
  type RejectedPicture,
} from "./clean.ts";
import type { DownloadedPicture, DownloadFailure } from "./download.ts";
import { writeAtomic } from "../files.ts";
import { paths } from "../paths.ts";
import type { DatasetPicture, FoundPicture } from "../records.ts";
import { picturePath, writeDataset } from "./dataset.ts";

/** Where a found picture ended: why it was left out, or in which split. */
export type Outcome =
  | "not downloaded"
  | RejectedPicture["rejected"]
  | "duplicate"
  | DatasetPicture["split"];

/** What became of one found picture. */
export interface Account extends FoundPicture {
  /** Where it ended. */
  outcome: Outcome;
  /** Why it was left out; "" for a picture of the data set. */
  reason: string;
  /** The downloaded file's absolute path, if there is one. */
  file?: string;
}

/** A picture file to prepare. */
export interface PictureFile extends DownloadedPicture {
  /** Where it belongs, if that is settled; else its term's first are queries. */
  split?: DatasetPicture["split"];
}

/** How to prepare. */
export interface PrepareOptions {
  /** Pictures of each term that become queries. @default 2 */
  testPerTerm?: number;
  /** Shortest side in pixels. @default 50 */
  minSide?: number;
  /** Called after each picture with how many are cleaned. */
  onProgress?: (done: number) => void;
  /** Stops the work; the earlier data set stays. */
  signal?: AbortSignal;
}

/**
 * Writes the data set to paths.dataset.
 *
 * @param downloads What `download` returned, in the order of the crawl: each
 *   term's first pictures become its queries.
 * @returns One account for each found picture, records first, then failures.
 * @throws {Error} If no picture is left: the earlier data set stays.
 */
export async function prepareDataset(
  downloads: {
    records: readonly PictureFile[];
    failures: readonly DownloadFailure[];
  },
  { testPerTerm = 2, minSide, onProgress, signal }: PrepareOptions = {},
): Promise<Account[]> {
  if (!Number.isInteger(testPerTerm) || testPerTerm < 0) {
    throw new RangeError(
      `prepareDataset: expected testPerTerm to be a whole number from 0, got ${testPerTerm}`,
    );
  }
  const staging = join(paths.dataset, ".new");
  let done = 0;
  // sharp decodes off this thread; more at once would only hold more memory.
  const cleaned = await pLimit(4).map(downloads.records, async (record) => {
    signal?.throwIfAborted();
    const result = await cleanPicture(record.file, { minSide });
    onProgress?.(++done);
    if ("rejected" in result) {
      return { ...record, outcome: result.rejected, reason: result.reason };
    }
    const { jpeg, ...facts } = result;
    await writeAtomic(join(staging, facts.sha256), jpeg);
    return { ...record, ...facts };
  });

  const distinct = new Map<string, Cleaned>();
  for (const item of cleaned) {
    if (!("sha256" in item) || distinct.has(item.sha256)) continue;
    distinct.set(item.sha256, item);
  }
  if (distinct.size === 0) {
    throw new Error(
      `prepareDataset: no picture is left of ${
        cleaned.length + downloads.failures.length
      } found; ${paths.dataset} stays as it was`,
    );
  }
  const terms = Map.groupBy(distinct.values(), ({ term }) => term);
  const pictures = [...terms.values()].flatMap((items) => {
    // The first ones are queries, but one is left to be found.
    const testCount = Math.min(testPerTerm, items.length - 1);
    return items.map((item, i) =>
      toPicture(item, item.split ?? (i < testCount ? "test" : "train"))
    );
  });
  for (const picture of pictures) {
    await mkdir(dirname(picturePath(picture)), { recursive: true });
    await rename(join(staging, picture.sha256), picturePath(picture));
  }
  const sorted = pictures.toSorted((a, b) => a.path < b.path ? -1 : 1);
  await writeDataset(() => sorted);
  await removeOthers(pictures);
  await rm(staging, { recursive: true });

  const kept = new Map(pictures.map((picture) => [picture.sha256, picture]));
  return [
    ...cleaned.map((item): Account => {
      if (!("sha256" in item)) return item;
      const { sha256, width: _, height: __, split: ___, ...found } = item;
      const { split, path } = kept.get(sha256)!;
      return distinct.get(sha256) === item
        ? { ...found, outcome: split, reason: "" }
        : { ...found, outcome: "duplicate", reason: `same as ${path}` };
    }),
    ...downloads.failures.map((failure): Account => (
      { ...failure, outcome: "not downloaded" }
    )),
  ];
}

/** How many pictures are left after each step, in the order of the steps. */
export function countLeft(
  accounts: readonly Account[],
): Record<string, number> {
  let left = accounts.length;
  const counts: Record<string, number> = { found: left };
  for (const [step, lost] of Object.entries(LOST_AT)) {
    left -= accounts.filter(({ outcome }) => lost.includes(outcome)).length;
    counts[step] = left;
  }
  return counts;
}

/** How pictures end at each step, in the order of the steps. */
const LOST_AT: Record<string, Outcome[]> = {
  downloaded: ["not downloaded"],
  decodable: ["corrupt"],
  "right size": ["too small", "too large"],
  distinct: ["duplicate"],
};

/** A downloaded picture that came out clean. */
type Cleaned = PictureFile & Omit<CleanPicture, "jpeg">;

function toPicture(
  { file, width, height, sha256, split: _, ...found }: Cleaned,
  split: DatasetPicture["split"],
): DatasetPicture {
  // With its own sum in its name, a picture never takes another's place.
  const name = basename(file).replace(/(\.\w+)?$/, "")
    .replace(/-[0-9a-f]{16}$/, "");
  const path = `${split}/${folderName(found.term)}/${name}-${
    sha256.slice(0, 12)
  }.jpg`;
  return { path, split, ...found, width, height, sha256 };
}

/** A term as one folder's name, in whatever language it is. */
function folderName(term: string): string {
  const plain = term.normalize("NFC").replace(/[^\p{L}\p{M}\p{N} _-]+/gu, "_");
  return [...plain].slice(0, 60).join("").trim() || "_";
}

/** Removes what an earlier run left and the data set no longer lists. */
async function removeOthers(
  pictures: readonly DatasetPicture[],
): Promise<void> {
  // Folded, since some file systems take "Owl" and "owl" for one folder.
  const fold = (path: string) => path.normalize("NFC").toLowerCase();
  const files = pictures.map(picturePath);
  const folders = ["train", "test"].map((at) => join(paths.dataset, at));
  const wanted = new Set(
    [
      ...files,
      ...files.map(dirname),
      ...folders.map((folder) => join(folder, "metadata.jsonl")),
    ].map(fold),
  );
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    for (const path of names.map((name) => join(folder, name))) {
      if (wanted.has(fold(path))) continue;
      await rm(path, { recursive: true, force: true });
    }
  }
}
