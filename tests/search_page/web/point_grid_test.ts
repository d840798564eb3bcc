import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { PointGrid } from "#lib/search_page/web/point_grid.js";

/** Points that are always the same, in heaps as on a real map. */
function points(count: number) {
  let seed = 7;
  const random = () => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647;
  const heap = () => Float32Array.from({ length: count }, () => random() ** 3);
  return { xs: heap(), ys: heap() };
}

Deno.test("nearest() finds what a look at every point finds", () => {
  const { xs, ys } = points(2_000);
  const grid = new PointGrid(xs, ys);
  const places = points(300);
  places.xs.forEach((x, place) => {
    const y = places.ys[place];
    let best = -1, least = 1;
    xs.forEach((_, i) => {
      const away = ((xs[i] - x) / 0.02) ** 2 + ((ys[i] - y) / 0.05) ** 2;
      if (away <= least) [best, least] = [i, away];
    });
    const found = grid.nearest(x, y, 0.02, 0.05);
    const away = (i: number) =>
      ((xs[i] - x) / 0.02) ** 2 + ((ys[i] - y) / 0.05) ** 2;
    ok(found === best || away(found) === away(best), `${found}, not ${best}`);
  });
});

Deno.test("near() visits each point in a rectangle once, those at the edges too", () => {
  const { xs, ys } = points(500);
  xs[0] = ys[0] = 1;
  const grid = new PointGrid(xs, ys);
  const all: number[] = [];
  grid.near(-1, -1, 2, 2, (i) => all.push(i));
  deepStrictEqual(all.toSorted((a, b) => a - b), [...xs.keys()]);
  const corner: number[] = [];
  grid.near(0.99, 0.99, 1, 1, (i) => corner.push(i));
  ok(corner.includes(0));
});

Deno.test("around() lists the nearest points in their order, itself first", () => {
  const { xs, ys } = points(1_000);
  const grid = new PointGrid(xs, ys);
  const away = (i: number) => (xs[i] - xs[5]) ** 2 + (ys[i] - ys[5]) ** 2;
  const found = grid.around(5, 40);
  strictEqual(found[0], 5);
  const wanted = [...xs.keys()].sort((a, b) => away(a) - away(b)).slice(0, 40);
  deepStrictEqual(found.map(away), wanted.map(away));
  strictEqual(
    new PointGrid(xs.slice(0, 3), ys.slice(0, 3)).around(1, 40).length,
    3,
  );
});

Deno.test("a grid of no points, and of points at one place, is searched too", () => {
  const none = new PointGrid(new Float32Array(0), new Float32Array(0));
  strictEqual(none.nearest(0.5, 0.5, 1, 1), -1);
  const same = new Float32Array(5_000).fill(0.5);
  const heap = new PointGrid(same, same);
  ok(heap.nearest(0.5, 0.5, 0.01, 0.01) >= 0);
  strictEqual(heap.around(3, 200).length, 200);
});
