/**
 * Pictures that a command is given as a query, as queries name them: by their
 * paths where they are in the collection, else as uploads.
 *
 * A link to a picture is that picture: none is the other's result.
 *
 * ```ts
 * import { findQueryPictures } from "#lib/search_page/query_pictures.ts";
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const { pictures } = await sampleSource();
 * const [{ source, path }] = pictures;
 * const [found] = await findQueryPictures([{ source }], pictures);
 * deepStrictEqual(found.inside, [path]);
 * ```
 *
 * @module
 */
import { identityOf } from "../files.ts";
import { UPLOAD } from "./engine/query_vector.ts";
import { fetchedPicture } from "./fetched_picture.ts";
import type { Collection, SourcePicture } from "./index/collection.ts";
import { saveUpload } from "./served_pictures.ts";

/** A picture that is searched for. */
export interface QueryPicture {
  /** A file's path, an http or https address, or the bytes. */
  source: string | Uint8Array;
  /** Below 0: away from it. @default 1 */
  weight?: number;
}

/** One that is found, be it indexed or not. */
export interface FoundPicture {
  source: string | Uint8Array;
  weight: number;
  /** Its paths among the pictures that are searched: with links, several. */
  inside: string[];
  /** Its name as an upload, where it is none of them. */
  upload?: string;
}

/**
 * Finds pictures among those that are searched, and keeps the others as uploads.
 *
 * @throws {QueryError} If one of the others cannot be read or fetched.
 */
export async function findQueryPictures(
  pictures: readonly QueryPicture[],
  among: readonly SourcePicture[],
  signal?: AbortSignal,
): Promise<FoundPicture[]> {
  const found: FoundPicture[] = [];
  for (const { source, weight = 1 } of pictures) {
    const isAddress = isText(source) && /^https?:/i.test(source);
    const inside = isAddress ? [] : samePicture(source, among);
    const one: FoundPicture = { source, weight, inside };
    if (inside.length === 0) {
      one.upload = await saveUpload(
        isAddress ? await fetchedPicture(source, { signal }) : source,
      );
    }
    found.push(one);
  }
  return found;
}

/**
 * Names pictures for a query. One that is among those that are searched, but not
 * indexed, is an upload too.
 *
 * @throws {QueryError} If such a one cannot be read.
 */
export async function nameQueryPictures(
  found: readonly FoundPicture[],
  collection: Collection,
): Promise<{ like: string[]; unlike: string[] }> {
  const like: string[] = [], unlike: string[] = [];
  for (const { source, weight, inside, upload } of found) {
    const indexed = inside.filter((path) =>
      collection.rowOf(path) !== undefined
    );
    const names = indexed.length > 0
      ? indexed
      : [UPLOAD + (upload ?? await saveUpload(source))];
    for (const name of names) {
      let entry = `${Math.abs(weight) / names.length}:${name}`;
      // A picture's path is taken whole first: there may be a "1:cat.jpg" too.
      while (collection.rowOf(entry) !== undefined) entry = `0${entry}`;
      (weight < 0 ? unlike : like).push(entry);
    }
  }
  return { like, unlike };
}

/** The paths of the pictures that are the same file, or the same bytes in memory. */
function samePicture(
  source: string | Uint8Array,
  among: readonly SourcePicture[],
): string[] {
  const fileAt = (one: string | Uint8Array) =>
    isText(one) ? identityOf(one) : undefined;
  const file = fileAt(source);
  return among.filter((picture) =>
    picture.source === source ||
    file !== undefined && fileAt(picture.source) === file
  ).map(({ path }) => path);
}

function isText(source: string | Uint8Array): source is string {
  return typeof source === "string";
}
