/**
 * Which pictures are searched for (test) and which are searched (train).
 *
 * The split is stratified: each class gives its share. Pictures that are linked,
 * since they are nearly the same or somebody groups them, lie on one side, or a
 * query would find its own twin; so a class may give a few more or less than was
 * asked. A class that cannot have pictures on both sides is refused.
 *
 * Touches no files.
 *
 * ```ts
 * import { splitPictures } from "#lib/dataset/split.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const classes = [0, 0, 0, 0, 1]; // four owls, and a fox
 * const { sides, refused } = splitPictures(
 *   { classes, links: [[0, 2]], nameOf: String },
 *   { test: 1 },
 * );
 * // The first two that are free to go are 1 and 3, of which one is asked for.
 * deepStrictEqual(sides, ["train", "test", "train", "train", undefined]);
 * deepStrictEqual(refused[0].class, 1);
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { FoundPicture } from "../records.ts";

/** How to split. */
export interface SplitOptions {
  /**
   * Pictures of each class that become queries: a whole number, or, between 0
   * and 1, a fraction of the class.
   * @default 2
   */
  test?: number;
  /** Which ones: by chance, the same for the same seed; absent, the first. */
  seed?: number;
  /** Pictures of the same group, whatever its name, lie on one side. */
  groupBy?: (picture: FoundPicture) => string | undefined;
}

/**
 * A `groupBy`: what one author shows on one page, as the pictures of a series.
 * Where no page is known, a picture is a group by itself.
 */
export function byAuthorAndPage(
  { author, page }: Pick<FoundPicture, "author" | "page">,
): string | undefined {
  return page === "" ? undefined : `${page}\n${author}`;
}

/** What is split: N pictures, by their numbers from 0, in order. */
export interface Splittable {
  /** The class of each, a number from 0. */
  classes: ArrayLike<number>;
  /** Pairs that lie on one side, and with them what is linked to either. */
  links: Iterable<readonly [number, number]>;
  /** What the seed draws by: other pictures that come or go change nothing. */
  nameOf: (picture: number) => string;
}

/** On which side each picture lies. */
export interface Split {
  /** Of each picture; undefined in a class that is refused. */
  sides: ("train" | "test" | undefined)[];
  /** Classes that are left out, and why. */
  refused: { class: number; reason: string }[];
}

/**
 * Checks the options, before the work begins.
 *
 * @throws {RangeError} If `test` is neither a count nor a fraction, or `seed` no
 *   whole number.
 */
export function checkSplit({ test = 2, seed = 0 }: SplitOptions): void {
  if (!(Number.isInteger(test) ? test >= 0 : test > 0 && test < 1)) {
    throw new RangeError(
      `split: expected test to be a whole number from 0, or a fraction ` +
        `between 0 and 1, got ${test}`,
    );
  }
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(
      `split: expected seed to be a whole number, got ${seed}`,
    );
  }
}

/**
 * Splits each class. Without a seed or links, its first pictures are queries.
 *
 * No group could change sides and bring the sizes nearer to what was asked.
 */
