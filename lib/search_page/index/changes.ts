/**
 * Pictures that change while they are searched, noticed when they are about to
 * be shown: one whose file is gone is not shown, as long as it is gone; one whose
 * file has changed is embedded anew.
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
 * deepEqual(await watchChanges([space])(space, [0, 1]), new Set());
 * await encoder.close();
 * ```
 *
 * @module
 */
import type { EmbedFailure } from "../../embeddings/embeddings.ts";
import { fileVersion } from "../../embeddings/file_hashes.ts";
import type { EncoderSpace } from "../engine/spaces.ts";
import type { Collection, SourcePicture } from "./collection.ts";
import { indexPictures } from "./indexing.ts";

/**
 * Which of these rows of a space cannot be shown as they are. After it, a
 * picture that has changed has another row, unless it can no longer be decoded.
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
 * @param failures Gets what can no longer be embedded, each picture once.
 */
export function watchChanges(
  spaces: readonly EncoderSpace[],
  failures: EmbedFailure[] = [],
): FindOutdated {
  const addAgain = async (pictures: readonly SourcePicture[]) => {
    for (const space of spaces) {
      const { collection } = space;
      const rows = pictures.map(({ path }) => collection.rowOf(path))
        .filter((row) => row !== undefined);
      const states = await Promise.all(
        rows.map((row) => stateOf(collection, row)),
      );
      const changed = rows.filter((_, i) => states[i] === "changed")
        .map((row) => collection.pictures[row]);
      if (changed.length === 0) continue;
      const source = { name: "", folder: "", pictures: changed, problems: [] };
      for (const failure of await indexPictures(source, space)) {
        const isKnown = failures.some(({ path }) => path === failure.path);
        if (!isKnown) failures.push(failure);
      }
    }
  };
  // One after the other: two searches would add the same picture twice.
  let last: Promise<void> = Promise.resolve();
  return async ({ collection }, rows) => {
    const states = await Promise.all(
      rows.map((row) => stateOf(collection, row)),
    );
    const changed = rows.filter((_, i) => states[i] === "changed")
      .slice(0, AT_ONCE).map((row) => collection.pictures[row]);
    if (changed.length > 0) {
      const added = last.then(() => addAgain(changed));
      last = added.catch(() => undefined);
      await added;
    }
    return new Set(rows.filter((_, i) => states[i] !== "same"));
  };
}

async function stateOf(
  { pictures, versions, superseded }: Collection,
  row: number,
): Promise<"same" | "changed" | "gone"> {
  const { source } = pictures[row];
  if (superseded.has(row)) return "changed";
  if (typeof source !== "string") return "same";
  const version = await fileVersion(source);
  if (version === undefined) return "gone";
  return [undefined, version].includes(versions[row]) ? "same" : "changed";
}
