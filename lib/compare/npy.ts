/**
 * NumPy's `.npy` files: a matrix of floats, shared with Python.
 *
 * Written as float32, little-endian (as are all machines that onnxruntime runs
 * on), row by row. Read as numpy.load does: floats, whole numbers and booleans of
 * any width, in either byte order, by rows or by columns (Fortran's order).
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
import { formatOf } from "../pictures/formats.ts";
import { Matrix } from "./matrix.ts";

/** Writes a `.npy` file, whole or not at all. */
export function writeNpy(path: string, matrix: Matrix): Promise<void> {
  return writeAtomic(path, encodeNpy(matrix));
}

/**
 * Reads a `.npy` file of numbers in two dimensions.
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
 * The numbers in a `.npy` file's bytes. What follows them is passed over, as
 * NumPy does, which may write several arrays behind one another.
 *
 * @throws {RangeError} If the bytes are not a whole `.npy` file of numbers in
 *   two dimensions: says what they are instead.
 */
export function decodeNpy(bytes: Uint8Array): Matrix {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = String.fromCharCode(...bytes.subarray(0, 6));
  if (!start.startsWith(magic)) {
    const kind = OTHER_KINDS[formatOf(bytes)] ?? JSON.stringify(start);
    throw new RangeError(
      `expected a .npy file, got ${bytes.length} bytes beginning ${kind}`,
    );
  }
  const [major, minor] = bytes.subarray(6, 8);
  if (minor > 0 || ![1, 2, 3].includes(major ?? 1)) {
    throw new RangeError(
      `expected version 1.0, 2.0 or 3.0 of .npy, got ${major}.${minor}`,
    );
  }
  // Version 1 has a 2-byte header length, versions 2 and 3 a 4-byte one.
  const headerAt = major === 1 ? 10 : 12;
  const length = bytes.length < headerAt
    ? Infinity
    : major === 1
    ? view.getUint16(8, true)
    : view.getUint32(8, true);
  const dataAt = headerAt + length;
  if (bytes.length < dataAt) {
    throw new RangeError(
      `expected a header, got ${bytes.length} bytes: the file is cut off`,
    );
  }
  const header = new TextDecoder().decode(bytes.subarray(headerAt, dataAt));
  const [, byteOrder, name] = DESCR.exec(header) ?? [];
  const [, columnOrder] = FORTRAN.exec(header) ?? [];
  const [, ...shape] = SHAPE.exec(header) ?? [];
  const type = TYPES[name];
  if (!type || !columnOrder || shape.length === 0) {
    throw new RangeError(
      "expected floats, whole numbers or booleans in two dimensions, got " +
        header.replaceAll(/\p{Cc}/gu, " ").trim().slice(0, 200),
    );
  }
  const [count, dimensions] = shape.map(Number);
  const size = count * dimensions * type.bytes;
  if (bytes.length < dataAt + size) {
    throw new RangeError(
      `expected ${size} bytes of data for ${count} x ${dimensions} numbers, ` +
        `got ${bytes.length - dataAt}: the file is cut off`,
    );
  }
  // A copy: where the header ends, the numbers need not lie aligned in memory.
  const data = new Uint8Array(bytes.subarray(dataAt, dataAt + size));
  for (let at = 0; byteOrder === ">" && at < size; at += type.bytes) {
    data.subarray(at, at + type.bytes).reverse();
  }
  const numbers = type.read(data.buffer);
  return new Matrix(
    columnOrder === "True" ? toRows(numbers, count, dimensions) : numbers,
    dimensions,
  );
}

/** What is given for .npy files, and what to do with it. */
const OTHER_KINDS: Record<string, string> = {
  "ZIP":
    "as a .npz or another ZIP archive does: save its array with numpy.save",
  "gzip": "as what gzip has compressed does: unpack it first",
  "Git LFS pointer": "as a Git LFS pointer does: fetch the file itself",
};

// The header is a dictionary as Python writes it, of Python 2 (`3L`) as well.
const DESCR = /["']descr["']\s*:\s*["']([<>|=]?)(\w+)["']/;
const FORTRAN = /["']fortran_order["']\s*:\s*(True|False)/;
const SHAPE = /["']shape["']\s*:\s*\(\s*(\d+)L?\s*,\s*(\d+)L?\s*,?\s*\)/;

/** By NumPy's name: how many bytes a number has, in the order of this machine. */
const TYPES: Record<
  string,
  { bytes: number; read(data: ArrayBuffer): Float32Array }
> = {
  f2: {
    bytes: 2,
    read: (data) => Float32Array.from(new Uint16Array(data), halfToFloat),
  },
  f4: { bytes: 4, read: (data) => new Float32Array(data) },
  f8: { bytes: 8, read: (data) => new Float32Array(new Float64Array(data)) },
  i1: { bytes: 1, read: (data) => new Float32Array(new Int8Array(data)) },
  i2: { bytes: 2, read: (data) => new Float32Array(new Int16Array(data)) },
  i4: { bytes: 4, read: (data) => new Float32Array(new Int32Array(data)) },
  i8: {
    bytes: 8,
    read: (data) => Float32Array.from(new BigInt64Array(data), Number),
  },
  u1: { bytes: 1, read: (data) => new Float32Array(new Uint8Array(data)) },
  u2: { bytes: 2, read: (data) => new Float32Array(new Uint16Array(data)) },
  u4: { bytes: 4, read: (data) => new Float32Array(new Uint32Array(data)) },
  u8: {
    bytes: 8,
    read: (data) => Float32Array.from(new BigUint64Array(data), Number),
  },
  b1: {
    bytes: 1,
    read: (data) => Float32Array.from(new Uint8Array(data), Math.sign),
  },
};

/** Numbers column by column, put row by row. */
function toRows(
  columns: Float32Array,
  count: number,
  dimensions: number,
): Float32Array {
  const rows = new Float32Array(columns.length);
  for (let row = 0; row < count; row++) {
    for (let d = 0; d < dimensions; d++) {
      rows[row * dimensions + d] = columns[d * count + row];
    }
  }
  return rows;
}

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
