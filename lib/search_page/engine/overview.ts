/**
 * A collection as a whole: its map, how alike its pictures are, and one picture
 * with its neighbours.
 *
 * Touches no files.
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { mapOf } from "#lib/search_page/engine/overview.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * deepStrictEqual(await mapOf(new EncoderSpace(encoder)), []);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { resolve } from "node:path";
import { clampCosine, dot } from "../../compare/metrics.ts";
import { Matrix } from "../../compare/matrix.ts";
import { multiplyRows } from "../../compare/matrix_product.ts";
import { principalAxes } from "../../compare/projection.ts";
import { type Distribution, distribution } from "./ranking.ts";
import { hitOf, type SearchHit } from "./search_result.ts";
import type { Searcher } from "./searcher.ts";
import type { EncoderSpace } from "./spaces.ts";
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

/**
 * Pictures on the map, and of those pairs, where their vectors come from a
 * server: more would take seconds.
 */
const MOST_FETCHED = 2000;
const FETCHED_FOR_PAIRS = 200;

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
export async function mapOf(space: EncoderSpace): Promise<MapPoint[]> {
  const { collection } = space;
  const { pictures } = collection;
  const all = [...pictures.keys()]
    .filter((row) => collection.isSearchable(row));
  let rows = collection.keepsVectors ? all : everyFew(all, MOST_FETCHED);
  const vectors = collection.keepsVectors
    ? collection.pictureEmbeddings
    : await space.vectorsOf(rows);
  let places = rows;
  if (!collection.keepsVectors) {
    // One that another page has removed is nowhere.
    places = [...rows.keys()].filter((i) => !Number.isNaN(vectors.row(i)[0]));
    rows = places.map((place) => rows[place]);
  }
  if (rows.length === 0) return [];
  const points = rows.map((row): MapPoint => {
    const { path, title, term } = pictures[row];
    return { id: collection.idOf(row), path, title, term, x: 0, y: 0 };
  });
  const sample = everyFew(places, SAMPLE);
  const { directions } = principalAxes(vectors.pick(sample));
  const products = await multiplyRows(Matrix.of(directions), vectors);
  const [xs, ys] = Array.from(
    products,
    (values) => spread(places.map((place) => values[place])),
  );
  points.forEach((point, i) => {
    point.x = xs[i];
    point.y = ys[i];
  });
  return points;
}

/** At most so many of these, evenly. */
function everyFew(rows: readonly number[], most: number): number[] {
  const step = Math.max(1, rows.length / most);
  return Array.from(
    { length: Math.min(rows.length, most) },
    (_, i) => rows[Math.floor(i * step)],
  );
}

/** Values from 0 to 1, in ten thousandths. */
function spread(values: number[]): number[] {
  const { least, most } = distribution(values);
  return values.map((value) =>
    Math.round((value - least) / (most - least || 1) * 1e4) / 1e4
  );
}

/** How alike two pictures of the collection are, over pairs spread over all. */
export async function similarityOfPairs(
  space: EncoderSpace,
): Promise<Distribution> {
  const { collection } = space;
  const { keepsVectors } = collection;
  const pictureEmbeddings = keepsVectors
    ? collection.pictureEmbeddings
    : await space.vectorsOf(
      everyFew([...collection.pictures.keys()], FETCHED_FOR_PAIRS),
    );
  const { count } = pictureEmbeddings;
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
  const [first] = searcher.spaces;
  const { collection, id: space } = first;
  const hit = hitOf(collection, row);
  const { bytes, dateFrom, lens, exposure, place } = collection.facts[row];
  const { source } = collection.pictures[row];
  const [whole] = await first.vectorsOf([row]);
  const dimensions = whole.length;
  const numbers = whole.subarray(0, NUMBERS_SHOWN);
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
