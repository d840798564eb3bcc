/**
 * Steps in the browser's history: each has its address, the place where the
 * reader was, and the seed by which pictures were drawn at random, so that Back
 * leads to the same ones.
 *
 * @module
 */
/** @import { SearchQuery } from "../engine/query.ts" */
import { isEmpty, isFiltered } from "./query.js";
import { placeNow } from "./results.js";

/**
 * Goes a step on in history, or takes this one's place.
 *
 * @param {string} address
 * @param {"new" | "replaced" | "drawn"} kind
 * @param {number} [seed] Draws its pictures.
 */
export function setAddress(address, kind, seed) {
  if (kind !== "drawn" && address === (location.hash || "#")) return;
  const state = seed === undefined ? null : { seed };
  if (kind === "replaced") return history.replaceState(state, "", address);
  keepPlace();
  history.pushState(state, "", address);
}

/** Whether nothing is looked for, and no order asked for. @param {SearchQuery} query */
export const isBare = (query) => isEmpty(query) && query.sort === "relevance";

/** Whether all that passes is listed: filters are on, and nothing was drawn. @param {SearchQuery} query */
export const isListed = (query) =>
  isFiltered(query) && history.state?.seed === undefined;

/**
 * What draws the pictures of the step that comes.
 *
 * @param {string} kind
 * @param {SearchQuery} query
 * @param {SearchQuery} before What is on show.
 */
export function seedOf(kind, query, before) {
  if (kind === "drawn") return newSeed();
  // More or fewer of the same ones.
  const isSame = JSON.stringify({ ...query, k: before.k }) ===
    JSON.stringify(before);
  return isBare(query) && (isSame || !isFiltered(query))
    ? history.state?.seed
    : undefined;
}

const newSeed = () => Math.floor(2 ** 32 * Math.random());

/** What draws the pictures of this step: Back leads to the same ones. */
export function seedNow() {
  const seed = history.state?.seed ?? newSeed();
  history.replaceState({ ...history.state, seed }, "");
  return seed;
}

/** Remembers where the reader is, for the way back. */
export function keepPlace() {
  const place = placeNow();
  history.replaceState({ ...history.state, place }, "");
}
