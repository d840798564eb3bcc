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
import { metrics } from "../../compare/metrics.ts";
import type { FindOutdated } from "../index/changes.ts";
import type { Collection, SourcePicture } from "../index/collection.ts";
import { isEmpty, isFiltered, PIXELS } from "../web/query.js";
import { type CutOff, cutOffs, lineAbove } from "./cut_off.ts";
import { drawOf } from "./draw.ts";
import { passes } from "./filters.ts";
import type { FoldedRow } from "./folding.ts";
import { Listing } from "./listing.ts";
import { bestFirst } from "./order.ts";
import { PixelSpace } from "./pixel_space.ts";
import {
  QueryError,
  readQuery,
  type SearchQuery,
  type Weighted,
} from "./query.ts";
import { picturesOf, queryVector, UPLOAD } from "./query_vector.ts";
import { type Distribution, distribution } from "./ranking.ts";
import { remarksOn } from "./remarks.ts";
import { type EncoderSpace, uploadOf } from "./spaces.ts";

/** One result. */
export interface SearchHit extends Omit<SourcePicture, "source" | "sha256"> {
  /** Names the picture as long as the program runs, and never another one. */
  id: number;
  /** The metric's value; 0 of a picture that was drawn or browsed. */
  value: number;
  /** Whether it is above the line; true where there is none. */
  fits: boolean;
  /** Paths of pictures that are nearly this one. */
  copies: string[];
  /** Pixels, as it is shown; 0 where that is not known. */
  width: number;
  height: number;
  /** When it was taken, in local time: "2019-06-01T12:00:00"; "" if not known. */
  date: string;
  /** "Canon EOS 5D"; "" if not known. */
  camera: string;
}

/** What a search found. */
export interface SearchResult {
  /** The query as understood, complete. */
  query: SearchQuery;
  /** "Cosine similarity, offline: …": how results were compared. */
  comparedBy: string;
  better: "lower" | "higher";
  /** The results that were asked for; those that fit come first of all. */
  hits: SearchHit[];
  /** Which of all results the first of these is, from 0 on. */
  from: number;
  /** Whether more results follow these. */
  more: boolean;
  /** Pictures that passed the filters and can be compared. */
  total: number;
  /** Of them, how many fit, copies included. */
  fitting: number;
  /**
   * How many of both are listed, once copies are folded; undefined where there
   * are too many to be counted at once, until a page behind them is asked for.
   */
  listed: { total?: number; fitting?: number };
  /** What unrelated queries reach; undefined where that cannot be told. */
  cut?: number;
  /** From where on a result fits; undefined where all do. */
  line?: number;
  /** Scores of all pictures that passed the filters, or of the candidates. */
  scores: Distribution;
  /**
   * Where an index found candidates, which alone were compared: how many, and
   * whether more than are counted may fit. The next page may take more of them.
   */
  candidates?: { count: number; mayFitMore: boolean };
  /** What the reader should know of the query's words; undefined for nothing. */
  remark?: string;
  /** The collection's generation that was searched. */
  generation: number;
  /** Milliseconds from query to result. */
  ms: number;
}

/** All results of a query, whichever of them are wanted. */
interface Ranking {
  /** What every page of it says. */
  said: Omit<
    SearchResult,
    "query" | "hits" | "from" | "more" | "ms" | "listed"
  >;
  /** By row; 0 where a collection is browsed. */
  values: ArrayLike<number>;
  /** Those that fit, then the others. */
  order: Uint32Array;
  /** The same, whatever the sort. */
  ranked: Uint32Array;
  /** Its order with copies folded, by the threshold. */
  folded: Map<number, Listing>;
  /** How many candidates were asked for; undefined where all were compared. */
  asked?: number;
  /** With more candidates, once somebody wants them. */
  longer?: Promise<Ranking>;
  /** The collection's layout, which its rows are of. */
  layout: number;
}

/** Rankings kept: 1 MB each where there are 100,000 pictures. */
const KEPT = 8;

/** Hits looked after for each that is wanted, where the first have changed. */
const CANDIDATES = 4;

