/**
 * A collection as a whole: its map, how alike its pictures are, and one picture
 * with its neighbours.
 *
 * Touches no files.
 *
 * ```ts
 * import { mapOf } from "#lib/search_page/engine/overview.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * deepEqual(mapOf(new Collection(4)), []);
 * ```
 *
 * @module
 */
import { clampCosine, dot } from "../../compare/metrics.ts";
import { principalComponents } from "../../compare/projection.ts";
import type { Collection } from "../index/collection.ts";
import { type Distribution, distribution } from "./ranking.ts";
import { hitOf, type Searcher, type SearchHit } from "./searcher.ts";
import { NO_FOLDING } from "../web/query.js";

/** A picture's place on the map. */
export interface MapPoint
  extends Pick<SearchHit, "id" | "path" | "title" | "term"> {
  /** Place from 0 to 1, from left to right. */
  x: number;
  /** Place from 0 to 1, from top to bottom. */
  y: number;
}

/** All that is known of a picture. */
export interface PictureDetail extends SearchHit {
  /** The encoder's id. */
  space: string;
  dimensions: number;
  /** The first numbers of its embedding. */
  vector: number[];
  /** The nearest by their looks, none folded. */
  neighbours: SearchHit[];
  /** Those so near that a search folds them behind this one. */
  nearCopies: SearchHit[];
  /** Size of the file; 0 where that is not known. */
  bytes: number;
  /** Where the date is from. */
  dateFrom: "EXIF" | "file" | "";
  lens: string;
  /** "1/250 s, f/2.8, ISO 400, 50 mm"; "" if not known. */
  exposure: string;
  /** Degrees, north and east positive. */
  place?: { latitude: number; longitude: number };
  /** Where the file lies; "" if it is none. */
  file: string;
}

/** Most pictures on a map: more would cover one another, and take seconds. */
const MOST_ON_MAP = 800;

/** Pairs of pictures whose similarities stand for all. */
const PAIRS = 20_000;

/** Numbers of an embedding that show what one is; all would only fill the page. */
const NUMBERS_SHOWN = 96;

/**
 * Places pictures on a map, those that look alike near one another: all of
 * them, or a sample spread over the rows.
 *
 * The axes are the two directions in which the embeddings vary most; they mean
 * nothing by themselves.
 */
export function mapOf(collection: Collection): MapPoint[] {
  const { count, pictureEmbeddings } = collection;
  const step = Math.max(1, count / MOST_ON_MAP);
  const rows = Array.from(
    { length: Math.min(count, MOST_ON_MAP) },
    (_, i) => Math.floor(i * step),
  );
  const places = principalComponents(pictureEmbeddings.pick(rows));
  const xs = spread(places.map(({ x }) => x));
  const ys = spread(places.map(({ y }) => y));
  return rows.map((row, i) => {
    const { path, title, term } = collection.pictures[row];
    return { id: row, path, title, term, x: xs[i], y: ys[i] };
  });
}

/** Values from 0 to 1. */
function spread(values: number[]): number[] {
  const least = Math.min(...values), most = Math.max(...values);
  return values.map((value) => (value - least) / (most - least || 1));
}

/** How alike two pictures of the collection are, over pairs spread over all. */
export function similarityOfPairs(
  { count, pictureEmbeddings }: Collection,
): Distribution {
  const values: number[] = [];
  const step = Math.max(1, Math.floor(count * (count - 1) / 2 / PAIRS));
  let pair = 0;
  for (let a = 0; a < count && values.length < PAIRS; a++) {
    for (let b = a + 1 + (step - pair % step) % step; b < count; b += step) {
      const cosine = dot(pictureEmbeddings.row(a), pictureEmbeddings.row(b));
      values.push(clampCosine(cosine));
    }
    pair += count - a - 1;
  }
  return distribution(values);
}

/** All that is known of the picture of that row. */
export async function detailOf(
  searcher: Searcher,
  row: number,
): Promise<PictureDetail> {
  const [{ collection, id: space }] = searcher.spaces;
  const hit = hitOf(collection, row);
  const { hits: neighbours } = await searcher.search({
    like: [hit.path],
    mode: "visual",
    k: 8,
    cut: "none",
    fold: NO_FOLDING,
  });
  const { dimensions } = collection.pictureEmbeddings;
  const numbers = collection.pictureEmbeddings.row(row)
    .subarray(0, NUMBERS_SHOWN);
  const vector = Array.from(numbers, (value) => Number(value.toFixed(4)));
  return {
    ...hit,
    ...{ space, dimensions, vector, neighbours, nearCopies: [] },
    ...{ bytes: 0, dateFrom: "", lens: "", exposure: "", file: "" },
  };
}
