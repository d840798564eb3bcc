/**
 * From downloaded files to the data set: clean, leave out what is there already
 * or nearly, split, write, and account for every picture that the crawl found.
 *
 * The same downloads give the same data set, in whatever order they arrive. A run
 * that is killed leaves the earlier data set as it was: new pictures are put
 * beside the old ones, then the manifest is exchanged, then what it no longer
 * lists is removed. The next run goes on with what is cleaned.
 *
 * Records lie in a file: memory holds some numbers for each picture.
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
import { createHash, randomUUID } from "node:crypto";
import { copyFile, mkdir, opendir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { accountsPath, type Outcome, OUTCOMES } from "./accounts.ts";
import { type CleanFile, CleanOnce, fromHex, holds } from "./clean_once.ts";
import type { RejectedPicture } from "./clean.ts";
import { picturePath, writeDataset } from "./dataset.ts";
import type { DownloadedPicture, DownloadFailure } from "./download.ts";
import {
  type Alike,
  checkNear,
  findAlike,
  leaveOut,
  type NearOptions,
  type NearPair,
} from "./near_duplicates.ts";
import { HASH_WORDS } from "./perceptual_hash.ts";
import { RowFile } from "./row_file.ts";
import { checkSplit, type SplitOptions, splitPictures } from "./split.ts";
import { writeJsonLines } from "../files.ts";
import { paths } from "../paths.ts";
import type { DatasetPicture, FoundPicture } from "../records.ts";

/** A picture file to prepare, and its side if that is settled. */
export interface PictureFile extends DownloadedPicture {
  split?: DatasetPicture["split"];
}

/** One settled download, a file or why there is none; its place from 0. */
export type FoundFile = (PictureFile | DownloadFailure) & { index: number };

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

/** What `download` returns. */
interface Downloads {
  records: readonly PictureFile[];
  failures: readonly DownloadFailure[];
}

/**
 * Writes the data set to paths.dataset.
 *
 * @param downloads What `download` returned, or what `downloadEach` yields.
 * @throws {RangeError} If an option is out of its range.
 * @throws {Error} If no picture is left: the earlier data set stays.
 */
export async function prepareDataset(
  downloads: Downloads | AsyncIterable<FoundFile>,
  options: PrepareOptions = {},
): Promise<Prepared> {
  const { split = {}, nearDuplicates = {}, minSide = 50, maxSide } = options;
  checkSplit(split);
  if (nearDuplicates) checkNear(nearDuplicates);
  if (!(minSide >= 1)) {
    throw new RangeError(
      `prepareDataset: expected minSide to be 1 pixel or more, got ${minSide}`,
    );
  }
  if (maxSide !== undefined && !(maxSide >= minSide)) {
    throw new RangeError(
      `prepareDataset: expected maxSide to be ${minSide} pixels or more, as ` +
        `minSide is, got ${maxSide}`,
    );
  }
  const staging = join(paths.dataset, ".new");
  await rm(join(staging, "rows.jsonl"), { force: true });
  const cleaner = CleanOnce.open(paths.dataset, {
    ...{ minSide, maxSide },
    hash: nearDuplicates !== false,
  });
  const rows = RowFile.open<Row>(join(staging, "rows.jsonl"));
  try {
    const order = await cleanEach(inOrder(downloads), cleaner, rows, options);
    const { pictures, sameAs } = readDistinct(rows, order, options);
    const near = await dropNear(pictures, rows, cleaner, options);
    const sides = chooseSides(pictures, near, split);
    if (sides.of.size === 0) throw new Error(whyEmpty(order.length, sides));
    const pathIn = (row: number) => {
      const { item, clean } = rows.read(row) as CleanRow;
      const side = sides.of.get(row);
      return side ? pathOf(item, clean, side) : item.file;
    };
    const sorted = Array.from(sides.of.keys(), (row) => (
      { row, path: pathIn(row) }
    )).sort((a, b) => a.path < b.path ? -1 : 1);

    await place(sorted, rows, cleaner);
    await writeDataset(function* () {
      for (const { row } of sorted) {
        yield toPicture(rows.read(row) as CleanRow, sides.of.get(row)!);
      }
    });
    const counts = Object.fromEntries(
      OUTCOMES.map((outcome) => [outcome, 0]),
    ) as Prepared["counts"];
    const whyRefused = new Map(
      sides.refused.map(({ term, reason }) => [term.normalize("NFC"), reason]),
    );
    const endOf = (row: number, { item, clean }: Row): End => {
      if (!("file" in item)) {
        return ["not downloaded", item.stage, item.reason];
      }
      if ("rejected" in clean!) {
        return [clean.rejected, "clean", clean.reason];
      }
      const [same, like] = [sameAs.get(row), near.dropped.get(row)];
      if (same !== undefined) {
        return ["duplicate", "compare", `same as ${pathIn(same)}`];
      }
      if (like !== undefined) {
        const reason = `nearly the same as ${pathIn(like)}`;
        return ["near duplicate", "compare", reason];
      }
      const side = sides.of.get(row);
      if (side) return [side, "", ""];
      const why = whyRefused.get(item.term.normalize("NFC"))!;
      return ["class too small", "split", why];
    };
    await writeJsonLines(
      accountsPath(),
      (function* () {
        for (const number of order) {
          const row = rows.read(number);
          const [outcome, stage, reason] = endOf(number, row);
          counts[outcome]++;
          const file = "file" in row.item ? { file: row.item.file } : {};
          yield { ...foundOf(row.item), ...file, outcome, stage, reason };
        }
      })(),
    );
    await removeOthers(sorted);
    await rm(staging, { recursive: true });
    return { counts, refused: sides.refused, pairs: near.pairs };
  } finally {
    cleaner.close();
    rows.close();
  }
}

