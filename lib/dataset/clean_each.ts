/**
 * Downloads as they come, each cleaned, into rows that lie in a file: a row for
 * every picture that was found, in the order of arrival.
 *
 * Some are cleaned at once, so they may settle in another order than they came;
 * each knows its place in the source.
 *
 * ```ts
 * import { inOrder, type PictureFile } from "#lib/dataset/clean_each.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const owl = { file: "/pictures/owl.png", term: "owl" } as PictureFile;
 * const items = await Array.fromAsync(inOrder({ records: [owl], failures: [] }));
 * deepStrictEqual(items, [{ ...owl, index: 0 }]);
 * ```
 *
 * @module
 */
import { setImmediate as immediate } from "node:timers/promises";
import type { RejectedPicture } from "./clean.ts";
import type { CleanFile, CleanOnce } from "./clean_once.ts";
import type { DownloadedPicture, DownloadFailure } from "./download.ts";
import { picturePath } from "./dataset.ts";
import { possiblePaths } from "./names.ts";
import type { RowFile } from "./row_file.ts";
import type { DatasetPicture, FoundPicture } from "../records.ts";

/** A picture file to prepare, and its side if that is settled. */
export interface PictureFile extends DownloadedPicture {
  split?: DatasetPicture["split"];
}

/** One settled download, a file or why there is none; its place from 0. */
export type FoundFile = (PictureFile | DownloadFailure) & { index: number };

/** What `download` returns. */
export interface Downloads {
  records: readonly PictureFile[];
  failures: readonly DownloadFailure[];
}

/** A found picture, and what cleaning made of it. */
export interface Row {
  item: FoundFile;
  /** Absent without a file. */
  clean?: CleanFile | RejectedPicture;
}

/** A row of a picture that came out clean. */
export interface CleanRow {
  item: PictureFile & { index: number };
  clean: CleanFile;
}

/** Where the clean file of a row may lie in a data set. */
export function placesOf({ item: { file, term }, clean }: CleanRow): string[] {
  return possiblePaths(term, { file, sha256: clean.sha256 })
    .map((path) => picturePath({ path }));
}

/** What was found about a picture, by whoever found it. */
export function foundOf(
  { index: _, ...item }: FoundFile & Partial<PictureFile & DownloadFailure>,
): FoundPicture {
  const { file: _file, split: _split, reason: _why, stage: _at, ...found } =
    item;
  return found;
}

/** As a stream: records first, then failures. */
export async function* inOrder(
  downloads: Downloads | AsyncIterable<FoundFile>,
): AsyncIterable<FoundFile> {
  if (!("records" in downloads)) return yield* downloads;
  const { records, failures } = downloads;
  for (let index = 0; index < records.length + failures.length; index++) {
    const item = records[index] ?? failures[index - records.length];
    yield { ...item, index };
  }
}

/** Pictures under way: sharp decodes off this thread, and each takes memory. */
const AT_ONCE = 4;

/**
 * Cleans as pictures come.
 *
 * @param onProgress Called after each picture with how many are cleaned.
 * @returns The numbers of the rows in the order of the source.
 */
export async function cleanEach(
  items: AsyncIterable<FoundFile>,
  cleaner: CleanOnce,
  rows: RowFile<Row>,
  { onProgress, signal }: {
    onProgress?: (done: number) => void;
    signal?: AbortSignal;
  },
): Promise<Uint32Array> {
  const indexes: number[] = [];
  const add = (row: Row) => {
    rows.append(row);
    indexes.push(row.item.index);
  };
  let done = 0;
  const clean = async (item: CleanRow["item"]) => {
    const places = (clean: CleanFile) => placesOf({ item, clean });
    add({ item, clean: await cleaner.clean(item.file, places) });
    onProgress?.(++done);
  };
  const underWay = new Set<Promise<void>>();
  try {
    for await (const item of items) {
      // What is known takes no time, and others have their turn: a bar moves, a
      // button is heard.
      if (indexes.length % 16 === 0) await immediate();
      signal?.throwIfAborted();
      if (!("file" in item)) {
        add({ item });
        continue;
      }
      const work: Promise<void> = clean(item)
        .finally(() => underWay.delete(work));
      underWay.add(work);
      if (underWay.size >= AT_ONCE) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    signal?.throwIfAborted();
  } finally {
    await Promise.allSettled(underWay);
  }
  return Uint32Array.from(indexes.keys())
    .sort((a, b) => indexes[a] - indexes[b]);
}
