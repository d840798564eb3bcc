/**
 * Opens the files that a model consists of: weights, tokenizer, configuration.
 *
 * Transformers.js loads what is in its layout and has the tokenizers; models
 * in other layouts are opened by openSession(). Either way a file that is not
 * whole is named, with what to do.
 *
 * ```ts
 * import { openTokenizer } from "#lib/encoders/model_files.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const file = "tests/fixtures/tiny_clip/transformers/tokenizer.json";
 * const tokenize = await openTokenizer(file, 77);
 * deepEqual(tokenize("a dog"), [552, 320, 529, 553]);
 * ```
 *
 * @module
 */
import {
  env,
  type PretrainedConfig,
  type PreTrainedModel,
  PreTrainedTokenizer,
  Tensor,
} from "@huggingface/transformers";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type Device, sessionOptions } from "../compare/session.ts";

// Files are read where they lie. Deno's web cache, in which Transformers.js
// would look first, writes to the system's folder for temporary files.
env.useBrowserCache = false;

/** What to do about a file that is not whole: CLIP's is then downloaded again. */
const AGAIN = "Put it there again, or delete it and run again";

/**
 * Has Transformers.js load a model out of its file.
 *
 * @param Model Its class for it.
 * @param config What the model's config.json says.
 * @throws {Error} If the file is not whole: names it.
 */
export function loadModel(
  Model: typeof PreTrainedModel,
  file: string,
  config: Partial<PretrainedConfig>,
  device: Device = "cpu",
): Promise<PreTrainedModel> {
  return openFile(file, device, () =>
    Model.from_pretrained(dirname(file), {
      config: config as PretrainedConfig,
      device,
      local_files_only: true,
      // These three make the file's name; "fp32" adds nothing to it.
      subfolder: "",
      model_file_name: basename(file, ".onnx"),
      dtype: "fp32",
      session_options: sessionOptions(device),
    }));
}

/**
 * Opens a model's file, and says more than onnxruntime does where that fails.
 *
 * @throws {Error} If the file is not whole: names it, and says what to do.
 */
export async function openFile<Opened>(
  file: string,
  device: Device,
  open: () => Promise<Opened>,
): Promise<Opened> {
  try {
    return await open();
  } catch (error) {
    // That a graphics card does not take a model tells nothing about the file.
    if (device !== "cpu") throw error;
    const { size } = await stat(file);
    const [reason] = (error as Error).message.split("\n");
    throw new Error(
      `${file} (${size} bytes) cannot be opened: ${reason}. ${AGAIN}`,
    );
  }
}

/**
 * Reads one of a model's JSON files.
 *
 * @throws {SyntaxError} If it is not JSON: names the file, which someone may
 *   have put there by hand.
 */
// deno-lint-ignore no-explicit-any -- each loader knows what its files hold.
export async function readJson(file: string): Promise<any> {
  const content = await readFile(file);
  try {
    return JSON.parse(content.toString());
  } catch {
    const start = JSON.stringify(content.toString("utf8", 0, 60));
    throw new SyntaxError(
      `${file}: expected JSON, got ${start} (${content.length} bytes). ${AGAIN}`,
    );
  }
}

/**
 * A function from a text to its token ids, from the start's to the end's.
 *
 * Long texts are cut here: Transformers.js would leave out the end, at which
 * CLIP gathers the meaning, and without which MiniLM never saw a text.
 *
 * @param file The tokenizer.json.
 * @param most Most ids of a text, the end included.
 */
export async function openTokenizer(
  file: string,
  most: number,
): Promise<(text: string) => number[]> {
  const tokenizer = new PreTrainedTokenizer(await readJson(file), {});
  return (text) => {
    const ids = tokenizer.encode(text);
    return ids.length <= most ? ids : [...ids.slice(0, most - 1), ids.at(-1)!];
  };
}

/**
 * Token lists as a rectangle, a row a text.
 *
 * @param width The longest text's, where it is left out.
 * @param padding Fills the rows; where it is left out, each text's last id.
 * @returns The ids, and a mask that is 1 for each token and 0 for padding.
 */
export function padTokens(
  tokens: number[][],
  width: number = Math.max(...tokens.map(({ length }) => length)),
  padding?: number,
): { ids: number[]; mask: number[]; shape: number[] } {
  const places = Array.from({ length: width }, (_, place) => place);
  const rows = (value: (ids: number[], place: number) => number) =>
    tokens.flatMap((ids) => places.map((place) => value(ids, place)));
  return {
    ids: rows((ids, place) => ids[place] ?? padding ?? ids[ids.length - 1]),
    mask: rows((ids, place) => Number(place < ids.length)),
    shape: [tokens.length, width],
  };
}

/**
 * Token lists as Transformers.js's text models take them.
 *
 * @param padding As in padTokens().
 */
export function tokenInputs(
  tokens: number[][],
  padding?: number,
): Record<"input_ids" | "attention_mask", Tensor> {
  const { ids, mask, shape } = padTokens(tokens, undefined, padding);
  const tensor = (values: number[]) =>
    new Tensor("int64", BigInt64Array.from(values, BigInt), shape);
  return { input_ids: tensor(ids), attention_mask: tensor(mask) };
}
