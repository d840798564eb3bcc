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
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  accountsPath,
  type Outcome,
  type ReasonCount,
  reasonCounts,
} from "./accounts.ts";
import { ClassCounts, type RefusedClass } from "./class_counts.ts";
import {
  cleanEach,
  type Downloads,
  type FoundFile,
  foundOf,
  inOrder,
  type Row,
} from "./clean_each.ts";
import { CleanOnce } from "./clean_once.ts";
import { writeDataset } from "./dataset.ts";
import { dropNear, readDistinct } from "./distinct.ts";
import { accountsOf, noCounts } from "./endings.ts";
import { Layout, place, removeOthers } from "./layout.ts";
import {
  checkNear,
  type NearOptions,
  type NearPair,
} from "./near_duplicates.ts";
import { RowFile } from "./row_file.ts";
import { chooseSides, type Sides } from "./sides.ts";
import { checkSplit, type SplitOptions } from "./split.ts";
import { writeJsonLines } from "../files.ts";
import { paths } from "../paths.ts";
import type { DatasetPicture } from "../records.ts";

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
  refused: RefusedClass[];
  /** What was left out for what is nearly the same. */
  pairs: NearPair[];
  /** What is odd about the split, a line each. */
  remarks: string[];
}

/** No picture is left of those that were found. */
export class NothingLeft extends Error {
  override name = "NothingLeft";
  /** How many ended how. */
  readonly counts: Prepared["counts"];
  /** Classes that were lost, and why. */
  readonly refused: Prepared["refused"];
  /** The most frequent first. */
  readonly reasons: ReasonCount[];
  /** What else is odd about the source, a line each. */
  remarks: string[] = [];

  /** Says how pictures and classes ended. */
  constructor(
    { counts, refused, reasons }: Pick<
      NothingLeft,
      "counts" | "refused" | "reasons"
    >,
  ) {
    const found = Object.values(counts).reduce((sum, count) => sum + count);
    const classes = refused.slice(0, 3)
      .map(({ term, reason }) => `; ${term}: ${reason}`);
    super(`no picture is left of ${found} found${classes.join("")}`);
    this.counts = counts;
    this.refused = refused;
    this.reasons = reasons;
  }
}

/**
 * Writes the data set to paths.dataset.
 *
 * @param downloads What `download` returned, or what `downloadEach` yields.
 * @throws {RangeError} If an option is out of its range.
 * @throws {NothingLeft} If no picture is left: an earlier data set stays.
 */
export async function prepareDataset(
  downloads: Downloads | AsyncIterable<FoundFile>,
  options: PrepareOptions = {},
): Promise<Prepared> {
  const { split = {}, nearDuplicates = {}, signal } = options;
  const { minSide = 50, maxSide } = options;
  checkSplit(split);
  if (nearDuplicates) checkNear(nearDuplicates);
  checkSides(minSide, maxSide);
  const staging = join(paths.dataset, ".new");
  await rm(join(staging, "rows.jsonl"), { force: true });
  const hash = nearDuplicates !== false;
  const cleaner = CleanOnce.open(paths.dataset, { minSide, maxSide, hash });
  const rows = RowFile.open<Row>(join(staging, "rows.jsonl"));
  try {
    const order = await cleanEach(inOrder(downloads), cleaner, rows, options);
    const { groupBy } = split;
    const pictures = readDistinct(rows, order, nearDuplicates, groupBy);
    const near = await dropNear(
      ...[pictures, rows, cleaner, nearDuplicates, signal] as const,
    );
    const sides = chooseSides(pictures, near, split);
    const layout = new Layout(rows, pictures, sides);
    const counts = noCounts(), classes = new ClassCounts();
    const accounts = accountsOf(rows, order, {
      ...{ sameAs: pictures.sameAs, dropped: near.dropped, sides, layout },
    }, { counts, classes });
    const refused = () => [...sides.refused, ...classes.lost()];
    if (!sides.of.some(Boolean)) {
      // The accounts are counted while they are read.
      const reasons = reasonCounts(accounts);
      throw new NothingLeft({ counts, refused: refused(), reasons });
    }

    await place(layout, cleaner);
    await writeDataset(() => recordsOf(layout, sides));
    await writeJsonLines(accountsPath(), accounts);
    await removeOthers(layout);
    await rm(staging, { recursive: true });
    const { test = 2 } = split;
    const remarks = pictures.given.size > 0
      ? classes.oneSided()
      : classes.tooFew(test);
    return { counts, refused: refused(), pairs: near.pairs, remarks };
  } finally {
    cleaner.close();
    rows.close();
  }
}

function checkSides(minSide: number, maxSide?: number): void {
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
}

/** The records, sorted by path. */
function* recordsOf(layout: Layout, sides: Sides): Generator<DatasetPicture> {
  for (const number of [...layout.folders.values()].flat()) {
    const row = layout.read(number);
    const { item, clean: { sha256, width, height } } = row;
    const path = layout.pathOf(number, row)!;
    const split = sides.of[number]!;
    yield { path, split, ...foundOf(item), width, height, sha256 };
  }
}
