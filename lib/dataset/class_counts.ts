/**
 * How each class ends: what is left of it on either side, and why of some classes
 * nothing is.
 *
 * ```ts
 * import { ClassCounts } from "#lib/dataset/class_counts.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const counts = new ClassCounts();
 * counts.add({ term: "red", outcome: "near duplicate", stage: "compare" }, "blue");
 * counts.add({ term: "blue", outcome: "train", stage: "" });
 * deepStrictEqual(counts.lost(), [{
 *   term: "red",
 *   reason: "its one picture is nearly the same as pictures in blue",
 * }]);
 * ```
 *
 * @module
 */
import type { Account } from "./accounts.ts";

/** A class that is left out, and why. */
export interface RefusedClass {
  term: string;
  reason: string;
}

/** What a class comes to. */
interface Tally {
  term: string;
  found: number;
  train: number;
  test: number;
  /** How many are lost, by what they are. */
  lost: Map<string, number>;
  /** Whether the split refuses it, and says why. */
  isRefused: boolean;
}

/** Classes that a line names. */
const MOST_NAMED = 10;

/** Counts picture by picture. */
export class ClassCounts {
  readonly #tallies = new Map<string, Tally>();

  /**
   * Takes how a picture ends.
   *
   * @param other The class of the picture that stays for it.
   */
  add(
    { term, outcome, stage }: Pick<Account, "term" | "outcome" | "stage">,
    other?: string,
  ): void {
    const key = term.normalize("NFC");
    const tally = this.#tallies.get(key) ??
      { term, found: 0, train: 0, test: 0, lost: new Map(), isRefused: false };
    this.#tallies.set(key, tally);
    tally.found++;
    if (outcome === "train" || outcome === "test") tally[outcome]++;
    else if (outcome === "class too small") tally.isRefused = true;
    else {
      const what = whatIs(outcome, stage, other);
      tally.lost.set(what, (tally.lost.get(what) ?? 0) + 1);
    }
  }

  /** Classes of which no picture is left, but for those that are refused. */
  lost(): RefusedClass[] {
    return [...this.#tallies.values()]
      .filter(({ train, test, isRefused }) => train + test === 0 && !isRefused)
      .map((tally) => ({ term: tally.term, reason: whyLost(tally) }));
  }

  /** What is odd about a split that was given, a line each. */
  oneSided(): string[] {
    const all = [...this.#tallies.values()];
    const tests = all.filter(({ train, test }) => test > 0 && train === 0);
    const trains = all.filter(({ train, test }) => train > 0 && test === 0);
    return [
      ...tests.length > 0
        ? [`Only in test, so that their queries find nothing: ${named(tests)}`]
        : [],
      ...trains.length > 0
        ? [`Only in train, so that no query asks for them: ${named(trains)}`]
        : [],
    ];
  }

  /** Which classes have fewer queries than were asked for, in a line. */
  tooFew(asked: number): string[] {
    const few = [...this.#tallies.values()]
      .filter(({ train, test }) => test < asked && train + test > 0);
    if (few.length === 0) return [];
    const each = few.map(({ term, train, test }) => ({
      term: `${term} ${test} of its ${train + test} pictures`,
    }));
    return [`Fewer queries than the ${asked} asked for: ${named(each)}`];
  }
}

function named(classes: readonly { term: string }[]): string {
  const more = classes.length - MOST_NAMED;
  return classes.slice(0, MOST_NAMED).map(({ term }) => term).join(", ") +
    (more > 0 ? `, and ${more} more` : "");
}

function whyLost({ found, lost }: Tally): string {
  const parts = [...lost].sort(([, a], [, b]) => b - a);
  if (parts.length > 1) {
    const each = parts.map(([what, count]) => `${count} ${what}`);
    return `none of its ${found} pictures is left: ${each.join(", ")}`;
  }
  const [[what]] = parts;
  return found === 1
    ? `its one picture is ${what}`
    : `all ${found} pictures are ${what}`;
}

/** Says it of pictures: "they are …". */
function whatIs(
  outcome: Account["outcome"],
  stage: string,
  other?: string,
): string {
  if (outcome === "duplicate") return `the same as pictures in ${other}`;
  if (outcome === "near duplicate") {
    return `nearly the same as pictures in ${other}`;
  }
  if (outcome !== "not downloaded") return outcome;
  return stage === "licence" ? "not under a licence that is wanted" : outcome;
}
