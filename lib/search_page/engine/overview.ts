/**
 * A collection as a whole: its map, how alike its pictures are, and one picture
 * with its neighbours.
 *
 * Touches no files.
 *
 * ```ts
 * import { mapOf } from "#lib/search_page/engine/overview.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(await mapOf(new Collection(4)), []);
 * ```
 *
 * @module
 */
import { resolve } from "node:path";
import { clampCosine, dot } from "../../compare/metrics.ts";
import { Matrix } from "../../compare/matrix.ts";
import { multiplyRows } from "../../compare/matrix_product.ts";
import { principalAxes } from "../../compare/projection.ts";
import type { Collection } from "../index/collection.ts";
import { type Distribution, distribution } from "./ranking.ts";
import { hitOf, type Searcher, type SearchHit } from "./searcher.ts";
import { DEFAULT_QUERY, NO_FOLDING } from "../web/query.js";

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

/** Pictures whose vectors tell the map's axes; more give hardly others. */
const SAMPLE = 500;

/** Pairs of pictures whose similarities stand for all. */
const PAIRS = 20_000;

/** Nearest pictures that are shown with one. */
const NEIGHBOURS = 12;

/** Near copies that are looked for. */
const MOST_COPIES = 48;

/** Numbers of an embedding that show what one is; all would only fill the page. */
const NUMBERS_SHOWN = 96;

/**
 * Places all pictures on a map, those that look alike near one another.
 *
 * The axes are the two directions in which the embeddings vary most; they mean
 * nothing by themselves.
 */
export async function mapOf(collection: Collection): Promise<MapPoint[]> {
  const { pictures, pictureEmbeddings } = collection;
  const rows = [...pictures.keys()]
    .filter((row) => collection.isSearchable(row));
  if (rows.length === 0) return [];
  const points = rows.map((row): MapPoint => {
    const { path, title, term } = pictures[row];
    return { id: collection.idOf(row), path, title, term, x: 0, y: 0 };
  });
  const step = Math.max(1, rows.length / SAMPLE);
  const sample = Array.from(
    { length: Math.min(rows.length, SAMPLE) },
    (_, i) => rows[Math.floor(i * step)],
  );
  const { directions } = principalAxes(pictureEmbeddings.pick(sample));
  const places = await multiplyRows(Matrix.of(directions), pictureEmbeddings);
  const [xs, ys] = Array.from(
    places,
    (values) => spread(rows.map((row) => values[row])),
  );
  points.forEach((point, i) => {
    point.x = xs[i];
    point.y = ys[i];
  });
  return points;
}

/** Values from 0 to 1, in ten thousandths. */
function spread(values: number[]): number[] {
  const { least, most } = distribution(values);
  return values.map((value) =>
    Math.round((value - least) / (most - least || 1) * 1e4) / 1e4
  );
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
  const { bytes, dateFrom, lens, exposure, place } = collection.facts[row];
  const { source } = collection.pictures[row];
  const { dimensions } = collection.pictureEmbeddings;
  const numbers = collection.pictureEmbeddings.row(row)
    .subarray(0, NUMBERS_SHOWN);
  const vector = Array.from(numbers, (value) => Number(value.toFixed(4)));
  const { hits } = await searcher.search({
    like: [hit.path],
    mode: "visual",
    k: MOST_COPIES,
    cut: "none",
    fold: NO_FOLDING,
  });
  return {
    ...hit,
    ...{ space, dimensions, vector },
    neighbours: hits.slice(0, NEIGHBOURS),
    nearCopies: hits.filter(({ value }) => value >= DEFAULT_QUERY.fold),
    ...{ bytes, dateFrom, lens, exposure },
    ...(place && { place }),
    file: typeof source === "string" ? resolve(source) : "",
  };
}
