import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { PixelGallery } from "#lib/compare/pixel_gallery.ts";
import { type MetricName, metrics } from "#lib/compare/metrics.ts";

const names = Object.keys(metrics) as MetricName[];

/** Compares with the pair functions: equal, but for correlation's rounding. */
function agrees(rows: Uint8Array[], queries: Uint8Array[]): void {
  const gallery = new PixelGallery(rows.length, rows[0].length);
  rows.forEach((row, index) => gallery.set(index, row));
  for (const name of names) {
    gallery.compare(queries, name).forEach((values, q) => {
      const expected = rows.map((row) =>
        metrics[name].measure(queries[q], row)
      );
      values.forEach((value, row) => {
        const tolerance = name === "correlation" ? 1e-12 : 0;
        const gap = Math.abs(value - expected[row]);
        ok(gap <= tolerance, `${name}: ${value}, expected ${expected[row]}`);
      });
    });
  }
}

Deno.test("PixelGallery agrees with the pair functions on any bytes", () => {
  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length });
  const galleries = fc.integer({ min: 1, max: 100 }).chain((length) =>
    fc.tuple(
      fc.array(bytes(length), { minLength: 1, maxLength: 5 }),
      fc.array(bytes(length), { minLength: 1, maxLength: 9 }),
    )
  );
  fc.assert(fc.property(galleries, ([rows, queries]) => agrees(rows, queries)));
});

Deno.test("PixelGallery agrees on long vectors, whose lanes are emptied on the way", () => {
  for (const length of [2048, 2049, 8192, 20_000, 64 * 64 * 3]) {
    const vectors = Array.from(
      { length: 7 },
      (_, v) =>
        Uint8Array.from({ length }, (_, i) => (i * (v + 3) * 7919) >> 5),
    );
    agrees(vectors.slice(0, 3), vectors.slice(2));
  }
});

Deno.test("PixelGallery does not overflow where all differ as much as they can", () => {
  const length = 602_112;
  const black = new Uint8Array(length);
  const white = new Uint8Array(length).fill(255);
  const gallery = new PixelGallery(1, length);
  gallery.set(0, white);
  equal(gallery.compare([black], "l1")[0][0], 255 * length);
  equal(gallery.compare([black], "l2")[0][0], 255 * Math.sqrt(length));
  equal(gallery.compare([white], "l2")[0][0], 0);
  // The square root of a square is a hair from the number.
  ok(Math.abs(gallery.compare([white], "cosine")[0][0] - 1) < 1e-15);
});

Deno.test("PixelGallery compares a picture of one colour as 0, as the pair functions do", () => {
  // Here the square of a sum is too large a number to be exact.
  const length = 3 * 447 * 447;
  const gallery = new PixelGallery(2, length);
  gallery.set(0, new Uint8Array(length).fill(159));
  const varied = Uint8Array.from({ length }, (_, i) => i * 31);
  deepEqual([...gallery.compare([varied], "correlation")[0]], [0, 0]);
  const [alike] = gallery.compare([gallery.get(0)], "correlation");
  deepEqual([...alike], [0, 0]);
  deepEqual([...gallery.compare([varied], "cosine")[0]].slice(1), [0]);
});

Deno.test("PixelGallery reads vectors that begin anywhere in their buffer", () => {
  const buffer = Uint8Array.from({ length: 300 }, (_, i) => i * 53);
  agrees([buffer.subarray(3, 153)], [
    buffer.subarray(7, 157),
    buffer.subarray(11, 161),
  ]);
});

Deno.test("PixelGallery lends its rows as queries, and compares with the first rows only", () => {
  const gallery = new PixelGallery(2, 3);
  gallery.set(1, Uint8Array.of(1, 2, 3));
  deepEqual([...gallery.get(1)], [1, 2, 3]);
  deepEqual([...gallery.compare([gallery.get(1)], "l1")[0]], [6, 0]);
  deepEqual([...gallery.compare([gallery.get(1)], "l1", 1)[0]], [6]);
  // What is lent is a copy: rows keep to the sums that are known of them.
  gallery.get(1).fill(9);
  deepEqual([...gallery.compare([Uint8Array.of(1, 2, 3)], "l2")[0]], [
    Math.sqrt(14),
    0,
  ]);
});

Deno.test("PixelGallery refuses wrong lengths, rows and sizes", () => {
  const gallery = new PixelGallery(2, 3);
  const wrong = new Uint8Array(4);
  throws(() => gallery.set(0, wrong), /expected a vector of 3 bytes, got 4/);
  throws(() => gallery.compare([wrong], "l1"), /of 3 bytes, got 4/);
  throws(() => gallery.compare([], "l1", 3), /expected 1 to 2 rows, got 3/);
  throws(() => gallery.set(2, new Uint8Array(3)), /from 0 to 1, got 2/);
  throws(() => new PixelGallery(0, 3), /1 vector or more.*got 0 vectors/);
  throws(
    () => new PixelGallery(10_000, 602_112),
    /4 GB at most.*10000 vectors/,
  );
});
