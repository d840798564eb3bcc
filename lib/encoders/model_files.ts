/**
 * Opens the files that a model consists of: weights, tokenizer, configuration.
 *
 * A file that is not whole is named, with what to do, and so is a key of a
 * configuration that asks for what cannot be done.
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
import { Tokenizer } from "@huggingface/tokenizers";
import { existsSync, statSync } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import type { Device } from "../compare/session.ts";
import { formatOf, START_BYTES } from "../pictures/formats.ts";

/** What to do about a file that is not whole: CLIP's is then downloaded again. */
const AGAIN = "Put it there again, or delete it and run again";

/** What a JSON file holds: whoever reads it checks what they take. */
// deno-lint-ignore no-explicit-any -- see above.
export type Json = any;

/**
 * Opens a model's file, and says more than onnxruntime does where that fails.
 *
 * @throws {Error} If the file is not whole: names it, and says what to do.
 */
export async function openFile<Opened>(
  file: string,
  device: Device,
  openModel: () => Promise<Opened>,
): Promise<Opened> {
  // The second one holds the weights of a large model.
  for (const part of [file, `${file}_data`]) await refusePointer(part);
  try {
    return await openModel();
  } catch (error) {
    // That a graphics card does not take a model tells nothing about the file.
    if (device !== "cpu") throw error;
    const { size } = await stat(file);
    if (size === 0) throw new Error(`${file} is empty. ${AGAIN}`);
    const reason = reasonOf(error as Error);
    throw new Error(
      `${file} (${size} bytes) cannot be opened: ${reason}. ${AGAIN}`,
    );
  }
}

/** onnxruntime's reason, as a part of one line, without places in its source. */
export function reasonOf({ message }: Error): string {
  const [line] = message.split("\n");
  const source =
    /([A-Z]:)?[\\/][^\s:]*\.(cc|h):\d+ ([^()]*::[^()]*\([^()]*\)( const)? )?/;
  return line.replace(source, " ").replace(/\.$/, "").trim();
}

/** @throws {Error} If the file is there, but only as Git LFS's pointer to it. */
async function refusePointer(file: string): Promise<void> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return;
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read({ length: START_BYTES });
    refuseIfPointer(file, buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

function refuseIfPointer(file: string, start: Uint8Array): void {
  if (formatOf(start) !== "Git LFS pointer") return;
  throw new Error(
    `${file} is a Git LFS pointer: fetch the file itself (git lfs pull)`,
  );
}

/**
 * Reads one of a model's JSON files, which holds an object.
 *
 * @throws {SyntaxError} If it does not: names the file, which someone may have
 *   put there by hand.
 */
export async function readJson(file: string): Promise<Json> {
  const content = await readFile(file).catch(({ code }) => {
    throw new Error(`${file} cannot be read (${code}): expected a JSON file`);
  });
  refuseIfPointer(file, content);
  let kind = "JSON";
  try {
    const json = JSON.parse(content.toString());
    kind = "a JSON object";
    if (typeof json === "object" && json && !Array.isArray(json)) return json;
  } catch { /* said below */ }
  const start = quote(content.toString("utf8", 0, 60));
  throw new SyntaxError(
    `${file}: expected ${kind}, got ${start} (${content.length} bytes). ${AGAIN}`,
  );
}

/** `readJson` of a file that need not be there: it then says nothing. */
export async function readJsonIfThere(file: string): Promise<Json> {
  return existsSync(file) ? await readJson(file) : {};
}

/**
 * That a model's file asks for what cannot be done, and what could be.
 *
 * @param meaning What the value stands for, where it is a number of something.
 */
export function unsupported(
  file: string,
  key: string,
  value: unknown,
  expected: string,
  meaning?: string,
): RangeError {
  const given = value === undefined ? "left out" : quote(value);
  const name = meaning ? ` (${meaning})` : "";
  return new RangeError(
    `${file}: ${key} ${given}${name} is not supported: expected ${expected}`,
  );
}

/** A value from outside, as a line of a terminal can show it. */
function quote(value: unknown): string {
  const text = JSON.stringify(value).replace(/\p{Cc}/gu, " ");
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/**
 * A part of a configuration that has keys of its own; without any if left out.
 *
 * @throws {RangeError} If it is something else.
 */
export function partOf(file: string, key: string, value: unknown): Json {
  if (typeof value === "object" && !Array.isArray(value)) return value ?? {};
  if (value === undefined) return {};
  throw unsupported(file, key, value, "a JSON object");
}

/**
 * What a config.json calls its kind of model; undefined if left out.
 *
 * @throws {RangeError} If it is no text.
 */
export function modelTypeOf(
  file: string,
  { model_type: type }: Json,
): string | undefined {
  if (type == null || typeof type === "string") return type ?? undefined;
  throw unsupported(file, "model_type", type, 'a text, as in "clip"');
}

/** Whether something read from a file is a whole number within bounds. */
export function isWholeNumber(
  value: unknown,
  least: number,
  most = Infinity,
): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least &&
    (value as number) <= most;
}

/**
 * A function from a text to its token ids, from the start's to the end's.
 *
 * By the part of Transformers.js that needs none of the rest, which takes 50 ms
 * to load. Long texts are cut here: Transformers.js would leave out the end, at
 * which CLIP gathers the meaning, and without which MiniLM never saw a text.
 *
 * @param file The tokenizer.json.
 * @param most Most ids of a text, the end included.
 * @throws {Error} If the tokenizer is of an unknown kind: names the file.
 */
export async function openTokenizer(
  file: string,
  most: number,
): Promise<(text: string) => number[]> {
  const json = await readJson(file);
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(json, {});
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
  // What follows a text, which is an end or nothing, differs from one kind of
  // tokenizer to another.
  const { ids: withEnd } = tokenizer.encode("a");
  const { ids: bare } = tokenizer.encode("a", { add_special_tokens: false });
  const [last] = bare.slice(-1);
  const ends = withEnd.slice(withEnd.lastIndexOf(last) + 1);
  return (text) => {
    const { ids } = tokenizer.encode(text);
    if (ids.length <= most) return ids;
    return [...ids.slice(0, most - ends.length), ...ends];
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
