import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import { l2Normalize } from "#lib/compare/metrics.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import { FoldedOrder } from "#lib/search_page/engine/folding.ts";

/** Groups of three that are nearly equal. */
const groups = Matrix.of(Array.from({ length: 30 }, (_, i) => {
  const angle = Math.floor(i / 3) * 0.3 + (i % 3) * 0.001;
  return [Math.cos(angle), Math.sin(angle)];
}));
const inOrder = Uint32Array.from({ length: 30 }, (_, i) => i);

Deno.test("FoldedOrder puts each row once, behind the first like it", () => {
  const folded = new FoldedOrder(inOrder, groups, 0.97).slice(0, 30);
  deepStrictEqual(folded.slice(0, 2), [
    { row: 0, copies: [1, 2] },
    { row: 3, copies: [4, 5] },
  ]);
  strictEqual(folded.length, 10);
});

Deno.test("FoldedOrder folds by the cosine, equal rows even at 1, and none above it", () => {
  const places = (threshold: number, vectors: number[][]) =>
    new FoldedOrder(
      Uint32Array.of(0, 1),
      Matrix.of(vectors.map((vector) => l2Normalize(vector))),
      threshold,
    ).slice(0, 9).length;
  const nearly = [[1, 0], [0.8, 0.6]];
  strictEqual(places(0.79, nearly), 1);
  strictEqual(places(0.81, nearly), 2);
  strictEqual(places(1, [[3, 4], [3, 4]]), 1);
  strictEqual(places(1.01, [[3, 4], [3, 4]]), 2);
});

Deno.test("FoldedOrder answers a page the same, whatever was asked before", () => {
  const vectors = clusteredVectors(2000, 8, { clusters: 300 });
  const order = Uint32Array.from({ length: 2000 }, (_, i) => i);
  const at = (from: number, folded: FoldedOrder) =>
    structuredClone(folded.slice(from, from + 12));
  const make = () => new FoldedOrder(order, vectors, 0.9);
  const scrolled = make();
  const first = at(0, scrolled);
  ok(first.some(({ copies }) => copies.length > 0));
  for (let from = 0; from < 600; from += 12) at(from, scrolled);
  deepStrictEqual(at(0, scrolled), first);
  deepStrictEqual(at(240, make()), at(240, scrolled));
  const seen = scrolled.slice(0, 600)
    .flatMap(({ row, copies }) => [row, ...copies]);
  strictEqual(new Set(seen).size, seen.length);
});

Deno.test("FoldedOrder counts what is left of the first rows, and goes on as before", () => {
  const vectors = clusteredVectors(2000, 8, { clusters: 300 });
  const order = Uint32Array.from({ length: 2000 }, (_, i) => i);
  const folded = new FoldedOrder(order, vectors, 0.9);
  const listed = folded.slice(0, 2000);
  for (const rows of [0, 1, 500, 2000]) {
    const expected = listed.filter(({ row }) => row < rows).length;
    strictEqual(folded.count(rows), expected);
    // Many are counted once they have been looked through.
    const counted = new FoldedOrder(order, vectors, 0.9).count(rows);
    strictEqual(counted, rows > 500 ? undefined : expected);
  }
  strictEqual(new FoldedOrder(order, vectors, 2).count(2000), 2000);
});
