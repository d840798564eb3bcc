/**
 * What a search answers: the results that were asked for, and what is said of all
 * of them.
 *
 * Touches no files.
 *
 * ```ts
 * import { hitOf } from "#lib/search_page/engine/search_result.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const collection = new Collection(2);
 * const [picture] = (await sampleSource()).pictures;
 * collection.add(picture, Float32Array.of(1, 0));
 * strictEqual(hitOf(collection, 0).path, picture.path);
 * ```
 *
 * @module
 */
import type { Collection, SourcePicture } from "../index/collection.ts";
import type { SearchQuery } from "./query.ts";
import type { Distribution } from "./ranking.ts";

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
  /**
   * The results that were asked for. Those that fit come first of all, but for
   * those that an index names only when a reader has gone on past the others.
   */
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
