/**
 * How rows compare with a query where a server has the vectors: by what came with
 * the candidates, and by as few requests for the rest as can be.
 *
 * The first results' vectors come along with those of the rest, since their copies
 * will be folded (listing.ts): one request in place of two that follow each other.
 *
 * Touches no files; what it asks for, the space's index does.
 *
 * ```ts
 * import { readQuery } from "#lib/search_page/engine/query.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { valuesFromServer } from "#lib/search_page/engine/values_from_server.ts";
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder, 0, false);
 * const owl = await space.embedText("an owl");
 * const query = readQuery({ text: "an owl" });
 * const { values } = await valuesFromServer(space, owl, query, { rows: [], isAll: true });
 * strictEqual(values.length, 0);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { topK } from "../../compare/compare.ts";
import type { Matrix } from "../../compare/matrix.ts";
import { metrics } from "../../compare/metrics.ts";
import { FETCHED_SOONER } from "../../engines/chroma/named_rows.ts";
import type { Collection } from "../index/collection.ts";
import type { Candidates } from "./candidates.ts";
import { LOOK_BACK } from "./folding.ts";
import type { SearchQuery } from "./query.ts";
import { blendSimilarities } from "./ranking.ts";
import type { SpaceIndex } from "./space_index.ts";

/** Pictures of which a server has the vectors. */
export interface ServedSpace {
  readonly collection: Collection;
  readonly index: SpaceIndex | undefined;
  vectorsOf(rows: readonly number[]): Promise<Matrix>;
}

/** The cosines of some rows, by the query's mode, and vectors that came for them. */
export async function valuesFromServer(
  space: ServedSpace,
  vector: Float32Array,
  query: SearchQuery,
  { rows, ofPictures, ofTexts }: Candidates,
): Promise<
  { values: Float32Array; vectors?: ReadonlyMap<number, Float32Array> }
> {
  if (rows.length === 0) return { values: new Float32Array(0) };
  const { collection, index } = space;
  const { mode, textWeight } = query;
  const texts = textsOfRows(collection, rows);
  const agreement = rows.map((row) => collection.agreement[row]);
  const near = rows.map((row) => ofPictures?.get(row) ?? NaN);
  const told = texts.ids.map((id) => ofTexts?.get(id));
  const blend = (
    written: ArrayLike<number | undefined>,
    pictures: ArrayLike<number>,
  ) =>
    blendSimilarities(
      texts.places.map((place) => written[place] ?? NaN),
      pictures,
      agreement,
      textWeight,
    );
  const comparePictures = async (): Promise<
    { pictures: number[]; vectors?: ReadonlyMap<number, Float32Array> }
  > => {
    const rest = rows.filter((_, i) => Number.isNaN(near[i]));
    if (mode === "text" || rest.length === 0) return { pictures: near };
    if (rest.length > FETCHED_SOONER) {
      const paths = rest.map((row) => collection.pictures[row].path);
      const values = await index!.pictures.compare(vector, paths);
      return { pictures: filled(near, values) };
    }
    const first = firstRows(rows, blend(told, near), query);
    const wanted = [...rest, ...first];
    const fetched = await space.vectorsOf(wanted);
    const vectors = new Map(wanted.map((row, i) => [row, fetched.row(i)]));
    const values = rest.map((_, i) =>
      metrics.cosine.measure(vector, fetched.row(i))
    );
    return { pictures: filled(near, values), vectors };
  };
  const compareTexts = async () => {
    const rest = texts.ids.filter((_, i) => told[i] === undefined);
    if (rest.length === 0) return told;
    return filled(told, await index!.texts.compare(vector, rest));
  };
  const [{ pictures, vectors }, written] = await Promise.all([
    comparePictures(),
    mode === "visual" ? [] : compareTexts(),
  ]);
  if (mode === "visual") {
    return { values: Float32Array.from(pictures), vectors };
  }
  return {
    values: mode === "text"
      ? Float32Array.from(texts.places, (place) => written[place] ?? NaN)
      : blend(written, pictures),
    vectors,
  };
}

/**
 * The rows that will probably be listed first, and those behind them that may be
 * their copies; none where copies are not folded, or another page is wanted.
 */
function firstRows(
  rows: readonly number[],
  values: Float32Array,
  { from, k, fold }: SearchQuery,
): number[] {
  if (fold > 1 || from > 0) return [];
  const count = Math.min(k + 1 + LOOK_BACK, rows.length);
  return topK(values, count, "higher", (i) => !Number.isNaN(values[i]))
    .map(({ index }) => rows[index]);
}

/** Values that are known, and the others in their places. */
function filled(
  known: readonly (number | undefined)[],
  others: ArrayLike<number>,
): number[] {
  let next = 0;
  return known.map((value) =>
    value === undefined || Number.isNaN(value) ? others[next++] : value
  );
}

/** What is written about rows: each text once, and where each row's is; -1 for none. */
export function textsOfRows(
  { textRows, textIds }: Pick<Collection, "textRows" | "textIds">,
  rows: readonly number[],
): { ids: string[]; places: number[] } {
  const placeOf = new Map<number, number>();
  const places = rows.map((row) => {
    const textRow = textRows[row];
    if (textRow < 0) return -1;
    if (!placeOf.has(textRow)) placeOf.set(textRow, placeOf.size);
    return placeOf.get(textRow)!;
  });
  return { ids: Array.from(placeOf.keys(), (row) => textIds[row]), places };
}
