/**
 * The offline encoder: text and pictures in one space, on any CPU, made only
 * of what package registries carry.
 *
 * ```text
 * picture ──EfficientNet-Lite──▶ features, logits ─┐ joint_space.ts
 * text ──────MiniLM──▶ sentence vector ────────────┴──▶ [1664]
 * ```
 *
 * It knows ImageNet's thousand classes and what lies near them, and is not
 * CLIP: it cannot count, and "a dog on a man" is "a man on a dog" to it.
 * Set-up writes its files; docs/encoders.md has its figures.
 *
 * ```ts
 * import { openOffline } from "#lib/encoders/offline.ts";
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
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";
import { l2Normalize } from "../metrics.ts";
import { readNpy } from "../npy.ts";
import { paths } from "../paths.ts";
import type { Encoder, ImageSource } from "./encoder.ts";
import { type Classes, pictureVector, textVector } from "./joint_space.ts";
import { resizeToSquare, toTensor } from "./preprocess.ts";
import { openSentences, SENTENCE_DIMENSIONS } from "./sentences.ts";

/** What set-up makes: classes.json, class_vectors.npy, minilm/, lite0/, lite2/. */
export const OFFLINE_FOLDER: string = join(paths.models, "offline");

/** The two sizes of the picture classifier. */
const NETWORKS = {
  "offline": { name: "EfficientNet-Lite0", folder: "lite0", side: 224 },
  "offline-large": { name: "EfficientNet-Lite2", folder: "lite2", side: 260 },
};

/** Length of the classifier's feature vector, in both sizes. */
const FEATURES = 1280;

/** Pictures that are decoded and embedded at once. */
const BATCH_SIZE = 16;

/**
 * Opens the offline encoder.
 *
 * @param id `"offline-large"` looks closer, at half the speed.
 * @throws {Error} If set-up has not made its files: says what to run.
 */
export async function openOffline(
  id: keyof typeof NETWORKS = "offline",
): Promise<Encoder> {
  const { name, side } = NETWORKS[id];
  requireFiles(id);
  const [sentences, vision, classes] = await Promise.all([
    openSentences(join(OFFLINE_FOLDER, "minilm")),
    openVision(id),
    readClasses(id),
  ]);

  const encoder: Encoder = {
    id,
    dimensions: SENTENCE_DIMENSIONS + FEATURES,
    describe: () =>
      `${id}: ${name} (float32) and MiniLM (int8) joined by ImageNet's ` +
      `${classes.vectors.length} classes, CPU`,
    decodeImage: (image) => decodeImage(image, side),
    async encodeDecoded(pixels) {
      const seen = await vision.see(pixels);
      return seen.map(({ features, logits }) =>
        pictureVector(features, logits, classes)
      );
    },
    async encodeImages(images) {
      const vectors: Float32Array[] = [];
      for (let start = 0; start < images.length; start += BATCH_SIZE) {
        const batch = images.slice(start, start + BATCH_SIZE);
        const pixels = await Promise.all(batch.map(encoder.decodeImage));
        vectors.push(...await encoder.encodeDecoded(pixels));
      }
      return vectors;
    },
    async encodeTexts(texts) {
      const meanings = await sentences.encode(texts);
      return meanings.map((meaning) => textVector(meaning, classes));
    },
    async close() {
      await Promise.all([sentences.close(), vision.close()]);
    },
  };
  return encoder;
}

/** What the classifier makes of one picture. */
export interface Seen {
  /** The last layer's input: what the picture looks like, [1280]. */
  features: Float32Array;
  /** The last layer's output, one number a class, [1000]. */
  logits: Float32Array;
}

/** The picture classifier by itself. */
export interface Vision {
  /** Looks at a batch of decoded pictures. */
  see(pixels: readonly Float32Array[]): Promise<Seen[]>;
  /** Frees the model. */
  close(): Promise<void>;
}

