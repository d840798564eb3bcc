/**
 * A search as it is asked: by the page, by the terminal or by a notebook's cell.
 * Defaults and limits stand in web/query.js, which the page reads as well.
 *
 * Touches no files.
 *
 * ```ts
 * import { readQuery } from "#lib/search_page/engine/query.ts";
 * import { equal, throws } from "node:assert/strict";
 *
 * equal(readQuery({ text: "an owl" }).k, 12);
 * throws(() => readQuery({ text: 5 }), /text: expected text, got 5/);
 * ```
 *
 * @module
 */
import * as v from "valibot";
import { metrics } from "../../compare/metrics.ts";
import {
  DEFAULT_QUERY,
  HEAVIEST,
  lengthOf,
  LONGEST_LIST,
  LONGEST_PATH,
  LONGEST_TEXT,
  MODE_NAMES,
  MODES,
  RANGES,
  SORTS,
  splitWeight,
} from "../web/query.js";

/** A query that cannot be answered: its message is for the reader of the page. */
export class QueryError extends Error {
  override name = "QueryError";
}

const text = textUpTo(LONGEST_TEXT);
const trimmed = v.pipe(text, v.trim());
const texts = listOf(text);

/** What is looked for, among what, and how. All of it may be left out. */
export interface SearchQuery {
  /** Words to look for. */
  text: string;
  /**
   * Pictures to look for, their mean if there are several: paths in the
   * collection, or "upload:HASH", what uploading returned. Here and in the next
   * three lists "2:…" weighs twice; a path is taken whole first.
   */
  like: string[];
  /** Things to go towards, and away from: words. */
  plus: string[];
  minus: string[];
  /** Pictures to go away from, as in `like`. */
  unlike: string[];
  /**
   * What the query is compared with: titles and pictures together (smart), what
   * is written about the pictures (text), or the pictures alone (visual).
   */
  mode: "smart" | "text" | "visual";
  /** The text's share where text and picture are combined, 0 to 1. */
  textWeight: number;
  /** Only pictures with one of these; all where empty. */
  terms: string[];
  categories: string[];
  licenses: string[];
  cameras: string[];
  /** The first and last date, inclusive: "2019", "2019-06", "2019-06-01"; or "". */
  after: string;
  before: string;
  /**
   * Order of what fits; the rest comes after it, nearest first. Where nothing is
   * looked for, "relevance" is the order of paths.
   */
  sort: "relevance" | "newest" | "oldest";
  /** The first result that is wanted, from 0 on; and how many. */
  from: number;
  k: number;
  /**
   * From where on a result fits: "auto" takes what unrelated words reach in this
   * collection; a number, what is better than it; "none", all.
   */
  cut: "auto" | "none" | number;
  /** Pictures at least so alike count as copies of one another; 2 folds none. */
  fold: number;
  /** Which vectors: an encoder's id, or "pixels"; the first encoder's if "". */
  space: string;
  metric: keyof typeof metrics;
}

const date = v.pipe(
  trimmed,
  v.check(
    (text) => text === "" || isDate(text),
    expects("a date such as 2019, 2019-06 or 2019-06-01"),
  ),
);

const schema = v.strictObject({
  text: trimmed,
  like: listOf(textUpTo(LONGEST_PATH)),
  plus: texts,
  minus: texts,
  unlike: listOf(textUpTo(LONGEST_PATH)),
  mode: oneOf(MODES, MODE_NAMES),
  textWeight: number("textWeight"),
  terms: texts,
  categories: texts,
  licenses: texts,
  cameras: texts,
  after: date,
  before: date,
  sort: oneOf(
    SORTS,
    Object.keys(SORTS).join(", ").replace(/, (\w+)$/, " or $1"),
  ),
  from: wholeNumber("from"),
  k: wholeNumber("k"),
  cut: v.union([v.picklist(["auto", "none"]), number("cut")], rangeOf("cut")),
  fold: number("fold"),
  space: trimmed,
  metric: oneOf(metrics, `a metric (${Object.keys(metrics).join(", ")})`),
});

/**
 * Completes a query, and checks what came from outside.
 *
 * @throws {QueryError} If something is not as it should be: quotes it.
 */
