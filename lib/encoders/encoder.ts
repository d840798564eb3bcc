/**
 * What every encoder offers: pictures and texts become vectors of one space.
 *
 * An embedding is a unit vector of `dimensions` float32 numbers, so the dot
 * product of any two is their cosine similarity, in [-1, 1]. Only vectors made
 * by encoders of the same `id` may be compared.
 *
 * ```ts
 * import { dot } from "#lib/compare/metrics.ts";
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { ok } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline");
 * const [lemon, banana, dog] = await encoder.encodeTexts(["a lemon", "a banana", "a dog"]);
 * await encoder.close();
 * ok(Math.abs(dot(lemon, lemon) - 1) < 1e-5);
 * ok(dot(lemon, banana) > dot(lemon, dog));
 * ```
 *
 * @module
 */
import { Matrix } from "../compare/matrix.ts";
import type { ImageSource } from "../pictures/pictures.ts";

/** Turns pictures and texts into vectors of one space. */
export interface Encoder {
  /** Names files and collections: "offline-2", "clip-vit-b32/fp32". */
  readonly id: string;
  /** Its ids before its recipe changed: embeddings of theirs are not its own. */
  readonly formerIds?: readonly string[];
  /** What the reader calls it: "offline", "clip-vit-b32/fp32". */
  readonly name: string;
  /** Length of every vector. */
  readonly dimensions: number;
  /** Languages that it knows, as in BCP 47: ["en"]; undefined if nobody says. */
  readonly languages?: readonly string[];
  /**
   * CLIP's files, in the folder and precision in which Transformers.js opens
   * them as well; undefined for whatever it does not open.
   */
  readonly clipFiles?: { folder: string; dtype: "fp32" | "fp16" | "q8" };
  /** One line for the reader: model, precision, CPU, CUDA or WebGPU. */
  readonly describe: () => string;
  /**
   * Decodes one picture into the model's input, so that decoding can run
   * beside inference.
   *
   * @throws {Error} If it cannot be decoded: names the picture.
   */
  decodeImage(image: ImageSource): Promise<Float32Array>;
  /** Embeds a batch of decoded pictures: unit vectors, one a row, in the order given. */
  encodeDecoded(pixels: Float32Array[]): Promise<Matrix>;
  /**
   * Decodes and embeds pictures: unit vectors, one a row, in the order given.
   *
   * @throws {Error} If one cannot be decoded: names the picture.
   */
  encodeImages(images: ImageSource[]): Promise<Matrix>;
  /** Embeds texts: unit vectors, one a row, in the order given. */
  encodeTexts(texts: string[]): Promise<Matrix>;
  /** Frees the models; the encoder is of no use afterwards. */
  close(): Promise<void>;
}

/**
 * `Encoder.encodeImages` of an encoder that has the two steps.
 * lib/embeddings/pipeline.ts, for many pictures, decodes beside inference and
 * passes over what cannot be decoded.
 */
export function encodeInBatches(
  encoder: Pick<Encoder, "decodeImage" | "encodeDecoded" | "dimensions">,
  images: readonly ImageSource[],
): Promise<Matrix> {
  return inBatches(images, encoder.dimensions, async (batch) => {
    const pixels = batch.map((image) => encoder.decodeImage(image));
    return encoder.encodeDecoded(await Promise.all(pixels));
  });
}

/**
 * Embeds batch by batch, so that memory stays bounded.
 *
 * @param embed Embeds a batch: a row an item, in the order given.
 * @returns A row an item, in the order given.
 */
export async function inBatches<Item>(
  items: readonly Item[],
  dimensions: number,
  embed: (batch: Item[]) => Promise<Iterable<Float32Array>>,
  batchSize = 16,
): Promise<Matrix> {
  const vectors = Matrix.empty(dimensions, items.length);
  for (let start = 0; start < items.length; start += batchSize) {
    const batch = items.slice(start, start + batchSize);
    for (const vector of await embed(batch)) vectors.append(vector);
  }
  return vectors;
}
