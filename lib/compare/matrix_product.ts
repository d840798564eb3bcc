/**
 * Products of matrices, computed by onnxruntime with all of the processor.
 *
 * onnxruntime runs models, so this is the smallest one there is: a single
 * Gemm node, y = a bᵀ, written down in the ONNX format (protocol buffers).
 * Fields: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 *
 * Touches no files.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { multiplyRows } from "#lib/compare/matrix_product.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const product = await multiplyRows(
 *   Matrix.of([[10, 1]]),
 *   Matrix.of([[1, 2], [3, 4]]),
 * );
 * deepEqual([...product.row(0)], [12, 34]);
 * ```
 *
 * @module
 */
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { Matrix } from "./matrix.ts";
import { openSession } from "./session.ts";

/** Made at the first product, in some milliseconds, and kept: it holds nothing. */
let session: Promise<InferenceSession> | undefined;

/**
 * The dot product of every row of `a` with every row of `b`, as they are at
 * the call.
 *
 * @returns A row for each row of `a`, with a value for each row of `b`.
 * @throws {RangeError} If the rows' lengths differ.
 */
export async function multiplyRows(a: Matrix, b: Matrix): Promise<Matrix> {
  if (a.dimensions !== b.dimensions) {
    throw new RangeError(
      `multiplyRows: expected rows of equal length, got ${a.dimensions} and ` +
        `${b.dimensions}`,
    );
  }
  if (a.count === 0 || b.count === 0) {
    return new Matrix(new Float32Array(0), b.count);
  }
  session ??= openSession(model());
  const tensor = ({ data, count, dimensions }: Matrix) =>
    new Tensor("float32", data, [count, dimensions]);
  const tensors = { a: tensor(a), b: tensor(b) };
  const { y } = await (await session).run(tensors);
  return new Matrix(y.data as Float32Array, b.count);
}

/** The model's bytes. */
function model(): Uint8Array {
  const transposeB = [
    ...text(1, "transB"),
    ...whole(3, 1),
    ...whole(20, 2), // the attribute is a whole number
  ];
  const node = [
    ...text(1, "a"),
    ...text(1, "b"),
    ...text(2, "y"),
    ...text(4, "Gemm"),
    ...part(5, transposeB),
  ];
  const graph = [
    ...part(1, node),
    ...text(2, "product"),
    ...part(11, shaped("a", "rows", "length")),
    ...part(11, shaped("b", "columns", "length")),
    ...part(12, shaped("y", "rows", "columns")),
  ];
  return Uint8Array.from([
    ...whole(1, 8), // version of the format
    ...part(7, graph),
    ...part(8, whole(2, 13)), // version of the operators
  ]);
}

/** A float32 matrix's name and the names of its two sizes. */
function shaped(name: string, ...sizes: string[]): number[] {
  const shape = sizes.flatMap((size) => part(1, text(2, size)));
  const tensor = [...whole(1, 1), ...part(2, shape)];
  return [...text(1, name), ...part(2, part(1, tensor))];
}

/** A field that holds a whole number. */
function whole(field: number, value: number): number[] {
  return [...number(field << 3), ...number(value)];
}

/** A field that holds text. */
function text(field: number, ascii: string): number[] {
  return part(field, Array.from(ascii, (letter) => letter.charCodeAt(0)));
}

/** A field that holds fields. */
function part(field: number, bytes: number[]): number[] {
  return [...number(field << 3 | 2), ...number(bytes.length), ...bytes];
}

/** 7 bits a byte, lowest first. */
function number(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...number(value >>> 7)];
}
