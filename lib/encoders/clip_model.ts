/**
 * CLIP from its parts: a vision and a text model in ONNX, a tokenizer, and the
 * numbers that pictures are normalised with.
 *
 * ```text
 * picture ──centre square──▶ [3, 224, 224] ──vision model──▶ [512] ─┐ length 1
 * text ────tokenizer───────▶ at most 77 ids ──text model───▶ [512] ─┘
 * ```
 *
 * The parts differ in the names
 * and types of their inputs, and in whether they take batches; the ONNX files
 * say so themselves.
 *
 * ```ts
 * import { type ClipParts, openClipModel } from "#lib/encoders/clip_model.ts";
 *
 * async function embed(parts: ClipParts, text: string): Promise<Float32Array> {
 *   const encoder = await openClipModel(parts, "cpu");
 *   const [vector] = await encoder.encodeTexts([text]);
 *   await encoder.close();
 *   return vector;
 * }
 * ```
 *
 * @module
 */
import { Tokenizer } from "@huggingface/tokenizers";
import { readFile } from "node:fs/promises";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { openSession } from "../compare/session.ts";
import { Matrix } from "../compare/matrix.ts";
import { l2Normalize } from "../compare/metrics.ts";
import { type Device, DEVICE_NAMES, onBestDevice } from "./device.ts";
import { encodeInBatches, type Encoder } from "./encoder.ts";
import { decodeSquare, type SquareInput } from "../pictures/square.ts";

/** How the weights are stored: 32 or 16 bits, or 8 bits and a scale. */
export type Precision = "fp32" | "fp16" | "q8";

/** A place where CLIP's files lie in a folder, and how they are opened. */
export interface ClipLayout {
  /** As a reader knows it: "Transformers.js". */
  readonly name: string;
  /** Precisions that models of this layout may have. */
  readonly precisions: readonly Precision[];
  /** Files of a precision, the models first; paths in the folder, with "/". */
  files(precision: Precision): string[];
  /** Opens the model in a folder that holds these files. */
  open(
    folder: string,
    precision: Precision,
    name: string,
    device: Device | "auto",
  ): Promise<Encoder>;
}

/** What a CLIP encoder is made of. */
export interface ClipParts extends SquareInput {
  /** The encoder's id. */
  id: string;
  /** The vision model's file. */
  vision: string;
  /** The text model's file. */
  text: string;
  /** The tokenizer.json. */
  tokenizer: string;
  /** Most tokens a text can have; 77 in every CLIP so far. */
  contextLength: number;
}

/** Pictures or texts that go through a model at once. */
const BATCH_SIZE = 16;

/** Opens the two models and their tokenizer. */
export async function openClipModel(
  parts: ClipParts,
  wanted: Device | "auto",
): Promise<Encoder> {
  const tokenize = await openTokenizer(parts.tokenizer, parts.contextLength);
  return await onBestDevice(wanted, async (device) => {
    const [vision, text] = await Promise.all(
      [parts.vision, parts.text].map((file) => openSession(file, device)),
    );
    // A device may take a model and then fail to run it: better known now.
    const [{ length: dimensions }] = await inBatches(
      text,
      [tokenize("")],
      textInputs,
    );

    const { size } = parts;
    const encoder: Encoder = {
      id: parts.id,
      dimensions,
      describe: () =>
        `${parts.id}: CLIP, ${dimensions} dimensions, ${DEVICE_NAMES[device]}`,
      decodeImage: (image) => decodeSquare(image, parts),
      encodeDecoded: async (pixels) => {
        const rows = await inBatches(vision, pixels, (session, batch) => {
          const data = new Float32Array(batch.length * 3 * size * size);
          batch.forEach((one, row) => data.set(one, row * one.length));
          const tensor = new Tensor("float32", data, [
            batch.length,
            3,
            size,
            size,
          ]);
          return { [session.inputNames[0]]: tensor };
        });
        return Matrix.of(rows, dimensions);
      },
      encodeImages: (images) => encodeInBatches(encoder, images),
      encodeTexts: async (texts) =>
        Matrix.of(
          await inBatches(text, texts.map(tokenize), textInputs),
          dimensions,
        ),
      async close() {
        await Promise.all([vision.release(), text.release()]);
      },
    };
    return encoder;
  });
}

