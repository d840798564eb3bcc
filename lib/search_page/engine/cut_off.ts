/**
 * From which similarity on a result fits the query.
 *
 * A cosine says little by itself: 0.3 is much for one encoder and nothing for
 * another. So we compare a hundred everyday words with the pictures. A query of
 * words must fit better than the second-best of them does for a typical picture:
 * the best may well be true of it, the second-best hardly ever. For a picture as
 * query, most of the collection is unrelated to it, and it is what all but a
 * fourteenth of all pairs of pictures stay below.
 *
 * Of what passes, what comes at least three tenths of the way from there to the
 * best match fits: where something matches well, what barely passes does not.
 *
 * ```text
 * values  ·· ·:·::::::::·:·|· ·      ·|    ·   ·  ·
 *                         cut       line        top
 * ```
 *
 * Kindred things still fit ("dog" finds a dingo), and small things in large
 * scenes do not: so what does not fit is never hidden for good.
 *
 * Touches no files but the store of embeddings, for the words.
 *
 * ```ts
 * import { lineAbove } from "#lib/search_page/engine/cut_off.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(lineAbove(0.5, 1), 0.65);
 * strictEqual(lineAbove(0.5, 0.4), 0.5); // The best does not even pass the cut.
 * ```
 *
 * @module
 */
import type { Matrix } from "../../compare/matrix.ts";
import { blendWeight, type SearchQuery } from "./query.ts";
import { type Gallery, similarities } from "./similarities.ts";
import type { EncoderSpace } from "./spaces.ts";

/** What a query consists of, towards which it goes. */
export interface QueryParts {
  words: boolean;
  pictures: boolean;
}

/**
 * Finds the cut for queries of cosine similarity; undefined where none can be
 * told: fewer than three pictures, or nothing written to compare with.
 */
export type CutOff = (
  space: EncoderSpace,
  query: Pick<SearchQuery, "mode" | "textWeight">,
  parts: QueryParts,
) => Promise<number | undefined>;

/** Fewer pictures than this tell nothing. */
const FEWEST = 3;

/** Pictures that stand for all, where there are more. */
const SAMPLE = 5000;

/** Pictures that stand for all as queries. */
const PROBES = 100;

/** So many pairs of pictures have nothing to do with one another. */
const UNRELATED = 0.93;

/** From the cut to the best match, the part of the way where the line is. */
const WAY = 0.3;

/** A collection is measured anew when so large a part of it has changed. */
const CHANGED = 0.1;

/** From where on results fit. @param top The best value of all. */
export function lineAbove(cut: number, top: number): number {
  return cut + WAY * Math.max(0, top - cut);
}

/** Makes a CutOff that remembers what it found as long as a collection stays. */
export function cutOffs(): CutOff {
  const known = new Map<
    string,
    { generation: number; cut: Promise<number | undefined> }
  >();
  const fetched = new Map<
    string,
    { generation: number; gallery: Promise<Gallery | undefined> }
  >();
  /** Vectors that come from a server are kept: a slider asks for many cuts. */
  const galleryOf = (space: EncoderSpace) => {
    const { count, generation, keepsVectors } = space.collection;
    if (keepsVectors) return typicalGallery(space);
    const found = fetched.get(space.id);
    if (found && generation - found.generation <= CHANGED * count) {
      return found.gallery;
    }
    const gallery = typicalGallery(space);
    fetched.set(space.id, { generation, gallery });
    gallery.catch(() => fetched.delete(space.id));
    return gallery;
  };
  return async (space, query, { words, pictures }) => {
    const { count, generation } = space.collection;
    const reachedBy = (measure: typeof reachedByWords) => {
      const weight = query.mode === "smart" ? query.textWeight : "";
      const key = [space.id, measure.name, query.mode, weight].join();
      const found = known.get(key);
      if (found && generation - found.generation <= CHANGED * count) {
        return found.cut;
      }
      // The weight is the reader's to move.
      if (known.size > 200) known.clear();
      const cut = measure(space, query, galleryOf);
      known.set(key, { generation, cut });
      cut.catch(() => known.delete(key));
      return cut;
    };
    if (!pictures) return await reachedBy(reachedByWords);
    if (!words) return await reachedBy(reachedByPictures);
    const [ofWords, ofPictures] = await Promise.all([
      reachedBy(reachedByWords),
      reachedBy(reachedByPictures),
    ]);
    if (ofWords === undefined || ofPictures === undefined) return undefined;
    const weight = blendWeight(query);
    return weight * ofWords + (1 - weight) * ofPictures;
  };
}

/** What the second-best everyday word reaches for a typical picture. */
async function reachedByWords(
  space: EncoderSpace,
  query: Pick<SearchQuery, "mode" | "textWeight">,
  galleryOf: typeof typicalGallery,
): Promise<number | undefined> {
  const words = await space.everydayWords();
  const gallery = await galleryOf(space);
  if (!gallery) return undefined;
  const values = await similarities(words, gallery, query);
  return quantile(secondHighest(values), 0.5);
}

/** For each column, the second highest value. */
function secondHighest(values: Matrix): Float32Array {
  const best = new Float32Array(values.dimensions).fill(-Infinity);
  const second = best.slice();
  for (const row of values) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      if (value > best[i]) {
        second[i] = best[i];
        best[i] = value;
      } else if (!(value <= second[i])) second[i] = value;
    }
  }
  return second;
}

/** What nearly all pictures stay below, compared with others. */
async function reachedByPictures(
  space: EncoderSpace,
  query: Pick<SearchQuery, "mode" | "textWeight">,
  galleryOf: typeof typicalGallery,
): Promise<number | undefined> {
  const gallery = await galleryOf(space);
  if (!gallery) return undefined;
  const probes = evenlySpaced(gallery.pictureEmbeddings.count, PROBES);
  const vectors = gallery.pictureEmbeddings.pick(probes);
  const values = await similarities(vectors, gallery, query);
  // None is compared with itself.
  probes.forEach((probe, i) => values.row(i)[probe] = NaN);
  return quantile(values.data, UNRELATED);
}

/** Pictures that stand for all that can be found; undefined where there are too few. */
async function typicalGallery(
  space: EncoderSpace,
): Promise<Gallery | undefined> {
  const { collection } = space;
  const rows = [...collection.pictures.keys()]
    .filter((row) => collection.isSearchable(row));
  const sample = evenlySpaced(rows.length, SAMPLE).map((i) => rows[i]);
  if (sample.length < FEWEST) return undefined;
  return await space.galleryOf(sample);
}

/** At most so many of the numbers from 0 on, as far apart as can be. */
function evenlySpaced(count: number, most: number): number[] {
  const length = Math.min(count, most);
  return Array.from(
    { length },
    (_, i) => Math.floor((i + 0.5) * count / length),
  );
}

/**
 * The value below which the given share of all values lies, 0 to 1; NaN does not
 * count. Between two values, the lower one. Undefined of none.
 */
export function quantile(
  values: Float32Array,
  share: number,
): number | undefined {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  return sorted[Math.floor(share * (sorted.length - 1))];
}
