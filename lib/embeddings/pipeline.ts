/**
 * Many pictures through an encoder: decoding runs beside inference, a few
 * batches ahead of it, so that neither waits and memory stays bounded.
 *
 * ```text
 * files ──decode (sharp's threads)──▶ ≤ 3 batches waiting ──infer──▶ vectors
 * ```
 *
 * A picture that cannot be decoded is reported and keeps its place: its row is
 * NaN throughout, which compares with nothing and ranks last.
 *
 * ```ts
 * import { embedPictures } from "#lib/embeddings/pipeline.ts";
 * import type { Encoder } from "#lib/encoders/encoder.ts";
 *
 * async function embedAll(encoder: Encoder, files: string[]) {
 *   const { vectors, failures } = await embedPictures(encoder, files);
 *   console.log(vectors.count === files.length, failures);
 * }
 * ```
 *
 * @module
 */
import { availableParallelism } from "node:os";
import pLimit from "p-limit";
import type { Encoder } from "../encoders/encoder.ts";
import type { ImageSource } from "../pictures/pictures.ts";
import { Matrix } from "../compare/matrix.ts";

/** How a run is watched and stopped. */
export interface EmbedOptions {
  /**
   * Pictures a batch. More than 16 gains nothing on a CPU (docs/encoders.md
   * has the measurement) and costs memory.
   * @default 16
   */
  batchSize?: number;
  /** Called after each batch with the number of pictures done. */
  onProgress?: (done: number, total: number) => void;
  /** Stops between two batches, by throwing the signal's reason. */
  signal?: AbortSignal;
}

/** A picture that was left out, and why. */
export interface EmbedFailure {
  /** Position in the list of pictures. */
  index: number;
  /** What the decoder said. */
  reason: string;
}

/** Part of a run: the vectors of the pictures from `start` on. */
export interface EmbeddedBatch {
  start: number;
  /** A row a picture; NaN throughout where that picture failed. */
  vectors: Matrix;
  failures: EmbedFailure[];
}

/**
 * Embeds pictures, all at the end.
 *
 * @returns A row a picture, in their order; NaN for those listed in `failures`.
 */
export async function embedPictures(
  encoder: Encoder,
  images: readonly ImageSource[],
  options: EmbedOptions = {},
): Promise<Omit<EmbeddedBatch, "start">> {
  const vectors = Matrix.empty(encoder.dimensions, images.length);
  const failures: EmbedFailure[] = [];
  for await (const batch of embedBatches(encoder, images, options)) {
    for (const vector of batch.vectors) vectors.append(vector);
    failures.push(...batch.failures);
  }
  return { vectors, failures };
}

/**
 * Embeds pictures, batch by batch in their order, so that a caller can save
 * as it goes.
 *
 * @throws {RangeError} If the batch size is not a whole number of 1 or more.
 */
export async function* embedBatches(
  encoder: Encoder,
  images: readonly ImageSource[],
  { batchSize = 16, onProgress, signal }: EmbedOptions = {},
): AsyncGenerator<EmbeddedBatch> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(
      `embedBatches: expected a batch size of 1 or more, got ${batchSize}`,
    );
  }
  // Inference keeps this thread, which also resizes what sharp's threads have
  // decoded, until a batch is through. With few pictures under way at a time,
  // some are still to be decoded then, and the other cores have work as well.
  const decode = pLimit(2 * availableParallelism());
  const waiting: Promise<Float32Array | Error>[] = [];
  let next = 0;
  const decodeAhead = () => {
    while (next < images.length && waiting.length < 3 * batchSize) {
      const image = images[next++];
      waiting.push(decode(() => encoder.decodeImage(image)).catch(asError));
    }
  };
  for (let start = 0; start < images.length; start += batchSize) {
    signal?.throwIfAborted();
    decodeAhead();
    const decoded = await Promise.all(waiting.splice(0, batchSize));
    decodeAhead();
    const pixels: Float32Array[] = [];
    const failures: EmbedFailure[] = [];
    decoded.forEach((one, offset) => {
      if (one instanceof Error) {
        failures.push({ index: start + offset, reason: one.message });
      } else {
        pixels.push(one);
      }
    });
    const encoded = await encoder.encodeDecoded(pixels);
    const failed = new Float32Array(encoder.dimensions).fill(NaN);
    const vectors = Matrix.empty(encoder.dimensions, decoded.length);
    let row = 0;
    for (const one of decoded) {
      vectors.append(one instanceof Error ? failed : encoded.row(row++));
    }
    yield { start, vectors, failures };
    onProgress?.(start + decoded.length, images.length);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
