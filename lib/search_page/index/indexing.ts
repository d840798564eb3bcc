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
import { Matrix } from "../../compare/matrix.ts";
import { dot, l2Normalize } from "../../compare/metrics.ts";
import {
  type EmbedFailure,
  embedPictures,
  embedTexts,
} from "../../embeddings/embeddings.ts";
import { EmbeddingStore } from "../../embeddings/store.ts";
import type { Encoder } from "../../encoders/encoder.ts";
import type { EncoderSpace } from "../engine/spaces.ts";
import { meanText, textsOf } from "./collection.ts";
import type { PictureSource } from "./sources.ts";

/** How indexing is watched and stopped. */
export interface IndexOptions {
  /** Called after each group of pictures, and once more at the end. */
  onProgress?: (done: number, total: number) => void;
  /** Stops between two groups, by throwing the signal's reason. */
  signal?: AbortSignal;
}

/** Pictures that are looked up, embedded and added together. */
const GROUP = 48;

/**
 * Adds all pictures of a source to a collection.
 *
 * @returns The pictures left out, and why.
 */
export async function indexPictures(
  source: PictureSource,
  { encoder, collection }: EncoderSpace,
  { onProgress, signal }: IndexOptions = {},
): Promise<EmbedFailure[]> {
  const store = await EmbeddingStore.open(encoder);
  const given = await trustedVectors(source, encoder);
  const failures: EmbedFailure[] = [];
  const { pictures } = source;
  try {
    for (let start = 0; start < pictures.length; start += GROUP) {
      signal?.throwIfAborted();
      const group = pictures.slice(start, start + GROUP);
      const { vectors, ...embedded } = given
        ? { vectors: given.slice(start), failures: [] }
        : await embedPictures(encoder, group, { store });
      const failed = new Set(embedded.failures.map(({ index }) => index));
      const texts = group.map(textsOf);
      const textVectors = await embedTexts(encoder, texts.flat(), { store });
      let row = 0;
      group.forEach((picture, i) => {
        const text = meanText(textVectors.slice(row, row += texts[i].length));
        if (!failed.has(i)) collection.add(picture, vectors.row(i), text);
      });
      failures.push(
        ...embedded.failures.map((one) => ({
          ...one,
          index: start + one.index,
        })),
      );
      onProgress?.(start + group.length, pictures.length);
    }
  } finally {
    await store.save();
  }
  return failures;
}

/**
 * The vectors that came with the pictures, if this encoder made them: the first
 * picture's own vector tells. Embeddings of two encoders never meet.
 */
async function trustedVectors(
  { vectors, pictures, problems }: PictureSource,
  encoder: Encoder,
): Promise<Matrix | undefined> {
  if (!vectors?.count) return undefined;
  try {
    const rows = Array.from(vectors, l2Normalize);
    const given = Matrix.of(rows, encoder.dimensions);
    const [own] = await encoder.encodeImages([pictures[0].source]);
    if (dot(own, given.row(0)) > 0.99) return given;
  } catch {
    // Of another length, a row without direction, or a picture that is none.
  }
  problems.push(
    `the vectors that came with the pictures are not ${encoder.id}'s: the ` +
      "pictures are embedded again",
  );
}
