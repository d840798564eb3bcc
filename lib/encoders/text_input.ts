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
  modelTypeOf,
  openTokenizer,
  partOf,
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

/** Fewest tokens that a text model can be of use with. */
export const LEAST_TOKENS = 3;

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
    read.padding.strategy?.Fixed;
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
  /** tokenizer.json's padding. */
  padding: Json;
  tokenizerConfig: Json;
  specialTokens: Json;
  config: Json;
  /** The part of config.json that is about texts, and its key. */
  about: Json;
  part: "text_cfg" | "text_config";
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
  const padding = partOf(files.tokenizer, "padding", tokenizer.padding);
  const part = files.isOpenClips ? "text_cfg" : "text_config";
  const about = partOf(files.config, part, config[part]);
  const type = `${about.model_type ?? modelTypeOf(files.config, config) ?? ""}`;
  const isSiglip = type.startsWith("siglip");
  return {
    ...{ files, tokenizer, padding, tokenizerConfig, specialTokens, config },
    ...{ about, part, type, isSiglip },
  };
}

/**
 * Most tokens of a text: the least number that a file names, or what OpenCLIP's
 * own says, which asks no other.
 */
function contextLengthOf(
  read: Read,
  fixedWidth: number | undefined,
): number {
  const { files, tokenizer, tokenizerConfig, config, about, type } = read;
  const { padding, isSiglip } = read;
  const truncation = partOf(
    files.tokenizer,
    "truncation",
    tokenizer.truncation,
  );
  const { model_max_length: limit } = tokenizerConfig;
  const [key, declared] = files.isOpenClips
    ? ["text_cfg.context_length", about.context_length]
    : [
      "text_config.max_position_embeddings",
      about.max_position_embeddings ?? config.max_position_embeddings,
    ];
  const exact = [
    [files.config, key, declared],
    [files.tokenizer, "padding.strategy.Fixed", padding.strategy?.Fixed],
  ];
  const limits = [
    [files.tokenizer, "truncation.max_length", truncation.max_length],
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
    if (!isWholeNumber(length, LEAST_TOKENS)) {
      const expected = `a whole number of tokens, ${LEAST_TOKENS} or more`;
      throw unsupported(file, key, length, expected);
    }
    const fits = fixedWidth === undefined || length === fixedWidth;
    if (!fits && exact.includes(named)) {
      const expected = `${fixedWidth}, the tokens that the text model takes`;
      throw unsupported(file, key, length, expected);
    }
    lengths.push(length);
  }
  if (files.isOpenClips && declared != null) return declared;
  if (lengths.length > 0) return Math.min(...lengths);
  if (isSiglip) return SIGLIP_CONTEXT;
  if (type.startsWith("clip") || config.text_cfg) return CLIP_CONTEXT;
  const expected = "the most tokens of a text";
  throw unsupported(files.config, key, undefined, expected);
}

/** The id that fills short texts, by the first file that says. */
function paddingOf(
  { files, tokenizer, padding, tokenizerConfig, specialTokens, about, part }:
    Read,
  end: number,
  isClips: boolean,
): number {
  const { pad_id: given, pad_token: unless } = padding;
  for (
    const [file, key, token] of [
      [files.tokenizerConfig, "pad_token", tokenizerConfig.pad_token],
      [files.specialTokens, "pad_token", specialTokens.pad_token],
      [files.tokenizer, "padding.pad_token", given == null ? unless : null],
    ]
  ) {
    if (token == null) continue;
    const text = token.content ?? token;
    if (typeof text !== "string") {
      throw unsupported(file, key, token, "a token's text");
    }
    const id = idOf(text, tokenizer);
    if (id !== undefined) return id;
    throw unsupported(file, key, token, "a token of tokenizer.json");
  }
  const { eos_token_id = end } = about;
  const key = about.pad_id === undefined ? "pad_token_id" : "pad_id";
  // Old files of CLIP name the end and the padding of another vocabulary.
  const ofConfig = eos_token_id === end ? about[key] : undefined;
  for (
    const [file, name, id] of [
      [files.tokenizer, "padding.pad_id", given],
      [files.config, `${part}.${key}`, ofConfig],
    ]
  ) {
    if (isWholeNumber(id, 0)) return id;
    if (id != null) throw unsupported(file, name, id, "a token's number");
  }
  const id = isClips ? idOf(CLIP_END, tokenizer) : undefined;
  if (id !== undefined) return id;
  const expected = "the token that fills short texts";
  throw unsupported(files.tokenizerConfig, "pad_token", undefined, expected);
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
  if (!Array.isArray(vocab)) {
    return Object.hasOwn(vocab, token) ? vocab[token] : undefined;
  }
  const place = vocab.findIndex(([piece]) => piece === token);
  return place < 0 ? undefined : place;
}

/** @throws {RangeError} If a tokenizer's file asks for what is not done here. */
function refuseWhatIsNotSupported(
  { files, tokenizer, padding, tokenizerConfig: config }: Read,
): void {
  const { truncation, normalizer } = tokenizer;
  const { pad_to_multiple_of: multiple } = padding;
  if (multiple != null) {
    const key = "padding.pad_to_multiple_of";
    throw unsupported(files.tokenizer, key, multiple, "null");
  }
  const sides = [
    [files.tokenizerConfig, "padding_side", config.padding_side],
    [files.tokenizerConfig, "truncation_side", config.truncation_side],
    [files.tokenizer, "padding.direction", padding.direction],
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
function cleaner(file: string, { tokenizer_kwargs }: Json) {
  const options = partOf(file, "text_cfg.tokenizer_kwargs", tokenizer_kwargs);
  const { clean = "whitespace", ...others } = options;
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
