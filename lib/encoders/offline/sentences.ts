/**
 * Sentences as vectors: all-MiniLM-L6-v2, a small language model trained so
 * that sentences of like meaning lie close together.
 *
 * ```text
 * "a red apple" ──tokenizer──▶ 101 1037 2417 6207 102 ──model──▶ [5, 384]
 *               ──mean over the tokens, scaled to length 1──▶ [384]
 * ```
 *
 * It knows words only: lib/encoders/offline.ts ties them to pictures. Set-up
 * writes its folder: model.onnx (int8 weights) and tokenizer.json.
 *
 * ```ts
 * import { dot } from "#lib/compare/metrics.ts";
 * import { openSentences } from "#lib/encoders/offline/sentences.ts";
 *
 * async function alike(folder: string): Promise<boolean> {
 *   const sentences = await openSentences(folder);
 *   const [a, b, c] = await sentences.encode(["a dog", "a puppy", "a truck"]);
 *   return dot(a, b) > dot(a, c);
 * }
 * ```
 *
 * @module
 */
import { Tokenizer } from "@huggingface/tokenizers";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openSession } from "../../compare/session.ts";
import { Matrix } from "../../compare/matrix.ts";
import { l2Normalize } from "../../compare/metrics.ts";

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
export const SENTENCE_DIMENSIONS = 384;

/** The model was trained on no more; what follows is left out. */
const MAX_TOKENS = 256;

/** Texts that go through the model at once. */
const BATCH_SIZE = 16;

/**
 * Opens the sentence model.
 *
 * @param folder Holds model.onnx and tokenizer.json.
 */
export async function openSentences(folder: string): Promise<Sentences> {
  const tokenizer = new Tokenizer(
    JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8")),
    {},
  );
  const session = await openSession(join(folder, "model.onnx"));

  const tokenize = (text: string): number[] => {
    const { ids } = tokenizer.encode(text);
    // The last id is [SEP], which ends every text, also one cut short.
    return ids.length <= MAX_TOKENS
      ? ids
      : [...ids.slice(0, MAX_TOKENS - 1), ids[ids.length - 1]];
  };

  return {
    dimensions: SENTENCE_DIMENSIONS,
    tokenize,
    async encode(texts) {
      const tokens = texts.map(tokenize);
      // A batch is as wide as its longest text: like lengths waste least.
      const byLength = tokens.map((_, index) => index)
        .sort((a, b) => tokens[a].length - tokens[b].length);
      const vectors = new Matrix(
        new Float32Array(texts.length * SENTENCE_DIMENSIONS),
        SENTENCE_DIMENSIONS,
      );
      for (let start = 0; start < byLength.length; start += BATCH_SIZE) {
        const rows = byLength.slice(start, start + BATCH_SIZE);
        const encoded = await run(session, rows.map((row) => tokens[row]));
        rows.forEach((row, i) => vectors.set(row, encoded[i]));
      }
      return vectors;
    },
    close: () => session.release(),
  };
}

/** Runs the model on a batch of token lists, padded to the longest. */
async function run(
  session: InferenceSession,
  tokens: number[][],
): Promise<Float32Array[]> {
  const width = Math.max(...tokens.map(({ length }) => length));
  const shape = [tokens.length, width];
  const ids = new BigInt64Array(tokens.length * width);
  // 1 marks a token, 0 the padding, to which the model pays no attention.
  const mask = new BigInt64Array(ids.length);
  tokens.forEach((row, i) =>
    row.forEach((id, j) => {
      ids[i * width + j] = BigInt(id);
      mask[i * width + j] = 1n;
    })
  );
  const { last_hidden_state: states } = await session.run({
    input_ids: new Tensor("int64", ids, shape),
    attention_mask: new Tensor("int64", mask, shape),
    token_type_ids: new Tensor("int64", new BigInt64Array(ids.length), shape),
  });
  const data = states.data as Float32Array;
  const perText = width * SENTENCE_DIMENSIONS;
  return tokens.map((row, i) =>
    meanOfTokens(data.subarray(i * perText, (i + 1) * perText), row.length)
  );
}

/** The mean of the first `count` tokens' vectors, scaled to length 1. */
function meanOfTokens(states: Float32Array, count: number): Float32Array {
  // Scaling to length 1 makes dividing by `count` needless.
  const sum = new Float32Array(SENTENCE_DIMENSIONS);
  for (let token = 0; token < count; token++) {
    for (let d = 0; d < sum.length; d++) {
      sum[d] += states[token * SENTENCE_DIMENSIONS + d];
    }
  }
  return l2Normalize(sum);
}
