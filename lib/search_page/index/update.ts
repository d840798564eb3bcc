/**
 * Brings collections to what a source holds now: what is new is added, what has
 * changed is replaced, what is gone is removed. A picture that was renamed is
 * one that is gone and a new one, whose embedding the store has.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { updateIndex } from "#lib/search_page/index/update.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const source = await sampleSource();
 * for (const [from, to] of [[0, 2], [1, 3]]) {
 *   const pictures = source.pictures.slice(from, to);
 *   await updateIndex({ ...source, pictures }, [space], new Map());
 *   deepEqual(space.collection.pictures.map(({ path }) => path).sort(),
 *     pictures.map(({ path }) => path));
 * }
 * await encoder.close();
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { EmbedFailure } from "../../embeddings/embeddings.ts";
import { fileVersion } from "../../embeddings/file_hashes.ts";
import type { EncoderSpace } from "../engine/spaces.ts";
import type { Collection, SourcePicture } from "./collection.ts";
import { type IndexOptions, indexPictures } from "./indexing.ts";
import type { PictureSource } from "./sources.ts";

/** Pictures without an embedding, by path. */
export type Failures = Map<string, Failure>;

/** One of them. */
export interface Failure extends EmbedFailure {
  /** The version of the file that failed, which is not tried again. */
  version?: string;
}

/** Files looked at before others get their turn. */
const FILES_A_TURN = 500;

/**
 * Updates the collections of some spaces, one after the other.
 *
 * @param failures Of the time before; gets those of now.
 * @returns Milliseconds that went into looking for what is new.
 */
export async function updateIndex(
  source: PictureSource,
  spaces: readonly EncoderSpace[],
  failures: Failures,
  options: IndexOptions = {},
): Promise<number> {
  const { pictures, vectors } = source;
  let looked = 0;
  const paths = new Set(pictures.map(({ path }) => path));
  for (const path of failures.keys()) {
    if (!paths.has(path)) failures.delete(path);
  }
  for (const space of spaces) {
    const { collection } = space;
    const changed: number[] = [];
    const start = performance.now();
    for (const [i, picture] of pictures.entries()) {
      if (i % FILES_A_TURN === 0) {
        await nextTurn();
        options.signal?.throwIfAborted();
      }
      if (isNews(picture, collection, failures)) changed.push(i);
    }
    looked += performance.now() - start;
    if (changed.length > 0) {
      collection.reserve(pictures.length);
      const news = { ...source, pictures: changed.map((i) => pictures[i]) };
      if (vectors) {
        news.vectors = vectors.pick(changed);
        news.pictures.forEach(({ path }, i) => {
          // Its vector was made of what it was before.
          const isChanged = collection.rowOf(path) !== undefined;
          if (isChanged) news.vectors!.row(i).fill(NaN);
        });
      }
      for (const { path } of news.pictures) failures.delete(path);
      for (const failure of await indexPictures(news, space, options)) {
        const { source } = news.pictures[failure.index];
        const index = changed[failure.index];
        const version = versionOf(source);
        failures.set(failure.path, { ...failure, index, version });
        collection.remove(failure.path);
      }
    }
    // Last, and in one go: a picture that was renamed is never missing.
    const gone = collection.pictures.filter(({ path }) => !paths.has(path));
    for (const { path } of gone) collection.remove(path);
  }
  return looked;
}

/** Whether a picture is not in the collection as it is now. */
function isNews(
  picture: SourcePicture,
  collection: Collection,
  failures: Failures,
): boolean {
  const { path, source } = picture;
  const row = collection.rowOf(path);
  if (row === undefined) {
    const failed = failures.get(path);
    return failed?.version === undefined ||
      failed.version !== versionOf(source);
  }
  const known = collection.pictures[row];
  if (recordOf(picture) !== recordOf(known)) return true;
  if (typeof source !== "string") {
    return typeof known.source === "string" ||
      Buffer.compare(source, known.source) !== 0;
  }
  const version = versionOf(source);
  // One that is gone since the folder was listed is none at the next time.
  return version !== undefined && version !== collection.versions[row] &&
    collection.versions[row] !== undefined;
}

/** What is known about a picture, beside its bytes. */
function recordOf({ source: _, sha256: __, ...known }: SourcePicture): string {
  return JSON.stringify(known);
}

/** The version of a picture's file; undefined for one that has none. */
function versionOf(source: SourcePicture["source"]): string | undefined {
  return typeof source === "string" ? fileVersion(source) : undefined;
}
