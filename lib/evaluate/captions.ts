/**
 * An encoder over pictures with captions: how often does a caption find its
 * picture, and a picture one of its captions?
 *
 * Pictures are looked for below the folder under the path that the captions
 * name, or under its last part (captions/named_files.ts). Where the file splits into train, val and test,
 * test alone is evaluated, as in the published figures.
 *
 * ```ts
 * import { evaluateCaptions } from "#lib/evaluate/captions.ts";
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { paths } from "#lib/paths.ts";
 * import { ok } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline");
 * const file = `${paths.sample}/captions.json`;
 * const { textToImage } = await evaluateCaptions(paths.sample, file, encoder);
 * await encoder.close();
 * ok(textToImage.scores.r10.value > 0.4); // by chance: ten pictures of 317
 * ```
 *
 * @module
 */
import { join } from "node:path";
import {
  type CaptionedPicture,
  inShort,
  readCaptions,
} from "../captions/captions.ts";
import { fileOfEach } from "../captions/named_files.ts";
import {
  embedPictures,
  embedTexts,
  leaveOutFailures,
} from "../embeddings/embeddings.ts";
import type { Matrix } from "../compare/matrix.ts";
import type { Encoder } from "../encoders/encoder.ts";
import { type LeftOut, listPictures, remarksOn } from "../pictures/folder.ts";
import { type RetrievalResult, scoreCaptions } from "./retrieval.ts";

/** What came of pictures with captions. */
export interface CaptionEvaluation extends RetrievalResult {
  /** Those that were found and could be decoded; path relative to the folder. */
  pictures: CaptionedPicture[];
  /** Unit vectors, a row a picture. */
  pictureVectors: Matrix;
  /** All captions of all pictures, in their order. */
  captions: string[];
  /** Unit vectors, a row a caption. */
  captionVectors: Matrix;
  /** Each caption's picture: a position in `pictures`. */
  pictureOf: number[];
  /** What was decided or left out, a line each. */
  remarks: string[];
  /** Pictures that were not evaluated though their files are there, and why. */
  leftOut: LeftOut[];
}

/** How captions are evaluated. */
export interface CaptionOptions {
  /** Called as work goes on, stage by stage. */
  onProgress?: (stage: string, done: number, total: number) => void;
  /** Stops between two batches; embeddings made by then are kept. */
  signal?: AbortSignal;
}

/**
 * Embeds pictures and captions, and searches with each among the others.
 *
 * @param folder Holds the pictures; nothing is written there.
 * @param captionFile One of the formats of captions.ts.
 * @throws {Error} If none of the pictures has captions and can be decoded.
 */
export async function evaluateCaptions(
  folder: string,
  captionFile: string,
  encoder: Encoder,
  options: CaptionOptions = {},
): Promise<CaptionEvaluation> {
  const { onProgress, signal } = options;
  const { pictures: listed, problems } = await readCaptions(captionFile);
  const remarks = [...problems];
  const test = listed.filter(({ split }) => split === "test");
  const isSplit = test.length > 0 && test.length < listed.length;
  if (isSplit) {
    remarks.push(
      `Of ${listed.length} pictures, the ${test.length} of the test split ` +
        "are evaluated",
    );
  }
  const asked = isSplit ? test : listed;
  const { pictures: found, leftOut: notListed } = await listPictures(folder);
  remarks.push(...remarksOn(notListed));
  const files = fileOfEach(folder, found, asked);
  // The pictures whose files are there, under the paths where they are.
  const present = asked.flatMap((picture, i) => {
    const path = files[i];
    if (path !== undefined) return [{ ...picture, path }];
    const { length } = picture.captions;
    remarks.push(
      `${picture.path} is not in ${folder}: left out with its ` +
        `${length} ${length === 1 ? "caption" : "captions"}`,
    );
    return [];
  });

  const watched = (stage: string) => ({
    signal,
    onProgress: (done: number, total: number) =>
      onProgress?.(stage, done, total),
  });
  const embedded = await embedPictures(
    encoder,
    present.map((one) => ({ ...one, source: join(folder, one.path) })),
    watched("Embedding pictures"),
  );
  for (const { path, reason } of embedded.failures) {
    remarks.push(`Left out: ${path}: ${reason}`);
  }
  const { pictures, vectors } = leaveOutFailures(present, embedded);
  const captions = pictures.flatMap((picture) => picture.captions);
  const pictureOf = pictures.flatMap((picture, position) =>
    picture.captions.map(() => position)
  );
  if (captions.length === 0) {
    throw new Error(
      `nothing to evaluate: none of the ${listed.length} pictures of ` +
        `${captionFile} is in ${folder}, can be decoded and has a caption` +
        inShort(remarks),
    );
  }
  const captionVectors = await embedTexts(
    encoder,
    captions,
    watched("Embedding captions"),
  );
  const result = await scoreCaptions(
    ...[vectors, captionVectors, pictureOf] as const,
    watched("Searching"),
  );
  return {
    ...{ ...result, pictures, pictureVectors: vectors },
    ...{ captions, captionVectors, pictureOf, remarks },
    leftOut: [
      ...notListed,
      ...embedded.failures.map(({ path, reason }) => ({ path, reason })),
    ],
  };
}