/**
 * Reads one of a model's JSON files.
 *
 * @throws {SyntaxError} If it is not JSON: names the file, which someone may
 *   have put there by hand.
 */
// deno-lint-ignore no-explicit-any -- each loader knows what its files hold.
export async function readJson(file: string): Promise<any> {
  const content = await readFile(file, "utf8");
  try {
    return JSON.parse(content);
  } catch {
    throw new SyntaxError(
      `${file}: expected JSON, got ${JSON.stringify(content.slice(0, 60))}`,
    );
  }
}

/**
 * A function from a text to its token ids, from the start's to the end's.
 *
 * @param file The tokenizer.json.
 * @param contextLength Most ids of a text; what is over is left out.
 */
export async function openTokenizer(
  file: string,
  contextLength: number,
): Promise<(text: string) => number[]> {
  const tokenizer = new Tokenizer(await readJson(file), {});
  return (text) => {
    const { ids } = tokenizer.encode(text);
    // The end's token ends every text, also one cut short: its place in the
    // sequence is where the text model gathers the meaning.
    return ids.length <= contextLength
      ? ids
      : [...ids.slice(0, contextLength - 1), ids[ids.length - 1]];
  };
}

/** Runs a model over many items, and makes unit vectors of what it says. */
async function inBatches<Item>(
  session: InferenceSession,
  items: readonly Item[],
  inputs: (session: InferenceSession, batch: Item[]) => Record<string, Tensor>,
): Promise<Float32Array[]> {
  // Immich's models were exported for one item at a time.
  const takesBatches = typeof inputShape(session, 0)[0] !== "number";
  const batchSize = takesBatches ? BATCH_SIZE : 1;
  const output = session.outputNames.find((name) => name.endsWith("_embeds")) ??
    session.outputNames[0];
  const vectors: Float32Array[] = [];
  for (let start = 0; start < items.length; start += batchSize) {
    const batch = items.slice(start, start + batchSize);
    const results = await session.run(inputs(session, batch), [output]);
    const data = results[output].data as Float32Array;
    const width = data.length / batch.length;
    for (let row = 0; row < batch.length; row++) {
      const vector = data.subarray(row * width, (row + 1) * width);
      vectors.push(l2Normalize(vector));
    }
  }
  return vectors;
}

/** Token ids in the text model's own type, and a mask where it wants one. */
function textInputs(
  session: InferenceSession,
  batch: number[][],
): Record<string, Tensor> {
  const longest = Math.max(...batch.map(({ length }) => length));
  const inputs = session.inputNames.map((name, input) => {
    const fixed = inputShape(session, input)[1];
    const width = typeof fixed === "number" ? fixed : longest;
    const rows = batch.flatMap((ids) =>
      Array.from(
        { length: width },
        (_, place) =>
          name === "attention_mask"
            ? Number(place < ids.length)
            // Padding repeats the end. Tokens see only what comes before them,
            // and the first end is the one that counts, so it changes nothing.
            : ids[Math.min(place, ids.length - 1)],
      )
    );
    const metadata = session.inputMetadata[input];
    const shape = [batch.length, width];
    const tensor = metadata.isTensor && metadata.type === "int32"
      ? new Tensor("int32", rows, shape)
      : new Tensor("int64", rows.map(BigInt), shape);
    return [name, tensor];
  });
  return Object.fromEntries(inputs);
}

/** An input's sizes; names stand for those that are free. */
function inputShape(
  session: InferenceSession,
  input: number,
): readonly (number | string)[] {
  const metadata = session.inputMetadata[input];
  return metadata.isTensor ? metadata.shape : [];
}
