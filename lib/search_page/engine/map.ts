/**
 * The collection as a map: pictures that look alike lie near one another.
 *
 * A place is found from the two directions in which a sample of the vectors
 * varies most. The axes mean nothing by themselves.
 *
 * Touches no files.
 *
 * ```ts
 * import { mapOf } from "#lib/search_page/engine/map.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * deepEqual(mapOf(new Collection("none", 4)), []);
 * ```
 *
 * @module
 */
import { principalComponents } from "../../compare/projection.ts";
import type { Collection } from "../index/collection.ts";

/** A picture's place on the map. */
export interface MapPoint {
  id: string;
  row: number;
  title: string;
  term: string;
  /** Place from 0 to 1, from left to right. */
  x: number;
  /** Place from 0 to 1, from top to bottom. */
  y: number;
}

/** Most pictures on a map: more would cover one another, and take seconds. */
const MOST = 800;

/** Places pictures on a map: all of them, or a sample spread over the rows. */
export function mapOf(collection: Collection): MapPoint[] {
  const { count, looks, pictures } = collection;
  const step = Math.max(1, count / MOST);
  const rows = Array.from(
    { length: Math.min(count, MOST) },
    (_, i) => Math.floor(i * step),
  );
  const places = principalComponents(looks.pick(rows));
  const scale = (values: number[]) => {
    const least = Math.min(...values), most = Math.max(...values);
    return values.map((value) => (value - least) / (most - least || 1));
  };
  const xs = scale(places.map(({ x }) => x));
  const ys = scale(places.map(({ y }) => y));
  return rows.map((row, i) => {
    const { id, title, term } = pictures[row];
    return { id, row, title, term, x: xs[i], y: ys[i] };
  });
}
