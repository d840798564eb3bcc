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
 * Set-up writes its files; docs/encoders.md has its figures.
 *
 * ```ts
 * import { openOffline } from "#lib/encoders/offline/offline.ts";
 * import { equal } from "node:assert/strict";
 *
 * const encoder = await openOffline();
 * const vectors = await encoder.encodeTexts(["a lemon", "an owl"]);
 * await encoder.close();
 * equal(vectors.count, 2);
 * equal(vectors.dimensions, 384 + 1280);
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Matrix } from "../../compare/matrix.ts";
import { l2Normalize } from "../../compare/metrics.ts";
import { readNpy } from "../../compare/npy.ts";
import { encodeInBatches, type Encoder } from "../encoder.ts";
import {
  NETWORKS,
  OFFLINE_FOLDER,
  type OfflineId,
  openClassifier,
} from "./classifier.ts";
import { type Classes, pictureVectors, textVectors } from "./joint_space.ts";
import { openSentences } from "./sentences.ts";

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
  const missing = offlineFiles(id, folder).find((path) => !existsSync(path));
  if (missing) {
    const large = id === "offline-large" ? " --large" : "";
    throw new Error(
      `${missing} not found: run \`npx deno@2.8.1 task setup${large}\``,
    );
  }
  const [sentences, classifier, classes] = await Promise.all([
    openSentences(join(folder, "minilm")),
    openClassifier(id, folder),
    readClasses(id, folder),
  ]);
  const { vectors, weights } = classes;
  const encoder: Encoder = {
    id,
    dimensions: vectors.dimensions + weights.count,
    languages: ["en"],
    describe: () =>
      `${id}: ${NETWORKS[id].name} (float32) and MiniLM (int8), joined by ` +
      `ImageNet's ${vectors.count} classes; CPU`,
    decodeImage: classifier.decode,
    encodeDecoded: async (pixels) =>
      pictureVectors(await classifier.classify(pixels), classes),
    encodeImages: (images) => encodeInBatches(encoder, images),
    encodeTexts: async (texts) =>
      await textVectors(await sentences.encode(texts), classes),
    async close() {
      await Promise.all([sentences.close(), classifier.close()]);
    },
  };
  return encoder;
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
  const ofClass = Array.from(weights, l2Normalize);
  const ofFeature = Array.from(
    { length: weights.dimensions },
    (_, feature) => ofClass.map((row) => row[feature]),
  );
  return { vectors, weights: Matrix.of(ofFeature) };
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
