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
  LONGEST_LIST,
  LONGEST_TEXT,
  MODE_NAMES,
  MODES,
  RANGES,
} from "../web/query.js";

/** A query that cannot be answered: its message is for the reader of the page. */
export class QueryError extends Error {
  override name = "QueryError";
}

const text = v.pipe(
  v.string(expects("text")),
  v.maxLength(
    LONGEST_TEXT,
    ({ requirement, input }) =>
      `expected at most ${requirement} characters, got ${input.length}`,
  ),
);
const trimmed = v.pipe(text, v.trim());
const aList = expects(`a list of at most ${LONGEST_LIST} texts`);
const texts = v.pipe(v.array(text, aList), v.maxLength(LONGEST_LIST, aList));

/** What is looked for, among what, and how. All of it may be left out. */
export interface SearchQuery {
  /** Words to look for. */
  text: string;
  /** A picture to look for: what uploading it returned. */
  picture: string;
  /** More like this one: the path of a picture of the collection. */
  like: string;
  /**
   * What the query is compared with: titles and pictures together (smart), what
   * is written about the pictures (text), or the pictures alone (visual).
   */
  mode: "smart" | "text" | "visual";
  /** The text's share where text and picture are combined, 0 to 1. */
  textWeight: number;
  /** Things to go towards, and away from: words. */
  plus: string[];
  minus: string[];
  /** Only pictures with one of these; all where empty. */
  terms: string[];
  categories: string[];
  licenses: string[];
  /** How many results. */
  k: number;
  /**
   * The cut-off: only results better than this are shown. "auto" takes what
   * unrelated queries reach in this collection; "none" leaves nothing out.
   */
  cut: "auto" | "none" | number;
  /** Pictures at least so alike count as copies of one another; 2 folds none. */
  fold: number;
  /** Which vectors: an encoder's id, or "pixels"; the first encoder's if "". */
  space: string;
  metric: keyof typeof metrics;
}

const schema = v.strictObject({
  text: trimmed,
  picture: trimmed,
  like: trimmed,
  mode: oneOf(MODES, MODE_NAMES),
  textWeight: number("textWeight"),
  plus: texts,
  minus: texts,
  terms: texts,
  categories: texts,
  licenses: texts,
  k: v.pipe(number("k"), v.integer(expects("a whole number"))),
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
  if (success) return output;
  const [{ expected, message, path }] = issues;
  const name = String(path?.[0].key);
  throw new QueryError(
    expected === "never"
      ? `${shorten(name)}: expected ${Object.keys(DEFAULT_QUERY).join(", ")}`
      : `${name}: ${message}`,
  );
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