/** Opens the picture classifier, to see the parts that a vector is made of. */
export async function openVision(
  id: keyof typeof NETWORKS = "offline",
): Promise<Vision> {
  const { folder, side } = NETWORKS[id];
  const session = await InferenceSession.create(
    join(OFFLINE_FOLDER, folder, "vision.onnx"),
  );
  return {
    async see(pixels) {
      const batch = new Float32Array(pixels.length * 3 * side * side);
      pixels.forEach((picture, i) => batch.set(picture, i * picture.length));
      const shape = [pixels.length, 3, side, side];
      const { features, logits } = await session.run({
        pixels: new Tensor("float32", batch, shape),
      });
      const rows = (tensor: Tensor) =>
        matrixRows(tensor.data as Float32Array, tensor.dims[1]);
      const logitRows = rows(logits);
      return rows(features).map((row, i) => ({
        features: row,
        logits: logitRows[i],
      }));
    },
    close: () => session.release(),
  };
}

/** Reads what pictures and sentences have in common. */
export async function readClasses(
  id: keyof typeof NETWORKS = "offline",
): Promise<Classes> {
  const [vectors, weights] = await Promise.all([
    readNpy(join(OFFLINE_FOLDER, "class_vectors.npy")),
    readNpy(join(OFFLINE_FOLDER, NETWORKS[id].folder, "class_weights.npy")),
  ]);
  return {
    vectors: matrixRows(vectors.data, vectors.shape[1]),
    weights: matrixRows(weights.data, weights.shape[1]).map(l2Normalize),
  };
}

/** The thousand classes' names, each with its synonyms: ["tench", "Tinca tinca"]. */
export async function readClassNames(): Promise<string[][]> {
  const path = join(OFFLINE_FOLDER, "classes.json");
  return JSON.parse(await readFile(path, "utf8"));
}

/** The centre square as the classifier wants it: (value - 127) / 128. */
async function decodeImage(
  image: ImageSource,
  side: number,
): Promise<Float32Array> {
  try {
    const bytes = typeof image === "string" ? await readFile(image) : image;
    // Colour profiles are left alone, as they were in the classifier's
    // training; converting them would take longer than all the rest.
    const picture = sharp(bytes, { ignoreIcc: true })
      .autoOrient()
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb");
    const { autoOrient: { width, height } } = await picture.metadata();
    const shorter = Math.min(width, height);
    // Cutting the square out first is exact, but has the whole picture
    // decoded. Large ones are decoded at a fraction of their size instead,
    // for which resize() must do the cutting, half a pixel off at most.
    if (shorter < 4 * side) {
      picture.extract({
        left: (width - shorter) >> 1,
        top: (height - shorter) >> 1,
        width: shorter,
        height: shorter,
      });
    }
    const enlarge = shorter < side;
    if (!enlarge) picture.resize(side, side, { kernel: "cubic" });
    const pixels = await picture.raw().toBuffer();
    // sharp shrinks as Pillow does, but enlarges half a pixel off.
    const square = enlarge
      ? resizeToSquare(pixels, shorter, shorter, side)
      : pixels;
    const grey = [127 / 255, 127 / 255, 127 / 255];
    const spread = [128 / 255, 128 / 255, 128 / 255];
    return toTensor(square, grey, spread);
  } catch (error) {
    const name = typeof image === "string" ? image : "a picture";
    throw new Error(`${name} cannot be decoded: ${(error as Error).message}`);
  }
}

function requireFiles(id: keyof typeof NETWORKS): void {
  const { folder } = NETWORKS[id];
  const setup = "npx deno@2.8.1 task setup";
  const needed: [string, string][] = [
    ["classes.json", setup],
    ["class_vectors.npy", setup],
    ["minilm/model.onnx", setup],
    ["minilm/tokenizer.json", setup],
    [`${folder}/vision.onnx`, id === "offline" ? setup : `${setup} --large`],
    [`${folder}/class_weights.npy`, setup],
  ];
  for (const [file, command] of needed) {
    const path = join(OFFLINE_FOLDER, file);
    if (!existsSync(path)) {
      throw new Error(`${path} not found: run \`${command}\``);
    }
  }
}

/** A matrix's rows, without copying. */
function matrixRows(data: Float32Array, width: number): Float32Array[] {
  return Array.from(
    { length: data.length / width },
    (_, row) => data.subarray(row * width, (row + 1) * width),
  );
}
