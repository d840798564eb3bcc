/**
 * A folder of pictures in classes, as evaluation and the course take it:
 *
 * ```text
 * DIR/train/CLASS/…jpg   the gallery
 * DIR/test/CLASS/…jpg    the queries
 * ```
 *
 * Where there is no test/, every picture of train/ (or of DIR, if its folders
 * are the classes) is a query among all the others: leave-one-out. It uses
 * every picture, and leaves nothing to chance.
 *
 * Reads names, no pictures.
 *
 * ```ts
 * import { readClassFolder } from "#lib/dataset/class_folder.ts";
 * import { paths } from "#lib/paths.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const { leaveOneOut, gallery } = await readClassFolder(paths.sample);
 * deepEqual([leaveOneOut, gallery[0].term], [true, "animals"]);
 * ```
 *
 * @module
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type LeftOut, listPictures, remarksOn } from "../pictures/folder.ts";
import type { Picture } from "../records.ts";

/** A picture and, as its term, its class: the folder below train/, test/ or DIR. */
export type LabelledPicture = Pick<Picture, "path" | "term">;

/** What is searched, and with what. */
export interface ClassFolder {
  gallery: LabelledPicture[];
  /** With leave-one-out, the gallery. */
  queries: LabelledPicture[];
  /** Whether each query is searched for among the others of the gallery. */
  leaveOneOut: boolean;
  /** What was left out or decided, a line each. */
  remarks: string[];
  /** Files that may be pictures and are in neither, and why. */
  leftOut: LeftOut[];
}

/**
 * Lists a folder's gallery and queries.
 *
 * @throws {Error} If there is no such folder, or nothing in it that can be used.
 */
export async function readClassFolder(folder: string): Promise<ClassFolder> {
  if (!existsSync(folder)) throw new Error(`${folder} not found`);
  const remarks: string[] = [];
  const leftOut: LeftOut[] = [];
  const has = (name: string) => {
    const place = join(folder, name);
    return existsSync(place) && statSync(place).isDirectory();
  };
  const read = async (part: string): Promise<LabelledPicture[]> => {
    const place = join(folder, part);
    const listed = await listPictures(place).catch(({ code }) => {
      throw new Error(
        `${place} cannot be read (${code}): expected a folder of pictures`,
      );
    });
    const below = (path: string) => part ? `${part}/${path}` : path;
    const paths = listed.pictures;
    leftOut.push(
      ...listed.leftOut.map((one) => ({ ...one, path: below(one.path) })),
    );
    const inClasses = paths.filter((path) => path.includes("/"));
    const outside = paths.length - inClasses.length;
    if (outside > 0) {
      remarks.push(
        `${outside} of the pictures in ${part || folder} lie in no class's ` +
          "folder: left out",
      );
    }
    return inClasses.map((path) => ({
      path: below(path),
      // train/ and test/ may come from machines that write "é" differently.
      term: path.slice(0, path.indexOf("/")).normalize("NFC"),
    }));
  };

  const gallery = await read(has("train") ? "train" : "");
  const test = has("train") && has("test") ? await read("test") : [];
  remarks.push(...remarksOn(leftOut));
  if (gallery.length === 0 && leftOut.length > 0) {
    throw new Error(`nothing to evaluate in ${folder}; ${remarks.join("; ")}`);
  }
  if (test.length > 0) {
    return { gallery, queries: test, leaveOneOut: false, remarks, leftOut };
  }
  remarks.push(
    `${has("test") ? "test/ holds no pictures" : "There is no test/"}: each ` +
      "picture is searched for among all the others (leave-one-out)",
  );
  return { gallery, queries: gallery, leaveOneOut: true, remarks, leftOut };
}

/**
 * The same without pictures that cannot be used, and without queries for which
 * nothing in the gallery is relevant, each class of them with a remark.
 *
 * @throws {Error} If no query is left, or one class alone, whose every ranking
 *   would be perfect: says what was expected.
 */
export function keepUsable(
  folder: ClassFolder,
  isUsable: (path: string) => boolean,
): ClassFolder {
  const { leaveOneOut } = folder;
  const usable = ({ path }: LabelledPicture) => isUsable(path);
  const gallery = folder.gallery.filter(usable);
  const asked = folder.queries.filter(usable);
  const there = Map.groupBy(gallery, ({ term }) => term);
  // With leave-one-out, a query does not find itself.
  const isFindable = (term: string) =>
    (there.get(term)?.length ?? 0) > (leaveOneOut ? 1 : 0);

  const remarks = [...folder.remarks];
  const classes = Map.groupBy(asked, ({ term }) => term);
  for (const [term, { length: count }] of classes) {
    if (isFindable(term)) continue;
    remarks.push(
      leaveOneOut
        ? `Class ${term} has one picture: it is searched among, not for`
        : `Class ${term} has pictures in test/ and none in train/: its ` +
          `${count === 1 ? "query is" : `${count} queries are`} left out`,
    );
  }
  const queries = asked.filter(({ term }) => isFindable(term));
  const unread = folder.gallery.length - gallery.length;
  const leftOut = unread > 0 ? `, and ${unread} that cannot be read` : "";
  if (queries.length === 0) {
    throw new Error(
      "nothing to evaluate: expected train/CLASS/ and test/CLASS/ with " +
        `pictures of the same classes, or folders of two pictures or more, ` +
        `got ${gallery.length} pictures of ${there.size} classes in the ` +
        `gallery${leftOut}`,
    );
  }
  if (there.size === 1) {
    throw new Error(
      "nothing to tell apart: expected pictures of at least two classes, or " +
        `captions (--captions), got ${gallery.length} in the gallery, all of ` +
        `class ${gallery[0].term}${leftOut}`,
    );
  }
  return { ...folder, gallery, queries, remarks };
}