/** Candidates that an index is asked for first; four times as many, each time after. */
const FIRST_ASKED = { exact: Infinity, hnsw: 200, chroma: 200 };
const MORE = 4;

/** Of candidates to tell the best value by, where a filter leaves others out. */
const FOR_TOP = 20;

/** Copies of a hit that are looked after: a low threshold folds thousands. */
const COPIES_CHECKED = 12;

/** How often a search begins anew because pictures are gone or have changed. */
const MOST_ROUNDS = 20;

/** Answers queries. */
export class Searcher {
  /** The first one is used where a query names none. */
  readonly spaces: readonly EncoderSpace[];
  readonly pixels: PixelSpace;
  readonly #cutOff: CutOff = cutOffs();
  readonly #findOutdated: FindOutdated;
  readonly #takeIn: (space: EncoderSpace) => Promise<number>;
  readonly #rankings = new Map<string, Promise<Ranking>>();
  #byDate:
    | { generation: number; dated: Uint32Array; undated: Uint32Array }
    | undefined;

  /**
   * @param spaces One or more.
   * @param findOutdated Asked before pictures are shown; none are outdated if
   *   it is left out.
   * @param takeIn Asked at the same time: how many pictures have come from other
   *   programs.
   */
  constructor(
    spaces: readonly EncoderSpace[],
    findOutdated: FindOutdated = () => Promise.resolve(new Set()),
    takeIn: (space: EncoderSpace) => Promise<number> = () => Promise.resolve(0),
  ) {
    this.spaces = spaces;
    this.#findOutdated = findOutdated;
    this.#takeIn = takeIn;
    this.pixels = new PixelSpace(spaces[0].collection);
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
    for (let round = 0;; round++) {
      let ranking = await this.#rankingOf(query, space);
      if (ranking.layout !== space.collection.layout && round < MOST_ROUNDS) {
        continue;
      }
      let page = await this.#page(query, space, ranking);
      while (page.isShort && ranking.layout === space.collection.layout) {
        ranking = await this.#lengthen(query, space, ranking);
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
        // Once: while another program adds thousands, some come all the time.
        round === 0 ? this.#takeIn(space) : 0,
      ]);
      if ((outdated.size === 0 && came === 0) || round >= MOST_ROUNDS) {
        return { ...result, ms: performance.now() - start };
      }
    }
  }

  /** Paths of all that fits, copies included, the best first. */
  async fitting(input: Partial<SearchQuery>): Promise<string[]> {
    const query = readQuery(input);
    const space = this.#spaceOf(query);
    let ranking = await this.#rankingOf(query, space);
    while (ranking.said.candidates?.mayFitMore) {
      ranking = await this.#lengthen(query, space, ranking);
    }
    const { order, said } = ranking;
    const { pictures } = space.collection;
    return Array.from(
      order.subarray(0, said.fitting),
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

  /** A query's ranking, of the collection as it is. */
  #rankingOf(query: SearchQuery, space: EncoderSpace): Promise<Ranking> {
    const key = keyOf(query, space);
    const known = this.#rankings.get(key);
    const ranking = known ?? this.#rank(query, space);
    // The last one used goes to the end.
    this.#rankings.delete(key);
    this.#rankings.set(key, ranking);
    if (!known) ranking.catch(() => this.#rankings.delete(key));
    if (this.#rankings.size > KEPT) {
      this.#rankings.delete(this.#rankings.keys().next().value!);
    }
    return ranking;
  }

  /** A ranking with more candidates, in its place. */
  #lengthen(
    query: SearchQuery,
    space: EncoderSpace,
    ranking: Ranking,
  ): Promise<Ranking> {
    const asked = Math.max(
      MORE * (ranking.asked ?? Infinity),
      2 * (query.from + query.k),
    );
    ranking.longer ??= this.#rank(query, space, { ...ranking, asked });
    const { longer } = ranking;
    longer.catch(() => ranking.longer = undefined);
    const key = keyOf(query, space);
    if (this.#rankings.has(key)) this.#rankings.set(key, longer);
    longer.catch(() => this.#rankings.delete(key));
    return longer;
  }

  /** @param before The same with fewer candidates: what it lists stays in front. */
  async #rank(
    query: SearchQuery,
    space: EncoderSpace,
    before?: Ranking,
  ): Promise<Ranking> {
    const { collection } = space;
    const { layout, generation } = collection;
    if (isEmpty(query)) return this.#browse(query, collection);
    const ofPixels = query.space === PIXELS;
    const { better, label } = metrics[query.metric];
    const like = picturesOf(query, "like", collection);
    const isAllowed = rowFilter(query, collection);
    const isResult = (row: number) =>
      collection.isSearchable(row) && isAllowed(row);
    const { engine } = space.index?.pictures ?? { engine: "exact" };
    let asked = before?.asked ?? FIRST_ASKED[engine];
    // All at once costs no more than most of them.
    if (before && 2 * asked > collection.count) asked = Infinity;
    const vector = ofPixels ? undefined : await queryVector(query, space);
    const found = vector
      ? await space.find(vector, query, asked + like.length, isResult)
      : {
        ...{ values: await this.#comparePixels(like, query), isAll: true },
        ...{ by: "", most: undefined },
      };
    const all = found.values;
    const parts = {
      words: query.text !== "" || query.plus.length > 0,
      pictures: like.length > 0,
    };
    const isMeasured = !ofPixels && query.metric === "cosine" &&
      query.cut === "auto";
    const hasCut = isMeasured && (parts.words || parts.pictures);
    const cut = query.cut === "none"
      ? undefined
      : query.cut !== "auto"
      ? query.cut
      : hasCut
      ? await this.#cutOff(space, query, parts)
      : undefined;
    const isPart = space.isApproximate && asked < Infinity;
    const rest = vector && isPart && isFiltered(query) && hasCut
      // The best of all tells where the line is, whatever the filters leave.
      ? await space.find(
        vector,
        without(query),
        FOR_TOP + like.length,
        (row) => collection.isSearchable(row),
      )
      : undefined;
    // Rows that came or went since: the search begins anew.
    if (collection.layout !== layout) return await this.#rank(query, space);

    const values = new Float64Array(all);
    for (const { of } of like) {
      // A picture is not its own result, and no measure for others.
      const row = collection.rowOf(of);
      if (row === undefined) continue;
      values[row] = NaN;
      if (rest) rest.values[row] = NaN;
    }
    let top = rest ? greatest(rest.values) : -Infinity;
    for (let row = 0; row < values.length; row++) {
      if (!collection.isSearchable(row)) values[row] = NaN;
      if (values[row] > top) top = values[row];
      if (!isAllowed(row)) values[row] = NaN;
    }
    const line = before
      ? before.said.line
      : cut !== undefined && query.cut === "auto"
      ? lineAbove(cut, top)
      : cut;
    const fits = fitting({ cut, line, better });
    const best = bestFirst(values, better);
    const ranked = before
      ? behind(before.ranked, best, (row) => fits(values[row]))
      : best;
    // The best come first, so those that fit do.
    const count = firstWhere(ranked, (row) => !fits(values[row]));
    const order = query.sort === "relevance" ? ranked : joined(
      this.#rowsByDate(collection, query.sort)
        .filter((row) => fits(values[row])),
      ranked.subarray(count),
    );
    // However many do not fit: what is not among them may.
    const mayFitMore = !found.isAll &&
      (cut === undefined || found.most === undefined || fits(found.most));
    const isUnknown = isMeasured && cut === undefined && collection.count > 0;
    const remarks = remarksOn(query, space, isUnknown);
    const by = found.by && `, candidates by ${found.by}`;
    const ranking: Ranking = {
      said: {
        comparedBy: `${label}, ${
          ofPixels ? this.pixels.label : space.label
        }${by}`,
        better,
        total: found.isAll
          ? ranked.length
          : comparable(query, collection, like, isResult),
        fitting: count,
        ...(cut !== undefined && { cut, line }),
        scores: distribution(values),
        ...(!found.isAll && {
          candidates: { count: ranked.length, mayFitMore },
        }),
        ...(remarks.length > 0 && { remark: remarks.join(" ") }),
        generation,
      },
      ...{ values, order, ranked, layout, folded: new Map() },
      ...(!found.isAll && { asked }),
    };
    // By date, all that fits is put in order: so it has to be known.
    return mayFitMore && query.sort !== "relevance"
      ? await this.#lengthen(query, space, ranking)
      : ranking;
  }

  /** All that passes the filters, by date or by path. */
  #browse(query: SearchQuery, collection: Collection): Ranking {
    const { sort } = query;
    const isByPath = sort === "relevance";
    if (isByPath && !isFiltered(query)) {
      throw new QueryError(
        "nothing to look for: type words, or give a picture",
      );
    }
    const { pictures } = collection;
    const isAllowed = rowFilter(query, collection);
    const order =
      (isByPath
        ? Uint32Array.from(pictures.keys())
        : this.#rowsByDate(collection, sort))
        .filter((row) => collection.isSearchable(row) && isAllowed(row));
    if (isByPath) {
      order.sort((a, b) => pictures[a].path < pictures[b].path ? -1 : 1);
    }
    return {
      said: {
        comparedBy: isByPath ? "Path, from A to Z" : `Date, the ${sort} first`,
        better: "higher",
        total: order.length,
        fitting: order.length,
        scores: distribution([]),
        generation: collection.generation,
      },
      values: new Float32Array(collection.count),
      ...{ order, ranked: order, layout: collection.layout, folded: new Map() },
    };
  }

  /** All rows in the order of their dates; those without one come last. */
  #rowsByDate(collection: Collection, sort: "newest" | "oldest"): Uint32Array {
    const { generation, facts } = collection;
    if (this.#byDate?.generation !== generation) {
      const times = Float64Array.from(
        facts,
        ({ date }) => Date.parse(`${date}Z`),
      );
      const rows = Uint32Array.from(facts.keys());
      const dated = rows.filter((row) => !Number.isNaN(times[row]))
        .sort((a, b) => times[a] - times[b]);
      const undated = rows.filter((row) => Number.isNaN(times[row]));
      this.#byDate = { generation, dated, undated };
    }
    const { dated, undated } = this.#byDate;
    return joined(sort === "newest" ? dated.toReversed() : dated, undated);
  }

  /** The results that are wanted, and the rows that they are made of. */
  async #page(query: SearchQuery, space: EncoderSpace, ranking: Ranking) {
    const { collection } = space;
    const { said, values, order, folded } = ranking;
    if (!folded.has(query.fold)) {
      // Of the thresholds that a slider passes, the last two.
      if (folded.size >= 2) folded.clear();
      folded.set(
        query.fold,
        new Listing(
          order,
          query.fold,
          collection.keepsVectors
            ? { all: collection.pictureEmbeddings }
            : { fetch: (rows) => space.vectorsOf(rows) },
        ),
      );
    }
    const { from, k } = query;
    const inOrder = folded.get(query.fold)!;
    await inOrder.reach(from + k + 1);
    const found = inOrder.slice(from, from + k + 1);
    const isOpen = ranking.asked !== undefined;
    const shown = found.slice(0, k)
      // Rows may have moved while vectors were fetched.
      .filter(({ row }) => row < collection.count);
    const fits = fitting(said);
    const [first] = this.spaces;
    const hits = shown.map(({ row, copies }: FoldedRow): SearchHit => {
      const { path } = collection.pictures[row];
      const inFirst = first.collection.rowOf(path);
      return {
        ...inFirst === undefined
          ? hitOf(collection, row)
          : hitOf(first.collection, inFirst),
        value: values[row],
        fits: fits(values[row]),
        copies: copies.map((copy) => collection.pictures[copy].path),
      };
    });
    const result = {
      ...{ query, ...said, hits, from, more: found.length > k },
      listed: {
        total: isOpen ? undefined : inOrder.count(said.total),
        fitting: said.candidates?.mayFitMore
          ? undefined
          : inOrder.count(said.fitting),
      },
    };
    const rows = shown.flatMap(({ row, copies }) => [
      ...[row, ...copies.slice(0, COPIES_CHECKED)],
    ]);
    // Copies of these may be among what an index has not named yet.
    const isShort = isOpen && !inOrder.isSettled(from + k + 1);
    return { result, rows, isShort };
  }

  async #comparePixels(like: readonly Weighted[], query: SearchQuery) {
    if (like.length === 0) {
      throw new QueryError(
        "pixels cannot be compared with words: give a picture, or choose " +
          "“More like this” on one",
      );
    }
    const { collection } = this.pixels;
    const pictures = await Promise.all(like.map(async ({ weight, of }) => {
      const row = collection.rowOf(of);
      const source = row === undefined
        ? await uploadOf(of.slice(UPLOAD.length))
        : collection.pictures[row].source;
      return { weight, source };
    }));
    return await this.pixels.compare(pictures, query.metric);
  }
}

