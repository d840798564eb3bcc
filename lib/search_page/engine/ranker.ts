/**
 * All results of a query in their order: what is compared, where the line is,
 * what fits, and what is said of all of them.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { Ranker } from "#lib/search_page/engine/ranker.ts";
 * import { readQuery } from "#lib/search_page/engine/query.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const ranker = new Ranker(space.collection);
 * const { said } = await ranker.rank(readQuery({ text: "an owl" }), space);
 * strictEqual(said.total, 0);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { metrics } from "../../compare/metrics.ts";
import type { Collection } from "../index/collection.ts";
import { isEmpty, isFiltered, PIXELS } from "../web/query.js";
import { RowsByDate } from "./by_date.ts";
import { type CutOff, cutOffs, lineAbove, type QueryParts } from "./cut_off.ts";
import { rowFilter, unfiltered } from "./filters.ts";
import type { Listing } from "./listing.ts";
import { behind, bestFirst, joined } from "./order.ts";
import { PixelSpace } from "./pixel_space.ts";
import { QueryError, type SearchQuery, type Weighted } from "./query.ts";
import { picturesOf, queryVector, UPLOAD } from "./query_vector.ts";
import { distribution } from "./ranking.ts";
import { remarksOn } from "./remarks.ts";
import type { SearchResult } from "./search_result.ts";
import { type EncoderSpace, type Found, uploadOf } from "./spaces.ts";

/** All results of a query, whichever of them are wanted. */
export interface Ranking {
  /** What every page of it says. */
  said: Omit<
    SearchResult,
    "query" | "hits" | "from" | "more" | "ms" | "listed"
  >;
  /** By row; 0 where a collection is browsed. */
  values: ArrayLike<number>;
  /**
   * Those that fit, then the others; but what has been seen stays in its place,
   * when more candidates come.
   */
  order: Uint32Array;
  /** The same, whatever the sort. */
  ranked: Uint32Array;
  /** How many rows of the order lie before a place that was asked for. */
  seen: number;
  /** Its order with copies folded, by the threshold. */
  folded: Map<number, Listing>;
  /** Pictures' vectors that came with the candidates, by row. */
  vectors?: ReadonlyMap<number, Float32Array>;
  /** How many candidates were asked for; undefined where all were compared. */
  asked?: number;
  /** With more candidates, once somebody wants them. */
  longer?: Promise<Ranking>;
  /** The collection's layout, which its rows are of. */
  layout: number;
}

/** Candidates that an index is asked for first; four times as many, each time after. */
const FIRST_ASKED = { exact: Infinity, hnsw: 200, chroma: 200 };
const MORE = 4;

/** Of candidates to tell the best value by, where a filter leaves others out. */
const FOR_TOP = 20;

/** Ranks the pictures of spaces. */
export class Ranker {
  readonly pixels: PixelSpace;
  readonly #cutOff: CutOff = cutOffs();
  readonly #byDate = new RowsByDate();

  /** @param collection Whose pictures can be compared by their pixels. */
  constructor(collection: Collection) {
    this.pixels = new PixelSpace(collection);
  }

