/**
 * The exercises of notebook 5: what a database's number means, how careful a
 * search must be, and an index of another kind.
 *
 * ```ts
 * import { fewestCandidates } from "#lib/exercises/vector_database.ts";
 * import { match } from "node:assert/strict";
 *
 * const hasty = (sweep: { efSearch: number }[]) => sweep[0].efSearch;
 * match(`${await fewestCandidates.check(hasty)}`, /Not yet/);
 * ```
 *
 * @module
 */
import { dot } from "../compare/metrics.ts";
import { Exercise, quoteAnswer } from "./exercises.ts";

/** From Chroma's `l2` of two unit vectors to their cosine similarity. */
export type CosineOfSquared = (squaredL2: number) => number;

/** What does a collection by L2 say about the cosine? */
export const cosineOfSquared: Exercise<CosineOfSquared> = new Exercise<
  CosineOfSquared
>({
  signature: "(squaredL2) => cosine",
  hint:
    "Solve the law of Table 5, ‖a − b‖² = 2 (1 − cos), for cos. Mind that " +
    "Chroma's number is the left side as it stands, squared already.",
  answer: "(squaredL2) => 1 - squaredL2 / 2",
  lesson: "One collection is enough: on unit vectors each measure gives the " +
    "other.",
  findFault(answer) {
    for (const [squared, cosine, pair] of PAIRS) {
      const got = answer(squared);
      if (typeof got === "number" && Math.abs(got - cosine) < 1e-9) continue;
      return `Of ${pair}, Chroma's l2 is ${squared} and the cosine ` +
        `${cosine}; you get ${quoteAnswer(got)}.`;
    }
  },
});

/** Squared L2 distance and cosine of two unit vectors, and which they are. */
const PAIRS: [number, number, string][] = [
  [0, 1, "a vector and itself"],
  [2, 0, "two vectors at a right angle"],
  [4, -1, "a vector and its opposite"],
  [1, 0.5, "two vectors at 60 degrees"],
];

/** What one setting of an index found, and what it took. */
export interface Measured {
  efSearch: number;
  /** Share of the true neighbours found, 0 to 1. */
  recall: number;
  /** Milliseconds a query. */
  ms: number;
}

/** The least efSearch that reaches a recall; undefined where none does. */
export type FewestCandidates = (
  sweep: Measured[],
  target: number,
) => number | undefined;

/** How many candidates are enough? */
export const fewestCandidates: Exercise<FewestCandidates> = new Exercise<
  FewestCandidates
>({
  signature: "(sweep, target) => efSearch",
  hint: "Keep the settings whose recall is enough, then take the least " +
    "efSearch of them. Which value says that there is none?",
  answer: `(sweep, target) => {
  const enough = sweep.filter(({ recall }) => recall >= target);
  if (enough.length === 0) return undefined;
  return Math.min(...enough.map(({ efSearch }) => efSearch));
}`,
  lesson: "First say how much may be missed, then pay for no more: this is " +
    "how an index is set up in practice.",
  findFault(answer) {
    for (const { measured, target, expected, why } of SWEEPS) {
      const sweep = measured.map((setting) => ({ ...setting }));
      const asked = `With ${quoteSweep(measured)} and a target of ${target}`;
      let got: unknown;
      try {
        got = answer(sweep, target);
      } catch (error) {
        return `${asked} your function throws ${error}. ${why}`;
      }
      if (got !== expected) {
        return `${asked} you get ${quoteAnswer(got)}. ${why}`;
      }
      if (quoteSweep(sweep) !== quoteSweep(measured)) {
        return "Your function changes the sweep that it was given, and the " +
          "caller's chart with it. Work on a copy: filter(), toSorted().";
      }
    }
  },
});

const quoteSweep = (sweep: Measured[]) =>
  sweep.map(({ efSearch, recall, ms }) =>
    `efSearch ${efSearch} (recall ${recall}, ${ms} ms)`
  ).join(", ") || "an empty sweep";

const HASTY = { efSearch: 10, recall: 0.8, ms: 0.1 };
const MIDDLING = { efSearch: 40, recall: 0.97, ms: 0.4 };
const CAREFUL = { efSearch: 160, recall: 1, ms: 1.6 };

