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
  /** Row in the first space's collection. */
  row: number;
  /** The metric's value; NaN has no place here: a random picture has 0. */
  value: number;
  /** Paths of pictures that are nearly this one. */
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
  /** Of them, how many are better than the cut-off. */
  relevant: number;
  /** Where the cut-off is; undefined for none. */
  cut?: number;
  /** Scores of all pictures that passed the filters. */
  scores: Distribution;
  /** What the reader should know of the query's words; undefined for nothing. */
  remark?: string;
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
    const rows = hits.map(({ row }) => row);
    const outdated = await this.#findOutdated(this.spaces[0], rows);
    return hits.filter(({ row }) => !outdated.has(row));
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
      (row) => isRelevant(values[row]) && pictures[row].path !== query.like,
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
        row: this.spaces[0].collection.rowOf(pictures[index].path) ?? index,
        value,
        copies: copies.map((row) => pictures[row].path),
      })),
      total: scores.count,
      relevant: values.reduce((sum, value) => sum + +isRelevant(value), 0),
      ...(cut !== undefined && { cut }),
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
    if (query.like) {
      return collection.pictureEmbeddings.row(rowOf(query.like, collection));
    }
    if (!query.picture) return undefined;
    return (await encoder.encodeImages([await this.#pictureOf(query)])).row(0);
  }

  /** The query's picture itself. */
  async #pictureOf({ picture, like }: SearchQuery): Promise<ImageSource> {
    const [{ collection }] = this.spaces;
    if (like) return collection.pictures[rowOf(like, collection)].source;
    if (!picture) {
      throw new QueryError(
        "pixels cannot be compared with words: give a picture, or choose " +
          "“More like this” on one",
      );
    }
    const bytes = await readUpload(picture);
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
  return { ...known, row, value: 0, copies: [] };
}

function rowOf(path: string, collection: Collection): number {
  const row = collection.rowOf(path);
  if (row !== undefined) return row;
  throw new QueryError(`there is no picture "${path}" in this collection`);
}
