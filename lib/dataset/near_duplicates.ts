/**
 * Pictures that are nearly the same: made smaller, saved again, framed, with a
 * line of text on them.
 *
 * Two are near duplicates if their hashes differ in 28 of 256 bits at most and
 * their colours nowhere by more than 16 levels; above 16 bits, an encoder has to
 * confirm it, where one is at hand.
 *
 * Of each two that are alike, one goes; but only for one that stays. Where A is
 * like B and B like C, and A is not like C, then A and C stay.
 *
 * ```ts
 * import { leaveOut } from "#lib/dataset/near_duplicates.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const pairs = [{ a: 0, b: 1, hashDistance: 4 }, { a: 1, b: 2, hashDistance: 6 }];
 * // The first is the largest.
 * const areas = [900, 800, 700];
 * const { dropped } = leaveOut(pairs, { areas, isSpared: () => false });
 * deepStrictEqual([...dropped], [[1, pairs[0]]]);
 * ```
 *
 * @module
 */
import { setImmediate as immediate } from "node:timers/promises";
import {
  colourDistance,
  distanceAt,
  HASH_WORDS,
  WORDS,
} from "./perceptual_hash.ts";

/**
 * Most bits, of 256, in which near duplicates differ. Chosen on 317 photographs,
 * the sample: of copies that are made smaller, saved again or framed, at least
 * 98 % are within it, and no two of the photographs. It is the same for 1,051
 * others, Caltech 101 and COCO, of which 12 pairs are within it: 9 are copies to
 * the eye, one shows two motorcycles, two differ in colour.
 */
export const MAX_HASH_DISTANCE = 28;

/**
 * Most levels of 256 by which their colours differ. Chosen on the sample: copies
 * that are made smaller or saved again stay within 4, framed ones within 15;
 * chairs and cups that are tinted red, green and blue are 48 apart or more. Of the
 * others, 99.9 % of framed copies are within it, and of the 12 pairs not the two.
 */
export const MAX_COLOUR_DISTANCE = 16;

/**
 * Most bits where an encoder is not asked. Chosen on both sets: of copies that are
 * made smaller or saved again all are within it, of framed ones at least 91 %; of
 * the 1,051 no pair that is none.
 */
export const SURE_HASH_DISTANCE = 16;

/**
 * Least cosine similarity beyond it. Chosen on both sets with the offline encoder:
 * it costs framed copies 0.6 % at most (of the 51 pictures of COCO 2 %), and tells
 * the two motorcycles apart, which reach 0.93.
 */
export const MIN_SIMILARITY = 0.94;

/** How near duplicates are found, and which one stays. */
export interface NearOptions {
  /** Which one stays; of equally large ones, the earlier. @default "larger" */
  keep?: "larger" | "earlier";
  /** Addresses or files that stay whatever the rule says. */
  spare?: readonly string[];
  /**
   * Embeddings of files, a row of unit length each: asked for what the hashes
   * find, and that alone. Without it, hash and colours decide.
   */
  embed?: (files: string[]) => Promise<Iterable<ArrayLike<number>>>;
  /** Most bits, of 256, that differ. @default MAX_HASH_DISTANCE */
  maxHashDistance?: number;
  /**
   * Least cosine similarity where more than SURE_HASH_DISTANCE differ.
   * @default MIN_SIMILARITY
   */
  minSimilarity?: number;
}

/** Two pictures that are nearly the same, by their files. */
export interface NearPair {
  /** The file that stays in the data set. */
  kept: string;
  /** The file that was left out for it; spare it, and it stays. */
  dropped: string;
  /** In how many bits of 256 their hashes differ. */
  hashDistance: number;
  /** Cosine similarity of their embeddings, where there is an encoder. */
  similarity?: number;
  /** Whether they are of two classes, or on both sides of a given split. */
  across: boolean;
}

/** Two pictures, by their numbers, `a` the earlier. */
export interface Alike {
  a: number;
  b: number;
  hashDistance: number;
  similarity?: number;
}

/**
 * Checks the options, before the work begins.
 *
 * @throws {RangeError} If one is out of its range.
 */
export function checkNear(
  { keep = "larger", maxHashDistance = 0, minSimilarity = 0 }: NearOptions,
): void {
  const wrong = !["larger", "earlier"].includes(keep)
    ? `keep to be "larger" or "earlier", got ${keep}`
    : !(maxHashDistance >= 0 && maxHashDistance <= 256)
    ? `maxHashDistance to be bits from 0 to 256, got ${maxHashDistance}`
    : !(minSimilarity >= -1 && minSimilarity <= 1)
    ? `minSimilarity to be from -1 to 1, got ${minSimilarity}`
    : undefined;
  if (wrong) throw new RangeError(`nearDuplicates: expected ${wrong}`);
}

/**
 * Finds the pairs among N pictures.
 *
 * @param hashes HASH_WORDS numbers for each picture, end to end. One that has no
 *   hash, all zeros, is like none.
 * @param fileOf Where a picture lies, for the encoder.
 */
