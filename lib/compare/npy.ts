/**
 * NumPy's `.npy` files: matrices of floats, shared with Python.
 *
 * Written as float32, little-endian, row by row. Read from float16, float32
 * or float64 in either byte order, always into a Float32Array.
 *
 * The format is a magic string, a version, and a Python dictionary as text
 * that tells type, order and shape, padded so that the data begins at a
 * multiple of 64 bytes: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * `encodeNpy` and `decodeNpy` touch no files.
 *
 * ```ts
 * import { decodeNpy, encodeNpy } from "#lib/compare/npy.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const bytes = encodeNpy({ data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] });
 * deepEqual(decodeNpy(bytes).shape, [2, 3]);
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { writeAtomic } from "../files.ts";

/** Numbers in rows: `data` holds the product of `shape` values, last axis fastest. */
export interface FloatArray {
  data: Float32Array;
  shape: number[];
}

/** Writes a `.npy` file, whole or not at all. */
export function writeNpy(path: string, array: FloatArray): Promise<void> {
  return writeAtomic(path, encodeNpy(array));
}

/**
 * Reads a `.npy` file of floats.
 *
 * @throws {Error} If the file is no such file: names the path and what it holds.
 */
export async function readNpy(path: string): Promise<FloatArray> {
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

/**
 * The bytes of a `.npy` file, version 1.0, float32, little-endian.
 *
 * @throws {RangeError} If the data's length is not the product of the shape.
 */
export function encodeNpy({ data, shape }: FloatArray): Uint8Array {
  if (data.length !== product(shape)) {
    throw new RangeError(
      `encodeNpy: expected ${product(shape)} values for shape ` +
        `[${shape}], got ${data.length}`,
    );
  }
  // Python writes a tuple of one with a comma: (3,).
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary =
    `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const headerEnd = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const bytes = new Uint8Array(headerEnd + data.length * 4);
  const view = new DataView(bytes.buffer);
  const header = magic + "\x01\x00  " + dictionary.padEnd(headerEnd - 11) +
    "\n";
  bytes.set(Uint8Array.from(header, (letter) => letter.charCodeAt(0)));
  view.setUint16(8, headerEnd - 10, true);
  if (machineIsLittleEndian) {
    bytes.set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      headerEnd,
    );
  } else {
    data.forEach((value, i) => view.setFloat32(headerEnd + 4 * i, value, true));
  }
  return bytes;
}

/**
 * The numbers in a `.npy` file's bytes.
 *
 * @throws {RangeError} If the bytes are not a whole `.npy` file of floats in
 *   row order: quotes what they are instead.
 */
export function decodeNpy(bytes: Uint8Array): FloatArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = String.fromCharCode(...bytes.subarray(0, 6));
  if (start !== magic || bytes.length < 12) {
    throw new RangeError(
      `expected a .npy file, got ${bytes.length} bytes beginning ` +
        JSON.stringify(start),
    );
  }
  // Version 1 has a 2-byte header length, versions 2 and 3 a 4-byte one.
  const [lengthAt, headerAt] = bytes[6] === 1 ? [8, 10] : [8, 12];
  const headerLength = bytes[6] === 1
    ? view.getUint16(lengthAt, true)
    : view.getUint32(lengthAt, true);
  const dataAt = headerAt + headerLength;
  const header = new TextDecoder().decode(bytes.subarray(headerAt, dataAt));
  const type = /'descr':\s*'([<>|=]?)(\w+)'/.exec(header);
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  const read = readers[type?.[2] ?? ""];
  if (!type || !read || shapeText === undefined || /True/.test(header)) {
    throw new RangeError(
      `expected float16, float32 or float64 in row order, got ${header.trim()}`,
    );
  }
  const shape = shapeText.split(",").filter((part) => part.trim()).map(Number);
  const itemSize = Number(type[2][1]);
  const count = product(shape);
  if (bytes.length < dataAt + count * itemSize) {
    throw new RangeError(
      `expected ${count * itemSize} bytes of data for shape [${shape}], ` +
        `got ${bytes.length - dataAt}: the file is cut off`,
    );
  }
  const littleEndian = type[1] !== ">";
  if (itemSize === 4 && littleEndian && machineIsLittleEndian) {
    // One copy: the header's length need not leave the data aligned in memory.
    const copy = bytes.slice(dataAt, dataAt + count * 4);
    return { data: new Float32Array(copy.buffer, copy.byteOffset), shape };
  }
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    data[i] = read(view, dataAt + i * itemSize, littleEndian);
  }
  return { data, shape };
}

type Reader = (view: DataView, at: number, littleEndian: boolean) => number;

const readers: Record<string, Reader> = {
  f2: (view, at, little) => halfToFloat(view.getUint16(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
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

const machineIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function product(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}
