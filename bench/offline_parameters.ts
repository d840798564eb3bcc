/**
 * What the five numbers of the offline encoder's joint space do.
 *
 * Each is varied by itself, the others standing at the values in use, and
 * every setting is scored three ways:
 *
 * - like:    each picture searches among the others for its class, mAP;
 * - name:    each class's name searches among the pictures, mAP;
 * - caption: each caption searches for its picture, mean of 1 / rank.
 *
 * `deno task bench offline_parameters` measures on the sample. With folders,
 *
 *     deno run -A bench/offline_parameters.ts DIR…
 *
 * measures on each: a folder of classes, as `task evaluate` takes it, or one
 * with pictures and their captions.json.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import { readCaptions } from "../lib/captions/captions.ts";
import type { Matrix } from "../lib/compare/matrix.ts";
import { readClassFolder } from "../lib/dataset/class_folder.ts";
import { table } from "../lib/display/table.ts";
import {
  type Classified,
  openClassifier,
} from "../lib/encoders/offline/classifier.ts";
import {
  JOINT_PARAMETERS,
  type JointParameters,
  pictureVectors,
  textVectors,
} from "../lib/encoders/offline/joint_space.ts";
import { readConcepts } from "../lib/encoders/offline/offline.ts";
import { openSentences } from "../lib/encoders/offline/sentences.ts";
import { averagePrecision, relevantRanks } from "../lib/evaluate/evaluate.ts";
import { readSample, samplePath } from "../lib/photo_site/sample.ts";
import { topK } from "../lib/compare/compare.ts";
import { eachProduct } from "../lib/compare/matrix_product.ts";
import { type Bench, row } from "./harness.ts";

/** The values tried. */
const TRIED: Record<keyof JointParameters, number[]> = {
  temperature: [0.5, 0.75, 1, 1.5, 2, 3, 5],
  classCount: [1, 3, 10, 30, 100, 300, 1000],
  groupWeight: [0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3],
  sharpness: [5, 10, 15, 20, 30, 50],
  wordsShare: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
};

/** A picture with what it may be found by. */
interface Known {
  path: string;
  label?: string;
  captions: string[];
}

/** One setting's scores; undefined where there are no classes or captions. */
interface Scores {
  parameter: keyof JointParameters;
  value: number;
  like?: number;
  name?: number;
  caption?: number;
}

/** Measures on the sample. */
export const bench: Bench = async ({ log }) => {
  const scores = await measure(await samplePictures(), log);
  return scores.flatMap(({ parameter, value, like, name, caption }) => [
    row(`${parameter} ${value}: like pictures`, "mAP", like!, "", undefined),
    row(`${parameter} ${value}: class names`, "mAP", name!, "", undefined),
    row(`${parameter} ${value}: captions`, "1/rank", caption!, "", undefined),
  ]);
};

async function samplePictures(): Promise<Known[]> {
  return (await readSample()).map((picture) => ({
    path: samplePath(picture),
    label: picture.term,
    captions: [picture.caption],
  }));
}

async function folderPictures(folder: string): Promise<Known[]> {
  const captions = join(folder, "captions.json");
  if (existsSync(captions)) {
    const { pictures } = await readCaptions(captions);
    return pictures.map(({ path, captions }) => ({
      path: join(folder, path),
      captions,
    }));
  }
  const { gallery, queries, leaveOneOut } = await readClassFolder(folder);
  return [...gallery, ...leaveOneOut ? [] : queries].map((
    { path, term },
  ) => ({ path: join(folder, path), label: term, captions: [] }));
}

async function measure(
  pictures: Known[],
  log: (line: string) => void,
): Promise<Scores[]> {
  const inUse = await readConcepts();
  const classified = await classifyAll(pictures, log);
  const labels = pictures.map(({ label }) => label);
  const names = [...new Set(labels)].filter((label) => label !== undefined);
  const captions = pictures.flatMap(({ captions }) => captions);
  const captioned = pictures.flatMap(({ captions }, i) =>
    captions.map(() => i)
  );
  const sentences = await openSentences();
  const meanings = await sentences.encode([
    ...names.map((name) => name.replaceAll("_", " ")),
    ...captions,
  ]);
  await sentences.close();

  const all: Scores[] = [];
  for (const [parameter, values] of Object.entries(TRIED)) {
    for (const value of values) {
      const parameters = { ...JOINT_PARAMETERS, [parameter]: value };
      const concepts = parameter === "groupWeight"
        ? await readConcepts("offline", undefined, parameters)
        : inUse;
      const gallery = pictureVectors(classified, concepts, parameters);
      const texts = await textVectors(meanings, concepts, parameters);
      const score = (
        queries: Matrix,
        isRelevant: (query: number, picture: number) => boolean,
        isSelf?: (query: number, picture: number) => boolean,
      ) => meanPrecision(queries, gallery, isRelevant, isSelf);
      all.push({
        parameter: parameter as keyof JointParameters,
        value,
        like: names.length === 0 ? undefined : await score(
          gallery,
          (query, picture) => labels[query] === labels[picture],
          (query, picture) => query === picture,
        ),
        name: names.length === 0 ? undefined : await score(
          texts.slice(0, names.length),
          (query, picture) => names[query] === labels[picture],
        ),
        // With one relevant picture, average precision is 1 / rank.
        caption: captions.length === 0 ? undefined : await score(
          texts.slice(names.length),
          (query, picture) => captioned[query] === picture,
        ),
      });
    }
    log(`${parameter}: measured`);
  }
  return all;
}

/** What the classifier makes of each picture. */
async function classifyAll(
  pictures: Known[],
  log: (line: string) => void,
): Promise<Classified> {
  const classifier = await openClassifier();
  const all = await classifier.classify([]);
  for (let start = 0; start < pictures.length; start += 16) {
    const batch = pictures.slice(start, start + 16);
    const pixels = await Promise.all(
      batch.map(({ path }) => classifier.decode(path)),
    );
    const { looks: [looks], logits } = await classifier.classify(pixels);
    for (const row of looks) all.looks[0].append(row);
    for (const row of logits) all.logits.append(row);
  }
  await classifier.close();
  log(`${pictures.length} pictures classified`);
  return all;
}

/** Mean average precision of the queries over the gallery. */
async function meanPrecision(
  queries: Matrix,
  gallery: Matrix,
  isRelevant: (query: number, picture: number) => boolean,
  isSelf: (query: number, picture: number) => boolean = () => false,
): Promise<number> {
  let sum = 0, query = 0;
  for await (const values of eachProduct(queries, gallery)) {
    const ranked = topK(values, values.length, "higher")
      .filter(({ index }) => !isSelf(query, index));
    const relevant = ranked.map(({ index }) => isRelevant(query, index));
    sum += averagePrecision(relevantRanks(relevant));
    query++;
  }
  return sum / queries.count;
}

if (import.meta.main) {
  const folders = process.argv.slice(2).map((folder) => resolve(folder));
  for (const folder of folders.length ? folders : [undefined]) {
    const pictures = folder
      ? await folderPictures(folder)
      : await samplePictures();
    const scores = await measure(pictures, console.error);
    const caption = folder ? basename(folder) : "sample";
    console.log(`${table(scores.map((one) => ({ ...one })), { caption })}\n`);
  }
}