/** What a ranking is kept under: its query, whichever page is wanted. */
function keyOf(query: SearchQuery, space: EncoderSpace): string {
  const all = { ...query, from: 0, k: 0, fold: 0 };
  const { id, collection: { generation }, isApproximate } = space;
  return JSON.stringify([id, generation, isApproximate, all]);
}

/** A query without its filters. */
function without(query: SearchQuery): SearchQuery {
  return {
    ...query,
    ...{ terms: [], categories: [], licenses: [], cameras: [] },
    ...{ after: "", before: "" },
  };
}

/** How many rows can be results: those that pass and have what is compared. */
function comparable(
  { mode }: SearchQuery,
  collection: Collection,
  like: readonly Weighted[],
  isResult: (row: number) => boolean,
): number {
  const asked = new Set(like.map(({ of }) => collection.rowOf(of)));
  let count = 0;
  for (let row = 0; row < collection.count; row++) {
    const isCompared = mode !== "text" || collection.textRows[row] >= 0;
    if (isCompared && !asked.has(row) && isResult(row)) count++;
  }
  return count;
}

function greatest(values: Float32Array): number {
  let most = -Infinity;
  for (const value of values) if (value > most) most = value;
  return most;
}

/**
 * A longer order that begins as a shorter one does, so that a reader who goes
 * on sees nothing twice; but what fits comes before what does not.
 */
