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
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { paths } from "#lib/paths.ts";
 * import { deepEqual } from "node:assert/strict";
 * import { join } from "node:path";
 *
 * const folder = join(paths.sample, "animals"); // its folders are the classes
 * const encoder = await openEncoder("offline");
 * const { methods } = await evaluateFolder(folder, encoder, { size: 8 });
 * await encoder.close();
 * deepEqual(methods.map(({ method }) => method), [
 *   ...["pixel-l1", "pixel-l2", "pixel-cosine", "pixel-correlation"],
 *   ...["encoder-image", "encoder-text"],
 * ]);
 * ```
 *
 * @module
 */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import pLimit from "p-limit";
import { topK } from "../compare/compare.ts";
import { eachProduct } from "../compare/matrix_product.ts";
import type { Matrix } from "../compare/matrix.ts";
import {
  clampCosine,
  type Metric,
  type MetricName,
  metrics,
} from "../compare/metrics.ts";
import {
  LARGEST_GALLERY_BYTES,
  PixelGallery,
  QUERIES_A_PASS,
} from "../compare/pixel_gallery.ts";
import { pixelVector } from "../compare/pixels.ts";
import {
  embedPictures,
  type PictureToEmbed,
} from "../embeddings/embeddings.ts";
import type { Encoder } from "../encoders/encoder.ts";
import type { LeftOut } from "../pictures/folder.ts";
import { whyLeftOut } from "../pictures/pictures.ts";
import { encodeClasses } from "../encoders/zero_shot.ts";
import type { Estimate } from "./bootstrap.ts";
import {
  keepUsable,
  type LabelledPicture,
  readClassFolder,
} from "../dataset/class_folder.ts";
import { relevantRanks } from "./evaluate.ts";
import { scoreRanks } from "./retrieval.ts";

/** What a method scored; means over its queries, with their intervals. */
export interface MethodScores {
  /** "pixel-l1", …, "encoder-image", "encoder-text". */
  method: string;
  top1: Estimate;
  precisionAt5: Estimate;
  meanAveragePrecision: Estimate;
  /** Milliseconds to compare and rank, the mean over the queries. */
  msPerQuery: number;
  /** Each query's first five: path in the gallery, value. */
  hits: Record<string, [path: string, value: number][]>;
}

/** What came of a folder. */
export interface FolderEvaluation {
  /** Pictures that were searched. */
  gallery: number;
  /** Pictures that were searched with. */
  queries: number;
  methods: MethodScores[];
  /** What was decided or left out, a line each. */
  remarks: string[];
  /** Files that may be pictures and were not evaluated, and why. */
  leftOut: LeftOut[];
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
  keepUsable(listed, () => true); // Throws before anything is read.
  const all = listed.leaveOneOut
    ? listed.gallery
    : [...listed.gallery, ...listed.queries];
  const pictures = all.map(({ path }) => ({
    path,
    source: join(folder, path),
  }));
  const { vectors, failures } = await embedPictures(encoder, pictures, {
    onProgress: (done, total) => onProgress?.("Embedding", done, total),
    signal,
  });
  const reasons = new Map(failures.map(({ path, reason }) => [path, reason]));
  const pixels = await readPixels(pictures, reasons, options);
  const usable = keepUsable(listed, (path) => !reasons.has(path));

  const { gallery, queries } = usable;
  const rowOf = new Map(all.map(({ path }, row) => [path, row]));
  const rowsOf = (some: readonly LabelledPicture[]) =>
    some.map(({ path }) => rowOf.get(path)!);
  const searched = vectors.pick(rowsOf(gallery));
  const asked = vectors.pick(rowsOf(queries));
  const terms = [...new Set(gallery.map(({ term }) => term))];
  const words = terms.map((term) => term.replaceAll(/[_-]+/g, " ").trim());
  const named = await encodeClasses(encoder, words);
  // Named by its class, and equal to no picture's path.
  const names = terms.map((term) => ({ path: term, term }));

  const searches: Search[] = [
    ...(Object.keys(metrics) as MetricName[]).map((name): Search => [
      `pixel-${name}`,
      metrics[name].better,
      queries,
      pixelValues(pixels, name, rowsOf(queries), rowsOf(gallery), signal),
    ]),
    ["encoder-image", "higher", queries, cosines(asked, searched)],
    ["encoder-text", "higher", names, cosines(named, searched)],
  ];
  const methods: MethodScores[] = [];
  for (const search of searches) {
    const report = (done: number, total: number) =>
      onProgress?.(`Comparing by ${search[0]}`, done, total);
    methods.push(await rank(search, gallery, report));
    signal?.throwIfAborted();
  }
  return {
    gallery: gallery.length,
    queries: queries.length,
    methods,
    remarks: [
      ...usable.remarks,
      ...Array.from(reasons, ([path, why]) => `Left out: ${path}: ${why}`),
    ],
    leftOut: [
      ...usable.leftOut,
      ...Array.from(reasons, ([path, reason]) => ({ path, reason })),
    ],
  };
}

/** A way to search, and for each query its values with the gallery. */
type Search = [
  method: string,
  better: Metric["better"],
  queries: readonly LabelledPicture[],
  values: AsyncIterable<ArrayLike<number>>,
];

/**
 * All pictures' pixels, by row.
 *
 * @param reasons Pictures that are left out, and why; grows.
 */
async function readPixels(
  pictures: readonly PictureToEmbed[],
  reasons: Map<string, string>,
  { size, onProgress, signal }: FolderOptions,
): Promise<PixelGallery> {
  const { length } = pictures;
  const bytes = size * size * 3;
  if (length * bytes > 0.99 * LARGEST_GALLERY_BYTES) {
    const fits = Math.sqrt(0.99 * LARGEST_GALLERY_BYTES / length / 3);
    throw new RangeError(
      `${length} pictures of ${size} x ${size} pixels do not fit in 4 GB: ` +
        `choose a size up to ${Math.floor(fits)}`,
    );
  }
  const pixels = new PixelGallery(length, bytes);
  let done = 0;
  await pLimit(4).map(pictures, async ({ path, source }, row) => {
    if (signal?.aborted || reasons.has(path)) return;
    try {
      pixels.set(row, await pixelVector(source, size));
    } catch (error) {
      reasons.set(path, whyLeftOut(error as Error));
    }
    onProgress?.("Reading pixels", ++done, length);
  });
  signal?.throwIfAborted();
  return pixels;
}

/** Each query's values with the gallery, as many queries as go in one pass. */
async function* pixelValues(
  pixels: PixelGallery,
  metric: MetricName,
  queries: readonly number[],
  gallery: readonly number[],
  signal?: AbortSignal,
): AsyncGenerator<Float64Array> {
  // The gallery's rows come before the others.
  const rows = gallery[gallery.length - 1] + 1;
  for (let start = 0; start < queries.length; start += QUERIES_A_PASS) {
    // Lets progress be drawn and Ctrl-C be heard.
    await setImmediate();
    signal?.throwIfAborted();
    const pass = queries.slice(start, start + QUERIES_A_PASS);
    const vectors = pass.map((row) => pixels.get(row));
    for (const values of pixels.compare(vectors, metric, rows)) {
      yield Float64Array.from(gallery, (row) => values[row]);
    }
  }
}

/** Each query's cosines with the gallery, of unit vectors. */
async function* cosines(
  queries: Matrix,
  gallery: Matrix,
): AsyncGenerator<Float32Array> {
  for await (const values of eachProduct(queries, gallery)) {
    yield values.map((value) => clampCosine(value));
  }
}

/**
 * Ranks the gallery for each query, and scores the rankings. A query that is in
 * the gallery does not find itself.
 */
async function rank(
  [method, better, queries, values]: Search,
  gallery: readonly LabelledPicture[],
  onProgress: (done: number, total: number) => void,
): Promise<MethodScores> {
  const ranks: number[][] = [];
  const hits: MethodScores["hits"] = {};
  let milliseconds = 0, started = performance.now();
  for await (const ofQuery of values) {
    const { path, term } = queries[ranks.length];
    const ranking = topK(ofQuery, gallery.length, better)
      .map(({ index, value }) => ({ ...gallery[index], value }))
      .filter((hit) => hit.path !== path);
    ranks.push(relevantRanks(ranking.map((hit) => hit.term === term)));
    hits[path] = ranking.slice(0, 5).map((hit) => [hit.path, hit.value]);
    milliseconds += performance.now() - started;
    onProgress(ranks.length, queries.length);
    started = performance.now();
  }
  const { r1, precisionAt5, meanAveragePrecision } = scoreRanks(ranks);
  const msPerQuery = milliseconds / ranks.length;
  const scores = { top1: r1, precisionAt5, meanAveragePrecision };
  return { method, ...scores, msPerQuery, hits };
}