  /**
   * Ranks a space's pictures.
   *
   * @param before The same with fewer candidates: what it lists stays in front.
   * @throws {QueryError} If the query cannot be answered: says why, for the reader.
   */
  async rank(
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
    const asked = askedFor(space, before);
    const vector = ofPixels ? undefined : await queryVector(query, space);
    const found = vector
      ? await space.find(vector, query, asked + like.length, isResult)
      : await this.#comparePixels(like, query);
    const parts = partsOf(query, like);
    const isMeasured = canBeMeasured(query);
    const hasCut = isMeasured && (parts.words || parts.pictures);
    const cut = query.cut !== "auto"
      ? query.cut === "none" ? undefined : query.cut
      : hasCut
      ? await this.#cutOff(space, query, parts)
      : undefined;
    const rest = vector && hasCut && isFiltered(query) &&
        space.isApproximate && asked < Infinity
      // The best of all tells where the line is, whatever the filters leave.
      ? await space.find(
        vector,
        unfiltered(query),
        FOR_TOP + like.length,
        (row) => collection.isSearchable(row),
      )
      : undefined;
    // Rows that came or went since: the search begins anew.
    if (collection.layout !== layout) return await this.rank(query, space);

    const compared = { all: found.values, rest: rest?.values };
    const { values, top } = resultValues(collection, compared, like, isAllowed);
    if (before?.layout === layout) keepKnown(values, collection, before);
    const line = before
      ? before.said.line
      : cut !== undefined && query.cut === "auto"
      ? lineAbove(cut, top)
      : cut;
    const fits = fitting({ cut, line, better });
    const isFitting = (row: number) => fits(values[row]);
    const best = bestFirst(values, better);
    const ranked = before
      ? behind(before.ranked, best, isFitting, before.seen)
      : best;
    const order = query.sort === "relevance" ? ranked : joined(
      this.#byDate.of(collection, query.sort).filter(isFitting),
      ranked.filter((row) => !isFitting(row)),
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
        fitting: ranked.filter(isFitting).length,
        ...(cut !== undefined && { cut, line }),
        scores: distribution(values),
        ...(!found.isAll && {
          candidates: { count: ranked.length, mayFitMore },
        }),
        ...(remarks.length > 0 && { remark: remarks.join(" ") }),
        generation,
      },
      ...{ values, order, ranked, layout, seen: 0, folded: new Map() },
      ...(!found.isAll && { asked }),
      vectors: found.vectors,
    };
    // By date, all that fits is put in order: so it has to be known.
    return mayFitMore && query.sort !== "relevance"
      ? await this.lengthen(query, space, ranking)
      : ranking;
  }

  /** The same with more candidates: made once, whoever asks. */
  lengthen(
    query: SearchQuery,
    space: EncoderSpace,
    ranking: Ranking,
  ): Promise<Ranking> {
    const asked = Math.max(
      MORE * (ranking.asked ?? Infinity),
      2 * (query.from + query.k),
    );
    ranking.longer ??= this.rank(query, space, { ...ranking, asked });
    ranking.longer.catch(() => ranking.longer = undefined);
    return ranking.longer;
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
        : this.#byDate.of(collection, sort))
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
      ...{ order, ranked: order, seen: 0 },
      ...{ layout: collection.layout, folded: new Map() },
    };
  }

  async #comparePixels(
    like: readonly Weighted[],
    query: SearchQuery,
  ): Promise<Omit<Found, "values"> & { values: Float64Array }> {
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
    const values = await this.pixels.compare(pictures, query.metric);
    return { values, isAll: true, most: undefined, by: "" };
  }
}

/** What a query consists of, towards which it goes. */
function partsOf(
  { text, plus }: SearchQuery,
  like: readonly Weighted[],
): QueryParts {
  return { words: text !== "" || plus.length > 0, pictures: like.length > 0 };
}

/** Whether what unrelated queries reach tells what fits. */
function canBeMeasured({ space, metric, cut }: SearchQuery): boolean {
  return space !== PIXELS && metric === "cosine" && cut === "auto";
}

/** How many candidates to ask for. */
function askedFor(
  { index, collection }: EncoderSpace,
  before: Ranking | undefined,
): number {
  const { engine } = index?.pictures ?? { engine: "exact" };
  const asked = before?.asked ?? FIRST_ASKED[engine];
  // All at once costs no more than most of them.
  return before && 2 * asked > collection.count ? Infinity : asked;
}

/**
 * The values of rows that can be results, NaN of the others; and the best of all,
 * whatever the filters leave.
 *
 * @param compared `rest` has some of the best where `all` has but rows that pass.
 */
function resultValues(
  collection: Collection,
  { all, rest }: { all: ArrayLike<number>; rest?: Float32Array },
  like: readonly Weighted[],
  isAllowed: (row: number) => boolean,
): { values: Float64Array; top: number } {
  const values = new Float64Array(all);
  // A picture is not its own result, and no measure for others.
  for (const { of } of like) {
    const row = collection.rowOf(of);
    if (row === undefined) continue;
    values[row] = NaN;
    if (rest) rest[row] = NaN;
  }
  let top = rest ? greatest(rest) : -Infinity;
  for (let row = 0; row < values.length; row++) {
    if (!collection.isSearchable(row)) values[row] = NaN;
    if (values[row] > top) top = values[row];
    if (!isAllowed(row)) values[row] = NaN;
  }
  return { values, top };
}

/** Puts in what was known: among more candidates, some may not be named again. */
function keepKnown(
  values: Float64Array,
  collection: Collection,
  before: Ranking,
): void {
  for (const row of before.ranked) {
    const isLost = Number.isNaN(values[row]) && collection.isSearchable(row);
    if (isLost) values[row] = before.values[row];
  }
}

/** Tells whether a value is that of a result that fits. */
export function fitting(
  { cut, line, better }: Pick<SearchResult, "cut" | "line" | "better">,
): (value: number) => boolean {
  if (cut === undefined || line === undefined) {
    return (value) => !Number.isNaN(value);
  }
  return better === "higher"
    ? (value) => value > cut && value >= line
    : (value) => value < cut && value <= line;
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
