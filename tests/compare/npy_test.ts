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

Deno.test("decodeNpy() reads whole numbers and booleans of every width", () => {
  // numpy.array([1, -2]) or, where there are no negative ones, [1, 254].
  const files: [string, number[], number[]][] = [
    ["|i1", [1, 0xfe], [1, -2]],
    ["|u1", [1, 0xfe], [1, 254]],
    ["<i2", [1, 0, 0xfe, 0xff], [1, -2]],
    [">i2", [0, 1, 0xff, 0xfe], [1, -2]],
    ["<u2", [1, 0, 0xfe, 0xff], [1, 65534]],
    [">i4", [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe], [1, -2]],
    ["<u4", [1, 0, 0, 0, 0, 0, 0, 0x80], [1, 2 ** 31]],
    [">i8", [...[0, 0, 0, 0, 0, 0, 0, 1], ...Array(7).fill(255), 254], [1, -2]],
    ["<u8", [1, ...Array(14).fill(0), 128], [1, 2 ** 63]],
    ["|b1", [1, 0], [1, 0]],
  ];
  for (const [descr, data, values] of files) {
    const matrix = decodeNpy(numpyFile(descr, "(1, 2)", data));
    deepEqual([...matrix.data], values, descr);
  }
});

Deno.test("decodeNpy() reads numbers that stand column by column", () => {
  const bytes = numpyFile("|u1", "(2, 3)", [1, 4, 2, 5, 3, 6]);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const file = text.replace("False", "True ");
  const { data, count } = decodeNpy(
    Uint8Array.from(file, (c) => c.charCodeAt(0)),
  );
  deepEqual([[...data], count], [[1, 2, 3, 4, 5, 6], 2]);
});

Deno.test("decodeNpy() reads a header however Python writes it", () => {
  const data = [0, 0, 128, 63, 0, 0, 0, 192];
  const headers = [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 2L), }",
    "{'shape': (1,2), 'fortran_order': False, 'descr': '<f4'}\n",
    '{ "fortran_order" :False , "descr" : "<f4", "shape": ( 1, 2, ) }   ',
    `{'descr': 'f4', 'fortran_order': False, 'shape': (1, 2)}`,
  ];
  for (const header of headers) {
    const file = Uint8Array.of(
      ...Array.from("\x93NUMPY\x01\x00", (c) => c.charCodeAt(0)),
      ...[header.length, 0],
      ...Array.from(header, (c) => c.charCodeAt(0)),
      ...data,
    );
    deepEqual([...decodeNpy(file).data], [1, -2], header);
  }
});

Deno.test("decodeNpy() reads no rows, and knows how long they would be", () => {
  const { count, dimensions } = decodeNpy(numpyFile("<f4", "(0, 512)", []));
  deepEqual([count, dimensions], [0, 512]);
});

Deno.test("decodeNpy() names what it does not read: types, shapes, cut-off files, other files", () => {
  const whole = encodeNpy(Matrix.of([[0, 0], [0, 0]]));
  throws(() => decodeNpy(whole.subarray(0, -1)), /got 15: the file is cut off/);
  for (const length of [6, 9, 11, 60]) {
    throws(
      () => decodeNpy(whole.subarray(0, length)),
      new RegExp(`expected a header, got ${length} bytes: the file is cut off`),
    );
  }
  const other = (text: string) => () =>
    decodeNpy(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  throws(other(""), /expected a .npy file, got 0 bytes/);
  throws(other("<html></html>"), /<html>/);
  throws(other("PK\x03\x04-"), /\.npz/);
  throws(other("\x1f\x8b\b"), /gzip/);
  throws(other("version https://git-lfs.github.com/spec/v1"), /Git LFS/);
  throws(other("\x93NUMPY\x04\x00…"), /version 1.0, 2.0 or 3.0 .*got 4.0/);
  for (const descr of ["<c8", "<f16", "|O", "<U1", "<M8[D]"]) {
    throws(
      () => decodeNpy(numpyFile(descr, "(1, 1)", new Array(16).fill(0))),
      {
        name: "RangeError",
        message: new RegExp(descr.replace(/[|[]/g, "\\$&")),
      },
    );
  }
  for (const shape of ["(4,)", "(1, 2, 2)", "()", "(-1, 4)"]) {
    throws(
      () => decodeNpy(numpyFile("<f4", shape, new Array(16).fill(0))),
      /expected floats, .* in two dimensions, got \{.*'shape': \(/,
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
