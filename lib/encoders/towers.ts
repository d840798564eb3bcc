/**
 * CLIP's two models, its towers, as onnxruntime runs them: what goes in and
 * what comes out have the names, types and sizes that their files say.
 *
 * ```text
 * picture ─▶ [batch, 3, side, side] ──vision tower──▶ [batch, dimensions]
 * text ────▶ [batch, tokens] ─────────text tower────▶ [batch, dimensions]
 * ```
 *
 * ```ts
 * import { openTextTower } from "#lib/encoders/towers.ts";
 * import { textFiles } from "#lib/encoders/text_input.ts";
 * import { equal } from "node:assert/strict";
 *
 * const folder = "tests/fixtures/tiny_clip/transformers";
 * const file = `${folder}/onnx/text_model.onnx`;
 * const tower = await openTextTower(file, textFiles(folder), "cpu");
 * equal((await tower.embed([tower.input.tokenize("a dog")])).dimensions, 12);
 * await tower.close();
 * ```
 *
 * @module
 */
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { Matrix } from "../compare/matrix.ts";
import { type Device, openSession } from "../compare/session.ts";
import { openFile, padTokens, reasonOf } from "./model_files.ts";
import {
  LEAST_TOKENS,
  readTextInput,
  type TextFiles,
  type TextInput,
} from "./text_input.ts";

/** One of the two models. */
export interface Tower<Item> {
  /** Embeds a batch: a vector a row, of any length, in the order given. */
  embed(batch: readonly Item[]): Promise<Matrix>;
  /** Most items of a batch. */
  batchSize: number;
  /** Frees it. */
  close(): Promise<void>;
}

/** The tower of texts, which come as their token ids. */
export interface TextTower extends Tower<number[]> {
  /** How a text becomes its ids. */
  input: TextInput;
}

/** Items that go through a model at once, where its file takes any number. */
const BATCH_SIZE = 16;

/**
 * Outputs that are vectors of the space, by the libraries' names: Transformers'
 * own, and those of SigLIP, whose space is the pooled one.
 */
const EMBEDDINGS = ["image_embeds", "text_embeds"];
const POOLED = "pooler_output";

/**
 * Opens the tower of pictures.
 *
 * @param side Side of the squares that it is given, in pixels.
 * @throws {Error} If it cannot be opened, or takes something else: names it.
 */
export async function openVisionTower(
  file: string,
  side: number,
  device: Device,
  modelType?: string,
): Promise<Tower<Float32Array>> {
  const session = await openFile(file, device, () => openSession(file, device));
  const { name, type, shape } = inputsOf(session)[0];
  const expected = ["any", 3, side, side];
  const fits = session.inputNames.length === 1 && type === "float32" &&
    shape.length === 4 &&
    shape.every((size, axis) =>
      axis === 0 || isFree(size) || size === expected[axis]
    );
  if (!fits) {
    throw refusal(
      file,
      "input",
      describe(session),
      `float32 [${expected.join(", ")}]`,
    );
  }
  const output = outputOf(session, file, modelType);
  return {
    batchSize: batchSizeOf(file, shape[0]),
    async embed(batch) {
      const { data } = Matrix.of([...batch]);
      const pixels = new Tensor("float32", data, [batch.length, 3, side, side]);
      return await run(session, { [name]: pixels }, output, file);
    },
    close: () => session.release(),
  };
}

/**
 * Opens the tower of texts.
 *
 * @param files Where it stands what its texts are.
 * @throws {Error} As `openVisionTower` does, and as `readTextInput` does.
 */
