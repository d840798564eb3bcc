/**
 * A search's result as a grid: the query apart, then its hits, best first,
 * each marked by whether it is of the query's class.
 *
 * Reads the pictures' files.
 *
 * ```ts
 * import { hitGrid } from "#lib/display/hits.ts";
 * import type { Picture } from "#lib/records.ts";
 *
 * async function show(query: Picture, gallery: Picture[]) {
 *   const hits = [{ index: 0, value: 0.91 }];
 *   return await hitGrid(query, hits, gallery, { caption: "By cosine" });
 * }
 * ```
 *
 * @module
 */
import type { Picture } from "../records.ts";
import { picturePath } from "../dataset/dataset.ts";
import type { Hit } from "../compare/compare.ts";
import { imageGrid } from "./grid.ts";
import type { Displayable } from "./display.ts";

/**
 * Lays a result out.
 *
 * @param query The picture searched with; undefined for a search by text,
 *   which the caption should quote. Without it hits are not marked.
 * @param hits Positions in the gallery, with their values.
 */
export function hitGrid(
  query: Picture | undefined,
  hits: readonly Hit[],
  gallery: readonly Picture[],
  { caption }: { caption?: string } = {},
): Promise<Displayable> {
  const first = query
    ? [{ ...cell(query), caption: "query", query: true }]
    : [];
  const rest = hits.map(({ index, value }) => ({
    ...cell(gallery[index]),
    caption: formatValue(value),
    good: query && gallery[index].term === query.term,
  }));
  return imageGrid([...first, ...rest], { caption });
}

function cell(picture: Picture) {
  return {
    image: picturePath(picture),
    alt: picture.caption,
    title: picture.term,
  };
}

/** Three digits for a similarity, none after the point for a large distance. */
function formatValue(value: number): string {
  return Math.abs(value) < 100
    ? value.toFixed(3)
    : Math.round(value).toLocaleString("en");
}
