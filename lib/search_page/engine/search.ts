/**
 * Answers queries over a collection: encodes them, compares, filters, cuts off,
 * folds copies, and tells how the scores are distributed.
 *
 * ```ts
 * import { Searcher } from "#lib/search_page/engine/search.ts";
 * import { rejects } from "node:assert/strict";
 *
 * const nothing = new Searcher([], () => Promise.resolve(undefined));
 * await rejects(nothing.search({ text: "owl" }), /no encoder/);
 * ```
 *
 * @module
 */
import { dot, metrics } from "../../compare/metrics.ts";
import type { Collection, SourcePicture } from "../index/collection.ts";
import { filterRows } from "./filters.ts";
import { type CutOff, cutOffs } from "./cut_off.ts";
import { isEmpty, QueryError, readQuery, type SearchQuery } from "./query.ts";
import {
  best,
  blendVectors,
  type Distribution,
  distribution,
  foldCopies,
  steer,
} from "./ranking.ts";
import { type EncoderSpace, PixelSpace } from "./spaces.ts";

/** One result. */
export interface SearchHit extends Omit<SourcePicture, "source"> {
  /** Row in the collection. */
  row: number;
  /** The metric's value; NaN has no place here: a random picture has 0. */
  value: number;
  /** Ids of pictures that are nearly this one. */
  copies: string[];
}

/** What a search found. */
export interface SearchResult {
  /** The query as understood, complete. */
  query: SearchQuery;
  /** "Cosine similarity, offline: …": how results were compared. */
  comparedBy: string;
  better: "lower" | "higher";
  hits: SearchHit[];
  /** Pictures that passed the filters. */
  total: number;
  /** Of them, how many are better than the cut. */
  relevant: number;
  /** Where the cut is; undefined for none. */
  cut?: number;
  /** Scores of all pictures that passed the filters. */
  scores: Distribution;
  /** Milliseconds from query to result. */
  ms: number;
}

/** Name of the space of pixels. */
export const PIXELS = "pixels";

/** Answers queries. */
export class Searcher {
  readonly spaces: EncoderSpace[];
  readonly pixels: PixelSpace | undefined;
  readonly #findUpload: (id: string) => Promise<Uint8Array | undefined>;
  readonly #cutOff: CutOff = cutOffs();

  /**
   * @param spaces The first one is used where a query names none.
   * @param findUpload An uploaded picture's bytes.
   */
  constructor(
    spaces: EncoderSpace[],
    findUpload: (id: string) => Promise<Uint8Array | undefined>,
  ) {
    this.spaces = spaces;
    this.pixels = spaces[0] && new PixelSpace(spaces[0].collection);
    this.#findUpload = findUpload;
  }

