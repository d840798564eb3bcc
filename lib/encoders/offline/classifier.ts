/**
 * A picture classifier: EfficientNet-Lite, trained on ImageNet's 1000 classes.
 *
 * ```text
 * picture ──decode──▶ [3, 224, 224] ──network──▶ features ─┬▶ looks [600]
 *                                                          └▶ logits [1000]
 * ```
 *
 * The logits tell which class the picture may be. The looks tell what it looks
 * like: the features, from which the logits are made, less what all pictures
 * have in common, along the 600 directions that tell classes apart. It knows
 * pictures only: joint_space.ts ties them to words.
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
import { addScaled } from "../../compare/metrics.ts";
import { openSession } from "../../compare/session.ts";
import { paths, runSetup } from "../../paths.ts";
import { decodePicture, type ImageSource } from "../../pictures/pictures.ts";
import { resizeToSquare } from "../../pictures/square.ts";
import { openFile } from "../model_files.ts";

/** Where set-up puts the files of the offline encoder. */
export const OFFLINE_FOLDER: string = join(paths.models, "offline");

/** Which of the two: "offline-large" looks closer, at less than half the speed. */
export type OfflineId = "offline" | "offline-large";

const LITE0 = { name: "EfficientNet-Lite0", folder: "lite0", side: 224 };
const LITE2 = { name: "EfficientNet-Lite2", folder: "lite2", side: 260 };

/** What each consists of: networks' names, folders, sides of their pictures. */
export const NETWORKS: Readonly<Record<OfflineId, readonly typeof LITE0[]>> = {
  "offline": [LITE0],
  "offline-large": [LITE0, LITE2],
};

/** Lengths of what comes out of each. */
const LOOKS = 600, CLASSES = 1000;

/** What the classifier makes of pictures, a row each. */
export interface Classified {
  /** What a picture looks like, to each network: [600]. */
  looks: readonly Matrix[];
  /** One number a class, [1000]; the networks' mean. */
  logits: Matrix;
}

/** The picture classifier: one network or two. */
export interface Classifier {
  /**
   * The picture's centre square as each network takes it, [3, side, side], end
   * to end.
   *
   * @throws {Error} If it cannot be decoded: names the file.
   */
  decode(image: ImageSource): Promise<Float32Array>;
  /** Classifies decoded pictures; in the order given. */
  classify(pixels: readonly Float32Array[]): Promise<Classified>;
  /** Frees the networks. */
  close(): Promise<void>;
}

/** As the networks were trained: (value - 127) / 128 in each colour. */
const INPUT = {
  mean: [127 / 255, 127 / 255, 127 / 255],
  std: [128 / 255, 128 / 255, 128 / 255],
  cut: "before",
} as const;

/** Pictures a run: what the layers make of four of them stays in the cache. */
const BATCH_SIZE = 4;

/**
 * Opens the picture classifier.
 *
 * @throws {Error} If a file is not whole, or of a former recipe: names it.
 */
export async function openClassifier(
  id: OfflineId = "offline",
  folder: string = OFFLINE_FOLDER,
): Promise<Classifier> {
  const networks = await Promise.all(NETWORKS[id].map(async (network) => {
    const file = join(folder, network.folder, "vision.onnx");
    const session = await openFile(file, "cpu", () => openSession(file));
    if (!session.outputNames.includes("looks")) {
      throw new Error(`${file} is of a former recipe: ${runSetup("--large")}`);
    }
    return { ...network, session };
  }));
  const shortest = 4 * networks.at(-1)!.side;
  return {
    async decode(image) {
      const picture = await decodePicture(image, { shortest });
      return endToEnd(
        networks.map(({ side }) =>
          resizeToSquare(picture, { size: side, ...INPUT })
        ),
      );
    },
    async classify(pixels) {
      const looks = networks.map(() => Matrix.empty(LOOKS, pixels.length));
      const logits = Matrix.zeros(pixels.length, CLASSES);
      let from = 0;
      for (const [place, { session, side }] of networks.entries()) {
        const to = from + 3 * side * side;
        for (let start = 0; start < pixels.length; start += BATCH_SIZE) {
          const batch = pixels.slice(start, start + BATCH_SIZE)
            .map((squares) => squares.subarray(from, to));
          const shape = [batch.length, 3, side, side];
          const found = await session.run({
            pixels: new Tensor("float32", Matrix.of(batch).data, shape),
          });
          const rows = (
            name: keyof Classified,
            length: number,
          ) => [...new Matrix(found[name].data as Float32Array, length)];
          rows("looks", LOOKS).forEach((row) => looks[place].append(row));
          rows("logits", CLASSES).forEach((row, i) =>
            addScaled(logits.row(start + i), row, 1 / networks.length)
          );
        }
        from = to;
      }
      return { looks, logits };
    },
    async close() {
      await Promise.all(networks.map(({ session }) => session.release()));
    },
  };
}

/** Vectors laid end to end. */
export function endToEnd(vectors: readonly Float32Array[]): Float32Array {
  const length = vectors.reduce((sum, vector) => sum + vector.length, 0);
  const joined = new Float32Array(length);
  let end = 0;
  for (const vector of vectors) {
    joined.set(vector, end);
    end += vector.length;
  }
  return joined;
}

/** The thousand classes, each with its names: ["tench", "Tinca tinca"]. */
export async function readClassNames(): Promise<string[][]> {
  const file = join(OFFLINE_FOLDER, "classes.json");
  return JSON.parse(await readFile(file, "utf8"));
}