function behind(
  first: Uint32Array,
  all: Uint32Array,
  fits: (row: number) => boolean,
): Uint32Array {
  const listed = new Set(first), there = new Set(all);
  const order = joined(
    first.filter((row) => there.has(row)),
    all.filter((row) => !listed.has(row)),
  );
  return joined(order.filter(fits), order.filter((row) => !fits(row)));
}

/** Tells whether a value is that of a result that fits. */
function fitting(
  { cut, line, better }: Pick<SearchResult, "cut" | "line" | "better">,
): (value: number) => boolean {
  if (cut === undefined || line === undefined) {
    return (value) => !Number.isNaN(value);
  }
  return better === "higher"
    ? (value) => value > cut && value >= line
    : (value) => value < cut && value <= line;
}

/** The first place where something holds; the length if it never does. */
function firstWhere(
  rows: Uint32Array,
  holds: (row: number) => boolean,
): number {
  const place = rows.findIndex(holds);
  return place < 0 ? rows.length : place;
}

function joined(first: Uint32Array, second: Uint32Array): Uint32Array {
  const all = new Uint32Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function rowFilter(
  query: SearchQuery,
  { pictures, facts }: Collection,
): (row: number) => boolean {
  const pass = passes(query);
  return (row) => pass(pictures[row], facts[row]);
}

/** What is known of a picture, as a result. */
export function hitOf(collection: Collection, row: number): SearchHit {
  const { source: _, sha256: __, ...known } = collection.pictures[row];
  const { width, height, date, camera } = collection.facts[row];
  return {
    ...known,
    ...{ id: collection.idOf(row), value: 0, fits: true, copies: [] },
    ...{ width, height, date, camera },
  };
}