  /**
   * Searches.
   *
   * @param input A query, or part of one.
   * @throws {QueryError} If it cannot be answered: says why, for the reader.
   */
  async search(input: Partial<SearchQuery>): Promise<SearchResult> {
    const start = performance.now();
    const query = readQuery(input);
    const space = this.#spaceOf(query);
    const { collection } = space;
    const { better, label } = metrics[query.metric];
    const values = query.space === PIXELS
      ? await this.pixels!.compare(await this.#pictureOf(query), query.metric)
      : await space.compare(await this.#vectorOf(query, space), query);
    const passes = filterRows(collection.pictures, query);
    const passed = values.map((value, row) =>
      passes && !passes(row) ? NaN : value
    );
    const scores = distribution(passed);
    const cut = query.cut === "none"
      ? undefined
      : typeof query.cut === "number"
      ? query.cut
      : await this.#cutOff(space, query);
    const fits = (value: number) =>
      cut === undefined || (better === "higher" ? value > cut : value < cut);
    let relevant = 0;
    for (const value of passed) if (fits(value)) relevant++;
    const candidates = best(passed, 4 * query.k + 1, better)
      .filter(({ index, value }) => fits(value) && !isItself(index));
    const { looks } = space.collection;
    const hits = foldCopies(
      candidates,
      (a, b) => dot(looks.row(a), looks.row(b)),
      query.fold,
      query.k,
    );

    function isItself(row: number) {
      return query.like !== "" && collection.pictures[row].id === query.like;
    }
    return {
      query,
      comparedBy: `${label}, ${
        query.space === PIXELS ? "64 × 64 pixels" : space.label
      }`,
      better,
      hits: hits.map(({ index, value, copies }) => ({
        ...hitOf(collection, index),
        value,
        copies: copies.map((row) => collection.pictures[row].id),
      })),
      total: scores.count,
      relevant,
      ...(cut !== undefined && { cut }),
      scores,
      ms: performance.now() - start,
    };
  }

  /** Pictures drawn at random from those that pass the filters. */
  random(input: Partial<SearchQuery>): SearchHit[] {
    const query = readQuery(input);
    const { collection } = this.#spaceOf({ ...query, space: "" });
    const passes = filterRows(collection.pictures, query) ?? (() => true);
    const rows = Array.from({ length: collection.count }, (_, row) => row)
      .filter(passes);
    const count = Math.min(query.k, rows.length);
    for (let i = 0; i < count; i++) {
      const other = i + Math.floor(Math.random() * (rows.length - i));
      [rows[i], rows[other]] = [rows[other], rows[i]];
    }
    return rows.slice(0, count).map((row) => hitOf(collection, row));
  }

  #spaceOf({ space }: SearchQuery): EncoderSpace {
    const [first] = this.spaces;
    if (!first) throw new QueryError("no encoder is open yet: try again soon");
    const found = space === "" || space === PIXELS
      ? first
      : this.spaces.find(({ id }) => id === space);
    if (found) return found;
    throw new QueryError(
      `space: expected ${
        [...this.spaces.map(({ id }) => id), PIXELS].join(", ")
      }, got "${space}"`,
    );
  }

  /** The query as one vector. */
  async #vectorOf(
    query: SearchQuery,
    space: EncoderSpace,
  ): Promise<Float32Array> {
    if (isEmpty(query)) {
      throw new QueryError(
        "nothing to look for: type words, or give a picture",
      );
    }
    const [text, picture, plus, minus] = await Promise.all([
      query.text ? space.textVector(query.text) : undefined,
      this.#pictureVector(query, space),
      Promise.all(query.plus.map((word) => space.textVector(word))),
      Promise.all(query.minus.map((word) => space.textVector(word))),
    ]);
    const { mode, textWeight } = query;
    const asked = text && picture && mode === "smart"
      ? blendVectors(text, picture, textWeight)
      : mode === "visual"
      ? picture ?? text
      : text ?? picture;
    try {
      return steer(asked, plus, minus);
    } catch {
      throw new QueryError("what is added and what is taken away cancel out");
    }
  }

  async #pictureVector(
    query: SearchQuery,
    { encoder, collection }: EncoderSpace,
  ): Promise<Float32Array | undefined> {
    if (query.like) {
      const row = collection.rowOf(query.like);
      if (row === undefined) throw unknownPicture(query.like);
      return collection.looks.row(row);
    }
    if (!query.picture) return undefined;
    return (await encoder.encodeImages([await this.#pictureOf(query)])).row(0);
  }

  /** The query's picture itself. */
  async #pictureOf(query: SearchQuery): Promise<string | Uint8Array> {
    if (query.picture) {
      const bytes = await this.#findUpload(query.picture);
      if (bytes) return bytes;
      throw new QueryError("the query's picture is gone: give it again");
    }
    if (!query.like) {
      throw new QueryError(
        "pixels cannot be compared with words: give a picture, or choose " +
          "“More like this” on one",
      );
    }
    const { collection } = this.spaces[0];
    const row = collection.rowOf(query.like);
    if (row === undefined) throw unknownPicture(query.like);
    return collection.pictures[row].source;
  }
}

/** What is known of a picture, with nothing but its id to find it by. */
export function hitOf(collection: Collection, row: number): SearchHit {
  const { source: _, ...known } = collection.pictures[row];
  return { ...known, row, value: 0, copies: [] };
}

function unknownPicture(id: string): QueryError {
  return new QueryError(`there is no picture "${id}" in this collection`);
}
