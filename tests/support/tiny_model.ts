/**
 * CLIP folders for one test: models whose vectors can be worked out by hand,
 * beside the tokenizer of tests/fixtures/tiny_clip.
 *
 * The vision model's vector is the mean of each colour. The text model's is the
 * sum over its tokens of `weightsOf`, whatever they are: padding that is wrong,
 * or one token too many, shows.
 */
import { cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const fixture = join(import.meta.dirname!, "..", "fixtures", "tiny_clip");

/** More than the fixture's tokenizer has. */
const VOCABULARY = 700;

/** What a token adds to a text's vector. */
export function weightsOf(id: number): number[] {
  return [Math.sin(id), Math.cos(2 * id), Math.sin(3 * id + 1)];
}

/** The unit vector of a text of these tokens. */
export function vectorOf(ids: number[]): number[] {
  const sum = ids.map(weightsOf).reduce((a, b) => a.map((x, i) => x + b[i]));
  return sum.map((value) => value / Math.hypot(...sum));
}

/** What a text model is given and gives. */
export interface TextModel {
  /** Inputs after the ids. */
  beside?: string[];
  type?: "int32" | "int64";
  /** Batch and tokens; a name for any number. */
  shape?: [number | string, number | string];
  /** Whether tokens count only where attention_mask is 1. */
  masked?: boolean;
  output?: string;
  dimensions?: number;
}

const TYPES = { float: 1, int32: 6, int64: 7 };

/** A text model's file. */
export function textModel(
  {
    beside = [],
    type = "int64",
    shape = ["batch", "tokens"],
    masked = false,
    output = "text_embeds",
    dimensions = 3,
  }: TextModel = {},
): Uint8Array {
  const rows = Array.from({ length: VOCABULARY }, (_, id) => weightsOf(id));
  const weights = rows.flatMap((row) => row.slice(0, dimensions));
  const values = masked
    ? [
      node("Cast", ["attention_mask"], "mask", { to: TYPES.float }),
      node("Unsqueeze", ["mask", "last"], "column"),
      node("Mul", ["each", "column"], "counted"),
    ]
    : [node("Identity", ["each"], "counted")];
  return model(
    [
      node("Gather", ["weights", "input_ids"], "each", { axis: 0 }),
      ...values,
      node("ReduceSum", ["counted", "tokens"], output, { keepdims: 0 }),
    ],
    ["input_ids", ...beside].map((name) => input(name, TYPES[type], shape)),
    output,
    [
      tensor("weights", [VOCABULARY, dimensions], new Float32Array(weights)),
      tensor("tokens", [1], new BigInt64Array([1n])),
      tensor("last", [1], new BigInt64Array([2n])),
    ],
  );
}

/** A vision model's file. */
export function visionModel(
  {
    shape = ["batch", 3, "height", "width"] as (number | string)[],
    output = "image_embeds",
  } = {},
): Uint8Array {
  return model(
    [node("ReduceMean", ["pixels"], output, { axes: [2, 3], keepdims: 0 })],
    [input("pixels", TYPES.float, shape)],
    output,
  );
}

/** What a folder holds in place of what the tiny CLIP does; null for nothing. */
export type Files = Record<string, Uint8Array | string | object | null>;

/** Runs `test` with a folder in a layout, whose models are those above. */
export async function withClip(
  layout: "transformers" | "immich",
  files: Files,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  const folder = join(root, "my-clip");
  await cp(join(fixture, layout), folder, { recursive: true });
  const models: Files = layout === "transformers"
    ? {
      "onnx/vision_model.onnx": visionModel(),
      "onnx/text_model.onnx": textModel(),
    }
    : {
      "visual/model.onnx": visionModel(),
      "textual/model.onnx": textModel({ shape: [1, 77] }),
    };
  try {
    for (const [name, content] of Object.entries({ ...models, ...files })) {
      const path = join(folder, name);
      if (content === null) await Deno.remove(path);
      else {
        await mkdir(dirname(path), { recursive: true });
        const isWhole = content instanceof Uint8Array ||
          typeof content === "string";
        await writeFile(path, isWhole ? content : JSON.stringify(content));
      }
    }
    await test(folder);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

// ONNX files are protocol buffers: numbered fields, each a number or bytes.
// The numbers are those of onnx.proto.

type Field = [number: number, value: number | string | Uint8Array];

function message(...fields: Field[]): Uint8Array {
  return Uint8Array.from(fields.flatMap(([number, value]) => {
    if (typeof value === "number") {
      return [...varint(8 * number), ...varint(value)];
    }
    const bytes = typeof value === "string"
      ? new TextEncoder().encode(value)
      : value;
    return [...varint(8 * number + 2), ...varint(bytes.length), ...bytes];
  }));
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [value % 128 + 128, ...varint(value >> 7)];
}

function node(
  kind: string,
  inputs: string[],
  output: string,
  attributes: Record<string, number | number[]> = {},
): Uint8Array {
  return message(
    ...inputs.map((name): Field => [1, name]),
    [2, output],
    [4, kind],
    ...Object.entries(attributes).map(([name, value]): Field => [
      5,
      typeof value === "number"
        ? message([1, name], [3, value], [20, 2])
        : message([1, name], ...value.map((one): Field => [8, one]), [20, 7]),
    ]),
  );
}

function tensor(
  name: string,
  shape: number[],
  data: Float32Array | BigInt64Array,
): Uint8Array {
  return message(
    ...shape.map((size): Field => [1, size]),
    [2, data instanceof Float32Array ? TYPES.float : TYPES.int64],
    [8, name],
    [9, new Uint8Array(data.buffer)],
  );
}

function input(
  name: string,
  type: number,
  shape: (number | string)[],
): Uint8Array {
  const sizes = shape.map((size): Field => [
    1,
    message(typeof size === "number" ? [1, size] : [2, size]),
  ]);
  return message(
    [1, name],
    [2, message([1, message([1, type], [2, message(...sizes)])])],
  );
}

function model(
  nodes: Uint8Array[],
  inputs: Uint8Array[],
  output: string,
  tensors: Uint8Array[] = [],
): Uint8Array {
  const graph = message(
    ...nodes.map((one): Field => [1, one]),
    [2, "tiny"],
    ...tensors.map((one): Field => [5, one]),
    ...inputs.map((one): Field => [11, one]),
    [12, message([1, output], [2, message([1, message([1, TYPES.float])])])],
  );
  return message([1, 8], [7, graph], [8, message([1, ""], [2, 17])]);
}
