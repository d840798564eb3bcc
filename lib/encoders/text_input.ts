/**
 * How a model's texts are prepared, as the files beside it say: how many tokens
 * it takes, and what fills the places behind a short text.
 *
 * A wrong guess shows nowhere but in the vectors, so what no file says is
 * refused, except where the tokenizer is CLIP's own, whose habits are known.
 *
 * ```ts
 * import { readTextInput, textFiles } from "#lib/encoders/text_input.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const files = textFiles("tests/fixtures/tiny_clip/transformers");
 * const { tokenize, contextLength, padding } = await readTextInput(files);
 * deepEqual(tokenize("a dog"), [552, 320, 529, 553]);
 * deepEqual([contextLength, padding()], [77, 553]);
 * ```
 *
 * @module
 */
import { join } from "node:path";
import {
  isWholeNumber,
  type Json,
  openTokenizer,
  readJson,
  readJsonIfThere,
  unsupported,
} from "./model_files.ts";

/** What a text model takes. */
export interface TextInput {
  /** A text's token ids, from the start's to the end's: at most `contextLength`. */
  tokenize: (text: string) => number[];
  /** Most tokens of a text. */
  contextLength: number;
  /** Tokens that each text is filled up to; undefined if it may stay as it is. */
  width: number | undefined;
  /**
   * The id that fills.
   *
   * @throws {RangeError} If no file says: names the one that should.
   */
  padding: () => number;
  /** Languages that the tokenizer tells it was made for; undefined for none. */
  languages: readonly string[] | undefined;
}

/** Where what is known of texts lies; all but the tokenizer may be absent. */
export interface TextFiles {
  /** tokenizer.json */
  tokenizer: string;
  /** tokenizer_config.json */
  tokenizerConfig: string;
  /** special_tokens_map.json */
  specialTokens: string;
  /** config.json: Transformers' `text_config`, or OpenCLIP's `text_cfg`. */
  config: string;
  /** Whether OpenCLIP wrote them, which fills every text to the same width. */
  isOpenClips: boolean;
}

/**
 * The files of a model's texts.
 *
 * @param folder The model's.
 * @param isOpenClips Whether they lie as Immich keeps OpenCLIP's.
 */
export function textFiles(folder: string, isOpenClips = false): TextFiles {
  const beside = join(folder, isOpenClips ? "textual" : ".");
  return {
    tokenizer: join(beside, "tokenizer.json"),
    tokenizerConfig: join(beside, "tokenizer_config.json"),
    specialTokens: join(beside, "special_tokens_map.json"),
    config: join(folder, "config.json"),
    isOpenClips,
  };
}

/** Tokenizers without a limit of their own say 10 ** 30. */
const NO_LIMIT = 1e6;

/** CLIP's tokens around a text; its tokenizer fills with the second one. */
const CLIP_START = "<|startoftext|>", CLIP_END = "<|endoftext|>";

/** Tokens of a text where no file says: OpenCLIP's and Transformers' defaults. */
const CLIP_CONTEXT = 77, SIGLIP_CONTEXT = 64;

/**
 * Reads what a text model takes out of the files beside it.
 *
 * @param fixedWidth Tokens that the model's file takes; undefined if any number.
 * @throws {RangeError} If a file asks for what is not supported, contradicts the
 *   model's file, or does not say what is needed: names it and the key.
 */
export async function readTextInput(
  files: TextFiles,
  fixedWidth?: number,
): Promise<TextInput> {
  const read = await readAll(files);
  const { tokenizer, about, isSiglip } = read;
  refuseWhatIsNotSupported(read);
  const clean = files.isOpenClips ? cleaner(files.config, about) : undefined;
  const contextLength = contextLengthOf(read, fixedWidth);
  const tokenize = await openTokenizer(files.tokenizer, contextLength);
  const [end] = tokenize("").slice(-1);
  const isClips = tokenizer.model.end_of_word_suffix === "</w>" &&
    idOf(CLIP_START, tokenizer) !== undefined &&
    idOf(CLIP_END, tokenizer) !== undefined;
  const isFilled = isSiglip || files.isOpenClips ||
    tokenizer.padding?.strategy?.Fixed;
  return {
    tokenize: clean ? (text) => tokenize(clean(text)) : tokenize,
    contextLength,
    width: fixedWidth ?? (isFilled ? contextLength : undefined),
    padding: () => paddingOf(read, end, isClips),
    languages: isClips ? ["en"] : undefined,
  };
}

/** What the files hold. */
interface Read {
  files: TextFiles;
  tokenizer: Json;
  tokenizerConfig: Json;
  specialTokens: Json;
  config: Json;
  /** The part of config.json that is about texts. */
  about: Json;
  /** The kind of text model: "clip", "bert". */
  type: string;
  /** SigLIP was trained with all its texts filled up, and sees what fills them. */
  isSiglip: boolean;
}

async function readAll(files: TextFiles): Promise<Read> {
  const tokenizer = await readJson(files.tokenizer);
  const [tokenizerConfig, specialTokens, config] = await Promise.all(
    [files.tokenizerConfig, files.specialTokens, files.config]
      .map(readJsonIfThere),
  );
  const { text_cfg, text_config, model_type } = config;
  const about = (files.isOpenClips ? text_cfg : text_config) ?? {};
  const type = `${about.model_type ?? model_type ?? ""}`;
  const isSiglip = type.startsWith("siglip");
  return {
    ...{ files, tokenizer, tokenizerConfig, specialTokens, config, about },
    ...{ type, isSiglip },
  };
}