export async function openTextTower(
  file: string,
  files: TextFiles,
  device: Device,
  modelType?: string,
): Promise<TextTower> {
  const session = await openFile(file, device, () => openSession(file, device));
  const inputs = inputsOf(session);
  const names = inputs.map(({ name }) => name);
  const ids = inputs.filter(({ name }) => !BESIDE_IDS.includes(name));
  const fits = ids.length === 1 &&
    inputs.every(({ type, shape }) =>
      ["int32", "int64"].includes(type) && shape.length === 2
    );
  if (!fits) {
    const expected =
      `int32 or int64 [batch, tokens] for ids, and nothing but ` +
      `${BESIDE_IDS.join(", ")} beside them`;
    throw refusal(file, "input", describe(session), expected);
  }
  const output = outputOf(session, file, modelType);
  const [batch, tokens] = ids[0].shape;
  if (!isFree(tokens) && tokens < LEAST_TOKENS) {
    const expected =
      `${LEAST_TOKENS} tokens or more: a text's start and end, ` +
      "and something between";
    throw refusal(file, "input", describe(session), expected);
  }
  const input = await readTextInput(files, isFree(tokens) ? undefined : tokens);
  // Where no mask tells what is padding, texts of one length need none.
  const filled = input.width ??
    (names.includes("attention_mask") ? "longest" : undefined);

  /** Runs texts that are as long as one another, or are filled. */
  const runFilled = async (texts: number[][]): Promise<Matrix> => {
    const width = filled === "longest" || filled === undefined
      ? Math.max(...texts.map(({ length }) => length))
      : filled;
    const isShort = texts.some(({ length }) => length < width);
    const padding = isShort ? input.padding() : undefined;
    const { ids, mask, shape } = padTokens(texts, width, padding);
    const values: Record<string, number[]> = {
      attention_mask: mask,
      position_ids: ids.map((_, place) => place % width),
      token_type_ids: ids.map(() => 0),
    };
    const feeds = inputs.map(({ name, type }) => [
      name,
      new Tensor(type as "int32" | "int64", values[name] ?? ids, shape),
    ]);
    return await run(session, Object.fromEntries(feeds), output, file);
  };
  return {
    input,
    batchSize: batchSizeOf(file, batch),
    async embed(texts) {
      if (filled !== undefined) return await runFilled([...texts]);
      const lengths = Map.groupBy(texts.keys(), (row) => texts[row].length);
      const rows: Float32Array[] = [];
      for (const group of lengths.values()) {
        const vectors = await runFilled(group.map((row) => texts[row]));
        group.forEach((row, i) => rows[row] = vectors.row(i));
      }
      return Matrix.of(rows);
    },
    close: () => session.release(),
  };
}

/** What a text model may be told beside the ids. */
const BESIDE_IDS = ["attention_mask", "position_ids", "token_type_ids"];

/** An input of a model: a size may have a name, and is then free. */
interface Input {
  name: string;
  type: string;
  shape: readonly (number | string)[];
}

function inputsOf({ inputMetadata }: InferenceSession): Input[] {
  return inputMetadata.map((about) => ({
    name: about.name,
    type: about.isTensor ? about.type : "no tensor",
    shape: about.isTensor ? about.shape : [],
  }));
}

function isFree(size: number | string): size is string {
  return typeof size === "string" || size < 0;
}

function describe(session: InferenceSession): string {
  return inputsOf(session).map(({ name, type, shape }) =>
    `${name} ${type} [${shape.join(", ")}]`
  ).join(", ");
}

function refusal(file: string, what: string, got: string, expected: string) {
  return new RangeError(`${file}: ${what} ${got}: expected ${expected}`);
}

/** @throws {RangeError} If the model takes several items at once, and no fewer. */
function batchSizeOf(file: string, size: number | string): number {
  if (isFree(size)) return BATCH_SIZE;
  if (size === 1) return 1;
  throw refusal(file, "batches of", `${size}`, "1, or any number");
}

/** The output that is a vector of the space that both towers share. */
function outputOf(
  { outputNames }: InferenceSession,
  file: string,
  modelType = "",
): string {
  const wanted = modelType.startsWith("siglip")
    ? [...EMBEDDINGS, POOLED]
    : EMBEDDINGS;
  const [only, ...others] = outputNames;
  const found = outputNames.find((name) => wanted.includes(name)) ??
    // CLIP's pooled vectors still lack the step into the common space.
    (others.length === 0 && only !== POOLED ? only : undefined);
  if (found) return found;
  const expected = `${EMBEDDINGS.join(" or ")}, or a single one`;
  throw refusal(file, "outputs", outputNames.join(", "), expected);
}

async function run(
  session: InferenceSession,
  feeds: Record<string, Tensor>,
  output: string,
  file: string,
): Promise<Matrix> {
  const [first] = Object.values(feeds);
  const outputs = await session.run(feeds, [output]).catch((error: Error) => {
    const reason = reasonOf(error);
    throw new Error(`${file} fails on [${first.dims.join(", ")}]: ${reason}`);
  });
  const { [output]: { data, dims, type } } = outputs;
  const [count] = first.dims;
  if (type === "float32" && dims.length === 2 && dims[0] === count) {
    return new Matrix(data as Float32Array, dims[1]);
  }
  const got = `${output} ${type} [${dims.join(", ")}]`;
  throw refusal(file, "output", got, `float32 [${count}, dimensions]`);
}
