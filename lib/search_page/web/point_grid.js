/**
 * Points sorted into the cells of a grid, so that those in a rectangle, or the
 * nearest to a place, are found without looking at all 100,000.
 *
 * ```ts
 * import { PointGrid } from "#lib/search_page/web/point_grid.js";
 * import { equal } from "node:assert/strict";
 *
 * const grid = new PointGrid(Float32Array.of(0.1, 0.9), Float32Array.of(0.1, 0.9));
 * equal(grid.nearest(0.8, 0.8, 0.2, 0.2), 1);
 * ```
 *
 * @module
 */

/** Points that a cell holds where they lie evenly. */
const PER_CELL = 8;

/** Points between 0 and 1 in both directions. */
export class PointGrid {
  /** @param {Float32Array} xs @param {Float32Array} ys */
  constructor(xs, ys) {
    this.xs = xs;
    this.ys = ys;
    const side = Math.max(1, Math.ceil(Math.sqrt(xs.length / PER_CELL)));
    this.side = side;
    /** Where each cell's points begin in `order`; one more than there are cells. */
    this.starts = new Uint32Array(side * side + 1);
    /** Indices of the points, cell by cell. */
    this.order = new Uint32Array(xs.length);
    const cells = Uint32Array.from(
      xs,
      (x, i) => this.cell(ys[i]) * side + this.cell(x),
    );
    for (const cell of cells) this.starts[cell + 1]++;
    for (let cell = 0; cell < side * side; cell++) {
      this.starts[cell + 1] += this.starts[cell];
    }
    const ends = this.starts.slice();
    cells.forEach((cell, i) => this.order[ends[cell]++] = i);
  }

  /** The column or row of a place. @param {number} place */
  cell(place) {
    const at = Math.floor(place * this.side);
    return Math.min(this.side - 1, Math.max(0, at));
  }

  /**
   * Calls `visit` with the index of each point in the cells that a rectangle
   * touches: all within it, and some beside it.
   *
   * @param {number} left
   * @param {number} top
   * @param {number} right
   * @param {number} bottom
   * @param {(index: number) => void} visit
   */
  near(left, top, right, bottom, visit) {
    const from = this.cell(left), to = this.cell(right);
    const last = this.cell(bottom);
    for (let row = this.cell(top); row <= last; row++) {
      const start = this.starts[row * this.side + from];
      const end = this.starts[row * this.side + to + 1];
      for (let i = start; i < end; i++) visit(this.order[i]);
    }
  }

  /**
   * The point nearest to a place, at most `reachX` and `reachY` away, -1 if
   * there is none. Both reaches count as the same distance.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} reachX
   * @param {number} reachY
   */
  nearest(x, y, reachX, reachY) {
    let nearest = -1, least = 1;
    this.near(x - reachX, y - reachY, x + reachX, y + reachY, (i) => {
      const away = ((this.xs[i] - x) / reachX) ** 2 +
        ((this.ys[i] - y) / reachY) ** 2;
      if (away <= least) [nearest, least] = [i, away];
    });
    return nearest;
  }

  /**
   * The points nearest to one of them, that one first.
   *
   * @param {number} index
   * @param {number} most How many.
   */
  around(index, most) {
    const x = this.xs[index], y = this.ys[index];
    /** @param {number} i */
    const away = (i) => (this.xs[i] - x) ** 2 + (this.ys[i] - y) ** 2;
    let found = /** @type {number[]} */ ([]);
    for (let reach = 1 / this.side;; reach *= 2) {
      found = [];
      this.near(x - reach, y - reach, x + reach, y + reach, (i) => {
        if (i !== index) found.push(i);
      });
      const within = found.filter((i) => away(i) <= reach ** 2).length;
      if (within >= most || reach >= 2) break;
    }
    found.sort((a, b) => away(a) - away(b) || a - b);
    return [index, ...found.slice(0, most - 1)];
  }
}
