/**
 * Answers queries over a collection: encodes them, compares, filters, cuts off,
 * folds copies, and tells how the scores are distributed.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { Searcher } from "#lib/search_page/engine/searcher.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const { hits } = await new Searcher([space]).search({ text: "an owl" });
 * deepEqual(hits, []);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { topK } from "../../compare/compare.ts";
import { dot, metrics } from "../../compare/metrics.ts";
import { languageRemark } from "../../encoders/languages.ts";
import type { ImageSource } from "../../pictures/pictures.ts";
import type { FindOutdated } from "../index/changes.ts";
import type { Collection, SourcePicture } from "../index/collection.ts";
import { readUpload } from "../served_pictures.ts";
import { isEmpty, PIXELS } from "../web/query.js";
import { cutOffs } from "./cut_off.ts";
import { QueryError, readQuery, type SearchQuery } from "./query.ts";
import {
  blendVectors,
  type Distribution,
  distribution,
  filterRows,
  foldCopies,
  steer,
} from "./ranking.ts";
import { type EncoderSpace, PixelSpace } from "./spaces.ts";

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
  /** What unrelated queries reach; undefined where that cannot be told. */
  cut?: number;
  /** From where on a result fits; undefined where all do. */
  line?: number;
  /** Scores of all pictures that passed the filters. */
  scores: Distribution;
  /** What the reader should know of the query's words; undefined for nothing. */
  remark?: string;
  /** The collection's generation that was searched. */
  generation: number;
  /** Milliseconds from query to result. */
  ms: number;
}

/** Hits looked at for each that is wanted: so many may be copies of others. */
const CANDIDATES = 4;

/** How often a search begins anew because pictures are gone or have changed. */
const MOST_ROUNDS = 20;

/** Answers queries. */
export class Searcher {
  /** The first one is used where a query names none. */
  readonly spaces: readonly EncoderSpace[];
  readonly pixels: PixelSpace;
  readonly #cutOff = cutOffs();
  readonly #findOutdated: FindOutdated;

