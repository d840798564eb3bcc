/**
 * What `task evaluate` prints of a run: a table for people, a line of JSON for
 * programs, and the hits of each query.
 *
 * @module
 */
import type { Matrix } from "../lib/compare/matrix.ts";
import type { Estimate } from "../lib/evaluate/bootstrap.ts";
import { retrievalTable, table } from "../lib/display/table.ts";
import type { Encoder } from "../lib/encoders/encoder.ts";
import type { CaptionEvaluation } from "../lib/evaluate/captions.ts";
import type { FolderEvaluation } from "../lib/evaluate/folder.ts";
import type { RetrievalScores } from "../lib/evaluate/retrieval.ts";
import { eachProduct } from "../lib/compare/matrix_product.ts";
import { topK } from "../lib/compare/compare.ts";

/** A run, told. */
export interface Report {
  /** A table. */
  text: string;
  /** What `--json` prints. */
  json: unknown;
  /** What `--hits` writes: by method, query and rank, what was found. */
  hits: () => Promise<unknown>;
}

/** Tells how methods did over a folder of classes. */
export function reportClasses(
  { gallery, queries, methods }: FolderEvaluation,
  encoder: Encoder,
  size: number,
): Report {
  const rows = methods.map((scores) => ({
    method: scores.method,
    top1: round(scores.top1.value),
    p5: round(scores.precisionAt5.value),
    map: round(scores.meanAveragePrecision.value),
    msPerQuery: Number(scores.msPerQuery.toFixed(2)),
    intervals: {
      top1: interval(scores.top1),
      p5: interval(scores.precisionAt5),
      map: interval(scores.meanAveragePrecision),
    },
  }));
  const text = table(
    rows.map(({ method, top1, p5, map, msPerQuery, intervals }) => ({
      method,
      "top-1": top1,
      "precision@5": p5,
      mAP: map,
      "mAP, 95 %": range(intervals.map),
      "ms a query": msPerQuery,
    })),
    {
      caption: `${queries} queries, ${gallery} in the gallery, ` +
        `${size} x ${size} pixels, encoder ${encoder.describe()}`,
    },
  );
  return {
    text: `${text}`,
    json: { gallery, queries, encoder: encoder.id, size, rows },
    hits: () =>
      Promise.resolve(
        Object.fromEntries(methods.map(({ method, hits }) => [method, hits])),
      ),
  };
}

/** Tells how an encoder did over pictures with captions. */
export function reportCaptions(
  result: CaptionEvaluation,
  encoder: Encoder,
): Report {
  const { pictures, captions, textToImage, imageToText } = result;
  const text = retrievalTable(result, {
    caption: `${pictures.length} pictures, ${captions.length} captions, ` +
      `encoder ${encoder.describe()}`,
  });
  return {
    text: `${text}`,
    json: {
      pictures: pictures.length,
      captions: captions.length,
      encoder: encoder.id,
      textToImage: direction(textToImage.scores),
      imageToText: direction(imageToText.scores),
    },
    hits: () => captionHits(result),
  };
}

const MEASURES = {
  r1: "r1",
  r5: "r5",
  r10: "r10",
  medianRank: "medianRank",
  p5: "precisionAt5",
  map: "meanAveragePrecision",
  ndcg: "normalizedGain",
} as const;

type Measure = keyof typeof MEASURES;

function direction(scores: RetrievalScores) {
  const entries = Object.entries(MEASURES) as [
    Measure,
    keyof RetrievalScores,
  ][];
  return {
    ...Object.fromEntries(
      entries.map(([name, key]) => [name, round(scores[key].value)]),
    ),
    intervals: Object.fromEntries(
      entries.map(([name, key]) => [name, interval(scores[key])]),
    ),
  };
}

/** Each caption's first five pictures, each picture's first five captions. */
async function captionHits(
  { pictures, pictureVectors, captions, captionVectors }: CaptionEvaluation,
) {
  const names = pictures.map(({ path }) => path);
  return {
    "text-to-image": await firstFive(
      [captions, captionVectors],
      [names, pictureVectors],
    ),
    "image-to-text": await firstFive(
      [names, pictureVectors],
      [captions, captionVectors],
    ),
  };
}

async function firstFive(
  [queries, queryVectors]: [string[], Matrix],
  [gallery, galleryVectors]: [string[], Matrix],
) {
  const hits: Record<string, [string, number][]> = {};
  let query = 0;
  for await (const values of eachProduct(queryVectors, galleryVectors)) {
    hits[queries[query++]] = topK(values, 5, "higher")
      .map(({ index, value }) => [gallery[index], value]);
  }
  return hits;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

function interval({ low, high }: Estimate): [number, number] {
  return [round(low), round(high)];
}

function range([low, high]: [number, number]): string {
  return `${low.toFixed(3)}–${high.toFixed(3)}`;
}