/** Most tokens of a text: the least number that a file names. */
function contextLengthOf(
  { files, tokenizer, tokenizerConfig, config, about, type, isSiglip }: Read,
  fixedWidth: number | undefined,
): number {
  const { padding, truncation } = tokenizer;
  const { model_max_length: limit } = tokenizerConfig;
  const [key, declared] = files.isOpenClips
    ? ["text_cfg.context_length", about.context_length]
    : [
      "text_config.max_position_embeddings",
      about.max_position_embeddings ?? config.max_position_embeddings,
    ];
  const exact = [
    [files.config, key, declared],
    [files.tokenizer, "padding.strategy.Fixed", padding?.strategy?.Fixed],
  ];
  const limits = [
    [files.tokenizer, "truncation.max_length", truncation?.max_length],
    [
      files.tokenizerConfig,
      "model_max_length",
      limit > NO_LIMIT ? undefined : limit,
    ],
  ];
  const lengths = fixedWidth === undefined ? [] : [fixedWidth];
  for (const named of [...exact, ...limits]) {
    const [file, key, length] = named;
    if (length == null) continue;
    if (!isWholeNumber(length, 3)) {
      const expected = "a whole number of tokens, 3 or more";
      throw unsupported(file, key, length, expected);
    }
    const fits = fixedWidth === undefined || length === fixedWidth;
    if (!fits && exact.includes(named)) {
      const expected = `${fixedWidth}, the tokens that the text model takes`;
      throw unsupported(file, key, length, expected);
    }
    lengths.push(length);
  }
  if (lengths.length > 0) return Math.min(...lengths);
  if (isSiglip) return SIGLIP_CONTEXT;
  if (type.startsWith("clip") || config.text_cfg) return CLIP_CONTEXT;
  const expected = "the most tokens of a text";
  throw unsupported(files.config, key, undefined, expected);
}

/** The id that fills short texts, by the first file that says. */
function paddingOf(
  { files, tokenizer, tokenizerConfig, specialTokens, about }: Read,
  end: number,
  isClips: boolean,
): number {
  for (
    const [file, { pad_token }] of [
      [files.tokenizerConfig, tokenizerConfig],
      [files.specialTokens, specialTokens],
    ] as const
  ) {
    if (pad_token == null) continue;
    const id = idOf(pad_token.content ?? pad_token, tokenizer);
    if (id !== undefined) return id;
    const expected = "a token of tokenizer.json";
    throw unsupported(file, "pad_token", pad_token, expected);
  }
  const { pad_token_id, pad_id = pad_token_id, eos_token_id = end } = about;
  const id = tokenizer.padding?.pad_id ??
    // Old files of CLIP name the end and the padding of another vocabulary.
    (eos_token_id === end ? pad_id : undefined) ??
    (isClips ? idOf(CLIP_END, tokenizer) : undefined);
  if (isWholeNumber(id, 0)) return id;
  const expected = "the token that fills short texts";
  throw unsupported(files.tokenizerConfig, "pad_token", id, expected);
}

/** A token's id; undefined if the tokenizer does not have it. */
function idOf(
  token: string,
  { added_tokens, model: { vocab } }: Json,
): number | undefined {
  const added = added_tokens?.find((one: { content: string }) =>
    one.content === token
  );
  if (added) return added.id;
  if (!Array.isArray(vocab)) return vocab[token];
  const place = vocab.findIndex(([piece]) => piece === token);
  return place < 0 ? undefined : place;
}

/** @throws {RangeError} If a tokenizer's file asks for what is not done here. */
function refuseWhatIsNotSupported(
  { files, tokenizer, tokenizerConfig: config }: Read,
): void {
  const { padding, truncation, normalizer } = tokenizer;
  const sides = [
    [files.tokenizerConfig, "padding_side", config.padding_side],
    [files.tokenizerConfig, "truncation_side", config.truncation_side],
    [files.tokenizer, "padding.direction", padding?.direction],
    [files.tokenizer, "truncation.direction", truncation?.direction],
  ];
  for (const [file, key, side] of sides) {
    if (side != null && !/^right$/i.test(side)) {
      throw unsupported(file, key, side, '"right"');
    }
  }
  // Where these two disagree, Transformers changes what tokenizer.json says.
  const lowers = /"Lowercase"|"lowercase":true/.test(
    JSON.stringify(normalizer),
  );
  const { do_lower_case: wanted = lowers, tokenizer_class = "" } = config;
  if (/^(Bert|Siglip)/.test(tokenizer_class) && wanted !== lowers) {
    const expected = `${lowers}, as in tokenizer.json`;
    throw unsupported(files.tokenizerConfig, "do_lower_case", wanted, expected);
  }
}

/**
 * What OpenCLIP does to a text before it comes to the tokenizer.
 *
 * @param about config.json's text_cfg.
 */
function cleaner(file: string, { tokenizer_kwargs = {} }: Json) {
  const { clean = "whitespace", ...others } = tokenizer_kwargs ?? {};
  const whitespace = (text: string) => text.replaceAll(/\s+/g, " ").trim();
  const cleaners: Record<string, (text: string) => string> = {
    whitespace,
    lower: (text) => whitespace(text).toLowerCase(),
    canonicalize: (text) =>
      whitespace(text.replaceAll("_", " ").replaceAll(/[!-/:-@[-`{-~]/g, ""))
        .toLowerCase(),
  };
  const [other] = Object.keys(others);
  if (other) {
    const key = `text_cfg.tokenizer_kwargs.${other}`;
    throw unsupported(file, key, others[other], "clean alone");
  }
  if (Object.hasOwn(cleaners, clean)) return cleaners[clean];
  const expected = Object.keys(cleaners).join(", ");
  throw unsupported(file, "text_cfg.tokenizer_kwargs.clean", clean, expected);
}
