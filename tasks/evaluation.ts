/**
 * The work of `task evaluate`, and what it prints of it: a table for people, a
 * line of JSON for programs, and the hits of each query.
 *
 * @module
 */
import { topK } from "../lib/compare/compare.ts";
import { eachProduct } from "../lib/compare/matrix_product.ts";
import type { Matrix } from "../lib/compare/matrix.ts";
import { progressStages } from "../lib/display/progress.ts";
import { retrievalTable, table } from "../lib/display/table.ts";
import { openEncoder } from "../lib/encoders/encoders.ts";
import type { Estimate } from "../lib/evaluate/bootstrap.ts";
import {
  type CaptionEvaluation,
  evaluateCaptions,
} from "../lib/evaluate/captions.ts";
import {
  evaluateFolder,
  type FolderEvaluation,
} from "../lib/evaluate/folder.ts";
import type { RetrievalScores } from "../lib/evaluate/retrieval.ts";

/** What is evaluated, and how. */
export interface EvaluateOptions {
  folder: string;
  /** A file of captions, in place of the folder's classes. */
  captions?: string;
  encoder: string;
  /** Side of the pictures on the pixel side. */
  size: number;
  signal: AbortSignal;
}

/** A run, told. */
export interface Report {
  /** A table. */
  text: string;
  /** What `--json` prints. */
  json: Record<string, unknown>;
  /** What `--hits` writes: by method, query and rank, what was found. */
  hits: () => Promise<unknown>;
  /** What was decided or left out, a line each. */
  remarks: string[];
}

/** Evaluates a folder. Progress and the choice of encoder go to standard error. */
export async function evaluate(
  { folder, captions, size, ...options }: EvaluateOptions,
): Promise<Report> {
  const { signal } = options;
  const log = (line: string) => console.error(line);
  const encoder = await openEncoder(options.encoder, { signal, log });
  const watched = { signal, onProgress: progressStages() };
  const report = captions
    ? reportCaptions(
      await evaluateCaptions(folder, captions, encoder, watched),
      encoder.describe(),
    )
    : reportClasses(
      await evaluateFolder(folder, encoder, { ...watched, size }),
      `${size} x ${size} pixels, encoder ${encoder.describe()}`,
    );
  Object.assign(report.json, {
    encoder: encoder.id,
    ...(!captions && { size }),
  });
  await encoder.close();
  return report;
}

/** Tells how methods did over a folder of classes. */
function reportClasses(
  { gallery, queries, methods, remarks }: FolderEvaluation,
  how: string,
): Report {
  const rows = methods.map((scores) => ({
    method: scores.method,
    msPerQuery: Number(scores.msPerQuery.toFixed(2)),
    ...rounded({
      top1: scores.top1,
      p5: scores.precisionAt5,
      map: scores.meanAveragePrecision,
    }),
  }));
  const text = table(
    rows.map(({ method, top1, p5, map, msPerQuery, intervals }) => ({
      method,
      "top-1": top1,
      "precision@5": p5,
      mAP: map,
      "mAP, 95 %": intervals.map.map((end) => end.toFixed(3)).join("–"),
      "ms a query": msPerQuery,
    })),
    { caption: `${queries} queries, ${gallery} in the gallery, ${how}` },
  );
  const hits = methods.map(({ method, hits }) => [method, hits]);
  return {
    text: `${text}`,
    json: { gallery, queries, rows },
    hits: () => Promise.resolve(Object.fromEntries(hits)),
    remarks,
  };
}

/** Tells how an encoder did over pictures with captions. */
function reportCaptions(result: CaptionEvaluation, encoder: string): Report {
  const pictures = result.pictures.length, captions = result.captions.length;
  const text = retrievalTable(result, {
    caption: `${pictures} pictures, ${captions} captions, encoder ${encoder}`,
  });
  const direction = ({ scores }: { scores: RetrievalScores }) => {
    const { precisionAt5, meanAveragePrecision, normalizedGain, ...same } =
      scores;
    return rounded({
      ...same,
      p5: precisionAt5,
      map: meanAveragePrecision,
      ndcg: normalizedGain,
    });
  };
  const texts: Named = [result.captions, result.captionVectors];
  const images: Named = [
    result.pictures.map(({ path }) => path),
    result.pictureVectors,
  ];
  return {
    text: `${text}`,
    json: {
      pictures,
      captions,
      textToImage: direction(result.textToImage),
      imageToText: direction(result.imageToText),
    },
    hits: async () => ({
      "text-to-image": await firstFive(texts, images),
      "image-to-text": await firstFive(images, texts),
    }),
    remarks: result.remarks,
  };
}

/** Vectors and what each is called. */
type Named = [names: string[], vectors: Matrix];

async function firstFive(
  [queries, queryVectors]: Named,
  [gallery, galleryVectors]: Named,
) {
  const hits: [query: string, [path: string, value: number][]][] = [];
  for await (const values of eachProduct(queryVectors, galleryVectors)) {
    hits.push([
      queries[hits.length],
      topK(values, 5, "higher")
        .map(({ index, value }) => [gallery[index], value]),
    ]);
  }
  return Object.fromEntries(hits);
}

/** Values to four decimals, and beside them their intervals. */
function rounded<Name extends string>(estimates: Record<Name, Estimate>) {
  const each = <Value>(read: (estimate: Estimate) => Value) =>
    Object.fromEntries(
      Object.entries<Estimate>(estimates)
        .map(([name, estimate]) => [name, read(estimate)]),
    ) as Record<Name, Value>;
  const round = (value: number) => Number(value.toFixed(4));
  return {
    ...each(({ value }) => round(value)),
    intervals: each(({ low, high }) => [round(low), round(high)]),
  };
}
