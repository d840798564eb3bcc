/**
 * Embeddings of texts on disk, kept by content as those of pictures are: a
 * caption is embedded once, also when it comes back under another picture.
 *
 * ```ts
 * import { updateTextEmbeddings } from "#lib/embeddings/texts.ts";
 * import type { Matrix } from "../compare/matrix.ts";
import type { Encoder } from "#lib/encoders/encoder.ts";
 *
 * async function embedTwo(encoder: Encoder) {
 *   const vectors = await updateTextEmbeddings(encoder, ["a dog", "a cat"]);
 *   console.log(vectors.count === 2, vectors.dimensions === encoder.dimensions);
 * }
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { EmbeddedBatch, EmbedOptions } from "./pipeline.ts";
import { updateRows } from "./embeddings.ts";
import type { Matrix } from "../compare/matrix.ts";
import type { Encoder } from "../encoders/encoder.ts";
import { paths } from "../paths.ts";

/**
 * Embeds those of the texts that the encoder's file does not hold yet.
 *
 * @param options.folder Holds one folder an encoder.
 * @param options.batchSize Texts between two reports. @default 64
 * @returns One unit vector a text, in the order given.
 */
export async function updateTextEmbeddings(
  encoder: Encoder,
  texts: readonly string[],
  { folder = paths.captions, ...options }:
    & EmbedOptions
    & { folder?: string } = {},
): Promise<Matrix> {
  const items = texts.map((text) => ({
    id: text,
    sha256: createHash("sha256").update(text).digest("hex"),
  }));
  const { vectors } = await updateRows(
    encoder,
    items,
    folder,
    (wanted) => embedTexts(encoder, wanted.map(({ id }) => id), options),
  );
  return vectors;
}

async function* embedTexts(
  encoder: Encoder,
  texts: readonly string[],
  { batchSize = 64, onProgress, signal }: EmbedOptions,
): AsyncGenerator<EmbeddedBatch> {
  for (let start = 0; start < texts.length; start += batchSize) {
    signal?.throwIfAborted();
    const batch = texts.slice(start, start + batchSize);
    yield { start, vectors: await encoder.encodeTexts(batch), failures: [] };
    onProgress?.(start + batch.length, texts.length);
  }
}
