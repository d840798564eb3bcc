import { deepEqual, equal, throws } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import { decodeNpy, encodeNpy } from "#lib/compare/npy.ts";

/** The file that NumPy 2.4 writes for `numpy.array(values, dtype)`. */
function numpyFile(descr: string, shape: string, data: number[]): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, ` +
    `'shape': ${shape}, }`;
  const text = "\x93NUMPY\x01\x00\x76\x00" + header.padEnd(117) + "\n";
  return Uint8Array.of(...Array.from(text, (c) => c.charCodeAt(0)), ...data);
}

Deno.test("encodeNpy() writes the bytes that NumPy writes", () => {
  const ours = encodeNpy(Matrix.of([[1, -2]]));
  const theirs = numpyFile("<f4", "(1, 2)", [0, 0, 128, 63, 0, 0, 0, 192]);
  deepEqual(ours, theirs);
});

Deno.test("decodeNpy() reads what encodeNpy() wrote", () => {
  const matrix = Matrix.of([[1, 2.5], [-3, NaN], [1e-40, 7]]);
  const { data, count, dimensions } = decodeNpy(encodeNpy(matrix));
  deepEqual([...data], [...matrix.data]);
  deepEqual([count, dimensions], [3, 2]);
});

Deno.test("decodeNpy() reads every float type in either byte order", () => {
  // numpy.array([1.5, -2]) as bytes.
  const files: [string, number[]][] = [
    ["<f2", [0x00, 0x3e, 0x00, 0xc0]],
    [">f2", [0x3e, 0x00, 0xc0, 0x00]],
    [">f4", [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0]],
    ["<f8", [0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0]],
    [">f8", [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0]],
  ];
  for (const [descr, data] of files) {
    const matrix = decodeNpy(numpyFile(descr, "(1, 2)", data));
    deepEqual([...matrix.data], [1.5, -2], descr);
    deepEqual([matrix.count, matrix.dimensions], [1, 2]);
  }
});

Deno.test("decodeNpy() reads float16's smallest, infinite and not-a-number values", () => {
  const data = [0x01, 0x00, 0x00, 0x7c, 0x00, 0xfc, 0x01, 0x7e];
  deepEqual(
    [...decodeNpy(numpyFile("<f2", "(1, 4)", data)).data],
    [2 ** -24, Infinity, -Infinity, NaN],
  );
});

Deno.test("decodeNpy() refuses other types, column order, other shapes, and cut-off files", () => {
  const whole = encodeNpy(Matrix.of([[0, 0], [0, 0]]));
  throws(() => decodeNpy(whole.subarray(0, -1)), /cut off/);
  throws(() => decodeNpy(new TextEncoder().encode("<html></html>")), /<html>/);
  throws(() => decodeNpy(numpyFile("<i4", "(1, 1)", [0, 0, 0, 0])), /<i4/);
  const columns = Array.from(whole, (byte) => String.fromCharCode(byte))
    .join("").replace("False", "True ");
  throws(
    () => decodeNpy(Uint8Array.from(columns, (c) => c.charCodeAt(0))),
    /row order/,
  );
  for (const shape of ["(4,)", "(1, 2, 2)", "()"]) {
    throws(
      () => decodeNpy(numpyFile("<f4", shape, new Array(16).fill(0))),
      /expected rows of .*got \{.*'shape': \(/,
    );
  }
});

Deno.test("decodeNpy() reads version 2, whose header may be long, and what follows is left", () => {
  // As NumPy writes it: a header's length of four bytes.
  const first = numpyFile("<f4", "(1, 2)", [0, 0, 128, 63, 0, 0, 0, 192, 7]);
  const second = Uint8Array.of(
    ...first.subarray(0, 6),
    ...[2, 0, 0x76, 0, 0, 0],
    ...first.subarray(10),
  );
  for (const file of [first, second]) {
    deepEqual([...decodeNpy(file).data], [1, -2]);
  }
});

Deno.test("decodeNpy() reads a view into a larger buffer", () => {
  const file = encodeNpy(Matrix.of([[4]]));
  const larger = new Uint8Array(file.length + 3);
  larger.set(file, 3);
  equal(decodeNpy(larger.subarray(3)).data[0], 4);
});
