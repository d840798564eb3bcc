/**
 * Pictures that change while they are searched, noticed when they are about to
 * be shown: one whose file is gone is removed, one whose file has changed is
 * embedded anew in its place. Where the whole folder is gone, as a disk that was
 * pulled out, everything stays as it was.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { watchChanges } from "#lib/search_page/index/changes.ts";
 * import { indexPictures } from "#lib/search_page/index/indexing.ts";
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const source = await sampleSource();
 * await indexPictures({ ...source, pictures: source.pictures.slice(0, 2) }, space);
 * deepEqual(await watchChanges([space], source.folder)(space, [0, 1]), new Set());
 * await encoder.close();
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { fileVersion } from "../../embeddings/file_hashes.ts";
import type { EncoderSpace } from "../engine/spaces.ts";
import type { Collection, SourcePicture } from "./collection.ts";
import { indexPictures } from "./indexing.ts";
import type { Failures } from "./update.ts";

/**
 * Which of these rows of a space were not what their files are. After it, they
 * are or they are gone, and rows have moved (Collection.layout): whoever asked
 * begins anew.
 */
export type FindOutdated = (
  space: EncoderSpace,
  rows: readonly number[],
) => Promise<Set<number>>;

/** So many are embedded while a search waits; the others at the next ones. */
const AT_ONCE = 32;

/**
 * Looks after the pictures of some spaces.
 *
 * @param folder Where they lie.
 * @param failures Gets what can no longer be embedded.
 */
export function watchChanges(
  spaces: readonly EncoderSpace[],
  folder: string,
  failures: Failures = new Map(),
): FindOutdated {
  const remove = (path: string) => {
    for (const { collection } of spaces) collection.remove(path);
  };
  const addAgain = async (pictures: readonly SourcePicture[]) => {
    for (const space of spaces) {
      const { collection } = space;
      const rows = pictures.map(({ path }) => collection.rowOf(path))
        .filter((row) => row !== undefined);
      const states = rows.map((row) => stateOf(collection, row));
      const changed = rows.filter((_, i) => states[i] === "changed")
        .map((row) => collection.pictures[row]);
      if (changed.length === 0) continue;
      const source = { name: "", folder: "", pictures: changed, problems: [] };
      for (const failure of await indexPictures(source, space)) {
        remove(failure.path);
        failures.set(failure.path, failure);
      }
    }
  };
  // One after the other: two searches would add the same picture twice.
  let last: Promise<void> = Promise.resolve();
  return async ({ collection }, rows) => {
    const states = rows.map((row) => stateOf(collection, row));
    const outdated = rows.filter((_, i) => states[i] !== "same");
    if (outdated.length === 0 || !existsSync(folder)) return new Set();
    const pictures = rows.map((row) => collection.pictures[row]);
    const inState = (state: string) =>
      pictures.filter((_, i) => states[i] === state);
    for (const { path } of inState("gone")) remove(path);
    const changed = inState("changed").slice(0, AT_ONCE);
    const added = last.then(() => addAgain(changed));
    last = added.catch(() => undefined);
    await added;
    return new Set(outdated);
  };
}

function stateOf(
  { pictures, versions }: Collection,
  row: number,
): "same" | "changed" | "gone" {
  const { source } = pictures[row];
  if (typeof source !== "string") return "same";
  const version = fileVersion(source);
  if (version === undefined) return "gone";
  return [undefined, version].includes(versions[row]) ? "same" : "changed";
}