/** Sweeps, and what is right for them. */
const SWEEPS: {
  measured: Measured[];
  target: number;
  expected: number | undefined;
  why: string;
}[] = [
  {
    measured: [HASTY, MIDDLING, CAREFUL],
    target: 0.95,
    expected: 40,
    why: "40 is enough, and the least that is.",
  },
  {
    measured: [HASTY, MIDDLING, CAREFUL],
    target: 0.97,
    expected: 40,
    why: "A recall that equals the target reaches it.",
  },
  {
    measured: [CAREFUL, HASTY, MIDDLING],
    target: 0.9,
    expected: 40,
    why: "The settings need not be in order: 40 is less than 160.",
  },
  {
    measured: [HASTY, MIDDLING, { ...CAREFUL, ms: 0.3 }],
    target: 0.95,
    expected: 40,
    why: "40 is asked for, although 160 was faster here: a clock errs, and " +
      "fewer candidates are less work.",
  },
  {
    measured: [HASTY, MIDDLING],
    target: 0.99,
    expected: undefined,
    why: "No setting reaches that: say so with undefined, and not with one " +
      "that misses more than was allowed.",
  },
  {
    measured: [],
    target: 0,
    expected: undefined,
    why: "Nothing was measured, so nothing can be chosen: return undefined.",
  },
];

/**
 * Which rows to compare with: those in the lists of the `probes` centres nearest
 * to the query.
 */
export type ListsToSearch = (
  query: Float32Array,
  centres: Float32Array[],
  lists: number[][],
  probes: number,
) => number[];

/** An index that sorts vectors into lists: an inverted file. */
export const listsToSearch: Exercise<ListsToSearch> = new Exercise<
  ListsToSearch
>({
  signature: "(query, centres, lists, probes) => rows",
  hint: "Rank the centres by their dot product with the query, as search() " +
    "ranks a gallery; take the first probes of them and join their lists.",
  answer: `(query, centres, lists, probes) =>
  centres
    .map((centre, list) => ({ list, value: metrics.cosine.measure(query, centre) }))
    .toSorted((a, b) => b.value - a.value)
    .slice(0, probes)
    .flatMap(({ list }) => lists[list])`,
  lesson:
    "This is an inverted file (IVF), the other common index. Its probes " +
    "do what efSearch does: a neighbour in a list that is not opened is missed.",
  findFault(answer) {
    for (let turn = 0; turn < CENTRES; turn++) {
      const query = direction(turn + 0.2);
      for (let probes = 1; probes <= CENTRES; probes++) {
        const fault = faultOfRows(answer, query, probes);
        if (fault) return fault;
      }
    }
  },
});

const CENTRES = 5;

/** A unit vector, so many fifths of a full turn from the first axis. */
function direction(fifths: number): Float32Array {
  const angle = fifths * 2 * Math.PI / CENTRES;
  return Float32Array.of(Math.cos(angle), Math.sin(angle));
}

function faultOfRows(
  answer: ListsToSearch,
  query: Float32Array,
  probes: number,
): string | undefined {
  const centres = Array.from({ length: CENTRES }, (_, i) => direction(i));
  // Lists of unequal length, so that positions of lists are no rows of theirs.
  const lists = [[7, 3], [1], [0, 9, 12], [], [4, 2, 8]];
  const near = lists.map((_, list) => list)
    .sort((a, b) => dot(query, centres[b]) - dot(query, centres[a]))
    .slice(0, probes);
  const expected = near.flatMap((list) => lists[list]);
  const got = answer(
    query.slice(),
    centres,
    lists.map((rows) => [...rows]),
    probes,
  );
  const asked = `With the lists ${quoteAnswer(lists)} and ${probes} of them ` +
    `opened, the nearest ${quoteAnswer(near)}, `;
  if (!Array.isArray(got) || got.some((row) => typeof row !== "number")) {
    return `${asked}an array of rows is expected; you return ` +
      `${quoteAnswer(got)}.`;
  }
  const inOrder = (rows: number[]) =>
    quoteAnswer(rows.toSorted((a, b) => a - b));
  if (inOrder(got) === inOrder(expected)) return;
  return `${asked}the rows ${inOrder(expected)} are expected, in any order; ` +
    `you return ${inOrder(got)}.`;
}
