/**
 * The data set: one record a picture, and where pictures and records lie.
 *
 * ```text
 * 2_dataset/
 *   train/<term>/…jpg   the gallery, which is searched
 *   test/<term>/…jpg    the queries
 *   filename.txt        every picture's path, sorted, one a line
 *   manifest.jsonl      every picture's record, in the same order
 *   captions.json       every picture's caption, author and licence
 *   CREDITS.md          who made the pictures, under which licences, to read
 *   credits.json        the same for programs
 *   train/metadata.jsonl, test/metadata.jsonl
 *                       every picture's record, as image folders have it
 *   accounts.jsonl      what became of every picture that was found
 * ```
 *
 * Written by notebook 2, read by every later one. Beside this: lists.ts
 * (columns.ts, whole_lines.ts) reads lists of addresses; fetch.ts and download.ts
 * bring pictures from the web; clean.ts, near_duplicates.ts and split.ts say what
 * is kept and where. prepare.ts makes the data set, of downloads or of a folder
 * (from_folder.ts), step by step: clean_each.ts, distinct.ts, sides.ts, layout.ts
 * (names.ts), endings.ts. accounts.ts tells what became of each picture,
 * class_counts.ts of each class, credits.ts whose it is. class_folder.ts reads
 * folders for evaluation.
 *
 * ```ts
 * import { picturePath } from "#lib/dataset/dataset.ts";
 * import { match } from "node:assert/strict";
 *
 * match(picturePath({ path: "test/owl/snowy.jpg" }), /2_dataset.test.owl.snowy\.jpg$/);
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  readJsonLines,
  requireStage,
  writeAtomic,
  writeJsonLines,
  writeJsonObject,
} from "../files.ts";
import { paths } from "../paths.ts";
import type { DatasetPicture, Records } from "../records.ts";
import { writeCredits } from "./credits.ts";

/** A picture's absolute path. */
export function picturePath(picture: Pick<DatasetPicture, "path">): string {
  return join(paths.dataset, picture.path);
}

/**
 * Writes the lists. Half a character, where a text was cut in the middle of one,
 * becomes U+FFFD: image folders with it cannot be loaded. In captions.json and metadata.jsonl the term stands for a
 * caption that nobody wrote.
 *
 * @param given Gives all records, sorted by path, as often as it is called.
 */
export async function writeDataset(given: Records): Promise<void> {
  const records = () => mapped(given, wellFormed);
  const at = (name: string) => join(paths.dataset, name);
  const splits = new Set<string>();
  await writeJsonLines(
    at("manifest.jsonl"),
    mapped(records, (picture) => {
      splits.add(picture.split);
      return picture;
    }),
  );
  await writeAtomic(
    at("filename.txt"),
    mapped(records, ({ path }) => path + "\n"),
  );
  await writeJsonObject(
    at("captions.json"),
    mapped(records, ({ path, term, caption, author, license, page }) => [
      path,
      { caption: caption || term, author, license, page },
    ]),
  );
  for (const split of ["train", "test"]) {
    const file = at(join(split, "metadata.jsonl"));
    // An empty one would be a split of nothing.
    if (!splits.has(split)) await rm(file, { force: true });
    else {await writeJsonLines(
        file,
        mapped(
          records,
          (picture) =>
            picture.split === split ? metadataOf(picture) : undefined,
        ),
      );}
  }
  await writeCredits(records, at("manifest.jsonl"));
}

/** A record whose texts are of whole characters: most are as they come. */
function wellFormed(picture: DatasetPicture): DatasetPicture {
  const isWhole = (value: unknown) =>
    typeof value !== "string" || value.isWellFormed();
  if (Object.values(picture).every(isWhole)) return picture;
  const fields = Object.entries(picture).map(([name, value]) => [
    name,
    typeof value === "string" ? value.toWellFormed() : value,
  ]);
  return Object.fromEntries(fields);
}

/** A record as Hugging Face's imagefolder takes it: `file_name` and columns. */
function metadataOf({ path, split, sha256: _, ...picture }: DatasetPicture) {
  const { term, caption } = picture;
  return {
    file_name: path.slice(split.length + 1),
    ...picture,
    caption: caption || term,
  };
}

/** What each record becomes, without those that become undefined. */
async function* mapped<Value>(
  records: Records,
  map: (picture: DatasetPicture) => Value | undefined,
): AsyncGenerator<Value> {
  for await (const picture of records()) {
    const value = map(picture);
    if (value !== undefined) yield value;
  }
}

/** A data set as the notebooks use it. */
export interface Dataset {
  /** What is searched (train), sorted by path. */
  gallery: DatasetPicture[];
  /** What is searched for (test), sorted by path. */
  queries: DatasetPicture[];
  /** The same for the same pictures in the same split, else another. */
  id: string;
}

/**
 * Reads the data set that notebook 2 made.
 *
 * @throws {Error} If notebook 2 has not run, or the data set is empty.
 */
export async function readDataset(): Promise<Dataset> {
  const manifest = join(paths.dataset, "manifest.jsonl");
  const pictures = await requireStage(
    manifest,
    2,
    readJsonLines<DatasetPicture>,
  );
  if (pictures.length === 0) {
    throw new Error(`${manifest} lists no pictures: run notebooks 1 and 2`);
  }
  return {
    gallery: pictures.filter(({ split }) => split === "train"),
    queries: pictures.filter(({ split }) => split === "test"),
    id: idOf(pictures),
  };
}

/**
 * A few pictures, of terms as different as there are: terms at equal steps, a
 * picture of each, then a second one of each where there are too few terms.
 *
 * @param count Most pictures; fewer come where there are fewer.
 */
export function spreadOverTerms<P extends Pick<DatasetPicture, "term">>(
  pictures: readonly P[],
  count: number,
): P[] {
  const byTerm = [...Map.groupBy(pictures, ({ term }) => term).values()];
  const step = Math.max(1, Math.floor(byTerm.length / count));
  const some = byTerm.filter((_, i) => i % step === 0).slice(0, count);
  const rounds = Array.from({ length: count }, (_, round) => round);
  return rounds
    .flatMap((round) => some.flatMap((pictures) => pictures[round] ?? []))
    .slice(0, count);
}

/** A picture's path has the fingerprint of its pixels in it. */
function idOf(pictures: readonly DatasetPicture[]): string {
  const paths = pictures.map(({ path }) => path).join("\n");
  return createHash("sha256").update(paths).digest("hex").slice(0, 12);
}
