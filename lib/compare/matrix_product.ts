/**
 * Products of matrices: every row of one with every row of another, by
 * onnxruntime and so by all of the processor. Unit vectors' products are their
 * cosine similarities.
 *
 * Measured on two cores beside usearch's exact search, which gives the best k
 * alone, and plain loops: one row with 100,000 of 512 numbers takes 25 ms
 * (usearch 25, loops 60); 25,000 rows with 5,000 take 2.6 s (usearch 31 s).
 *
 * Touches no files.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { multiplyRows } from "#lib/compare/matrix_product.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const query = Matrix.of([[10, 1]]), gallery = Matrix.of([[1, 2], [3, 4]]);
 * deepEqual([...(await multiplyRows(query, gallery)).row(0)], [12, 34]);
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { Matrix } from "./matrix.ts";
import { openSession } from "./session.ts";

/**
 * onnxruntime runs models, and this is one of a single node, y = a bᵀ:
 * `onnx.helper.make_node("Gemm", ["a", "b"], ["y"], transB=1)`, of operator set
 * 13, with inputs of [rows, length] and [columns, length] floats.
 */
const MODEL = Buffer.from(
  "CAg6igEKHgoBYQoBYhIBeSIER2VtbSoNCgZ0cmFuc0IYAaABAhIHcHJvZHVjdFodCgFhEhgK" +
    "FggBEhIKBhIEcm93cwoIEgZsZW5ndGhaIAoBYhIbChkIARIVCgkSB2NvbHVtbnMKCBIGbGVu" +
    "Z3RoYh4KAXkSGQoXCAESEwoGEgRyb3dzCgkSB2NvbHVtbnNCAhAN",
  "base64",
);

/** Opened at the first product, in some milliseconds, and kept: it holds nothing. */
let session: Promise<InferenceSession> | undefined;

/** Numbers in memory at once where a product is taken block by block. */
const BLOCK_VALUES = 2 ** 22;

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
  const tensor = ({ data, count, dimensions }: Matrix) =>
    new Tensor("float32", data, [count, dimensions]);
  const tensors = { a: tensor(a), b: tensor(b) };
  session ??= openSession(MODEL);
  const { y } = await (await session).run(tensors);
  return new Matrix(y.data as Float32Array, b.count);
}

/**
 * The same, a row of `a` after the other, with bounded memory: 25,000 captions
 * over 5,000 pictures are 25,000 rows of 5,000 numbers, of which some hundred
 * are in memory at a time.
 *
 * @param signal Stops between two blocks, by throwing its reason.
 * @throws {RangeError} If the rows' lengths differ, or a row holds something that
 *   is no number, which no ranking could place.
 */
export async function* eachProduct(
  a: Matrix,
  b: Matrix,
  { signal }: { signal?: AbortSignal } = {},
): AsyncGenerator<Float32Array> {
  for (const { data, dimensions } of [a, b]) {
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) continue;
    throw new RangeError(
      `expected numbers, got ${data[bad]} in ` +
        `${data === a.data ? "a query" : "the gallery"}, row ` +
        Math.floor(bad / dimensions),
    );
  }
  const step = Math.ceil(BLOCK_VALUES / Math.max(1, b.count));
  for (let start = 0; start < a.count; start += step) {
    signal?.throwIfAborted();
    yield* await multiplyRows(a.slice(start, start + step), b);
  }
}
