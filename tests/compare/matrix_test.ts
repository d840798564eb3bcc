import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import { eachProduct, multiplyRows } from "#lib/compare/matrix_product.ts";
import { dot } from "#lib/compare/metrics.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";

const three = () => Matrix.of([[1, 2], [3, 4], [5, 6]]);
const rowsOf = (matrix: Iterable<ArrayLike<number>>) =>
  Array.from(matrix, (row) => Array.from(row));

Deno.test("a matrix grows, and keeps its rows where they are", () => {
  const matrix = Matrix.empty(3, 2);
  equal(matrix.count, 0);
  const expected = Array.from({ length: 70 }, (_, i) => [i, i + 0.5, -i]);
  for (const row of expected) matrix.append(row);
  deepEqual(rowsOf(matrix), expected);
  equal(matrix.data.length, 210);
  const grown = three();
  grown.append([7, 8]);
  deepEqual(rowsOf(grown), [[1, 2], [3, 4], [5, 6], [7, 8]]);
});

Deno.test("rows and slices are views, picks and those of append() copies", () => {
  const matrix = three();
  const [, second] = matrix;
  const slice = matrix.slice(1), picked = matrix.pick([2, 0, 2]);
  matrix.set(1, [9, 9]);
  deepEqual([...second], [9, 9]);
  deepEqual(rowsOf(slice), [[9, 9], [5, 6]]);
  deepEqual(rowsOf(picked), [[5, 6], [1, 2], [5, 6]]);
  deepEqual(rowsOf(matrix.slice(0, 1)), [[1, 2]]);
  equal(matrix.slice(3).count, 0);
  const vector = Float32Array.of(1, 1);
  matrix.append(vector);
  vector.fill(2);
  deepEqual([...matrix.row(3)], [1, 1]);
});

Deno.test("bytes stay bytes", () => {
  const matrix = new Matrix(Uint8Array.of(250, 1, 2, 3), 2);
  const { data } = matrix.pick([1]);
  ok(data instanceof Uint8Array);
  deepEqual([...data], [2, 3]);
});

Deno.test("rows that are not there, and vectors of another length, are refused", () => {
  const matrix = three();
  throws(() => matrix.row(3), /expected a row from 0 to 2, got 3/);
  throws(() => matrix.row(-1), /got -1/);
  throws(() => matrix.set(3, [1, 2]), /got 3/);
  throws(() => matrix.pick([0, 7]), /got 7/);
  throws(() => matrix.append([1]), /a vector of 2 numbers, got 1/);
  throws(() => matrix.set(0, [1, 2, 3]), /a vector of 2 numbers, got 3/);
  throws(() => Matrix.of([[1, 2], [3]]), /a vector of 2 numbers, got 1/);
  throws(
    () => new Matrix(new Float32Array(5), 2),
    /whole rows of 2 numbers, got 5 numbers/,
  );
  equal(Matrix.of([]).count, 0);
  equal(Matrix.of([], 4).dimensions, 4);
});

Deno.test("multiplyRows() gives the dot product of each row with each", async () => {
  const a = clusteredVectors(5, 33), b = clusteredVectors(7, 33, { seed: 2 });
  const product = await multiplyRows(a, b);
  deepEqual([product.count, product.dimensions], [5, 7]);
  for (const [i, row] of [...a].entries()) {
    for (const [j, other] of [...b].entries()) {
      ok(Math.abs(product.row(i)[j] - dot(row, other)) < 1e-6);
    }
  }
  await rejects(multiplyRows(a, three()), /equal length, got 33 and 2/);
  const none = await multiplyRows(a.slice(0, 0), b);
  deepEqual([none.count, none.dimensions], [0, 7]);
  equal((await multiplyRows(a, b.slice(0, 0))).count, 0);
});

Deno.test("eachProduct() gives every row in order, over several blocks", async () => {
  const numbers = (count: number) =>
    new Matrix(Float32Array.from({ length: count }, (_, i) => i % 97), 1);
  const queries = numbers(2000), gallery = numbers(5000);
  let query = 0;
  for await (const values of eachProduct(queries, gallery)) {
    equal(values.length, 5000);
    equal(values[96], 96 * (query++ % 97));
  }
  equal(query, 2000);
});
