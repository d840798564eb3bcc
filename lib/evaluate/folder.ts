/**
 * Pixel metrics and an encoder side by side, over a folder of classes: how
 * often is the first hit of the query's class, how many of the first five, how
 * good is the whole ranking, and how long does it take?
 *
 * | method | query | gallery |
 * | --- | --- | --- |
 * | pixel-l1, -l2, -cosine, -correlation | a picture's pixels | pixels |
 * | encoder-image | a picture's embedding | embeddings |
 * | encoder-text | "a photo of a CLASS", one query a class | embeddings |
 *
 * The time is that of comparing one query with the gallery and ranking it;
 * pixels and embeddings are at hand. Embeddings are kept under the data folder.
 *
 * ```ts
 * import { evaluateFolder } from "#lib/evaluate/folder.ts";
 * import type { Matrix } from "../compare/matrix.ts";
import type { Encoder } from "#lib/encoders/encoder.ts";
 *
 * async function report(folder: string, encoder: Encoder) {
 *   const { methods } = await evaluateFolder(folder, encoder, { size: 64 });
 *   for (const { method, top1 } of methods) console.log(method, top1.value);
 * }
 * ```
 *
 * @module
 */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import pLimit from "p-limit";
import {
  type ClassFolder,
  keepUsable,
  type LabelledPicture,
  readClassFolder,
} from "./class_folder.ts";
import { embedPictures } from "../embeddings/embeddings.ts";
import type { Matrix } from "../compare/matrix.ts";
import type { Encoder } from "../encoders/encoder.ts";
import {
  LARGEST_GALLERY_BYTES,
  PixelGallery,
  QUERIES_A_PASS,
} from "../compare/pixel_gallery.ts";
import { type MethodScores, MethodTally } from "./method_tally.ts";
import { type MetricName, metrics } from "../compare/metrics.ts";
import { pixelVector } from "../compare/pixels.ts";
import { similarities } from "./similarity.ts";
import { encodeClasses } from "../encoders/zero_shot.ts";

/** What came of a folder. */
export interface FolderEvaluation {
  /** Pictures that were searched. */
  gallery: number;
  /** Pictures that were searched with. */
  queries: number;
  methods: MethodScores[];
  /** What was decided or left out, a line each. */
  remarks: string[];
}

/** How a folder is evaluated. */
export interface FolderOptions {
  /** Side of the pictures on the pixel side, in pixels. */
  size: number;
  /** Called as work goes on, stage by stage. */
  onProgress?: (stage: string, done: number, total: number) => void;
  /** Stops between two batches; embeddings made by then are kept. */
  signal?: AbortSignal;
}

/**
 * Evaluates a folder of classes. A picture that cannot be decoded is left out
 * of all methods.
 *
 * @throws {Error} If there is nothing to evaluate, or the pixels do not fit in
 *   4 GB: says what to do.
 */
export async function evaluateFolder(
  folder: string,
  encoder: Encoder,
  options: FolderOptions,
): Promise<FolderEvaluation> {
  const { onProgress, signal } = options;
  const listed = await readClassFolder(folder);
  const all = listed.leaveOneOut
    ? listed.gallery
    : [...listed.gallery, ...listed.queries];
  const { vectors, ...embedded } = await embedPictures(
    encoder,
    all.map(({ path }) => ({ path, source: join(folder, path) })),
    {
      onProgress: (done, total) => onProgress?.("Embedding", done, total),
      signal,
    },
  );
  const vectorRow = new Map(all.map(({ path }, row) => [path, row]));
  const failures: { path: string; reason: string }[] = embedded.failures;
  const failed = new Set(failures.map(({ path }) => path));
  // Throws now where nothing can be evaluated, before pixels are read.
  keepUsable(listed, (path) => !failed.has(path));
  const files = all.map(({ path }) => path).filter((path) => !failed.has(path));
  const { pixels, rowOf, unread } = await readPixels(folder, files, options);
  failures.push(...unread);
  for (const { path } of unread) failed.add(path);
  const usable = keepUsable(listed, (path) => !failed.has(path));

  const vectorsOf = (pictures: readonly LabelledPicture[]) =>
    vectors.pick(pictures.map(({ path }) => vectorRow.get(path)!));
  const galleryVectors = vectorsOf(usable.gallery);
  const methods = [
    ...await searchPixels(pixels, rowOf, usable, options),
    await searchPictures(usable, vectorsOf(usable.queries), galleryVectors),
    await searchNames(usable, encoder, galleryVectors),
  ];
  return {
    gallery: usable.gallery.length,
    queries: usable.queries.length,
    methods,
    remarks: [
      ...usable.remarks,
      ...failures.map(({ reason }) => `Left out: ${reason}`),
    ],
  };
}

