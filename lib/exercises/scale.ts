/**
 * The exercises of notebook 8: what an index weighs, a vector in eight bits, and
 * one answer from several machines.
 *
 * ```ts
 * import { indexBytes } from "#lib/exercises/scale.ts";
 * import { match } from "node:assert/strict";
 *
 * const vectorsOnly = (count: number, dimensions: number, bytes: number) =>
 *   count * dimensions * bytes;
 * match(`${await indexBytes.check(vectorsOnly)}`, /Not yet.*links/);
 * ```
 *
 * @module
 */
import { Exercise, quoteAnswer } from "./exercises.ts";

/** The memory that an HNSW index takes, from what it holds. */
export type IndexBytes = (
  count: number,
  dimensions: number,
  bytesANumber: number,
  maxNeighbors: number,
) => number;

/** How large is an index, before it is built? */
export const indexBytes: Exercise<IndexBytes> = new Exercise<IndexBytes>({
  signature: "(count, dimensions, bytesANumber, maxNeighbors) => bytes",
  hint:
    "What does one vector take: its numbers, and its links? On the bottom " +
    "layer it has room for 2 M links of 4 bytes each.",
  answer: `(count, dimensions, bytesANumber, maxNeighbors) =>
  count * (dimensions * bytesANumber + 2 * maxNeighbors * 4)`,
  lesson:
    "The fewer bytes a number takes, the more the links weigh: at 512 numbers " +
    "and M = 16 they add 6 % to 32 bits, and 25 % to 8 bits.",
  findFault(answer) {
    for (const [count, dimensions, bytes, links, why] of INDEXES) {
      const expected = count * (dimensions * bytes + 8 * links);
      const got = answer(count, dimensions, bytes, links);
      if (typeof got === "number" && Math.abs(got - expected) < 0.5) continue;
      return `${
        count.toLocaleString("en")
      } vectors of ${dimensions} numbers, ` +
        `${bytes} bytes each, with M = ${links} take ` +
        `${expected.toLocaleString("en")} bytes; you get ` +
        `${quoteAnswer(got)}. ${why}`;
    }
  },
});

/** Count, dimensions, bytes a number, M, and what a wrong answer overlooks. */
const INDEXES: [number, number, number, number, string][] = [
  [0, 512, 4, 16, "No vectors, no bytes."],
  [1, 512, 4, 0, "Without links there are the numbers alone."],
  [1, 512, 1, 0, "In eight bits, a number takes one byte."],
  [1, 512, 4, 16, "Add the links: 2 M of them, 4 bytes each."],
  [1, 512, 1, 16, "A link takes 4 bytes, however short the numbers are."],
  [1_000_000, 512, 2, 32, "Each vector has its numbers and its own links."],
];

/** A vector of whole numbers from −127 to 127 that points where another does. */
export type ToInt8 = (vector: Float32Array) => Int8Array;

/** Numbers of eight bits. */
export const toInt8: Exercise<ToInt8> = new Exercise<ToInt8>({
  signature: "(vector) => Int8Array",
  hint: "Which factor makes the largest number, its sign left out, 127? " +
    "Multiply by it and round, and think of a vector of zeros.",
  answer: `(vector) => {
  const largest = vector.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return Int8Array.from(vector, (x) => Math.round(127 * x / (largest || 1)));
}`,
  lesson: "A quarter of the memory, and each number is off by half a step of " +
    "127 at most: close enough to choose candidates, if not to rank them.",
  findFault(answer) {
    for (const [numbers, why] of VECTORS) {
      const vector = Float32Array.from(numbers);
      const got: unknown = answer(vector.slice());
      const said = `Of ${quoteAnswer(numbers)} you make ${quoteAnswer(got)}`;
      if (!(got instanceof Int8Array)) return `${said}, which is no Int8Array.`;
      if (got.length !== vector.length) {
        return `${said}: expected ${vector.length} numbers.`;
      }
      const largest = Math.max(...vector.map(Math.abs));
      const isOff = (x: number, i: number) =>
        Math.abs(got[i] - 127 * x / (largest || 1)) > 0.5 + 1e-4;
      if (vector.some(isOff)) return `${said}. ${why}`;
    }
  },
});

