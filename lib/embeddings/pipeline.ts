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

/** Of each picture its unit vector, or why it has none. */
export type EmbeddedBatch = (Float32Array | Error)[];

/**
 * Pictures that go through an encoder together. More gains nothing on a CPU
 * (docs/encoders.md has the measurement) and costs memory.
 */
const PICTURES_A_BATCH = 16;

const TEXTS_A_BATCH = 64;

/**
 * Embeds pictures, batch by batch in their order, so that a caller can save
 * as it goes.
 *
 * @param signal Stops between two batches, by throwing its reason.
 */
export async function* embedBatches(
  encoder: Encoder,
  images: readonly ImageSource[],
  signal?: AbortSignal,
): AsyncGenerator<EmbeddedBatch> {
  // Inference keeps this thread, which also resizes what sharp's threads have
  // decoded, until a batch is through. With few pictures under way at a time,
  // some are still to be decoded then, and the other cores have work as well.
  const decode = pLimit(2 * availableParallelism());
  const waiting: Promise<Float32Array | Error>[] = [];
  let next = 0;
  const decodeAhead = () => {
    while (next < images.length && waiting.length < 3 * PICTURES_A_BATCH) {
      const image = images[next++];
      waiting.push(
        decode(() => encoder.decodeImage(image)).catch((error: Error) => error),
      );
    }
  };
  decodeAhead();
  while (waiting.length > 0) {
    signal?.throwIfAborted();
    const decoded = await Promise.all(waiting.splice(0, PICTURES_A_BATCH));
    decodeAhead();
    const pixels = decoded.filter((one) => one instanceof Float32Array);
    const encoded = await encoder.encodeDecoded(pixels);
    let row = 0;
    yield decoded.map((one) => one instanceof Error ? one : encoded.row(row++));
  }
}

/** The same for texts, which need no decoding. */
export async function* embedTextBatches(
  encoder: Encoder,
  texts: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<EmbeddedBatch> {
  for (let start = 0; start < texts.length; start += TEXTS_A_BATCH) {
    signal?.throwIfAborted();
    const batch = texts.slice(start, start + TEXTS_A_BATCH);
    yield [...await encoder.encodeTexts(batch)];
  }
}
