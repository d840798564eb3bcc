/**
 * The offline encoder: text and pictures in one space, on any CPU, made only
 * of what package registries carry.
 *
 * ```text
 * picture ──classifier.ts──▶ features, logits ─┐
 *                                              ├──joint_space.ts──▶ [1664]
 * text ─────sentences.ts───▶ sentence vector ──┘
 * ```
 *
 * It knows ImageNet's thousand classes and what lies near them, and is not
 * CLIP: it cannot count, and "a dog on a man" is "a man on a dog" to it.
 *
 * Set-up writes its
 * files; docs/encoders.md has its figures.
 *
 * ```ts
 * import { openOffline } from "#lib/encoders/offline/offline.ts";
 *
 * async function closeness(text: string, picture: string): Promise<number> {
 *   const encoder = await openOffline();
 *   const [a] = await encoder.encodeTexts([text]);
 *   const [b] = await encoder.encodeImages([picture]);
 *   await encoder.close();
 *   return a.reduce((sum, value, i) => sum + value * b[i], 0);
 * }
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Matrix } from "../../compare/matrix.ts";
import { l2Normalize } from "../../compare/metrics.ts";
import { readNpy } from "../../compare/npy.ts";
import {
  FEATURES,
  NETWORKS,
  OFFLINE_FOLDER,
  type OfflineId,
  openClassifier,
} from "./classifier.ts";
import { encodeInBatches, type Encoder } from "../encoder.ts";
import { type Classes, pictureVector, textVectors } from "./joint_space.ts";
import { openSentences, SENTENCE_DIMENSIONS } from "./sentences.ts";

/**
 * Opens the offline encoder.
 *
 * @param folder Where set-up put its files.
 * @throws {Error} If a file is missing: says what to run.
 */
export async function openOffline(
  id: OfflineId = "offline",
  folder: string = OFFLINE_FOLDER,
): Promise<Encoder> {
  requireFiles(id, folder);
  const [sentences, classifier, classes] = await Promise.all([
    openSentences(sentencesFolder(folder)),
    openClassifier(id, folder),
    readClasses(id, folder),
  ]);

  const encoder: Encoder = {
    id,
    dimensions: SENTENCE_DIMENSIONS + FEATURES,
    describe: () =>
      `${id}: ${NETWORKS[id].name} (float32) and MiniLM (int8), joined by ` +
      `ImageNet's ${classes.vectors.count} classes; CPU`,
    decodeImage: classifier.decode,
    async encodeDecoded(pixels) {
      const vectors = (await classifier.see(pixels)).map((
        { features, logits },
      ) => pictureVector(features, logits, classes));
      return Matrix.of(vectors, encoder.dimensions);
    },
    encodeImages: (images) => encodeInBatches(encoder, images),
    async encodeTexts(texts) {
      return await textVectors(await sentences.encode(texts), classes);
    },
    async close() {
      await Promise.all([sentences.close(), classifier.close()]);
    },
  };
  return encoder;
}

/** The folder that openSentences() takes. */
export function sentencesFolder(folder: string = OFFLINE_FOLDER): string {
  return join(folder, "minilm");
}

/** Reads what pictures and sentences have in common. */
export async function readClasses(
  id: OfflineId = "offline",
  folder: string = OFFLINE_FOLDER,
): Promise<Classes> {
  const [vectors, weights] = await Promise.all([
    readNpy(join(folder, "class_vectors.npy")),
    readNpy(join(folder, NETWORKS[id].folder, "class_weights.npy")),
  ]);
  for (const row of weights) row.set(l2Normalize(row));
  return { vectors, weights };
}

/** Paths of the files that the encoder consists of, whether here or not. */
export function offlineFiles(
  id: OfflineId = "offline",
  folder: string = OFFLINE_FOLDER,
): string[] {
  const network = NETWORKS[id].folder;
  return [
    "classes.json",
    "class_vectors.npy",
    "minilm/model.onnx",
    "minilm/tokenizer.json",
    `${network}/vision.onnx`,
    `${network}/class_weights.npy`,
  ].map((file) => join(folder, file));
}

function requireFiles(id: OfflineId, folder: string): void {
  const missing = offlineFiles(id, folder).find((path) => !existsSync(path));
  if (missing === undefined) return;
  const large = id === "offline-large" ? " --large" : "";
  throw new Error(
    `${missing} not found: run \`npx deno@2.8.1 task setup${large}\``,
  );
}
