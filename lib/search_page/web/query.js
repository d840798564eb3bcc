/**
 * What a search query may hold, said once: the page builds its form from it, the
 * server checks by it, and commands print it in their help.
 *
 * @module
 */

/** @import { SearchQuery } from "../engine/query.ts" */

/** The space of pixels, beside those of the encoders. */
export const PIXELS = "pixels";

/** A `fold` that no two pictures reach: nothing is folded. */
export const NO_FOLDING = 2;

/** What holds where a query says nothing. @type {SearchQuery} */
export const DEFAULT_QUERY = {
  text: "",
  like: [],
  plus: [],
  minus: [],
  unlike: [],
  mode: "smart",
  textWeight: 0.3,
  terms: [],
  categories: [],
  licenses: [],
  cameras: [],
  after: "",
  before: "",
  sort: "relevance",
  from: 0,
  k: 12,
  cut: "auto",
  fold: 0.97,
  space: "",
  metric: "cosine",
};

/** What holds in a terminal instead. @type {Pick<SearchQuery, "k">} */
export const TERMINAL_DEFAULTS = { k: 10 };

/** The modes, as the page calls them. */
export const MODES = {
  smart: "Smart (combined)",
  text: "Text only",
  visual: "Visual only",
};

/** "smart, text or visual" */
export const MODE_NAMES = Object.keys(MODES).join(", ")
  .replace(/, (\w+)$/, " or $1");

/** Orders of what fits, as the page calls them. */
export const SORTS = {
  relevance: "Nearest first",
  newest: "Newest first",
  oldest: "Oldest first",
};

/** Least and most of each number. */
export const RANGES = {
  textWeight: { least: 0, most: 1 },
  from: { least: 0, most: 1e7 },
  k: { least: 1, most: 200 },
  cut: { least: -1e9, most: 1e9 },
  fold: { least: 0, most: NO_FOLDING },
};

/** Most characters of a text. Encoders read some sixty words. */
export const LONGEST_TEXT = 1000;

/** A text's characters as people count them: "🦉" is one. @param {string} text */
export const lengthOf = (text) => [...text].length;

/** Most characters of what names a picture: a path, with its weight. */
export const LONGEST_PATH = 5000;

/** Most texts in a list. */
export const LONGEST_LIST = 1000;

/** Most bytes of a picture that is given as a query. */
export const LARGEST_UPLOAD = 20_000_000;

/** Heaviest that something can weigh in a query. */
export const HEAVIEST = 100;

const WEIGHT = /^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*:(.*)$/is;

/**
 * What one entry of a query's list says: "2:cat" weighs twice, "cat" once. A
 * weight that a query cannot have comes back as it is, and so does what it
 * weighs: a file's name may begin or end with a space.
 *
 * @param {string} entry
 * @returns {{weight: number, of: string}}
 */
export function splitWeight(entry) {
  const [, weight, of] = entry.match(WEIGHT) ?? [];
  return of === undefined
    ? { weight: 1, of: entry }
    : { weight: Number(weight), of };
}

/** Whether a query is for some of the pictures only. @param {SearchQuery} query */
export function isFiltered(
  { terms, categories, licenses, cameras, after, before },
) {
  return [terms, categories, licenses, cameras, after, before]
    .some(({ length }) => length > 0);
}

/** Whether a query looks for nothing. @param {SearchQuery} query */
export function isEmpty({ text, like, plus, minus, unlike }) {
  return [text, like, plus, minus, unlike]
    .every(({ length }) => length === 0);
}
