/**
 * NumPy's `.npy` files: a matrix of floats, shared with Python.
 *
 * Written as float32, little-endian (as are all machines that onnxruntime runs
 * on), row by row. Read from float16, float32 or float64 in either byte order.
 *
 * The format is a magic string, a version, and a Python dictionary as text
 * that tells type, order and shape, padded so that the data begins at a
 * multiple of 64 bytes: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * `encodeNpy` and `decodeNpy` touch no files.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { decodeNpy, encodeNpy } from "#lib/compare/npy.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const matrix = Matrix.of([[1, 2, 3], [4, 5, 6]]);
 * deepEqual(decodeNpy(encodeNpy(matrix)), matrix);
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { writeAtomic } from "../files.ts";
import { Matrix } from "./matrix.ts";

/** Writes a `.npy` file, whole or not at all. */
export function writeNpy(path: string, matrix: Matrix): Promise<void> {
  return writeAtomic(path, encodeNpy(matrix));
}

/**
 * Reads a `.npy` file of floats in rows.
 *
 * @throws {Error} If the file is no such file: names the path and what it holds.
 */
export async function readNpy(path: string): Promise<Matrix> {
  try {
    return decodeNpy(await readFile(path));
  } catch (error) {
    if (error instanceof RangeError) {
      throw new RangeError(`${path}: ${error.message}`);
    }
    throw error;
  }
}

const magic = "\x93NUMPY";

/** The bytes of a `.npy` file, version 1.0, float32, little-endian. */
export function encodeNpy({ data, count, dimensions }: Matrix): Uint8Array {
  const bytes = new Uint8Array(NPY_HEADER_BYTES + data.byteLength);
  bytes.set(npyHeader(count, dimensions));
  const numbers = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  bytes.set(numbers, NPY_HEADER_BYTES);
  return bytes;
}

/** How many bytes stand before the numbers in such a file. */
export const NPY_HEADER_BYTES = 128;

/** The bytes before the numbers. */
export function npyHeader(count: number, dimensions: number): Uint8Array {
  const text =
    `${magic}\x01\x00${String.fromCharCode(NPY_HEADER_BYTES - 10)}\0` +
    `{'descr': '<f4', 'fortran_order': False, 'shape': (${count}, ${dimensions}), }`;
  return Buffer.from(text.padEnd(NPY_HEADER_BYTES - 1) + "\n", "latin1");
}

/**
 * The numbers in a `.npy` file's bytes.
 *
 * @throws {RangeError} If the bytes are not a whole `.npy` file of floats in
 *   rows: quotes what they are instead.
 */
export function decodeNpy(bytes: Uint8Array): Matrix {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = String.fromCharCode(...bytes.subarray(0, 6));
  if (start !== magic || bytes.length < 12) {
    throw new RangeError(
      `expected a .npy file, got ${bytes.length} bytes beginning ` +
        JSON.stringify(start),
    );
  }
  // Version 1 has a 2-byte header length, versions 2 and 3 a 4-byte one.
  const [headerAt, length] = bytes[6] === 1
    ? [10, view.getUint16(8, true)]
    : [12, view.getUint32(8, true)];
  const dataAt = headerAt + length;
  const header = new TextDecoder().decode(bytes.subarray(headerAt, dataAt));
  const [, order, type] = /'descr':\s*'([<>|=]?)(\w+)'/.exec(header) ?? [];
  const [, ...shape] = /'shape':\s*\((\d+), (\d+)\)/.exec(header) ?? [];
  const toFloats = FROM_BYTES[type];
  if (!toFloats || shape.length === 0 || /True/.test(header)) {
    throw new RangeError(
      "expected rows of float16, float32 or float64 in row order, got " +
        header.trim(),
    );
  }
  const [count, dimensions] = shape.map(Number);
  const itemSize = Number(type[1]);
  const size = count * dimensions * itemSize;
  if (bytes.length < dataAt + size) {
    throw new RangeError(
      `expected ${size} bytes of data for ${count} x ${dimensions} numbers, ` +
        `got ${Math.max(0, bytes.length - dataAt)}: the file is cut off`,
    );
  }
  // A copy: where the header ends, the numbers need not lie aligned in memory.
  const data = new Uint8Array(bytes.subarray(dataAt, dataAt + size));
  for (let at = 0; order === ">" && at < size; at += itemSize) {
    data.subarray(at, at + itemSize).reverse();
  }
  return new Matrix(toFloats(data.buffer), dimensions);
}

/** By type: 2, 4 or 8 bytes a number, in the order of this machine. */
const FROM_BYTES: Record<string, (bytes: ArrayBuffer) => Float32Array> = {
  f2: (bytes) => Float32Array.from(new Uint16Array(bytes), halfToFloat),
  f4: (bytes) => new Float32Array(bytes),
  f8: (bytes) => Float32Array.from(new Float64Array(bytes)),
};

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
