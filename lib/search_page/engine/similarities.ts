/**
 * Cosine similarities of queries to a gallery, by what a query is compared with:
 * the pictures, what is written about them, or both by weight.
 *
 * Touches no files.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { similarities } from "#lib/search_page/engine/similarities.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const gallery = {
 *   pictureEmbeddings: Matrix.of([[1, 0], [0, 1]]),
 *   textEmbeddings: Matrix.of([[0, 1]]),
 *   textRows: [-1, 0], // Nothing is written about the first.
 *   agreement: [NaN, 1],
 * };
 * const up = Matrix.of([[0, 1]]);
 * const by = async (mode: "visual" | "text") =>
 *   [...(await similarities(up, gallery, { mode, textWeight: 0.3 })).row(0)];
 * deepStrictEqual(await by("visual"), [0, 1]);
 * deepStrictEqual(await by("text"), [NaN, 1]);
 * ```
 *
 * @module
 */
import { Matrix } from "../../compare/matrix.ts";
import { multiplyRows } from "../../compare/matrix_product.ts";
import { clampCosine } from "../../compare/metrics.ts";
import type { SearchQuery } from "./query.ts";
import { blendSimilarities } from "./ranking.ts";

/** What queries are compared with: a Collection, or some of its rows. */
export interface Gallery {
  /** Unit vectors, by row. */
  readonly pictureEmbeddings: Matrix;
  /** Unit vectors of what is written. */
  readonly textEmbeddings: Matrix;
  /** A row's place in `textEmbeddings`; -1 where nothing is written. */
  readonly textRows: ArrayLike<number>;
  /** Similarity of a row's picture to its text; NaN where nothing is written. */
  readonly agreement: ArrayLike<number>;
}

/**
 * Compares queries with a gallery.
 *
 * @param vectors Unit vectors, a row a query.
 * @returns For each query a row with a value for each row of the gallery; NaN
 *   where there is nothing to compare with. The gallery must have some row.
 */
export async function similarities(
  vectors: Matrix,
  gallery: Gallery,
  { mode, textWeight }: Pick<SearchQuery, "mode" | "textWeight">,
): Promise<Matrix> {
  const { pictureEmbeddings, textEmbeddings, textRows, agreement } = gallery;
  const { count } = pictureEmbeddings;
  const [pictures, texts] = await Promise.all([
    multiplyRows(
      vectors,
      pictureEmbeddings.slice(0, mode === "text" ? 0 : count),
    ),
    multiplyRows(
      vectors,
      textEmbeddings.slice(0, mode === "visual" ? 0 : undefined),
    ),
  ]);
  const { data } = pictures;
  for (let i = 0; i < data.length; i++) data[i] = clampCosine(data[i]);
  if (mode === "visual") return pictures;
  const values = Matrix.zeros(vectors.count, count);
  const written = new Float32Array(count);
  for (let query = 0; query < vectors.count; query++) {
    const ofTexts = texts.count > 0 ? texts.row(query) : [];
    for (let row = 0; row < count; row++) {
      written[row] = clampCosine(ofTexts[textRows[row]] ?? NaN);
    }
    values.set(
      query,
      mode === "text" ? written : blendSimilarities(
        written,
        pictures.row(query),
        agreement,
        textWeight,
      ),
    );
  }
  return values;
}

/** Some rows of a gallery, as they are now. */
export function pickRows(gallery: Gallery, rows: readonly number[]): Gallery {
  const { pictureEmbeddings, textEmbeddings, textRows, agreement } = gallery;
  const places = rows.map((row) => textRows[row]);
  const written = [...new Set(places.filter((place) => place >= 0))];
  const newPlaces = new Map(written.map((place, i) => [place, i]));
  return {
    pictureEmbeddings: pictureEmbeddings.pick(rows),
    textEmbeddings: textEmbeddings.pick(written),
    textRows: places.map((place) => newPlaces.get(place) ?? -1),
    agreement: rows.map((row) => agreement[row]),
  };
}
