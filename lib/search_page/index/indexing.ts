/**
 * Fills a collection from a source, picture by picture, so that it can be
 * searched while it grows: what was embedded before comes from disk, the rest
 * goes through the encoder.
 *
 * What a notebook or an evaluation has embedded is not embedded again, and a file
 * of the same size and time is not read again, so that a second start takes a
 * moment. Nothing is written into the folder of the pictures.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { indexPictures } from "#lib/search_page/index/indexing.ts";
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const source = await sampleSource();
 * const pictures = [...source.pictures.slice(0, 2), { ...source.pictures[2], source: "gone.jpg" }];
 * const failures = await indexPictures({ ...source, pictures }, space);
 * deepEqual([space.collection.count, failures.length], [2, 1]);
 * await encoder.close();
 * ```
 *
 * @module
 */
import pLimit from "p-limit";
import {
  type EmbedFailure,
  embedPictures,
  embedTexts,
} from "../../embeddings/embeddings.ts";
import { EmbeddingStore } from "../../embeddings/store.ts";
import { NO_FACTS } from "../../pictures/photo_facts.ts";
import type { EncoderSpace } from "../engine/spaces.ts";
import { meanText, type SourcePicture, textsOf } from "./collection.ts";
import { trustedVectors } from "./given_vectors.ts";
import type { PictureSource } from "./sources.ts";

/** How indexing is watched and stopped. */
export interface IndexOptions {
  /** Called after each group of pictures, and once more at the end. */
  onProgress?: (done: number, total: number) => void;
  /** Stops between two groups, by throwing the signal's reason. */
  signal?: AbortSignal;
  /** Whether what is new is embedded; else it is left out. @default true */
  embedNew?: boolean;
}

/** Pictures that are embedded and added together. */
const GROUP = 48;

/** Pictures that are added together, where all were embedded before. */
const GROUP_OF_KNOWN = 1024;

/**
 * Adds all pictures of a source to a collection.
 *
 * @returns The pictures left out, and why.
 */
export async function indexPictures(
  source: PictureSource,
  { encoder, collection, index }: EncoderSpace,
  { onProgress, signal, embedNew = true }: IndexOptions = {},
): Promise<EmbedFailure[]> {
  const store = await EmbeddingStore.open(encoder);
  const { vectors: given, remarks } = await trustedVectors(
    source,
    encoder,
    store,
  );
  source.problems.push(...remarks);
  const failures: EmbedFailure[] = [];
  const pictures = embedNew || given
    ? source.pictures
    : embeddedBefore(source, store);
  try {
    for (let start = 0; start < pictures.length;) {
      signal?.throwIfAborted();
      const group = await nextGroup(pictures, start, store);
      const lacking = group.filter((_, i) =>
        !given || Number.isNaN(given.row(start + i)[0])
      );
      const embedded = await embedPictures(encoder, lacking, { store });
      const reasons = new Map(
        embedded.failures.map(({ path, reason }) => [path, reason]),
      );
      const texts = group.map(textsOf);
      // A folder's pictures often share their only word.
      const unequal = [...new Set(texts.flat())];
      const textVectors = await embedTexts(encoder, unequal, { store });
      const rowsOfTexts = new Map(unequal.map((text, row) => [text, row]));
      // Beside one another: the first time, each opens its file.
      const facts = await Promise.all(
        group.map(({ source, sha256 }) =>
          sha256 ? store.facts.of({ source, sha256 }) : NO_FACTS
        ),
      );
      let row = 0;
      group.forEach((picture, i) => {
        const { path } = picture;
        const vector = picture === lacking[row]
          ? embedded.vectors.row(row++)
          : given!.row(start + i);
        const text = meanText(
          texts[i].map((one) => textVectors.row(rowsOfTexts.get(one)!)),
        );
        const reason = reasons.get(path);
        if (reason === undefined) {
          const version = store.files.versionOf(picture.source);
          // As the source has it: its contents may change.
          collection.add(pictures[start + i], vector, text, version, facts[i]);
        } else failures.push({ index: start + i, path, reason });
      });
      // A database takes them before more come: memory holds few.
      if (!collection.keepsVectors) await index?.sync({ signal });
      start += group.length;
      onProgress?.(start, pictures.length);
    }
  } finally {
    await store.save();
  }
  return failures;
}

/** Those that were embedded before, as they were then: no file is looked at. */
function embeddedBefore(
  { pictures }: PictureSource,
  store: EmbeddingStore,
): SourcePicture[] {
  return pictures.map((picture) => {
    const { source } = picture;
    const sha256 = picture.sha256 ??
      (typeof source === "string"
        ? store.files.known(source)?.sha256
        : undefined);
    return { ...picture, sha256 };
  }).filter(({ sha256 }) => sha256 !== undefined && store.has(sha256));
}

/**
 * The next pictures, with the content hashes of those that can be read: many
 * that were embedded before, or few of which the files have yet to be read.
 */
async function nextGroup(
  pictures: readonly SourcePicture[],
  start: number,
  store: EmbeddingStore,
): Promise<SourcePicture[]> {
  const hashes: string[] = [];
  for (const picture of pictures.slice(start, start + GROUP_OF_KNOWN)) {
    const hash = picture.sha256 ?? store.files.ifKnown(picture.source);
    if (hash === undefined || !store.has(hash)) break;
    hashes.push(hash);
  }
  const group = pictures.slice(start, start + Math.max(GROUP, hashes.length));
  if (hashes.length === group.length) {
    return group.map((picture, i) => ({ ...picture, sha256: hashes[i] }));
  }
  const read = pLimit(16);
  return await Promise.all(group.map(async (picture, i) => {
    const sha256 = hashes[i] ?? picture.sha256 ??
      await read(() => store.files.of(picture.source).catch(() => undefined));
    return { ...picture, sha256 };
  }));
}