export async function findAlike(
  hashes: Uint32Array,
  fileOf: (picture: number) => string,
  {
    embed,
    maxHashDistance = MAX_HASH_DISTANCE,
    minSimilarity = MIN_SIMILARITY,
  }: NearOptions = {},
  signal?: AbortSignal,
): Promise<Alike[]> {
  const candidates = (await withinDistance(hashes, maxHashDistance, signal))
    .filter(({ a, b }) => colourDistance(of(a), of(b)) <= MAX_COLOUR_DISTANCE);
  if (!embed || candidates.length === 0) return candidates;
  const asked = [...new Set(candidates.flatMap(({ a, b }) => [a, b]))];
  const rows = [...await embed(asked.map(fileOf))];
  if (rows.length !== asked.length) {
    throw new RangeError(
      `nearDuplicates: expected embed to give ${asked.length} rows, got ${rows.length}`,
    );
  }
  const rowOf = new Map(asked.map((picture, i) => [picture, rows[i]]));
  for (const pair of candidates) {
    pair.similarity = cosine(rowOf.get(pair.a)!, rowOf.get(pair.b)!);
  }
  return candidates.filter(({ hashDistance, similarity }) =>
    hashDistance <= SURE_HASH_DISTANCE || similarity! >= minSimilarity
  );

  function of(picture: number): Uint32Array {
    return hashes.subarray(picture * HASH_WORDS, (picture + 1) * HASH_WORDS);
  }
}

/** All pairs within a distance, sorted. */
async function withinDistance(
  hashes: Uint32Array,
  most: number,
  signal?: AbortSignal,
): Promise<Alike[]> {
  const { bits, owners } = eachOnce(hashes);
  const count = owners.length;
  const found = new Map<string, Alike>();
  for (let a = 0; a < count; a++) {
    // Others have their turn: a bar moves, a button is heard.
    if (a % 256 === 0) {
      await immediate();
      signal?.throwIfAborted();
    }
    for (const b of placesNear(bits, a, count, most)) {
      if (owners[a] === owners[b]) continue;
      const hashDistance = distanceAt(bits, a, b, most);
      const pair = { a: owners[a], b: owners[b], hashDistance };
      const key = `${pair.a} ${pair.b}`;
      if (hashDistance < (found.get(key)?.hashDistance ?? Infinity)) {
        found.set(key, pair);
      }
    }
  }
  return [...found.values()].sort((one, two) => one.a - two.a || one.b - two.b);
}

/** Places after `a` of hashes within a distance; by itself, since it is hot. */
function placesNear(
  bits: Uint32Array,
  a: number,
  count: number,
  most: number,
): number[] {
  const near: number[] = [];
  for (let b = a + 1; b < count; b++) {
    if (distanceAt(bits, a, b, most) <= most) near.push(b);
  }
  return near;
}

/**
 * Each hash once, with the picture that it is of: a picture with a frame has two,
 * one with nothing to see has none.
 */
function eachOnce(hashes: Uint32Array) {
  const bits = new Uint32Array(hashes.length / HASH_WORDS * 2 * WORDS);
  const owners: number[] = [];
  const isOther = (at: number) => {
    for (let word = 0; word < WORDS; word++) {
      if (hashes[at + word] !== hashes[at + WORDS + word]) return true;
    }
    return false;
  };
  const add = (at: number) => {
    const hash = hashes.subarray(at, at + WORDS);
    if (hash.every((word) => word === 0)) return;
    bits.set(hash, owners.length * WORDS);
    owners.push(Math.floor(at / HASH_WORDS));
  };
  for (let at = 0; at < hashes.length; at += HASH_WORDS) {
    add(at);
    if (isOther(at)) add(at + WORDS);
  }
  return { bits, owners };
}

/** Of vectors of unit length. */
function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Which pictures go.
 *
 * @param pairs What `findAlike` found.
 * @returns Of each picture that goes, the pair with the one that stays for it;
 *   and pairs of which both stay, since one is spared.
 */
export function leaveOut(
  pairs: readonly Alike[],
  { areas, isSpared, keep = "larger" }: {
    /** Pixels of each picture. */
    areas: ArrayLike<number>;
    isSpared: (picture: number) => boolean;
    keep?: NearOptions["keep"];
  },
): { dropped: Map<number, Alike>; staying: Alike[] } {
  const pairsOf = new Map<number, Alike[]>();
  for (const pair of pairs) {
    for (const picture of [pair.a, pair.b]) {
      const its = pairsOf.get(picture);
      if (its) its.push(pair);
      else pairsOf.set(picture, [pair]);
    }
  }
  const size = (picture: number) => keep === "larger" ? areas[picture] : 0;
  const dropped = new Map<number, Alike>();
  // The best one stays, and what is like it goes; then the best of the rest.
  const inOrder = [...pairsOf.keys()].sort((a, b) =>
    size(b) - size(a) || a - b
  );
  for (const picture of inOrder) {
    if (dropped.has(picture)) continue;
    for (const pair of pairsOf.get(picture)!) {
      const other = pair.a === picture ? pair.b : pair.a;
      if (isSpared(other) || dropped.has(other) || isBefore(other, picture)) {
        continue;
      }
      dropped.set(other, pair);
    }
  }
  const staying = pairs.filter(({ a, b }) =>
    !dropped.has(a) && !dropped.has(b)
  );
  return { dropped, staying };

  /** Whether `other` had its turn, and stays: nothing that is spared removes it. */
  function isBefore(other: number, picture: number): boolean {
    return (size(other) - size(picture) || picture - other) > 0;
  }
}
