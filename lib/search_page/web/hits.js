/**
 * Results as the page walks through them: the first ones are at hand, the others
 * come from the server a page at a time, when they come in sight.
 *
 * Of many results the server tells how many are left once near copies are folded
 * when it is asked for the last of them; until then as many are announced as pass
 * the filters.
 *
 * @module
 */
/** @import { SearchHit, SearchResult } from "../engine/search_result.ts" */
/** @import { SearchQuery } from "../engine/query.ts" */
import { ask, complain } from "./server.js";

/**
 * A list to walk through.
 *
 * @typedef {object} Hits
 * @property {() => number} length
 * @property {(index: number) => Promise<SearchHit | undefined>} at
 * @property {(index: number) => SearchHit | undefined} known What is at hand.
 * @property {(by: object, places: number[]) => void} want Says what is drawn, of
 *   each grid that shows some: it is fetched, and what is under way for elsewhere
 *   is given up.
 */

/** Results that are fetched at once. */
const PAGE = 60;

/** Pause before what is in sight is fetched again: much passes by in a scroll. */
const PAUSE_MS = 50;

/** A list that is whole. @param {SearchHit[]} hits @returns {Hits} */
export function wholeList(hits) {
  return {
    length: () => hits.length,
    at: (index) => Promise.resolve(hits[index]),
    known: (index) => hits[index],
    want() {},
  };
}

/** What a query finds, without end. @implements {Hits} */
export class PagedHits {
  /** A page that is under way, by number. */
  #pages =
    /** @type {Map<number, {abort: AbortController, done: Promise<void>, isKept: boolean}>} */ (
      new Map()
    );
  #hits = /** @type {SearchHit[]} */ ([]);
  #end = 0;
  #query;
  #onCome;
  #first;
  /** The places that are drawn, by the grid that shows them. */
  #wanted = /** @type {Map<object, number[]>} */ (new Map());
  #isPausing = false;

  /**
   * @param {SearchQuery} query As it was asked.
   * @param {SearchResult} first Its first results.
   * @param {() => void} onCome Called when more are at hand.
   */
  constructor(query, first, onCome) {
    this.#query = query;
    this.#onCome = onCome;
    this.#end = first.total;
    this.#first = first;
    this.#take(first);
  }

  length() {
    return this.#end;
  }

  /** @param {number} index */
  known(index) {
    return this.#hits[index];
  }

  /** @param {number} index */
  async at(index) {
    if (index < 0 || index >= this.#end) return undefined;
    if (!this.#hits[index]) {
      const number = Math.floor(index / PAGE);
      const page = this.#pages.get(number) ?? this.#fetch(number);
      page.isKept = true;
      await page.done;
    }
    return this.#hits[index];
  }

  /** @param {object} by @param {number[]} places */
  want(by, places) {
    this.#wanted.set(by, places);
    if (this.#isPausing) return;
    this.#fetchWanted();
    this.#isPausing = true;
    setTimeout(() => {
      this.#isPausing = false;
      this.#fetchWanted();
    }, PAUSE_MS);
  }

  #fetchWanted() {
    const numbers = /** @type {Set<number>} */ (new Set());
    for (const index of [...this.#wanted.values()].flat()) {
      if (index < this.#end && !this.#hits[index]) {
        numbers.add(Math.floor(index / PAGE));
      }
    }
    for (const [number, { abort, isKept }] of this.#pages) {
      if (isKept || numbers.has(number)) continue;
      abort.abort();
      // It may be wanted again before it has ended.
      this.#pages.delete(number);
    }
    for (const number of numbers) {
      if (!this.#pages.has(number)) this.#fetch(number).done.catch(complain);
    }
  }

  /** Learns how many fit: the first result's `listed` tells it then. */
  async countFitting() {
    // Where an index takes candidates, more of them may fit than it knows of.
    for (let before = -1; before < this.#first.fitting;) {
      before = this.#first.fitting;
      if (this.#first.listed.fitting !== undefined) return;
      await this.#ask(before - 1);
    }
  }

  /** What is known by now, though the hit itself is at hand. @param {number} index */
  async #ask(index) {
    if (!this.#hits[index] || !this.#first.candidates?.mayFitMore) {
      return await this.at(index);
    }
    await this.#fetch(Math.floor(index / PAGE)).done;
  }

  /** @param {number} number */
  #fetch(number) {
    const abort = new AbortController();
    const place = { from: number * PAGE, k: PAGE };
    const done = ask("compare", { ...this.#query, ...place }, abort.signal)
      .then((result) => {
        this.#take(result);
        this.#onCome();
      })
      .finally(() => {
        if (this.#pages.get(number) === page) this.#pages.delete(number);
      });
    const page = { abort, done, isKept: false };
    this.#pages.set(number, page);
    return page;
  }

  /** @param {SearchResult} result */
  #take({ hits, from, listed, fitting, candidates }) {
    hits.forEach((hit, i) => this.#hits[from + i] = hit);
    Object.assign(this.#first, { fitting, candidates });
    Object.assign(this.#first.listed, listed);
    this.#end = listed.total ?? this.#end;
  }
}
