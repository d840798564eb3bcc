/**
 * A picture classifier: EfficientNet-Lite, trained on ImageNet's 1000 classes.
 *
 * ```text
 * picture ──decode──▶ [3, 224, 224] ──network──▶ features [1280] ──▶ logits [1000]
 * ```
 *
 * The features, from which the last layer makes the logits, tell what the
 * picture looks like; the logits, which class it may be. It knows pictures
 * only: lib/encoders/offline.ts ties them to words.
 *
 * ```ts
 * import { openClassifier, readClassNames } from "#lib/encoders/offline/classifier.ts";
 *
 * async function likeliestClass(picture: string): Promise<string> {
 *   const classifier = await openClassifier();
 *   const pixels = await classifier.decode(picture);
 *   const [{ logits }] = await classifier.see([pixels]);
 *   await classifier.close();
 *   const names = await readClassNames();
 *   return names[logits.indexOf(Math.max(...logits))].join(", ");
 * }
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { openSession } from "../../compare/session.ts";
import { paths } from "../../paths.ts";
import type { ImageSource } from "../../pictures/pictures.ts";
import { decodeSquare } from "../../pictures/square.ts";

/** Where set-up puts the files of the offline encoder. */
export const OFFLINE_FOLDER: string = join(paths.models, "offline");

/** Which of the two: "offline-large" looks closer, at half the speed. */
export type OfflineId = "offline" | "offline-large";

/** What sets the two apart: name, folder, side of the picture in pixels. */
export const NETWORKS: Readonly<Record<OfflineId, Network>> = {
  "offline": { name: "EfficientNet-Lite0", folder: "lite0", side: 224 },
  "offline-large": { name: "EfficientNet-Lite2", folder: "lite2", side: 260 },
};

/** One size of the classifier. */
export interface Network {
  /** "EfficientNet-Lite0" */
  name: string;
  /** Holds vision.onnx and class_weights.npy, below the offline folder. */
  folder: string;
  /** Side of its input in pixels. */
  side: number;
}

/** Length of the feature vector, in both sizes. */
export const FEATURES = 1280;

/** What the classifier makes of one picture. */
export interface Seen {
  /** The last layer's input: what the picture looks like, [1280]. */
  features: Float32Array;
  /** The last layer's output, one number a class, [1000]. */
  logits: Float32Array;
}

/** The picture classifier. */
export interface Classifier {
  /**
   * The picture's centre square as the network takes it, [3, side, side].
   *
   * @throws {Error} If it cannot be decoded: names the file.
   */
  decode(image: ImageSource): Promise<Float32Array>;
  /** Looks at decoded pictures; in the order given. */
  see(pixels: readonly Float32Array[]): Promise<Seen[]>;
  /** Frees the network. */
  close(): Promise<void>;
}

/** As the network was trained: (value - 127) / 128 in each colour. */
const INPUT = {
  mean: [127 / 255, 127 / 255, 127 / 255],
  std: [128 / 255, 128 / 255, 128 / 255],
  cut: "before",
} as const;

/** Pictures a run: what the layers make of four of them stays in the cache. */
const BATCH_SIZE = 4;

/** Opens the picture classifier. */
export async function openClassifier(
  id: OfflineId = "offline",
  folder: string = OFFLINE_FOLDER,
): Promise<Classifier> {
  const network = NETWORKS[id];
  const session = await openSession(
    join(folder, network.folder, "vision.onnx"),
  );
  return {
    decode: (image) => decodeSquare(image, { size: network.side, ...INPUT }),
    async see(pixels) {
      const seen: Seen[] = [];
      for (let start = 0; start < pixels.length; start += BATCH_SIZE) {
        const batch = pixels.slice(start, start + BATCH_SIZE);
        seen.push(...await run(session, batch, network.side));
      }
      return seen;
    },
    close: () => session.release(),
  };
}

/** The thousand classes, each with its names: ["tench", "Tinca tinca"]. */
export async function readClassNames(
  folder: string = OFFLINE_FOLDER,
): Promise<string[][]> {
  return JSON.parse(await readFile(join(folder, "classes.json"), "utf8"));
}

async function run(
  session: InferenceSession,
  pixels: readonly Float32Array[],
  side: number,
): Promise<Seen[]> {
  const batch = new Float32Array(pixels.length * pixels[0].length);
  pixels.forEach((picture, i) => batch.set(picture, i * picture.length));
  const { features, logits } = await session.run({
    pixels: new Tensor("float32", batch, [pixels.length, 3, side, side]),
  });
  const row = ({ data, dims }: Tensor, i: number) =>
    (data as Float32Array).subarray(i * dims[1], (i + 1) * dims[1]);
  return pixels.map((_, i) => ({
    features: row(features, i),
    logits: row(logits, i),
  }));
}
