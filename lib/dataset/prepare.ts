/**
 * From downloaded files to the data set: clean, drop duplicates, split, write,
 * and account for every picture that the crawl found.
 *
 * The same downloads give the same data set. A run that is killed leaves the
 * earlier data set as it was: new pictures are put beside the old ones, then
 * the manifest is exchanged, then what it no longer lists is removed.
 *
 * ```ts
 * import { prepareDataset } from "#lib/dataset/prepare.ts";
 * import { rejects } from "node:assert/strict";
 *
 * await rejects(
 *   prepareDataset({ records: [], failures: [] }),
 *   /no picture is left of 0 found/,
 * );
 * ```
 *
 * @module
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type Account,
  accountsPath,
  type Outcome,
  OUTCOMES,
} from "./accounts.ts";
import { type CleanPicture, cleanPicture } from "./clean.ts";
import type { DownloadedPicture, DownloadFailure } from "./download.ts";
import { writeAtomic, writeJsonLines } from "../files.ts";
import { paths } from "../paths.ts";
import type { DatasetPicture } from "../records.ts";
import { picturePath, writeDataset } from "./dataset.ts";
import type { NearOptions, NearPair } from "./near_duplicates.ts";
import type { SplitOptions } from "./split.ts";

/** A picture file to prepare, and its side if that is settled. */
export interface PictureFile extends DownloadedPicture {
  split?: DatasetPicture["split"];
}

/** One settled download: a file, or why there is none. */
export type FoundFile =
  & (PictureFile | (DownloadFailure & { stage?: string }))
  & {
    /** Its place in the source, from 0. */
    index: number;
  };

/** How to prepare. */
export interface PrepareOptions {
  /** How many of each class become queries, and which. @default the first 2 */
  split?: SplitOptions;
  /** Shortest side in pixels. @default 50 */
  minSide?: number;
  /** Longer side in pixels, to which larger pictures are shrunk. */
  maxSide?: number;
  /** How near duplicates are left out; false keeps them. */
  nearDuplicates?: NearOptions | false;
  /** Called after each picture with how many are cleaned. */
  onProgress?: (done: number) => void;
  /** Stops the work; the earlier data set stays. */
  signal?: AbortSignal;
}

/** What became of the pictures; one by one, `readAccounts` tells it. */
export interface Prepared {
  /** How many ended how. */
  counts: Record<Outcome, number>;
  /** Classes that were left out, and why. */
  refused: { term: string; reason: string }[];
  /** What was left out for what is nearly the same. */
  pairs: NearPair[];
}

/**
 * Writes the data set to paths.dataset.
 *
 * @param downloads What `download` returned, or what `downloadEach` yields.
 * @throws {Error} If no picture is left: the earlier data set stays.
 */
export async function prepareDataset(
  downloads: Downloads | AsyncIterable<FoundFile>,
  { split = {}, minSide, onProgress, signal }: PrepareOptions = {},
): Promise<Prepared> {
  const { test = 2 } = split;
  if (!(test >= 0) || (test > 1 && !Number.isInteger(test))) {
    throw new RangeError(
      `prepareDataset: expected test to be a whole number from 0, or a ` +
        `fraction below 1, got ${test}`,
    );
  }
  const staging = join(paths.dataset, ".new");
  let done = 0;
  const rows: (FoundFile & Partial<Account & Cleaned>)[] = [];
  for await (const item of inOrder(downloads)) {
    signal?.throwIfAborted();
    if (!("file" in item)) {
      const stage = "stage" in item ? item.stage : "status";
      rows.push({ ...item, stage, outcome: "not downloaded" });
      continue;
    }
    const result = await cleanPicture(item.file, { minSide });
    onProgress?.(++done);
    if ("rejected" in result) {
      const { rejected: outcome, reason } = result;
      rows.push({ ...item, outcome, reason, stage: "clean" });
      continue;
    }
    const { jpeg, ...facts } = result;
    await writeAtomic(join(staging, facts.sha256), jpeg);
    rows.push({ ...item, ...facts });
  }
  rows.sort((a, b) => a.index - b.index);

  const distinct = new Map<string, Cleaned>();
  for (const item of rows) {
    if (!item.sha256 || distinct.has(item.sha256)) continue;
    distinct.set(item.sha256, item as Cleaned);
  }
  if (distinct.size === 0) {
    throw new Error(
      `prepareDataset: no picture is left of ${rows.length} found; ` +
        `${paths.dataset} stays as it was`,
    );
  }
  const terms = Map.groupBy(distinct.values(), ({ term }) => term);
  const refused: Prepared["refused"] = [];
  const pictures = [...terms].flatMap(([term, items]) => {
    const wanted = Number.isInteger(test) ? test : Math.max(
      1,
      Math.round(test * items.length),
    );
    if (test > 0 && items.length < 2 && !items[0].split) {
      refused.push({ term, reason: "one picture" });
      return [];
    }
    const testCount = Math.min(wanted, items.length - 1);
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

  const kept = new Map(pictures.map((picture) => [picture.sha256, picture]));
  const counts = Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, 0]),
  ) as Prepared["counts"];
  const accounts = rows.map((item): Account => {
    const { sha256, width, height, split: _, index: ___, ...found } = item;
    const account = { ...found } as Account;
    if (sha256) {
      const picture = kept.get(sha256);
      Object.assign(
        account,
        { width, height },
        distinct.get(sha256) !== item
          ? {
            outcome: "duplicate",
            stage: "compare",
            reason: picture ? `same as ${picture.path}` : "same as another",
          }
          : picture
          ? { outcome: picture.split, stage: "", reason: "" }
          : { outcome: "class too small", stage: "split", reason: "alone" },
      );
    }
    counts[account.outcome]++;
    return account;
  });
  await writeJsonLines(accountsPath(), accounts);
  await rm(staging, { recursive: true });
  return { counts, refused, pairs: [] };
}

/** What `download` returns. */
interface Downloads {
  records: readonly PictureFile[];
  failures: readonly (DownloadFailure & { stage?: string })[];
}

/** As a stream: records first, then failures. */
async function* inOrder(
  downloads: Downloads | AsyncIterable<FoundFile>,
): AsyncIterable<FoundFile> {
  if (!("records" in downloads)) return yield* downloads;
  const { records, failures } = downloads;
  for (const [i, item] of [...records, ...failures].entries()) {
    yield { ...item, index: i };
  }
}

/** A downloaded picture that came out clean. */
type Cleaned = PictureFile & { index: number } & Omit<CleanPicture, "jpeg">;

function toPicture(
  { file, width, height, sha256, split: _, index: __, ...found }: Cleaned,
  split: DatasetPicture["split"],
): DatasetPicture {
  // With its own sum in its name, a picture never takes another's place.
  const name = plainName(
    basename(file).replace(/(\.\w+)?$/, "").replace(/-[0-9a-f]{16}$/, ""),
  );
  const path = `${split}/${plainName(found.term)}/${name}-${
    sha256.slice(0, 12)
  }.jpg`;
  return { path, split, ...found, width, height, sha256 };
}

/** A text as the name of a file or folder, in whatever language it is. */
function plainName(text: string): string {
  const plain = text.normalize("NFC").replace(/[^\p{L}\p{M}\p{N} _-]+/gu, "_");
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
