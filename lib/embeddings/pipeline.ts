/**
 * Many pictures through an encoder: decoding runs beside inference, a few
 * batches ahead of it, so that neither waits and memory stays bounded.
 *
 * ```text
 * files ──decode (sharp's threads)──▶ ≤ 3 batches waiting ──infer──▶ vectors
 * ```
 *
 * A picture that cannot be decoded takes its place with the reason: nothing
 * after it moves.
 *
 * ```ts
 * import { embedBatches } from "#lib/embeddings/pipeline.ts";
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { paths } from "#lib/paths.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline");
 * const owl = `${paths.sample}/animals/water bird/flamingo.jpg`;
 * for await (const batch of embedBatches(encoder, [owl, "gone.jpg"])) {
 *   deepEqual(batch.map((one) => one instanceof Error), [false, true]);
 * }
 * await encoder.close();
 * ```
 *
 * @module
 */
import { availableParallelism } from "node:os";
import pLimit from "p-limit";
import type { Encoder } from "../encoders/encoder.ts";
import type { ImageSource } from "../pictures/pictures.ts";

/** How a run is watched and stopped. */
export interface PipelineOptions {
  /**
   * Pictures a batch. More than 16 gains nothing on a CPU (docs/encoders.md
   * has the measurement) and costs memory.
   * @default 16
   */
  batchSize?: number;
  /** Stops between two batches, by throwing the signal's reason. */
  signal?: AbortSignal;
}

/** Of each picture its unit vector, or why it has none. */
export type EmbeddedBatch = (Float32Array | Error)[];

/**
 * Embeds pictures, batch by batch in their order, so that a caller can save
 * as it goes.
 *
 * @throws {RangeError} If the batch size is not a whole number of 1 or more.
 */
export async function* embedBatches(
  encoder: Encoder,
  images: readonly ImageSource[],
  { batchSize = 16, signal }: PipelineOptions = {},
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
      waiting.push(
        decode(() => encoder.decodeImage(image)).catch((error: Error) => error),
      );
    }
  };
  for (let start = 0; start < images.length; start += batchSize) {
    signal?.throwIfAborted();
    decodeAhead();
    const decoded = await Promise.all(waiting.splice(0, batchSize));
    decodeAhead();
    const pixels = decoded.filter((one) => one instanceof Float32Array);
    const encoded = await encoder.encodeDecoded(pixels);
    let row = 0;
    yield decoded.map((one) => one instanceof Error ? one : encoded.row(row++));
  }
}

/** The same for texts, 64 a batch: they need no decoding. */
export async function* embedTextBatches(
  encoder: Encoder,
  texts: readonly string[],
  { batchSize = 64, signal }: PipelineOptions = {},
): AsyncGenerator<EmbeddedBatch> {
  for (let start = 0; start < texts.length; start += batchSize) {
    signal?.throwIfAborted();
    yield [...await encoder.encodeTexts(texts.slice(start, start + batchSize))];
  }
}
