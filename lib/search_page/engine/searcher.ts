/**
 * Answers queries over a collection: encodes them, compares, filters, tells what
 * fits, folds copies, and how the scores are distributed.
 *
 * A query's whole order is kept for a while, so that its next page takes a
 * moment.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { Searcher } from "#lib/search_page/engine/searcher.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const { hits } = await new Searcher([space]).search({ text: "an owl" });
 * deepStrictEqual(hits, []);
 * await encoder.close();
 * ```
 *
 * @module
 */
import type { FindOutdated } from "../index/changes.ts";
import { PIXELS } from "../web/query.js";
import { drawOf } from "./draw.ts";
import { rowFilter } from "./filters.ts";
import { bestFirst } from "./order.ts";
import type { PixelSpace } from "./pixel_space.ts";
import { QueryError, readQuery, type SearchQuery, subjectOf } from "./query.ts";
import { fitting, Ranker, type Ranking } from "./ranker.ts";
import { Rankings } from "./rankings.ts";
import { resultPage } from "./result_page.ts";
import { hitOf, type SearchHit, type SearchResult } from "./search_result.ts";
import type { EncoderSpace } from "./spaces.ts";

/** Hits looked after for each that is wanted, where the first have changed. */
const CANDIDATES = 4;

/** How often a search begins anew because pictures are gone or have changed. */
const MOST_ROUNDS = 20;

/** Answers queries. */
export class Searcher {
  /** The first one is used where a query names none. */
  readonly spaces: readonly EncoderSpace[];
  readonly pixels: PixelSpace;
  readonly #findOutdated: FindOutdated;
  readonly #takeIn: (space: EncoderSpace) => Promise<number>;
  readonly #rankings: Rankings;

  /**
   * @param spaces One or more.
   * @param findOutdated Asked before pictures are shown; none are outdated if
   *   it is left out.
   * @param takeIn Asked while a query is answered: how many pictures have come from
   *   other programs.
   */
  constructor(
    spaces: readonly EncoderSpace[],
    findOutdated: FindOutdated = () => Promise.resolve(new Set()),
    takeIn: (space: EncoderSpace) => Promise<number> = () => Promise.resolve(0),
  ) {
    this.spaces = spaces;
    this.#findOutdated = findOutdated;
    this.#takeIn = takeIn;
    const ranker = new Ranker(spaces[0].collection);
    this.pixels = ranker.pixels;
    this.#rankings = new Rankings(ranker);
  }

  /**
   * Searches.
   *
   * @throws {QueryError} If it cannot be answered: says why, for the reader.
   */
  async search(input: Partial<SearchQuery>): Promise<SearchResult> {
    const start = performance.now();
    const query = readQuery(input);
    const space = this.#spaceOf(query);
    // A database is asked beside the search, but not while words are embedded, which
    // takes all processors. Once: while another program adds thousands, some come
    // all the time.
    let coming: Promise<number> | undefined = embedded(query, space)
      .then(() => this.#takeIn(space));
    coming.catch(() => undefined); // Heard below, unless the search fails first.
    for (let round = 0;; round++) {
      let ranking = await this.#rankings.of(query, space);
      if (ranking.layout !== space.collection.layout && round < MOST_ROUNDS) {
        continue;
      }
      let page = await this.#page(query, space, ranking);
      while (page.isShort && ranking.layout === space.collection.layout) {
        ranking = await this.#rankings.longer(query, space, ranking);
        page = await this.#page(query, space, ranking);
      }
      if (ranking.layout !== space.collection.layout && round < MOST_ROUNDS) {
        continue;
      }
      const { result, rows } = page;
      // Where one is gone, many are, as when a folder is removed.
      const next = ranking.order.subarray(
        query.from,
        query.from + CANDIDATES * query.k * (2 ** round - 1),
      );
      const [outdated, came] = await Promise.all([
        this.#findOutdated(space, [...new Set([...rows, ...next])]),
        coming && this.#allThatCame(space, coming),
      ]);
      coming = undefined;
      if ((outdated.size === 0 && !came) || round >= MOST_ROUNDS) {
        return { ...result, ms: performance.now() - start };
      }
    }
  }

  /** Paths of all that fits, copies included, the best first. */
  async fitting(input: Partial<SearchQuery>): Promise<string[]> {
    const query = readQuery(input);
    const space = this.#spaceOf(query);
    let ranking = await this.#rankings.of(query, space);
    while (ranking.said.candidates?.mayFitMore) {
      ranking = await this.#rankings.longer(query, space, ranking);
    }
    const { order, said, values } = ranking;
    const { pictures } = space.collection;
    const fits = fitting(said);
    return Array.from(
      order.filter((row) => fits(values[row])),
      (row) => pictures[row].path,
    );
  }

  /** Of these hits, those that can be shown as they are. */
  async current<Hit extends Pick<SearchHit, "id">>(
    hits: readonly Hit[],
  ): Promise<Hit[]> {
    const [space] = this.spaces;
    const { collection } = space;
    const isThere = ({ id }: Hit) => collection.rowOfId(id) !== undefined;
    const rows = hits.filter(isThere).map(({ id }) => collection.rowOfId(id)!);
    await this.#findOutdated(space, rows);
    return hits.filter(isThere);
  }

  /**
   * Pictures drawn at random from those that pass the filters.
   *
   * @param seed Draws the same ones again, but for those that came and went.
   */
  random(
    input: Partial<SearchQuery>,
    seed: number = Math.floor(2 ** 32 * Math.random()),
  ): SearchHit[] {
    const query = readQuery(input);
    const [{ collection }] = this.spaces;
    const isAllowed = rowFilter(query, collection);
    const draws = collection.pictures.map(({ path }, row) =>
      collection.isSearchable(row) && isAllowed(row) ? drawOf(path, seed) : NaN
    );
    return Array.from(
      bestFirst(draws, "lower").subarray(0, query.k),
      (row) => hitOf(collection, row),
    );
  }

  /** How many came, those with which this very search has met. */
  async #allThatCame(
    space: EncoderSpace,
    coming: Promise<number>,
  ): Promise<number> {
    const came = await coming;
    const hasMet = (space.index?.strangers.size ?? 0) > 0;
    return came === 0 && hasMet ? await this.#takeIn(space) : came;
  }

  #page(query: SearchQuery, space: EncoderSpace, ranking: Ranking) {
    return resultPage(query, space, ranking, this.spaces[0].collection);
  }

  #spaceOf({ space }: SearchQuery): EncoderSpace {
    const [first] = this.spaces;
    if (space === "" || space === PIXELS) return first;
    const found = this.spaces.find(({ id }) => id === space);
    if (found) return found;
    const known = [...this.spaces.map(({ id }) => id), PIXELS];
    throw new QueryError(
      `space: expected ${known.join(", ")}, got "${space}"`,
    );
  }
}

/** Ends when a query's words are embedded, or cannot be: the search says so. */
async function embedded(
  { text, space: by }: SearchQuery,
  space: EncoderSpace,
): Promise<void> {
  if (text && by !== PIXELS) {
    await space.embedText(subjectOf(text)).catch(() => undefined);
  }
}
