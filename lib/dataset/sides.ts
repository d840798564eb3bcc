/**
 * On which side of the data set pictures lie: a side that was given is kept, the
 * others are split. Near duplicates that stay, and what the caller groups, lie on
 * one side.
 *
 * ```ts
 * import { chooseSides } from "#lib/dataset/sides.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * // The middle one is left out for the first.
 * const near = { dropped: new Map([[1, 0]]), staying: [], pairs: [] };
 * const pictures = {
 *   ...{ found: 3, rows: [0, 1, 2], classes: [0, 0, 0], terms: ["owl"], sums: [5, 6, 7] },
 *   ...{ areas: [], hashes: new Uint32Array(), given: new Map() },
 *   ...{ spared: new Set<number>(), groups: [NaN, NaN, NaN], sameAs: new Map() },
 * };
 * const { of } = chooseSides(pictures, near, { test: 1 });
 * deepStrictEqual(of, ["test", undefined, "train"]);
 * ```
 *
 * @module
 */
import type { Near, Pictures } from "./distinct.ts";
import { type SplitOptions, splitPictures } from "./split.ts";
import type { DatasetPicture } from "../records.ts";

/** Where the pictures of the data set belong. */
export interface Sides {
  /** By row; undefined for what is left out. */
  of: (DatasetPicture["split"] | undefined)[];
  /** Classes that are left out, and why. */
  refused: { term: string; reason: string }[];
}

/** Splits what stays. */
export function chooseSides(
  { found, rows: rowOf, classes, terms, sums, given, groups }: Pictures,
  { dropped, staying }: Near,
  split: SplitOptions,
): Sides {
  const free: number[] = [];
  const placeOf = new Int32Array(rowOf.length).fill(-1);
  const of: Sides["of"] = Array(found).fill(undefined);
  const firstOf = new Map<number, number>();
  const links: [number, number][] = [];
  for (const [number, row] of rowOf.entries()) {
    const side = given.get(number);
    if (dropped.has(row)) continue;
    if (side) {
      of[row] = side;
      continue;
    }
    const place = free.push(number) - 1;
    placeOf[number] = place;
    const group = groups[number];
    if (Number.isNaN(group)) continue;
    if (firstOf.has(group)) links.push([firstOf.get(group)!, place]);
    else firstOf.set(group, place);
  }
  for (const { a, b } of staying) {
    const [from, to] = [placeOf[a], placeOf[b]];
    if (from >= 0 && to >= 0) links.push([from, to]);
  }
  const { sides, refused } = splitPictures({
    classes: Uint32Array.from(free, (number) => classes[number]),
    links,
    nameOf: (place) => String(sums[free[place]]),
  }, split);
  for (const [place, side] of sides.entries()) {
    of[rowOf[free[place]]] = side;
  }
  const named = refused.map(({ class: number, reason }) => (
    { term: terms[number], reason }
  ));
  return { of, refused: named };
}
