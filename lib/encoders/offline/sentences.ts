/**
 * Sentences as vectors: all-MiniLM-L6-v2, a small language model trained so
 * that sentences of like meaning lie close together.
 *
 * ```text
 * "a red apple" ──tokenizer──▶ 101 1037 2417 6207 102 ──model──▶ [5, 384]
 *               ──mean over the tokens, scaled to length 1──▶ [384]
 * ```
 *
 * It knows words only: joint_space.ts ties them to pictures. Set-up writes its
 * folder: model.onnx (int8 weights) and tokenizer.json.
 *
 * ```ts
 * import { dot } from "#lib/compare/metrics.ts";
 * import { openSentences } from "#lib/encoders/offline/sentences.ts";
 * import { ok } from "node:assert/strict";
 *
 * const sentences = await openSentences();
 * const [a, b, c] = await sentences.encode(["a dog", "a puppy", "a truck"]);
 * await sentences.close();
 * ok(dot(a, b) > dot(a, c));
 * ```
 *
 * @module
 */
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { Matrix } from "../../compare/matrix.ts";
import { addScaled, l2Normalize } from "../../compare/metrics.ts";
import { openSession } from "../../compare/session.ts";
import { inBatches } from "../encoder.ts";
import { openFile, openTokenizer, padTokens } from "../model_files.ts";
import { OFFLINE_FOLDER } from "./classifier.ts";

/** The sentence model. */
export interface Sentences {
  /** Length of every vector. */
  readonly dimensions: number;
  /** The text's token ids, from [CLS] to [SEP]; at most 256 of them. */
  tokenize(text: string): number[];
  /** Embeds texts: unit vectors, one a row, in the order given. */
  encode(texts: readonly string[]): Promise<Matrix>;
  /** Frees the model. */
  close(): Promise<void>;
}

/** Length of a sentence vector. */
const DIMENSIONS = 384;

/** The model was trained on no more; what follows is left out. */
const MAX_TOKENS = 256;

/** The id of [PAD]. */
const PADDING = 0;

/**
 * Opens the sentence model.
 *
 * @param folder Holds model.onnx and tokenizer.json.
 */
export async function openSentences(
  folder: string = join(OFFLINE_FOLDER, "minilm"),
): Promise<Sentences> {
  const file = join(folder, "model.onnx");
  const [tokenize, session] = await Promise.all([
    openTokenizer(join(folder, "tokenizer.json"), MAX_TOKENS),
    // As it is: its int8 weights made into floats take 0.12 s at each start and
    // 70 MB, and win 8 ms of a text, 5 % of the time of many.
    openFile(file, "cpu", () => openSession(file, "cpu", "disabled")),
  ]);
  /** Embeds token lists: the mean of each one's tokens, scaled to length 1. */
  const embed = async (tokens: number[][]): Promise<Matrix> => {
    const { ids, mask, shape } = padTokens(tokens, undefined, PADDING);
    const tensor = (values: number[]) =>
      new Tensor("int64", BigInt64Array.from(values, BigInt), shape);
    const { last_hidden_state: { data } } = await session.run({
      input_ids: tensor(ids),
      attention_mask: tensor(mask),
      token_type_ids: tensor(ids.map(() => 0)), // All of one sentence.
    });
    const states = new Matrix(data as Float32Array, DIMENSIONS);
    const [, width] = shape;
    return Matrix.of(tokens.map(({ length }, text) => {
      const sum = new Float32Array(DIMENSIONS);
      // Padding stays out of it.
      const own = states.slice(text * width, text * width + length);
      for (const state of own) addScaled(sum, state);
      return l2Normalize(sum);
    }));
  };
  return {
    dimensions: DIMENSIONS,
    tokenize,
    async encode(texts) {
      const tokens = texts.map(tokenize);
      // A batch is as wide as its longest text: like lengths waste least.
      const order = [...tokens.keys()]
        .sort((a, b) => tokens[a].length - tokens[b].length);
      const sorted = await inBatches(
        order.map((text) => tokens[text]),
        DIMENSIONS,
        embed,
      );
      const vectors = Matrix.zeros(texts.length, DIMENSIONS);
      order.forEach((text, row) => vectors.set(text, sorted.row(row)));
      return vectors;
    },
    async close() {
      await session.release();
    },
  };
}
