/**
 * The data set of the course from a folder of anyone's pictures, in place of a
 * crawl: `DIR/CLASS/…`, or `DIR/train/CLASS/…` and `DIR/test/CLASS/…`.
 *
 * A class is a term, and its own category; its name stands for the caption that
 * nobody wrote. The folder is only read.
 *
 * ```ts
 * import { prepareFolder } from "#lib/dataset/from_folder.ts";
 * import { rejects } from "node:assert/strict";
 *
 * await rejects(prepareFolder("no/such/folder"), /no\/such\/folder not found/);
 * ```
 *
 * @module
 */
import { resolve } from "node:path";
import type { DatasetPicture } from "../records.ts";
import { readClassFolder } from "./class_folder.ts";
import { type Account, readAccounts } from "./accounts.ts";
import { prepareDataset, type PrepareOptions } from "./prepare.ts";

/** What became of a folder's pictures. */
export interface PreparedFolder {
  /** One for each picture. */
  accounts: Account[];
  /** What was left out or decided, a line each. */
  remarks: string[];
}

/**
 * Writes the data set to paths.dataset. Without `test/`, the first pictures of
 * each class become the queries, as after a crawl.
 *
 * @throws {Error} If there is no such folder, no picture in a class's folder, or
 *   no class with a query and a picture to be found.
 */
export async function prepareFolder(
  folder: string,
  options?: PrepareOptions,
): Promise<PreparedFolder> {
  const { gallery, queries, leaveOneOut, leftOut } = await readClassFolder(
    folder,
  );
  if (gallery.length === 0) {
    throw new Error(
      `${folder} has no pictures in folders of classes: expected CLASS/, or ` +
        "train/CLASS/ and test/CLASS/",
    );
  }
  const record = (
    { path, term }: { path: string; term: string },
    split?: DatasetPicture["split"],
  ) => ({
    ...{ category: term, term, caption: term, url: "", page: "" },
    ...{ author: "", license: "", file: resolve(folder, path), split },
  });
  const records = leaveOneOut ? gallery.map((picture) => record(picture)) : [
    ...gallery.map((picture) => record(picture, "train")),
    ...queries.map((picture) => record(picture, "test")),
  ];
  await prepareDataset({ records, failures: [] }, options);
  const accounts = await readAccounts();
  if (!accounts.some(({ outcome }) => outcome === "test")) {
    throw new Error(
      `${folder} leaves nothing to search with: expected a class of two ` +
        "pictures or more that can be read",
    );
  }
  const lost = accounts.filter(({ reason }) => reason !== "");
  const shown = (path: string) => path.slice(resolve(folder).length + 1);
  return {
    accounts,
    remarks: [
      ...leftOut.map(({ path, reason }) => `${path}: ${reason}`),
      ...lost.map(({ file, reason }) => `${shown(file!)}: ${reason}`),
    ],
  };
}
