/**
 * The exercises of notebook 1: how long a polite crawl takes, which addresses
 * mean one picture, and how long to wait after a refusal.
 *
 * ```ts
 * import { nextPause, politeTime } from "#lib/exercises/crawler.ts";
 * import { match } from "node:assert/strict";
 *
 * match(`${await politeTime(90, 3).check(3)}`, /Right/);
 * match(`${await politeTime(90, 3).check(1)}`, /tabs/);
 * match(`${await nextPause.check(() => 500)}`, /Not yet/);
 * ```
 *
 * @module
 */
import { Exercise, quoteAnswer } from "./exercises.ts";

/** The pause between two requests that the first exercise's site asks for. */
const CRAWL_DELAY_S = 2;

/**
 * Exercise 1: the minutes that a crawl takes at the pace of `Crawl-delay: 2`,
 * counting each picture's own page alone.
 *
 * @param pictures How many the crawl found.
 * @param tabs How many were open.
 */
export function politeTime(pictures: number, tabs: number): Exercise<number> {
  const minutes = pictures * CRAWL_DELAY_S / 60;
  /** Rounded up or down; but not down to nothing. */
  const isRounded = (answer: number) =>
    Number.isInteger(answer) && answer > 0 && Math.abs(answer - minutes) < 1;
  // The first page need not wait.
  const isNear = (answer: number, wanted: number) =>
    Math.abs(answer - wanted) <= wanted / 50 + CRAWL_DELAY_S / 60;
  return new Exercise({
    hint:
      "A picture's page is one request. Who keeps the pause, each tab, or " +
      "all of them together?",
    answer: "crawled.pictures.length * 2 / 60",
    lesson: "The pace is the site's and not ours. More tabs only help where " +
      "we wait for pages, not where we wait out of politeness.",
    findFault(answer) {
      if (typeof answer !== "number" || !Number.isFinite(answer)) {
        return `Expected a number of minutes, got ${quoteAnswer(answer)}.`;
      }
      if (isNear(answer, minutes) || isRounded(answer)) return;
      if (isNear(answer, minutes * 60)) {
        return `${
          quoteAnswer(answer)
        } are the seconds; how many minutes is that?`;
      }
      if (isNear(answer, minutes / tabs)) {
        return `All ${tabs} tabs ask the same site, so they share its pauses.`;
      }
      const asked = Math.round(Math.max(0, answer) * 60 / CRAWL_DELAY_S);
      return `In ${quoteAnswer(answer)} minutes, one request every ` +
        `${CRAWL_DELAY_S} seconds makes ${asked} requests, but the crawl ` +
        `found ${pictures} pictures, each with a page of its own.`;
    },
  });
}

/** The practice site's addresses of one picture a line, the rest left out. */
const ADDRESSES = [
  ["2100-owl_b.jpg", "2100-owl_m.jpg", "2100-owl_t.jpg?from=promoted"],
  ["2101-owl_m.jpg", "2101-owl_s.jpg", "2101-owl_b.jpg#photo"],
  ["210-owl_b.jpg", "210-owl_s.jpg?from=search&page=2"],
  ["21001-owl_m.jpg", "21001-owl_b.jpg"],
  ["2102-t-shirt_t.jpg", "2102-t-shirt_b.jpg"],
].map((names) => names.map((name) => `http://127.0.0.1:8765/pictures/${name}`));

/** Exercise 2: what all addresses of one picture, and of no other, lead to. */
export const pictureKey: Exercise<(address: string) => unknown> = new Exercise({
  signature: "(address) => key",
  hint:
    "Which part of an address stays when the size changes, and is another " +
    "one when the same photo is uploaded again?",
  answer: "(address) => address.match(/\\/pictures\\/(\\d+)-/)[1]",
  lesson: "A site's number for a picture outlasts sizes and notes. What was " +
    "uploaded twice has two numbers: that is for notebook 2.",
  findFault(keyOf) {
    const seen = new Map<unknown, string>();
    for (const [first, ...others] of ADDRESSES) {
      const key = keyOf(first);
      if (typeof key !== "string" && typeof key !== "number") {
        return "Expected your function to return a text or a number, got " +
          `${quoteAnswer(key)} for ${first}.`;
      }
      const other = others.find((address) => keyOf(address) !== key);
      if (other) {
        return `${first} and ${other} are one picture, but your function ` +
          `returns ${quoteAnswer(key)} and ${quoteAnswer(keyOf(other))}.`;
      }
      if (seen.has(key)) {
        return `${seen.get(key)} and ${first} are two uploads, but your ` +
          `function returns ${quoteAnswer(key)} for both.`;
      }
      seen.set(key, first);
    }
  },
});