/** All pictures' pixels; those of the gallery come first in `files`. */
async function readPixels(
  folder: string,
  files: readonly string[],
  { size, onProgress, signal }: FolderOptions,
) {
  const length = size * size * 3;
  if (files.length * length > 0.99 * LARGEST_GALLERY_BYTES) {
    const fits = Math.sqrt(0.99 * LARGEST_GALLERY_BYTES / files.length / 3);
    throw new RangeError(
      `${files.length} pictures of ${size} x ${size} pixels do not fit in ` +
        `4 GB: choose a size up to ${Math.floor(fits)}`,
    );
  }
  const pixels = new PixelGallery(files.length, length);
  const unread: { path: string; reason: string }[] = [];
  let done = 0;
  await pLimit(4).map(files, async (path, row) => {
    if (signal?.aborted) return;
    try {
      pixels.set(row, await pixelVector(join(folder, path), size));
    } catch (error) {
      unread.push({ path, reason: (error as Error).message });
    }
    onProgress?.("Reading pixels", ++done, files.length);
  });
  signal?.throwIfAborted();
  const rowOf = new Map(files.map((path, row) => [path, row]));
  return { pixels, rowOf, unread };
}

/** Every query with every metric, as many queries at a time as one pass takes. */
async function searchPixels(
  pixels: PixelGallery,
  rowOf: ReadonlyMap<string, number>,
  folder: ClassFolder,
  { onProgress, signal }: FolderOptions,
): Promise<MethodScores[]> {
  const { gallery, queries } = folder;
  const galleryRows = gallery.map(({ path }) => rowOf.get(path)!);
  const rows = galleryRows[galleryRows.length - 1] + 1;
  const scores: MethodScores[] = [];
  for (const name of Object.keys(metrics) as MetricName[]) {
    const tally = new MethodTally(
      `pixel-${name}`,
      metrics[name].better,
      gallery,
    );
    for (let start = 0; start < queries.length; start += QUERIES_A_PASS) {
      // Lets progress be drawn and Ctrl-C be heard.
      await setImmediate();
      signal?.throwIfAborted();
      const batch = queries.slice(start, start + QUERIES_A_PASS);
      const vectors = batch.map(({ path }) => pixels.get(rowOf.get(path)!));
      const started = performance.now();
      const values = pixels.compare(vectors, name, rows);
      batch.forEach((query, q) =>
        tally.add(query, galleryRows.map((row) => values[q][row]))
      );
      tally.milliseconds += performance.now() - started;
      onProgress?.(
        `Comparing by ${name}`,
        start + batch.length,
        queries.length,
      );
    }
    scores.push(tally.scores());
  }
  return scores;
}

/** Every query's embedding with the gallery's. */
function searchPictures(
  { gallery, queries }: ClassFolder,
  vectors: Matrix,
  galleryVectors: Matrix,
): Promise<MethodScores> {
  const tally = new MethodTally("encoder-image", "higher", gallery);
  return searchEmbeddings(tally, queries, vectors, galleryVectors);
}

/** One query a class of the gallery: its name, in a sentence. */
async function searchNames(
  { gallery }: ClassFolder,
  encoder: Encoder,
  galleryVectors: Matrix,
): Promise<MethodScores> {
  const labels = [...new Set(gallery.map(({ label }) => label))];
  const names = labels.map((label) => label.replaceAll(/[_-]+/g, " ").trim());
  const vectors = await encodeClasses(encoder, names);
  // Named by its class, and equal to no picture's path.
  const queries = labels.map((label) => ({ path: label, label }));
  const tally = new MethodTally("encoder-text", "higher", gallery);
  return searchEmbeddings(tally, queries, vectors, galleryVectors);
}

async function searchEmbeddings(
  tally: MethodTally,
  queries: readonly LabelledPicture[],
  vectors: Matrix,
  galleryVectors: Matrix,
): Promise<MethodScores> {
  const started = performance.now();
  for await (const one of similarities(vectors, galleryVectors)) {
    tally.add(queries[one.query], one.values);
  }
  tally.milliseconds = performance.now() - started;
  return tally.scores();
}