/** Vectors, and what a wrong answer overlooks. */
const VECTORS: [number[], string][] = [
  [[1, 0.5, -1, 0.25], "The largest becomes 127, all others in proportion."],
  [
    [0.1, -0.05, 0.02],
    "The largest becomes 127 here too: embeddings have small numbers, and " +
    "without a factor of their own most of the 255 steps stay unused.",
  ],
  [
    [-0.2, 0.1],
    "The sign does not count for the factor: −0.2 is the largest, as −127.",
  ],
  [
    [1, 0.011],
    "Round to the nearest whole number: an Int8Array by itself cuts off what " +
    "stands behind the point.",
  ],
  [[3, -400], "Numbers may be above 1: −400 is −127 here."],
  [[0, 0, 0], "A vector of zeros stays one; 0 ÷ 0 is no number."],
];

/** A hit, as any machine sends it: a higher value is more alike. */
export interface ShardHit {
  id: string;
  value: number;
}

/** The k best of several machines' hits; of an id that comes twice, one. */
export type MergeHits = (lists: ShardHit[][], k: number) => ShardHit[];

/** One answer from several machines. */
export const mergeHits: Exercise<MergeHits> = new Exercise<MergeHits>({
  signature: "(lists, k) => hits",
  hint: "Join the lists, sort by value, keep the first of each id, then cut. " +
    "What goes wrong if you cut before you look for ids that come twice?",
  answer: `(lists, k) => {
  const seen = new Set();
  return lists.flat()
    .toSorted((a, b) => b.value - a.value)
    .filter(({ id }) => !seen.has(id) && seen.add(id))
    .slice(0, k);
}`,
  lesson:
    "Each machine must send k hits, since all of the best may lie on one. The " +
    "slowest answers last: with ten machines, one query in ten meets the " +
    "slowest hundredth of some machine's answers.",
  findFault(answer) {
    for (const { lists, k, expected, why } of SHARDS) {
      const given = structuredClone(lists);
      const got: unknown = answer(given, k);
      const shown = (hits: ShardHit[]) =>
        hits.map(({ id, value }) => `${id} ${value}`).join(", ") || "nothing";
      const asked = `Of ${
        lists.map((hits) => `[${shown(hits)}]`).join(" and ") || "no lists"
      } with k = ${k}`;
      if (!Array.isArray(got) || !got.every(isHit)) {
        return `${asked} an array of hits is expected; you return ` +
          `${quoteAnswer(got)}.`;
      }
      if (shown(got) !== expected) {
        return `${asked} ${expected} are expected; you return ` +
          `${shown(got)}. ${why}`;
      }
      if (JSON.stringify(given) !== JSON.stringify(lists)) {
        return "Your function changes the lists that it was given. Work on a " +
          "copy: flat(), toSorted().";
      }
    }
  },
});

const isHit = (hit: unknown): hit is ShardHit =>
  typeof hit === "object" && hit !== null && "id" in hit && "value" in hit;

const hit = (id: string, value: number): ShardHit => ({ id, value });

/** What machines sent, and what is right for it. */
const SHARDS: {
  lists: ShardHit[][];
  k: number;
  expected: string;
  why: string;
}[] = [
  {
    lists: [[hit("owl", 0.9), hit("oak", 0.2)], [hit("ash", 0.5)]],
    k: 2,
    expected: "owl 0.9, ash 0.5",
    why: "The best of all come first, whichever machine they are from.",
  },
  {
    lists: [[hit("owl", 0.4), hit("elk", 0.3)], [hit("ash", 0.2)]],
    k: 2,
    expected: "owl 0.4, elk 0.3",
    why: "One machine may have all of the best.",
  },
  {
    lists: [[hit("owl", 0.9), hit("oak", 0.2)], [hit("owl", 0.9)]],
    k: 2,
    expected: "owl 0.9, oak 0.2",
    why: "A picture that two machines hold is one hit, and must not push " +
      "another one out.",
  },
  {
    lists: [[hit("owl", 0.5)], [hit("owl", 0.8)], []],
    k: 3,
    expected: "owl 0.8",
    why: "Of two values for one id, the better one stands; fewer than k hits " +
      "are fewer.",
  },
  {
    lists: [[hit("owl", -0.3)], [hit("oak", -0.1), hit("ash", -0.2)]],
    k: 1,
    expected: "oak -0.1",
    why: "Values can be below 0.",
  },
  { lists: [], k: 5, expected: "nothing", why: "No machine, no hit." },
];
