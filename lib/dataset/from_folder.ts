/**
 * The data set of the course from a folder of anyone's pictures, in place of a
 * crawl.
 *
 * ```text
 * DIR/CLASS/owl.jpg                         a class's folder
 * DIR/any/depth/CATEGORY/CLASS/owl.jpg      the folder above is its category
 * DIR/owl.jpg                               the class is called as DIR is
 * DIR/train/CLASS/…, DIR/test/CLASS/…       the split is kept
 * ```
 *
 * training/ is train/, and val/, valid/, validation/ and testing/ are test/, in
 * any case.
 *
 * The class's name stands for the caption that nobody wrote. The folder is only
 * read, and what lies in the data folder is none of it.
 *
 * ```ts
 * import { prepareFolder } from "#lib/dataset/from_folder.ts";
 * import { rejects } from "node:assert/strict";
 *
 * await rejects(prepareFolder("no/such/folder"), /no\/such\/folder cannot be read/);
 * ```
 *
 * @module
 */
import { constants, realpathSync } from "node:fs";
import { access } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { isOneOf, licenceName } from "../crawl/licences.ts";
import { paths } from "../paths.ts";
import { listPictures, remarksOn } from "../pictures/folder.ts";
import { PICTURE_FORMATS } from "../pictures/formats.ts";
import type { DatasetPicture, FoundPicture } from "../records.ts";
import type { FoundFile } from "./clean_each.ts";
import {
  NothingLeft,
  type Prepared,
  prepareDataset,
  type PrepareOptions,
} from "./prepare.ts";
import type { SplitOptions } from "./split.ts";

/** What of a picture may be known besides its place. */
export type Known = Partial<Omit<FoundPicture, "category" | "term">>;

/** How to prepare a folder. */
export interface FolderOptions extends PrepareOptions {
  /**
   * What is known of pictures from files beside them, by path below the folder:
   * given the folder and the paths. @default nothing is
   */
  readKnown?: (
    folder: string,
    found: readonly string[],
  ) => Promise<ReadonlyMap<string, Known>>;
  /** Licences that are wanted; pictures of others are left out. @default all */
  licences?: readonly string[];
}

/** What became of a folder's pictures. */
export interface PreparedFolder extends Prepared {
  /** Pictures that were found. */
  found: number;
  /** What could not be taken for a picture, a line each. */
  remarks: string[];
}

/**
 * Writes the data set to paths.dataset. Where train/ and test/ do not both have
 * pictures, queries are chosen as after a crawl.
 *
 * @throws {NothingLeft} If no picture is left.
 * @throws {Error} If there is no such folder, no picture in it, or it is the data
 *   set itself.
 */
export async function prepareFolder(
  folder: string,
  { readKnown, licences = [], ...options }: FolderOptions = {},
): Promise<PreparedFolder> {
  const root = resolve(folder);
  const excludeDirs = ownFolders(root);
  const { pictures, leftOut } = await listPictures(root, { excludeDirs })
    .catch(({ code }) => {
      throw new Error(
        `${folder} cannot be read (${code}): expected a folder of pictures`,
      );
    });
  const remarks = remarksOn(leftOut);
  if (pictures.length === 0) {
    throw new Error(
      [`${folder} holds no pictures (${PICTURE_FORMATS})`, ...remarks]
        .join("; "),
    );
  }
  const sides = new Set(pictures.map(sideOf));
  const isSplit = sides.has("train") && sides.has("test");
  const found = isSplit ? pictures.filter(sideOf) : pictures;
  remarks.push(...remarksOnSplit(pictures, isSplit, options.split));
  const known = await readKnown?.(root, found);
  const prepared = await prepareDataset(files(), options).catch((error) => {
    if (error instanceof NothingLeft) error.remarks = remarks;
    throw error;
  });
  remarks.push(...prepared.remarks);
  return { ...prepared, found: found.length, remarks };

  async function* files(): AsyncGenerator<FoundFile> {
    for (const [index, path] of found.entries()) {
      const record = {
        ...recordOf(root, path, isSplit, known?.get(path)),
        index,
      };
      if (licences.length > 0 && !isOneOf(record.license, licences)) {
        const got = record.license || "no licence";
        const reason = `expected one of ${licences.join(", ")}, got ${got}`;
        yield { ...record, reason, stage: "licence" };
        continue;
      }
      const file = join(root, path);
      const fault = await access(file, constants.R_OK)
        .then(() => undefined, ({ code }) => code);
      if (fault) {
        yield { ...record, reason: `cannot be read (${fault})`, stage: "disk" };
        continue;
      }
      const split = isSplit ? sideOf(path) : undefined;
      yield { ...record, file, ...split && { split } };
    }
  }
}

/** What may surprise in how a folder's split is taken, a line each. */
function remarksOnSplit(
  pictures: readonly string[],
  isSplit: boolean,
  asked: SplitOptions = {},
): string[] {
  const sided = pictures.filter(sideOf);
  const parts = [...new Set(sided.map((path) => path.split("/")[0]))];
  if (!isSplit) {
    const named = parts.map((part) => `${part}/`).join(", ");
    return parts.length === 0 ? [] : [
      `${named} has no other side: taken as any folder, and queries are chosen`,
    ];
  }
  const remarks = parts.map((part) => [`${part}/`, `${sideOf(`${part}/`)}/`])
    .filter(([part, side]) => part !== side)
    .map(([part, side]) => `${part} is taken as ${side}`);
  if (Object.values(asked).some((option) => option !== undefined)) {
    remarks.push(
      "The folder's own split is kept: how many queries, seed and groups were " +
        "asked for has no effect",
    );
  }
  const others = pictures.length - sided.length;
  if (others > 0) {
    remarks.push(
      `${others} of the pictures lie neither in train/ nor in test/: left out`,
    );
  }
  return remarks;
}

/** The side whose folder a picture lies in, if the folder is called like one. */
function sideOf(path: string): DatasetPicture["split"] | undefined {
  const [, train, test] =
    /^(?:(train|training)|(test|testing|val|valid|validation))\//i
      .exec(path) ?? [];
  return train ? "train" : test ? "test" : undefined;
}

/** What a picture's place and the files beside it say. */
function recordOf(
  root: string,
  path: string,
  isSplit: boolean,
  known: Known = {},
): FoundPicture {
  const folders = path.normalize("NFC").split("/").slice(isSplit ? 1 : 0, -1);
  const term = folders.at(-1) ?? (basename(root) || "pictures");
  const { url = "", page = "", caption = "", author = "", license = "" } =
    known;
  return {
    category: folders.at(-2) ?? term,
    ...{ term, url, page, caption: caption || term, author },
    license: licenceName(license),
  };
}

/**
 * What of a folder is this project's data folder.
 *
 * @throws {Error} If the folder is the data set that is going to be written.
 */
function ownFolders(root: string): string[] {
  const [source, data, dataset] = [root, paths.data, paths.dataset].map(real);
  if (source === dataset || source.startsWith(dataset + sep)) {
    throw new Error(
      `${root} is the data set that is going to be written: expected another folder`,
    );
  }
  return [data, dataset].filter((place) => place.startsWith(source + sep))
    .map((place) => relative(source, place).replaceAll(sep, "/"));
}

/** Where a path leads, links followed; one that is not there stays as it is. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
