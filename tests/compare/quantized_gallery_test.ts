import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { search } from "#lib/compare/compare.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { type MetricName, metrics } from "#lib/compare/metrics.ts";
import { QuantizedGallery } from "#lib/compare/quantized_gallery.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";

const names = Object.keys(metrics) as MetricName[];

/** Finds what comparing with every row finds: the same rows, the same values. */
function agrees(
  gallery: QuantizedGallery,
  query: ArrayLike<number>,
  k: number,
): void {
  for (const name of names) {
    deepStrictEqual(
      search(query, gallery, metrics[name], k),
      search(query, gallery.vectors, metrics[name], k),
      name,
    );
  }
}

/** So do many queries at once. */
async function batchAgrees(
  gallery: QuantizedGallery,
  queries: Matrix,
  k: number,
): Promise<void> {
  for (const name of names) {
    deepStrictEqual(
      await gallery.nearestBatch(queries, name, k, (hits) => hits),
      Array.from(
        queries,
        (query) => search(query, gallery.vectors, metrics[name], k),
      ),
      name,
    );
  }
}

Deno.test("QuantizedGallery finds what comparing all finds, whatever the numbers", async () => {
  const number = fc.oneof(
    { weight: 5, arbitrary: fc.float({ min: -1, max: 1, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(0, -0, 1, 255, 0.1, 1e-40, 1e30) },
    { weight: 1, arbitrary: fc.float() }, // infinite, and no number, too
  );
  const galleries = fc.integer({ min: 1, max: 40 }).chain((length) => {
    const vector = fc.oneof(
      fc.array(number, { minLength: length, maxLength: length }),
      number.map((one) => new Array<number>(length).fill(one)),
    );
    return fc.tuple(
      fc.array(vector, { minLength: 1, maxLength: 30 }),
      vector,
      fc.integer({ min: 1, max: 40 }),
    );
  });
  await fc.assert(
    fc.asyncProperty(galleries, async ([vectors, query, k]) => {
      const gallery = QuantizedGallery.of(Matrix.of(vectors));
      agrees(gallery, query, k);
      agrees(gallery, vectors[0], k);
      await batchAgrees(gallery, Matrix.of([query, vectors[0]]), k);
    }),
    { numRuns: 500 },
  );
});

Deno.test("QuantizedGallery finds what comparing all finds among neighbours of one cluster", async () => {
  // Lengths that fill a part of 16 codes, and one past several.
  for (const length of [3, 16, 100, 984]) {
    const vectors = clusteredVectors(2000, length, { clusters: 2 });
    const gallery = QuantizedGallery.of(vectors);
    const queries = clusteredVectors(5, length, { clusters: 2, seed: 9 });
    for (const query of queries) agrees(gallery, query, 10);
    await batchAgrees(gallery, queries, 10);
  }
});

Deno.test("QuantizedGallery keeps gallery order where rows are equal", () => {
  const vectors = Matrix.of(Array.from({ length: 50 }, () => [0.3, 0.1, -0.2]));
  agrees(QuantizedGallery.of(vectors), [0.3, 0.1, 0.2], 7);
});

Deno.test("QuantizedGallery adds large numbers up without overflow", () => {
  const length = 70_000;
  const row = (number: number) => new Float32Array(length).fill(number);
  const vectors = Matrix.of([row(1), row(-1), row(0.5)]);
  agrees(QuantizedGallery.of(vectors), row(-1), 2);
});

Deno.test("QuantizedGallery compares by several threads what one would", () => {
  const vectors = clusteredVectors(40_000, 128);
  const gallery = QuantizedGallery.of(vectors); // 5 MB of codes
  for (let row = 0; row < 20; row++) {
    for (const name of names) {
      const [first] = gallery.nearest(vectors.row(row * 1999), name, 1);
      strictEqual(first.index, row * 1999, name);
    }
  }
  agrees(gallery, vectors.row(39_999), 10);
});

Deno.test("QuantizedGallery takes over what was appended, changed and taken away", () => {
  const vectors = clusteredVectors(100, 20);
  const gallery = QuantizedGallery.of(vectors);
  const more = clusteredVectors(150, 20, { seed: 2 });
  for (const vector of more) vectors.append(vector);
  strictEqual(gallery.count, 100);
  gallery.refresh();
  strictEqual(gallery.count, 250);
  agrees(gallery, more.row(149), 5);
  agrees(gallery, vectors.row(50), 5);
  vectors.set(3, more.row(60));
  gallery.refresh([3]);
  deepStrictEqual(
    gallery.nearest(more.row(60), "l2", 2).map(({ index }) => index),
    [3, 160],
  );
  vectors.shorten(10);
  gallery.refresh();
  agrees(gallery, more.row(0), 20);
});

Deno.test("QuantizedGallery answers many queries by the rows that are there when it does", async () => {
  const vectors = clusteredVectors(3000, 16);
  const gallery = QuantizedGallery.of(vectors);
  const queries = clusteredVectors(2000, 16);
  const answers = gallery.nearestBatch(
    queries,
    "l2",
    1,
    ([{ index }]) => index,
  );
  // While the first products are taken, all rows move by one.
  vectors.append(vectors.row(0));
  for (let row = 0; row < 3000; row++) vectors.set(row, vectors.row(row + 1));
  gallery.refresh(Array.from({ length: 3000 }, (_, row) => row));
  const expected = Array.from({ length: 2000 }, (_, row) => row - 1);
  deepStrictEqual((await answers).slice(1), expected.slice(1));
});

Deno.test("QuantizedGallery passes over the rows that are left out", () => {
  const vectors = clusteredVectors(500, 16);
  const gallery = QuantizedGallery.of(vectors);
  const odd = (row: number) => row % 2 === 1;
  for (const name of names) {
    deepStrictEqual(
      gallery.nearest(vectors.row(0), name, 5, odd),
      search(vectors.row(0), vectors, metrics[name])
        .filter(({ index }) => odd(index)).slice(0, 5),
    );
  }
  deepStrictEqual(gallery.nearest(vectors.row(0), "l1", 5, () => false), []);
});

Deno.test("search() over a QuantizedGallery compares by a metric of the reader's own, too", () => {
  const vectors = clusteredVectors(50, 8);
  const first = {
    label: "First number",
    better: "lower" as const,
    measure: (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Math.abs(a[0] - b[0]),
  };
  deepStrictEqual(
    search(vectors.row(5), QuantizedGallery.of(vectors), first, 3),
    search(vectors.row(5), vectors, first, 3),
  );
});

Deno.test("QuantizedGallery refuses a query of another length, an unknown metric, a bad k, and an empty gallery", () => {
  const gallery = QuantizedGallery.of(Matrix.of([[1, 2, 3]]));
  throws(() => gallery.nearest([1, 2], "l2", 1), /of 3 numbers, got 2/);
  throws(() => gallery.nearest([1, 2, 3], "l2", 0), /k of 1 or more, got 0/);
  const dot = "dot" as "l1";
  throws(() => gallery.nearest([1, 2, 3], dot, 1), /\(l1, l2, .*\), got dot/);
  const empty = QuantizedGallery.of(Matrix.of([], 3));
  deepStrictEqual(empty.nearest([1, 2, 3], "cosine", 1), []);
  throws(() => search([1, 2, 3], empty, metrics.l2), /gallery is empty/);
});
