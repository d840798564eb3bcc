/**
 * Encoders compared on captions: what they score, how long they take, how large
 * they are; and beside them what others have published.
 *
 * A row says where its figures are from. An encoder whose weights are not here
 * gets a row without figures: a published one is never put in their place.
 *
 * ```ts
 * import { measureEncoders, PUBLISHED } from "#lib/evaluate/encoder_comparison.ts";
 * import { equal } from "node:assert/strict";
 *
 * const [row] = await measureEncoders(".", "none.json", ["clip-rn50"]);
 * equal(row.source, "not measured: its weights are not here");
 * equal(PUBLISHED.every(({ source }) => source === "published"), true);
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { multiplyRows } from "../compare/matrix_product.ts";
import type { Encoder } from "../encoders/encoder.ts";
import { encoderFiles, openEncoder } from "../encoders/encoders.ts";
import { type CaptionOptions, evaluateCaptions } from "./captions.ts";

/** An encoder on a data set, from captions to pictures. */
export interface EncoderRow {
  encoder: string;
  /** What was searched: "COCO, 5,000 pictures". */
  data: string;
  /** Shares of the captions, 0 to 1; absent where nothing was measured. */
  r1?: number;
  r5?: number;
  r10?: number;
  /** Milliseconds to embed one picture, decoding included, in batches of 16. */
  msPerPicture?: number;
  /** Milliseconds to embed one text and compare it with all pictures. */
  msPerQuery?: number;
  /** Size of its files, in millions of bytes. */
  megabytes?: number;
  source:
    | "measured here"
    | "published"
    | "not measured: its weights are not here";
}

const COCO = "COCO, 5,000 pictures", FLICKR = "Flickr30k, 1,000 pictures";

/**
 * What others have measured, over the test splits that Karpathy drew from COCO
 * 2014 and Flickr30k: zero-shot retrieval as in LAION's CLIP Benchmark.
 */
export const PUBLISHED: readonly EncoderRow[] = ([
  ["CLIP ViT-B/32, OpenAI", COCO, 0.304, 0.559, 0.669],
  ["CLIP ViT-B/32, LAION-2B", COCO, 0.393, 0.654, 0.756],
  ["CLIP ViT-B/32, OpenAI", FLICKR, 0.588, 0.836, 0.9],
  ["CLIP ViT-B/32, LAION-2B", FLICKR, 0.668, 0.884, 0.931],
] as const).map(([encoder, data, r1, r5, r10]) => ({
  ...{ encoder, data, r1, r5, r10, source: "published" },
}));

/**
 * Measures encoders, one after another, on the same pictures and captions.
 *
 * @param names As openEncoder() knows them; none is downloaded.
 */
export async function measureEncoders(
  folder: string,
  captionFile: string,
  names: readonly string[],
  options: CaptionOptions = {},
): Promise<EncoderRow[]> {
  const rows: EncoderRow[] = [];
  for (const name of names) {
    const files = encoderFiles(name);
    if (!files.every((file) => existsSync(file))) {
      const source = "not measured: its weights are not here";
      rows.push({ encoder: name, data: "–", source });
      continue;
    }
    const encoder = await openEncoder(name);
    try {
      rows.push(await measure(encoder, files, folder, captionFile, options));
    } finally {
      await encoder.close();
    }
  }
  return rows;
}

async function measure(
  encoder: Encoder,
  files: readonly string[],
  folder: string,
  captionFile: string,
  options: CaptionOptions,
): Promise<EncoderRow> {
  const { pictures, pictureVectors, captions, textToImage } =
    await evaluateCaptions(folder, captionFile, encoder, options);
  const { r1, r5, r10 } = textToImage.scores;
  // Timed anew, since the vectors may have come from disk.
  const images = pictures.slice(0, 32).map(({ path }) => join(folder, path));
  const texts = captions.slice(0, 32);
  const msPerPicture = await timed(images, () => encoder.encodeImages(images));
  const msPerQuery = await timed(texts, async () => {
    for (const text of texts) {
      const query = await encoder.encodeTexts([text]);
      await multiplyRows(query, pictureVectors);
    }
  });
  const sizes = await Promise.all(files.map((file) => stat(file)));
  return {
    encoder: encoder.name,
    data: `${pictures.length} pictures, ${captions.length} captions`,
    ...{ r1: r1.value, r5: r5.value, r10: r10.value },
    ...{ msPerPicture, msPerQuery },
    megabytes: sizes.reduce((sum, { size }) => sum + size, 0) / 1e6,
    source: "measured here",
  };
}

/** Milliseconds for one of the items, after a run that is not counted. */
async function timed(
  { length }: readonly unknown[],
  run: () => Promise<unknown>,
): Promise<number> {
  await run();
  const start = performance.now();
  await run();
  return (performance.now() - start) / length;
}