export function readQuery(input: unknown): SearchQuery {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new QueryError(expects("a query")({ input }));
  }
  const given = Object.entries(input).filter(([, value]) =>
    value !== undefined
  );
  const query = { ...DEFAULT_QUERY, ...Object.fromEntries(given) };
  const { success, output, issues } = v.safeParse(schema, query);
  if (success) {
    for (const entry of output.plus) readWeighted("plus", entry);
    for (const entry of output.minus) readWeighted("minus", entry);
    checkOrder(output);
    return output;
  }
  const [{ expected, message, path }] = issues;
  const name = String(path?.[0].key);
  throw new QueryError(
    expected === "never"
      ? `${shorten(name)}: expected ${Object.keys(DEFAULT_QUERY).join(", ")}`
      : `${name}: ${message}`,
  );
}

/** The words' share where a query has words and pictures. */
export function blendWeight(
  { mode, textWeight }: Pick<SearchQuery, "mode" | "textWeight">,
): number {
  return mode === "smart" ? textWeight : 0.5;
}

const PREFIX =
  /^(?:an?|the|some)?\s*\b(?:photo(?:graph)?|picture|image)s?\s+of\s+(?:(?:an?|the|some)\s+)?/i;

/**
 * What a query's words are about: "a photo of an owl" is about an owl, and the
 * rest would only bring it nearer to any picture.
 */
export function subjectOf(words: string): string {
  const said = words.trim();
  return said.replace(PREFIX, "") || said;
}

/** One thing of a query's list, and what it weighs. */
export interface Weighted {
  weight: number;
  of: string;
}

/**
 * Reads an entry such as "2:cat".
 *
 * @throws {QueryError} If the weight is out of range, or nothing is weighed.
 */
export function readWeighted(
  name: "like" | "plus" | "minus" | "unlike",
  entry: string,
): Weighted {
  const { weight, of } = splitWeight(entry);
  if (!(weight > 0 && weight <= HEAVIEST)) {
    throw new QueryError(
      `${name}: expected a weight above 0 and up to ${HEAVIEST}, got ` +
        shorten(entry),
    );
  }
  if (of.trim() !== "") return { weight, of };
  throw new QueryError(
    `${name}: expected something to weigh, such as "2:cat", got ` +
      shorten(entry),
  );
}

/** Whether it is a year, with a month or not, with a day or not. */
function isDate(text: string): boolean {
  if (!/^\d{4}(-\d\d){0,2}$/.test(text)) return false;
  const whole = text + "-01-01".slice(text.length - 4);
  const time = new Date(`${whole}T00:00Z`);
  // The 31st of June is read as the 1st of July.
  return !Number.isNaN(+time) && time.toISOString().startsWith(whole);
}

function checkOrder({ after, before }: SearchQuery): void {
  const shared = Math.min(after.length, before.length);
  if (after.slice(0, shared) <= before.slice(0, shared)) return;
  throw new QueryError(
    `after: expected a date up to ${before}, where the range ends, got ${after}`,
  );
}

function textUpTo(length: number) {
  return v.pipe(
    v.string(expects("text")),
    v.check(
      (text) => lengthOf(text) <= length,
      ({ input }) =>
        `expected at most ${length} characters, got ${lengthOf(input)}`,
    ),
  );
}

function listOf(item: ReturnType<typeof textUpTo>) {
  const message = expects(`a list of at most ${LONGEST_LIST} texts`);
  return v.pipe(v.array(item, message), v.maxLength(LONGEST_LIST, message));
}

function wholeNumber(name: keyof typeof RANGES) {
  return v.pipe(number(name), v.integer(expects("a whole number")));
}

function number(name: keyof typeof RANGES) {
  const { least, most } = RANGES[name];
  const message = rangeOf(name);
  return v.pipe(
    v.number(message),
    v.minValue(least, message),
    v.maxValue(most, message),
  );
}

function rangeOf(name: keyof typeof RANGES) {
  const { least, most } = RANGES[name];
  return expects(`a number from ${least} to ${most}`);
}

function oneOf<Name extends string>(
  names: Record<Name, unknown>,
  what: string,
) {
  return v.picklist(Object.keys(names) as Name[], expects(what));
}

/** The message of a rule: what it expects, and what there is instead. */
function expects(what: string) {
  return ({ input }: { input: unknown }) =>
    `expected ${what}, got ${shorten(input)}`;
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
