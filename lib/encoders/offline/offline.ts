/**
 * The offline encoder: text and pictures in one space, on any CPU, made only
 * of what package registries carry.
 *
 * ```text
 * picture ──classifier.ts──▶ looks, logits ───┐
 *                                             ├──joint_space.ts──▶ [984]
 * text ─────sentences.ts───▶ sentence vector ─┘
 * ```
 *
 * It knows ImageNet's thousand classes, the groups above them and what lies
 * near, and is not CLIP: it cannot count, and "a dog on a man" is "a man on a
 * dog" to it.
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
 * equal(vectors.dimensions, 384 + 600);
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readNpy } from "../../compare/npy.ts";
import { runSetup } from "../../paths.ts";
import { encodeInBatches, type Encoder } from "../encoder.ts";
import {
  NETWORKS,
  OFFLINE_FOLDER,
  type OfflineId,
  openClassifier,
} from "./classifier.ts";
import { readGroups } from "./groups.ts";
import {
  type Concepts,
  conceptsOf,
  JOINT_PARAMETERS,
  type JointParameters,
  pictureVectors,
  textVectors,
} from "./joint_space.ts";
import { openSentences } from "./sentences.ts";

/**
 * Part of the encoder's id, to be raised with whatever changes its vectors, so
 * that those of two recipes never meet. In the first recipe's id was none.
 */
const RECIPE = 2;

/**
 * Opens the offline encoder.
 *
 * @param name Which of the two.
 * @param folder Where set-up put its files.
 * @throws {Error} If a file is missing: says what to run.
 */
export async function openOffline(
  name: OfflineId = "offline",
  folder: string = OFFLINE_FOLDER,
): Promise<Encoder> {
  const missing = offlineFiles(name, folder).find((path) => !existsSync(path));
  if (missing) {
    const large = name === "offline-large" ? "--large" : "";
    throw new Error(`${missing} not found: ${runSetup(large)}`);
  }
  // Each is opened when it is first needed: who asks pictures that were embedded
  // before needs none for pictures.
  const sentences = openedLater(() => openSentences(join(folder, "minilm")));
  const classifier = openedLater(() => openClassifier(name, folder));
  const concepts = await readConcepts(name, folder);
  const networks = NETWORKS[name].map(({ name }) => name).join(" and ");
  const classes = concepts.classWords.count;
  const groups = concepts.names.count - classes;
  const encoder: Encoder = {
    id: `${name}-${RECIPE}`,
    formerIds: [name],
    name,
    dimensions: concepts.columns.reduce((sum, { count }) => sum + count, 0),
    languages: ["en"],
    describe: () =>
      `${name}: ${networks} (float32) and MiniLM (int8), joined by ImageNet's ` +
      `${classes} classes and ${groups} groups of them; recipe ${RECIPE}; CPU`,
    decodeImage: async (image) => await (await classifier.open()).decode(image),
    encodeDecoded: async (pixels) =>
      pictureVectors(
        await (await classifier.open()).classify(pixels),
        concepts,
      ),
    encodeImages: (images) => encodeInBatches(encoder, images),
    encodeTexts: async (texts) =>
      await textVectors(await (await sentences.open()).encode(texts), concepts),
    async close() {
      await Promise.all([sentences.close(), classifier.close()]);
    },
  };
  return encoder;
}

/** What is opened once, when it is first needed, and closed if it was. */
function openedLater<Model extends { close(): Promise<void> }>(
  open: () => Promise<Model>,
) {
  let opened: Promise<Model> | undefined;
  return {
    open: () => opened ??= open(),
    // What could not be opened has said so to whom needed it.
    close: async () => await (await opened?.catch(() => undefined))?.close(),
  };
}

/** Reads what pictures and sentences have in common. */
export async function readConcepts(
  name: OfflineId = "offline",
  folder: string = OFFLINE_FOLDER,
  parameters: JointParameters = JOINT_PARAMETERS,
): Promise<Concepts> {
  const [names, groups, ...looks] = await Promise.all([
    readNpy(join(folder, "name_vectors.npy")),
    readGroups(),
    ...NETWORKS[name].map(({ folder: network }) =>
      readNpy(join(folder, network, "class_looks.npy"))
    ),
  ]);
  return conceptsOf(names, looks, groups, parameters);
}

/** Paths of the files that the encoder consists of, whether here or not. */
export function offlineFiles(
  name: OfflineId = "offline",
  folder: string = OFFLINE_FOLDER,
): string[] {
  const files = [
    "classes.json",
    "name_vectors.npy",
    "minilm/model.onnx",
    "minilm/tokenizer.json",
    ...NETWORKS[name].flatMap(({ folder: network }) => [
      `${network}/vision.onnx`,
      `${network}/class_looks.npy`,
    ]),
  ];
  return files.map((file) => join(folder, file));
}
