/**
 * The work of `task evaluate`, and what it prints of it: a table for people, a
 * line of JSON for programs, and the hits of each query.
 *
 * @module
 */
import { topK } from "../lib/compare/compare.ts";
import { eachProduct } from "../lib/compare/matrix_product.ts";
import type { Matrix } from "../lib/compare/matrix.ts";
import { clampCosine } from "../lib/compare/metrics.ts";
import { progressStages } from "../lib/display/progress.ts";
import { retrievalTable, table } from "../lib/display/table.ts";
import type { Precision } from "../lib/encoders/clip.ts";
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

/** A run, told. */
export interface Report {
  /** A table. */
  text: string;
  /** What `--json` prints. */
  json: object;
  /** What `--hits` writes: by method, query and rank, what was found. */
  hits: () => Promise<object> | object;
  /** What was decided or left out, a line each. */
  remarks: string[];
}

/**
 * Evaluates a folder; progress goes to standard error.
 *
 * @param captions A file of captions, in place of the folder's classes.
 * @param size Side of the pictures on the pixel side.
 */
export async function evaluate(
  { folder, captions, encoder: name, precision, size, signal }: {
    folder: string;
    captions?: string;
    encoder: string;
    precision?: Precision;
    size: number;
    signal: AbortSignal;
  },
): Promise<Report> {
  const log = (line: string) => console.error(line);
  const encoder = await openEncoder(name, { precision, signal, log });
  const options = { size, signal, onProgress: progressStages() };
  const report = captions
    ? reportCaptions(
      await evaluateCaptions(folder, captions, encoder, options),
      encoder.describe(),
    )
    : reportClasses(
      await evaluateFolder(folder, encoder, options),
      `${size} x ${size} pixels, encoder ${encoder.describe()}`,
    );
  await encoder.close();
  const how = { encoder: encoder.name, ...(!captions && { size }) };
  return { ...report, json: { ...how, ...report.json } };
}

/** Tells how methods did over a folder of classes. */
function reportClasses(
  { gallery, queries, methods, remarks, leftOut }: FolderEvaluation,
  how: string,
): Report {
  const rows = methods.map((scores) => ({
    method: scores.method,
    ...rounded({
      top1: scores.top1,
      p5: scores.precisionAt5,
      map: scores.meanAveragePrecision,
    }),
    msPerQuery: Number(scores.msPerQuery.toFixed(2)),
  }));
  const text = table(
    rows.map((row) => ({
      method: row.method,
      "top-1": row.top1,
      "precision@5": row.p5,
      mAP: row.map,
      "mAP, 95 %": row.intervals.map.map((end) => end.toFixed(3)).join("–"),
      "ms a query": row.msPerQuery,
    })),
    { caption: `${queries} queries, ${gallery} in the gallery, ${how}` },
  );
  const hits = methods.map(({ method, hits }) => [method, hits]);
  return {
    text: `${text}`,
    json: { gallery, queries, rows, leftOut },
    hits: () => Object.fromEntries(hits),
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
    const { precisionAt5: p5, meanAveragePrecision: map, ...others } = scores;
    const { normalizedGain: ndcg, ...same } = others;
    return rounded({ ...same, p5, map, ndcg });
  };
  const texts: Named = [result.captions, result.captionVectors];
  const paths = result.pictures.map(({ path }) => path);
  const images: Named = [paths, result.pictureVectors];
  return {
    text: `${text}`,
    json: {
      pictures,
      captions,
      textToImage: direction(result.textToImage),
      imageToText: direction(result.imageToText),
      leftOut: result.leftOut,
    },
    hits: async () => ({
      "text-to-image": await firstFive(texts, images),
      "image-to-text": await firstFive(images, texts),
    }),
    remarks: result.remarks,
  };
}

/** Vectors, and what each is called. */
type Named = [names: string[], vectors: Matrix];

async function firstFive([queries, asked]: Named, [gallery, vectors]: Named) {
  const hits: [query: string, [path: string, value: number][]][] = [];
  for await (const values of eachProduct(asked, vectors)) {
    const five = topK(values, 5, "higher");
    hits.push([
      queries[hits.length],
      five.map(({ index, value }) => [gallery[index], clampCosine(value)]),
    ]);
  }
  return Object.fromEntries(hits);
}

/** Values to four decimals, and beside them their intervals. */
function rounded<Name extends string>(estimates: Record<Name, Estimate>) {
  const round = (value: number) => Number(value.toFixed(4));
  const values = {} as Record<Name, number>;
  const intervals = {} as Record<Name, [low: number, high: number]>;
  for (const name in estimates) {
    const { value, low, high } = estimates[name];
    values[name] = round(value);
    intervals[name] = [round(low), round(high)];
  }
  return { ...values, intervals };
}