  /**
   * @param spaces One or more.
   * @param findOutdated Asked before pictures are shown; none are outdated if
   *   it is left out.
   */
  constructor(
    spaces: readonly EncoderSpace[],
    findOutdated: FindOutdated = () => Promise.resolve(new Set()),
  ) {
    this.spaces = spaces;
    this.#findOutdated = findOutdated;
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
      // Where one is gone, many are, as when a folder is removed.
      const most = CANDIDATES * query.k * 2 ** round;
      const { result, rows } = await this.#answer(
        ...[query, space, most] as const,
      );
      const found = await this.#findOutdated(space, rows);
      if (found.size === 0 || round === MOST_ROUNDS) {
        return { ...result, ms: performance.now() - start };
      }
    }
  }

  /** Of these hits, those that can be shown as they are. */
  async current<Hit extends SearchHit>(hits: readonly Hit[]): Promise<Hit[]> {
    const rows = hits.map(({ id }) => id);
    const outdated = await this.#findOutdated(this.spaces[0], rows);
    return hits.filter(({ id }) => !outdated.has(id));
  }

  /** @returns A result, and the rows of `most` hits. */
  async #answer(
    query: SearchQuery,
    space: EncoderSpace,
    most: number,
  ) {
    const { pictures, pictureEmbeddings } = space.collection;
    const { better, label } = metrics[query.metric];
    const ofPixels = query.space === PIXELS;
    const all = ofPixels
      ? await this.pixels.compare(await this.#pictureOf(query), query.metric)
      : await space.compare(await this.#vectorOf(query, space), query);
    const passes = filterRows(pictures, query);
    const values = new Float64Array(all);
    for (let row = 0; row < values.length; row++) {
      if (!passes(row) || !space.collection.isSearchable(row)) {
        values[row] = NaN;
      }
    }
    const scores = distribution(values);
    const cut = query.cut === "auto"
      ? await this.#cutOff(space, query)
      : query.cut === "none"
      ? undefined
      : query.cut;
    const isHigher = better === "higher";
    const limit = cut ?? (isHigher ? -Infinity : Infinity);
    const isRelevant = (value: number) =>
      isHigher ? value > limit : value < limit;
    const candidates = topK(
      values,
      most,
      better,
      // A picture is not its own result.
      (row) =>
        isRelevant(values[row]) && !query.like.includes(pictures[row].path),
    );
    const hits = foldCopies(
      candidates.slice(0, CANDIDATES * query.k),
      (a, b) => dot(pictureEmbeddings.row(a), pictureEmbeddings.row(b)),
      query.fold,
      query.k,
    );
    const result = {
      query,
      comparedBy: `${label}, ${ofPixels ? this.pixels.label : space.label}`,
      better,
      hits: hits.map(({ index, value, copies }) => ({
        ...hitOf(space.collection, index),
        id: this.spaces[0].collection.rowOf(pictures[index].path) ?? index,
        value,
        copies: copies.map((row) => pictures[row].path),
      })),
      total: scores.count,
      fitting: values.reduce((sum, value) => sum + +isRelevant(value), 0),
      ...(cut !== undefined && { cut, line: cut }),
      ...{ from: 0, more: false, generation: 0 },
      scores,
      ...(!ofPixels && remarkOn(query, space)),
    };
    return { result, rows: candidates.map(({ index }) => index) };
  }

  /** Pictures drawn at random from those that pass the filters. */
  random(input: Partial<SearchQuery>): SearchHit[] {
    const query = readQuery(input);
    const [{ collection }] = this.spaces;
    const rows = [...collection.pictures.keys()]
      .filter(filterRows(collection.pictures, query));
    const count = Math.min(query.k, rows.length);
    for (let i = 0; i < count; i++) {
      const other = i + Math.floor(Math.random() * (rows.length - i));
      [rows[i], rows[other]] = [rows[other], rows[i]];
    }
    return rows.slice(0, count).map((row) => hitOf(collection, row));
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
    const embed = (text: string) => space.embedText(text);
    const [text, picture, plus, minus] = await Promise.all([
      query.text ? embed(query.text) : undefined,
      this.#embedPicture(query, space),
      Promise.all(query.plus.map(embed)),
      Promise.all(query.minus.map(embed)),
    ]);
    const asked = text && picture && query.mode === "smart"
      ? blendVectors(text, picture, query.textWeight)
      : query.mode === "visual"
      ? picture ?? text
      : text ?? picture;
    try {
      return steer(asked, plus, minus);
    } catch {
      throw new QueryError("what is added and what is taken away cancel out");
    }
  }

  async #embedPicture(
    query: SearchQuery,
    { encoder, collection }: EncoderSpace,
  ): Promise<Float32Array | undefined> {
    const [first] = query.like;
    if (!first) return undefined;
    if (!first.startsWith("upload:")) {
      return collection.pictureEmbeddings.row(rowOf(first, collection));
    }
    return (await encoder.encodeImages([await this.#pictureOf(query)])).row(0);
  }

  /** The query's picture itself. */
  async #pictureOf({ like: [first] }: SearchQuery): Promise<ImageSource> {
    const [{ collection }] = this.spaces;
    if (!first) {
      throw new QueryError(
        "pixels cannot be compared with words: give a picture, or choose " +
          "“More like this” on one",
      );
    }
    if (!first.startsWith("upload:")) {
      return collection.pictures[rowOf(first, collection)].source;
    }
    const bytes = await readUpload(first.slice("upload:".length));
    if (bytes) return bytes;
    throw new QueryError("the query's picture is gone: give it again");
  }
}

/** What to say of the query's words, if anything. */
function remarkOn(
  { text, plus, minus }: SearchQuery,
  { encoder }: EncoderSpace,
) {
  const words = [text, ...plus, ...minus];
  const [remark] = words.map((one) => languageRemark(encoder, one))
    .filter((one) => one !== undefined);
  return remark === undefined ? {} : { remark };
}

/** What is known of a picture, as a result. */
export function hitOf(collection: Collection, row: number): SearchHit {
  const { source: _, sha256: __, ...known } = collection.pictures[row];
  return {
    ...known,
    ...{ id: row, value: 0, fits: true, copies: [] },
    ...{ width: 0, height: 0, date: "", camera: "" },
  };
}

function rowOf(path: string, collection: Collection): number {
  const row = collection.rowOf(path);
  if (row !== undefined) return row;
  throw new QueryError(`there is no picture "${path}" in this collection`);
}
