/**
 * Where pictures come from: the sample, the data set of notebook 2, a folder of
 * anyone's pictures (with captions beside it where there are some, as COCO has
 * them, and with the embeddings that clip-retrieval or NumPy has left there),
 * and the seed projects' files: embeddings.npy, metadata.json and images.txt.
 *
 * A folder's pictures are filed by where they lie: the last folder is the term,
 * the one above it the category.
 *
 * Reads files and changes none.
 *
 * ```ts
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { ok } from "node:assert/strict";
 *
 * const { pictures } = await sampleSource();
 * ok(pictures.some(({ term }) => term === "water bird"));
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { captionsBeside } from "../../captions/beside.ts";
import type { CaptionedPicture } from "../../captions/captions.ts";
import { Matrix } from "../../compare/matrix.ts";
import { picturePath, readDataset } from "../../dataset/dataset.ts";
import { paths } from "../../paths.ts";
import { readSample, samplePath } from "../../photo_site/sample.ts";
import {
  type LeftOut,
  type ListingOptions,
  listPictures,
  remarksOn,
} from "../../pictures/folder.ts";
import { PICTURE_FORMATS } from "../../pictures/formats.ts";
import type { SourcePicture } from "./collection.ts";
import { readMadeIndex } from "./made_index.ts";
import { holdsSeedFiles, readSeedFiles } from "./seed_files.ts";
import { nameOf } from "./titles.ts";

/** Pictures described before the server gets its turn. */
const PICTURES_A_TURN = 1000;

/** Pictures to be indexed. */
export interface PictureSource {
  /** What the page calls it: "Sample pictures", a folder's name. */
  name: string;
  /** The folder that it stands for: names its index. */
  folder: string;
  pictures: SourcePicture[];
  /**
   * Vectors that came with the pictures, by row, NaN where there is none; used
   * if the encoder made them.
   */
  vectors?: Matrix;
  /** What they came in, for messages. @default "embeddings.npy" */
  vectorsFrom?: string;
  /** What was left out or is odd, a line each. */
  problems: string[];
  /** Files that may be pictures and are none of `pictures`, and why. */
  leftOut?: LeftOut[];
  /** Looks again, where that is worth it: it may find none, or throw. */
  look?(): Promise<PictureSource>;
}

/** The pictures that come with the project. */
export async function sampleSource(): Promise<PictureSource> {
  const pictures = (await readSample()).map((picture): SourcePicture => ({
    ...picture,
    source: samplePath(picture),
    title: basename(picture.path, ".jpg").replaceAll("-", " "),
  }));
  const folder = paths.sample;
  return {
    ...{ name: "Sample pictures", folder, pictures, problems: [] },
    look: sampleSource,
  };
}

/**
 * The data set that notebook 2 made: its gallery.
 *
 * @throws {Error} If notebook 2 has not run.
 */
export async function datasetSource(): Promise<PictureSource> {
  const { gallery } = await readDataset();
  const pictures = gallery.map((picture): SourcePicture => ({
    ...picture,
    source: picturePath(picture),
    title: picture.caption || nameOf(picture.path),
  }));
  return { name: "Data set", folder: paths.dataset, pictures, problems: [] };
}

/**
 * A folder: the seed projects' files where it holds them, else all pictures in
 * it and below, with their captions where a file of captions lies there.
 *
 * @throws {Error} If there is no such folder, or no picture in it.
 */
export async function folderSource(
  folder: string,
  listing?: ListingOptions,
): Promise<PictureSource> {
  const source = await servedFolder(folder, listing);
  if (source.pictures.length > 0) return source;
  throw new Error(source.problems.join("; "));
}

/**
 * A folder that may hold no pictures, yet or for a while: `problems` says so.
 *
 * @throws {Error} If there is no such folder.
 */
export async function servedFolder(
  folder: string,
  listing?: ListingOptions,
): Promise<PictureSource> {
  const root = resolve(folder);
  const look = () => servedFolder(root, listing);
  if (await holdsSeedFiles(root)) {
    return { ...await readSeedFiles(root), look };
  }
  const { pictures: found, leftOut, folders } = await listPictures(
    root,
    listing,
  ).catch(
    (error) => {
      throw new Error(
        error.code === "ENOTDIR"
          ? `${folder} is a file: expected a folder of pictures`
          : `${folder} cannot be read (${error.code}): expected a folder of pictures`,
      );
    },
  );
  const made = await readMadeIndex(root, found, folders);
  const elsewhere = made?.pictures.filter(({ path }) => isAbsolute(path)) ?? [];
  leftOut.push(...made?.leftOut ?? []);
  const remarks = [...remarksOn(leftOut), ...made?.problems ?? []];
  if (found.length + elsewhere.length === 0) {
    if (existsSync(join(root, "images.txt"))) {
      remarks.push("images.txt has no pictures as base64, a line each");
    }
    remarks.unshift(`${folder} holds no pictures (${PICTURE_FORMATS})`);
  }
  const { captioned, problems } = await captionsBeside(root, found);
  const rowOf = new Map(made?.pictures.map(({ path }, row) => [path, row]));
  const places = new Set(found.map((path) => dirname(path)));
  const all = [...found, ...elsewhere.map(({ path }) => path)];
  const pictures: SourcePicture[] = [];
  let filed = { place: "", term: "", category: "" };
  for (const path of all) {
    // Of 100,000, others that ask the server meanwhile do not wait for all.
    if (pictures.length % PICTURES_A_TURN === 0) await nextTurn();
    const isElsewhere = isAbsolute(path);
    const place = path.slice(0, path.lastIndexOf("/") + 1);
    // Pictures come folder by folder.
    if (filed.place !== place) {
      // One folder for all, "val2017" say, tells nothing of any of them.
      const [term = "", category = ""] = places.size > 1 && !isElsewhere
        ? place.normalize("NFC").split("/").toReversed().slice(1)
        : [];
      filed = { place, term, category };
    }
    const { term, category } = filed;
    const known: Partial<CaptionedPicture> | undefined = captioned.get(path) ??
      made?.pictures[rowOf.get(path) ?? -1];
    const picture: SourcePicture = {
      path,
      source: isElsewhere ? path : `${root}${sep}${path}`,
      title: nameOf(path),
      url: "",
      caption: known?.caption ?? "",
      author: known?.author ?? "",
      license: known?.license ?? "",
      page: known?.page ?? "",
      ...{ term, category },
    };
    const { captions = [] } = known ?? {};
    if (captions.length > 1) picture.captions = captions;
    pictures.push(picture);
  }
  return {
    ...{ name: basename(root), folder: root, pictures, leftOut, look },
    ...(made && made.vectors.count > 0 && {
      vectors: vectorsOf(all.map((path) => rowOf.get(path)), made.vectors),
      vectorsFrom: made.name,
    }),
    problems: [...remarks, ...problems],
  };
}

/** Rows in another order; NaN throughout where there is none. */
function vectorsOf(
  rows: readonly (number | undefined)[],
  vectors: Matrix,
): Matrix {
  const ordered = Matrix.zeros(rows.length, vectors.dimensions);
  rows.forEach((row, i) => {
    if (row === undefined) ordered.row(i).fill(NaN);
    else ordered.set(i, vectors.row(row));
  });
  return ordered;
}