/** Longest pause that is not asked for, in milliseconds: ten minutes. */
const LONGEST_MS = 600_000;
/** Least pause, in milliseconds: a tenth of a second. */
const LEAST_MS = 100;
/** Pauses may be random, so each is asked for so often, and the mean taken. */
const CALLS = 1000;
/** What chance may take from a mean of so many calls, with room to spare. */
const SLACK = 0.8;

/** The refusals in a row that are tried. */
const ATTEMPTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1000];

/** A function that the third exercise asks for. */
type PauseOf = (attempt: number, retryAfter: string | null) => number;

/** Exercise 3: how long to wait before the next try, in milliseconds. */
export const nextPause: Exercise<PauseOf> = new Exercise<PauseOf>({
  signature: "(attempt, retryAfter) => milliseconds",
  hint:
    "Double the pause with each attempt, up to a bound, and take what the " +
    "site asks for where that is longer. Date.parse() reads the date form.",
  answer: `(attempt, retryAfter) => {
  const asked = /^\\d+$/.test(retryAfter)
    ? 1000 * Number(retryAfter)
    : Date.parse(retryAfter) - Date.now();
  return Math.max(Math.min(1000 * 2 ** attempt, 60_000), asked || 0);
}`,
  lesson:
    "Such a crawl gives a site in trouble more and more time, does what " +
    "it asks, and still comes back.",
  findFault(pauseOf) {
    const date = (ms: number) => new Date(Date.now() + ms).toUTCString();
    return faultOfGrowth(pauseOf) ??
      faultOfPauses(pauseOf, 1, "7", 7000) ??
      faultOfPauses(pauseOf, 3, "900", 900_000, 2 * 900_000) ??
      // The date form is exact to a second.
      faultOfPauses(pauseOf, 1, date(60_000), 58_000) ??
      faultOfPauses(pauseOf, 1, date(-60_000)) ??
      faultOfPauses(pauseOf, 1, "0") ??
      faultOfPauses(pauseOf, 1, "soon");
  },
});

function faultOfPauses(
  pauseOf: PauseOf,
  attempt: number,
  retryAfter: string | null,
  least = 0,
  most = LONGEST_MS,
): string | undefined {
  const call = `(${attempt}, ${quoteAnswer(retryAfter)})`;
  const pauses: number[] = [];
  for (let i = 0; i < CALLS; i++) {
    const pause: unknown = pauseOf(attempt, retryAfter);
    if (typeof pause !== "number" || Number.isNaN(pause)) {
      return `Expected milliseconds for ${call}, got ${quoteAnswer(pause)}.`;
    }
    pauses.push(pause);
  }
  const [shortest, longest, mean] = [
    Math.min(...pauses),
    Math.max(...pauses),
    meanOf(pauses),
  ].map(Math.round);
  const said = (pause: number) => `After ${call} the pause is ${pause} ms: `;
  if (shortest < least) return `${said(shortest)}expected ${least} or more.`;
  if (longest > most) {
    return `${said(longest)}expected ${most} or less, ${
      most / 60_000
    } minutes.`;
  }
  if (mean < SLACK * LEAST_MS) {
    return `${said(mean)}expected ${LEAST_MS} or more. A second has 1000.`;
  }
}

function faultOfGrowth(pauseOf: PauseOf): string | undefined {
  for (const attempt of ATTEMPTS) {
    const fault = faultOfPauses(pauseOf, attempt, null);
    if (fault) return fault;
  }
  const means = ATTEMPTS.map((attempt) =>
    meanOf(Array.from({ length: CALLS }, () => pauseOf(attempt, null)))
  );
  const said = means.map((mean, i) =>
    `${Math.round(mean)} ms after refusal ${ATTEMPTS[i]}`
  );
  if (means[5] < SLACK * 4 * means[0]) {
    return `Pauses of ${said[0]} and ${said[5]}: a site in trouble needs ` +
      "pauses that grow, fourfold at least by then.";
  }
  const shrunk = means.findIndex((mean, i) => mean < SLACK * means[i - 1]);
  if (shrunk < 0) return;
  return `Pauses of ${said[shrunk - 1]} and ${
    said[shrunk]
  }: they should never ` +
    "shrink.";
}

function meanOf(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
