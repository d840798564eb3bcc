/**
 * A picture classifier: EfficientNet-Lite, trained on ImageNet's 1000 classes.
 *
 * ```text
 * picture ──decode──▶ [3, 224, 224] ──network──▶ features [1280] ──▶ logits [1000]
 * ```
 *
 * The features, from which the last layer makes the logits, tell what the
 * picture looks like; the logits, which class it may be. It knows pictures
 * only: joint_space.ts ties them to words.
 *
 * ```ts
 * import { openClassifier, readClassNames } from "#lib/encoders/offline/classifier.ts";
 * import { samplePath } from "#lib/photo_site/sample.ts";
 * import { ok } from "node:assert/strict";
 *
 * const classifier = await openClassifier();
 * const lemon = await classifier.decode(samplePath({ path: "food/fruit/lemon.jpg" }));
 * const { logits: [ofLemon] } = await classifier.classify([lemon]);
 * await classifier.close();
 * const names = await readClassNames();
 * ok(names[ofLemon.indexOf(Math.max(...ofLemon))].includes("lemon"));
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { Matrix } from "../../compare/matrix.ts";
import { openSession } from "../../compare/session.ts";
import { paths } from "../../paths.ts";
import type { ImageSource } from "../../pictures/pictures.ts";
import { decodeSquare } from "../../pictures/square.ts";

/** Where set-up puts the files of the offline encoder. */
export const OFFLINE_FOLDER: string = join(paths.models, "offline");

/** Which of the two: "offline-large" looks closer, at half the speed. */
export type OfflineId = "offline" | "offline-large";

/** What sets the two apart: name, folder, side of the picture in pixels. */
export const NETWORKS: Readonly<
  Record<OfflineId, { name: string; folder: string; side: number }>
> = {
  "offline": { name: "EfficientNet-Lite0", folder: "lite0", side: 224 },
  "offline-large": { name: "EfficientNet-Lite2", folder: "lite2", side: 260 },
};

/** Lengths of what comes out, in both sizes. */
const WIDTHS = { features: 1280, logits: 1000 };

/** What the classifier makes of pictures, a row each. */
export interface Classified {
  /** The last layer's input: what a picture looks like, [1280]. */
  features: Matrix;
  /** The last layer's output, one number a class, [1000]. */
  logits: Matrix;
}

/** The picture classifier. */
export interface Classifier {
  /**
   * The picture's centre square as the network takes it, [3, side, side].
   *
   * @throws {Error} If it cannot be decoded: names the file.
   */
  decode(image: ImageSource): Promise<Float32Array>;
  /** Classifies decoded pictures; in the order given. */
  classify(pixels: readonly Float32Array[]): Promise<Classified>;
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
  const { side } = network;
  const file = join(folder, network.folder, "vision.onnx");
  const session = await openSession(file);
  return {
    decode: (image) => decodeSquare(image, { size: side, ...INPUT }),
    async classify(pixels) {
      const all: Classified = {
        features: Matrix.empty(WIDTHS.features, pixels.length),
        logits: Matrix.empty(WIDTHS.logits, pixels.length),
      };
      for (let start = 0; start < pixels.length; start += BATCH_SIZE) {
        const batch = pixels.slice(start, start + BATCH_SIZE);
        const shape = [batch.length, 3, side, side];
        const outputs = await session.run({
          pixels: new Tensor("float32", Matrix.of(batch).data, shape),
        });
        for (const name of ["features", "logits"] as const) {
          const data = outputs[name].data as Float32Array;
          for (const row of new Matrix(data, WIDTHS[name])) {
            all[name].append(row);
          }
        }
      }
      return all;
    },
    close: () => session.release(),
  };
}

/** The thousand classes, each with its names: ["tench", "Tinca tinca"]. */
export async function readClassNames(): Promise<string[][]> {
  const file = join(OFFLINE_FOLDER, "classes.json");
  return JSON.parse(await readFile(file, "utf8"));
}