/** How a picture ends: its outcome, the stage, the reason. */
type End = [Outcome, stage: string, reason: string];

/** A found picture, and what cleaning made of it. */
interface Row {
  item: FoundFile;
  clean?: CleanFile | RejectedPicture;
}

/** As a stream: records first, then failures. */
async function* inOrder(
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

/** Cleans as pictures come; returns the rows in the order of the source. */
async function cleanEach(
  items: AsyncIterable<FoundFile>,
  cleaner: CleanOnce,
  rows: RowFile<Row>,
  { onProgress, signal }: PrepareOptions,
): Promise<Uint32Array> {
  const indexes: number[] = [];
  const add = (row: Row) => {
    rows.append(row);
    indexes.push(row.item.index);
  };
  let done = 0;
  const clean = async (item: PictureFile & { index: number }) => {
    const places = (clean: CleanFile) =>
      SPLITS.map((split) => picturePath({ path: pathOf(item, clean, split) }));
    add({ item, clean: await cleaner.clean(item.file, places) });
    onProgress?.(++done);
  };
  const underWay = new Set<Promise<void>>();
  try {
    for await (const item of items) {
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

/** Clean pictures, each once, by numbers from 0 in the order of the source. */
interface Pictures {
  /** The row of each. */
  rows: number[];
  /** The class of each, a place in `terms`. */
  classes: number[];
  terms: string[];
  /** Pixels. */
  areas: number[];
  /** The start of its sum, which tells it from all others. */
  sums: number[];
  hashes: Uint32Array;
  /** Those whose side is settled. */
  given: Map<number, DatasetPicture["split"]>;
  spared: Set<number>;
  /** What stands for the group that the caller names, if it does. */
  groups: (number | undefined)[];
}

/** Tells what is new from what was there before. */
function readDistinct(
  rows: RowFile<Row>,
  order: Uint32Array,
  { nearDuplicates = {}, split: { groupBy } = {} }: PrepareOptions,
): { pictures: Pictures; sameAs: Map<number, number> } {
  const pictures: Pictures = {
    ...{ rows: [], classes: [], terms: [], areas: [], sums: [] },
    hashes: new Uint32Array(nearDuplicates ? order.length * HASH_WORDS : 0),
    ...{ given: new Map(), spared: new Set(), groups: [] },
  };
  const sameAs = new Map<number, number>();
  const bySum = new Map<number, number>();
  const byTerm = new Map<string, number>();
  const spare = new Set(nearDuplicates ? nearDuplicates.spare : []);
  for (const row of order) {
    const { item, clean } = rows.read(row);
    if (!clean || "rejected" in clean || !("file" in item)) continue;
    const sum = parseInt(clean.sha256.slice(0, 13), 16);
    const first = bySum.get(sum);
    if (first !== undefined) {
      sameAs.set(row, first);
      continue;
    }
    const number = pictures.rows.push(row) - 1;
    bySum.set(sum, row);
    const term = item.term.normalize("NFC");
    const of = byTerm.get(term) ?? pictures.terms.push(item.term) - 1;
    byTerm.set(term, of);
    pictures.classes.push(of);
    pictures.areas.push(clean.width * clean.height);
    pictures.sums.push(sum);
    if (clean.hash) {
      pictures.hashes.set(fromHex(clean.hash), number * HASH_WORDS);
    }
    if (item.split) pictures.given.set(number, item.split);
    if (spare.has(item.url) || spare.has(item.file)) {
      pictures.spared.add(number);
    }
    const group = groupBy?.(item);
    pictures.groups.push(group === undefined ? undefined : fingerprint(group));
  }
  return { pictures, sameAs };
}

/** What near duplicates come to. */
interface Near {
  /** Rows of what goes, each with the row of what stays for it. */
  dropped: Map<number, number>;
  /** Pairs of which both stay. */
  staying: Alike[];
  pairs: NearPair[];
}

async function dropNear(
  { rows: rowOf, classes, areas, hashes, given, spared }: Pictures,
  rows: RowFile<Row>,
  cleaner: CleanOnce,
  { nearDuplicates = {}, signal }: PrepareOptions,
): Promise<Near> {
  const near: Near = { dropped: new Map(), staying: [], pairs: [] };
  if (!nearDuplicates) return near;
  const read = (number: number) => rows.read(rowOf[number]) as CleanRow;
  const alike = await findAlike(
    hashes.subarray(0, rowOf.length * HASH_WORDS),
    (number) => whereIs(read(number), cleaner),
    nearDuplicates,
    signal,
  );
  const { dropped, staying } = leaveOut(alike, {
    areas,
    isSpared: (number) => spared.has(number),
    keep: nearDuplicates.keep,
  });
  near.staying = staying;
  for (const [number, pair] of [...dropped].sort(([a], [b]) => a - b)) {
    const kept = otherOf(pair, number);
    near.dropped.set(rowOf[number], rowOf[kept]);
    const { hashDistance, similarity } = pair;
    near.pairs.push({
      kept: read(kept).item.file,
      dropped: read(number).item.file,
      hashDistance,
      ...similarity !== undefined && { similarity },
      across: classes[kept] !== classes[number] ||
        given.get(kept) !== given.get(number),
    });
  }
  return near;
}

function otherOf({ a, b }: Alike, number: number): number {
  return a === number ? b : a;
}

/** Where the pictures of the data set belong. */
interface Sides {
  /** By row. */
  of: Map<number, DatasetPicture["split"]>;
  refused: Prepared["refused"];
}

/** Splits what stays; a side that was given is kept. */
function chooseSides(
  { rows: rowOf, classes, terms, sums, given, groups }: Pictures,
  { dropped, staying }: Near,
  split: SplitOptions,
): Sides {
  const free: number[] = [];
  const placeOf = new Map<number, number>();
  const of: Sides["of"] = new Map();
  const firstOf = new Map<number, number>();
  const links: [number, number][] = [];
  for (const [number, row] of rowOf.entries()) {
    const side = given.get(number);
    if (dropped.has(row)) continue;
    if (side) {
      of.set(row, side);
      continue;
    }
    const place = free.push(number) - 1;
    placeOf.set(number, place);
    const group = groups[number];
    if (group === undefined) continue;
    if (firstOf.has(group)) links.push([firstOf.get(group)!, place]);
    else firstOf.set(group, place);
  }
  for (const { a, b } of staying) {
    const [from, to] = [placeOf.get(a), placeOf.get(b)];
    if (from !== undefined && to !== undefined) links.push([from, to]);
  }
  const { sides, refused } = splitPictures({
    classes: free.map((number) => classes[number]),
    links,
    nameOf: (place) => String(sums[free[place]]),
  }, split);
  for (const [place, side] of sides.entries()) {
    if (side) of.set(rowOf[free[place]], side);
  }
  const named = refused.map(({ class: number, reason }) => (
    { term: terms[number], reason }
  ));
  return { of, refused: named };
}

/** Says what is wrong where nothing is left. */
function whyEmpty(found: number, { refused }: Sides): string {
  const classes = refused.slice(0, 3).map(({ term, reason }) =>
    `; ${term}: ${reason}`
  );
  return `prepareDataset: no picture is left of ${found} found; ` +
    `${paths.dataset} stays as it was${classes.join("")}`;
}

/** Puts each picture to where the data set has it. */
async function place(
  sorted: readonly { row: number; path: string }[],
  rows: RowFile<Row>,
  cleaner: CleanOnce,
): Promise<void> {
  let folder = "";
  for (const { row, path } of sorted) {
    const { item, clean } = rows.read(row) as CleanRow;
    const target = picturePath({ path });
    if (holds(target, clean)) continue;
    if (folder !== dirname(target)) {
      folder = dirname(target);
      await mkdir(folder, { recursive: true });
    }
    const staged = cleaner.stagedPath(clean);
    if (holds(staged, clean)) {
      await rename(staged, target);
      continue;
    }
    // On the other side in the earlier data set, which stays whole until then.
    const temporary = `${staged}.${randomUUID()}`;
    await copyFile(whereIs({ item, clean }, cleaner), temporary);
    await rename(temporary, target);
  }
}

/** Where a picture's clean file lies now. */
function whereIs({ item, clean }: CleanRow, cleaner: CleanOnce): string {
  const places = SPLITS.map((split) =>
    picturePath({ path: pathOf(item, clean, split) })
  );
  const found = [cleaner.stagedPath(clean), ...places]
    .find((path) => holds(path, clean));
  if (found) return found;
  throw new Error(
    `${places[0]} has gone while the data set was made: run it again`,
  );
}

const SPLITS = ["train", "test"] as const;

/** Where in the data set a picture lies. */
function pathOf(
  { file, term }: PictureFile,
  { sha256 }: CleanFile,
  split: DatasetPicture["split"],
): string {
  // With its own sum in its name, a picture never takes another's place.
  const name = plainName(
    basename(file).replace(/(\.\w+)?$/, "").replace(/-[0-9a-f]{16}$/, ""),
  );
  return `${split}/${plainName(term)}/${name}-${sha256.slice(0, 12)}.jpg`;
}

/** A text as the name of a file or folder, in whatever language it is. */
function plainName(text: string): string {
  const plain = text.normalize("NFC").replace(/[^\p{L}\p{M}\p{N} _-]+/gu, "_");
  return [...plain].slice(0, 60).join("").trim() || "_";
}

/** What was found about a picture, by whoever found it. */
function foundOf(
  { index: _, ...item }: FoundFile & Partial<PictureFile & DownloadFailure>,
): FoundPicture {
  const { file: _file, split: _split, reason: _why, stage: _at, ...found } =
    item;
  return found;
}

/** A row of a picture that came out clean. */
interface CleanRow {
  item: PictureFile & { index: number };
  clean: CleanFile;
}

function toPicture(
  { item, clean }: CleanRow,
  split: DatasetPicture["split"],
): DatasetPicture {
  const { sha256, width, height } = clean;
  const path = pathOf(item, clean, split);
  return { path, split, ...foundOf(item), width, height, sha256 };
}

/** Removes what an earlier run left and the data set no longer lists. */
async function removeOthers(listed: Iterable<{ path: string }>): Promise<void> {
  // Folded, since some file systems take "Owl" and "owl" for one folder.
  const fold = (path: string) =>
    fingerprint(path.normalize("NFC").toLowerCase());
  const folders = SPLITS.map((split) => join(paths.dataset, split));
  const wanted = new Set(
    folders.map((folder) => fold(join(folder, "metadata.jsonl"))),
  );
  for (const picture of listed) {
    const path = picturePath(picture);
    wanted.add(fold(path)).add(fold(dirname(path)));
  }
  const clear = async (folder: string) => {
    const entries = await opendir(folder).catch(() => []);
    for await (const entry of entries) {
      const path = join(folder, entry.name);
      if (!wanted.has(fold(path))) {
        await rm(path, { recursive: true, force: true });
      } else if (entry.isDirectory()) await clear(path);
    }
  };
  for (const folder of folders) await clear(folder);
}

/** A number that stands for a text: small, and the same for the same text. */
function fingerprint(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6);
}