export function splitPictures(
  { classes, links, nameOf }: Splittable,
  { test = 2, seed }: SplitOptions,
): Split {
  checkSplit({ test, seed });
  const groups = groupsOf(classes.length, links);
  const order = Uint32Array.from({ length: groups.count }, (_, i) => i);
  if (seed !== undefined) {
    // By the smallest number in the group: the same whichever comes first.
    const drawn = new Float64Array(groups.count).fill(Infinity);
    for (const group of order) {
      for (const picture of groups.of(group)) {
        const number = draw(`${seed} ${nameOf(picture)}`);
        drawn[group] = Math.min(drawn[group], number);
      }
    }
    order.sort((a, b) => drawn[a] - drawn[b] || a - b);
  }
  // Anew each time: of 100,000 groups, their parts would take much memory.
  const partsOf = (group: number) => countClasses(groups.of(group), classes);
  const tallies: Tally[] = [];
  for (const [of, count] of order.keys().flatMap(partsOf)) {
    const tally = tallies[of] ??= { groups: 0, size: 0, wanted: 0, test: 0 };
    tally.groups++;
    tally.size += count;
  }
  for (const tally of tallies) {
    if (!tally || test === 0) continue;
    const share = test < 1 ? Math.round(test * tally.size) : test;
    tally.wanted = Math.max(1, Math.min(share, tally.size - 1));
  }

  const isTest = new Uint8Array(groups.count);
  for (const group of order) {
    const parts = partsOf(group);
    const fits = parts.every(([of, count]) =>
      tallies[of].test + count <= tallies[of].wanted
    );
    if (!fits) continue;
    for (const [of, count] of parts) tallies[of].test += count;
    isTest[group] = 1;
  }
  for (let changed = true; changed;) {
    changed = false;
    for (const group of order) {
      const parts = partsOf(group);
      const sign = isTest[group] ? -1 : 1;
      let gain = 0;
      for (const [of, count] of parts) {
        gain += fault(tallies[of], 0) - fault(tallies[of], sign * count);
      }
      if (gain <= 0) continue;
      for (const [of, count] of parts) tallies[of].test += sign * count;
      isTest[group] ^= 1;
      changed = true;
    }
  }

  const isRefused = ({ size, wanted, test }: Tally) =>
    wanted > 0 && (test === 0 || test === size);
  const sides: Split["sides"] = Array(classes.length).fill(undefined);
  for (const group of order) {
    for (const picture of groups.of(group)) {
      if (isRefused(tallies[classes[picture]])) continue;
      sides[picture] = isTest[group] ? "test" : "train";
    }
  }
  const refused = [...tallies.entries()].flatMap(([of, tally]) =>
    tally && isRefused(tally) ? { class: of, reason: reasonOf(tally) } : []
  );
  return { sides, refused };
}

/** A class, in pictures. */
interface Tally {
  groups: number;
  size: number;
  /** How many are to be queries. */
  wanted: number;
  /** How many are. */
  test: number;
}

/** How far a class is from what was asked, with so many queries more. */
function fault({ size, wanted, test }: Tally, more: number): number {
  const queries = test + more;
  const isOneSided = wanted > 0 && (queries === 0 || queries === size);
  // An empty side is worse than any size.
  return Math.abs(queries - wanted) + (isOneSided ? ONE_SIDED : 0);
}

const ONE_SIDED = 2 ** 32;

function reasonOf({ size, groups }: Tally): string {
  const ways = "find more of it, or split with test: 0";
  if (size === 1) return `1 picture, expected 2 or more: ${ways}`;
  return groups === 1
    ? `its ${size} pictures are one group, expected 2 or more: ${ways}`
    : `its ${groups} groups hang together with those of other classes: group ` +
      `less, ${ways}`;
}

/** A number that is as good as drawn, the same for the same text. */
function draw(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6);
}

/** Groups, by numbers from 0 in the order of their first pictures. */
interface Groups {
  count: number;
  /** The pictures of a group, in order. */
  of: (group: number) => Uint32Array;
}

/** Who is linked, directly or by way of others, is in one group. */
function groupsOf(count: number, links: Splittable["links"]): Groups {
  // Each picture points to an earlier one of its group, the first to itself.
  const earlier = Int32Array.from({ length: count }, (_, i) => i);
  const firstOf = (picture: number) => {
    while (earlier[picture] !== picture) {
      picture = earlier[picture] = earlier[earlier[picture]];
    }
    return picture;
  };
  for (const [a, b] of links) {
    const [first, other] = [firstOf(a), firstOf(b)].sort((a, b) => a - b);
    earlier[other] = first;
  }
  const groupOf = new Uint32Array(count);
  let groups = 0;
  for (let picture = 0; picture < count; picture++) {
    const first = firstOf(picture);
    groupOf[picture] = first === picture ? groups++ : groupOf[first];
  }
  // Group by group, and where each begins.
  const pictures = Uint32Array.from(groupOf.keys())
    .sort((a, b) => groupOf[a] - groupOf[b] || a - b);
  const starts = new Uint32Array(groups + 1);
  for (const group of groupOf) starts[group + 1]++;
  for (let group = 0; group < groups; group++) {
    starts[group + 1] += starts[group];
  }
  const of = (group: number) =>
    pictures.subarray(starts[group], starts[group + 1]);
  return { count: groups, of };
}

/** How many pictures of which class a group has. */
function countClasses(
  group: Uint32Array,
  classes: ArrayLike<number>,
): [of: number, count: number][] {
  const counts = new Map<number, number>();
  for (const picture of group) {
    const of = classes[picture];
    counts.set(of, (counts.get(of) ?? 0) + 1);
  }
  return [...counts];
}
