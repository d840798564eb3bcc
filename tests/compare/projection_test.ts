import { deepEqual, ok } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import { principalComponents } from "#lib/compare/projection.ts";

Deno.test("principalComponents() agrees with NumPy's singular value decomposition", () => {
  const vectors = Matrix.of([
    [2, 0, 1, 4],
    [1, 3, 0, 2],
    [5, 1, 2, 2],
    [0, 4, 1, 7],
    [3, 3, 3, 3],
  ]);
  // numpy.linalg.svd of the centred matrix; a component's sign is free.
  const expected = [
    [0.414299, 0.626426],
    [0.296002, 2.55074],
    [3.383513, 0.631807],
    [4.354936, 0.816993],
    [0.853125, 0.475514],
  ];
  principalComponents(vectors).forEach(({ x, y }, n) => {
    ok(Math.abs(Math.abs(x) - expected[n][0]) < 1e-4, `${n}: x ${x}`);
    ok(Math.abs(Math.abs(y) - expected[n][1]) < 1e-4, `${n}: y ${y}`);
  });
});

Deno.test("principalComponents() takes no vectors, one, and equal ones", () => {
  deepEqual(principalComponents(Matrix.of([])), []);
  deepEqual(principalComponents(Matrix.of([[1, 2]])), [{ x: 0, y: 0 }]);
  deepEqual(principalComponents(Matrix.of([[1, 2], [1, 2]])), [
    { x: 0, y: 0 },
    { x: 0, y: 0 },
  ]);
});
