/**
 * A search as it is asked: by the page, by the terminal or by a notebook's cell.
 *
 * Touches no files.
 *
 * ```ts
 * import { readQuery } from "#lib/search_page/engine/query.ts";
 * import { equal, throws } from "node:assert/strict";
 *
 * equal(readQuery({ text: "an owl" }).k, 12);
 * throws(() => readQuery({ text: 5 }), /text: expected text/);
 * ```
 *
 * @module
 */
import { type MetricName, metricNamed } from "../../compare/metrics.ts";

/** What is looked for, among what, and how. Everything may be left out. */
export interface SearchQuery {
  /** Words to look for, at most 1,000 characters. */
  text?: string;
  /** A picture to look for: what uploading it returned. */
  picture?: string;
  /** More like this one: the id of a picture of the collection. */
  like?: string;
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
  /** How many results, 1 to 200. */
  k: number;
  /**
   * Only results better than this are shown. "auto" takes what unrelated
   * queries reach in this collection; "none" leaves nothing out.
   */
  cut: number | "auto" | "none";
  /** Pictures at least so alike count as copies of one another; 2 folds none. */
  fold: number;
  /** Which vectors: an encoder's id, or "pixels"; the first encoder's if "". */
  space: string;
  metric: MetricName;
}

/** What holds where a query says nothing. */
export const DEFAULT_QUERY: SearchQuery = {
  mode: "smart",
  textWeight: 0.3,
  plus: [],
  minus: [],
  terms: [],
  categories: [],
  licenses: [],
  k: 12,
  cut: "auto",
  fold: 0.97,
  space: "",
  metric: "cosine",
};

/** Most characters of a text. Encoders read some sixty words. */
export const LONGEST_TEXT = 1000;

/** A query that cannot be answered: its message is for the reader of the page. */
export class QueryError extends Error {
  override name = "QueryError";
}

/**
 * Completes a query, and checks what came from outside.
 *
 * @throws {QueryError} If something is not as it should be: quotes it.
 */
export function readQuery(input: unknown): SearchQuery {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new QueryError(`expected a query, got ${shorten(input)}`);
  }
  const known = { ...DEFAULT_QUERY, text: "", picture: "", like: "" };
  const given = Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined),
  );
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) {
      throw new QueryError(
        `${shorten(name)}: expected ${Object.keys(known).join(", ")}`,
      );
    }
  }
  const query = { ...known, ...given } as SearchQuery;
  for (const name of ["text", "picture", "like", "space"] as const) {
    requireText(name, query[name]);
    query[name] = query[name]!.trim();
  }
  const lists = ["plus", "minus", "terms", "categories", "licenses"] as const;
  for (const name of lists) requireTexts(name, query[name]);
  requireNumber("textWeight", query.textWeight, 0, 1);
  requireNumber("fold", query.fold, 0, 2);
  requireNumber("k", query.k, 1, 200);
  if (!Number.isInteger(query.k)) {
    throw new QueryError(`k: expected a whole number, got ${query.k}`);
  }
  if (query.cut !== "auto" && query.cut !== "none") {
    requireNumber("cut", query.cut, -1e9, 1e9);
  }
  if (!["smart", "text", "visual"].includes(query.mode)) {
    throw new QueryError(
      `mode: expected smart, text or visual, got ${shorten(query.mode)}`,
    );
  }
  try {
    metricNamed(query.metric);
  } catch (error) {
    throw new QueryError(`metric: ${(error as Error).message}`);
  }
  return query;
}

/** Whether a query asks for anything; without, random pictures are shown. */
export function isEmpty(
  { text, picture, like, plus, minus }: SearchQuery,
): boolean {
  return !text && !picture && !like && plus.length + minus.length === 0;
}

function requireText(name: string, value: unknown): void {
  if (typeof value !== "string") {
    throw new QueryError(`${name}: expected text, got ${shorten(value)}`);
  }
  if (value.length > LONGEST_TEXT) {
    throw new QueryError(
      `${name}: expected at most ${LONGEST_TEXT} characters, got ${value.length}`,
    );
  }
}

function requireTexts(name: string, value: unknown): void {
  if (!Array.isArray(value) || value.length > 1000) {
    throw new QueryError(
      `${name}: expected a list of at most 1000 texts, got ${shorten(value)}`,
    );
  }
  value.forEach((item) => requireText(name, item));
}

function requireNumber(
  name: string,
  value: unknown,
  least: number,
  most: number,
) {
  if (typeof value !== "number" || !(value >= least && value <= most)) {
    throw new QueryError(
      `${name}: expected a number from ${least} to ${most}, got ${
        shorten(value)
      }`,
    );
  }
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
