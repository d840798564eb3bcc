/**
 * A query as one vector: its words and pictures together, led towards some things
 * and away from others.
 *
 * ```text
 * normalise(blend(words, mean of pictures) + Σ w plus − Σ w minus − Σ w unlike)
 * ```
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { readQuery } from "#lib/search_page/engine/query.ts";
 * import { queryVector } from "#lib/search_page/engine/query_vector.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const query = readQuery({ text: "a photo of an owl" });
 * deepStrictEqual(await queryVector(query, space), await space.embedText("owl"));
 * await encoder.close();
 * ```
 *
 * @module
 */
import { addScaled, l2Normalize } from "../../compare/metrics.ts";
import type { Collection } from "../index/collection.ts";
import {
  blendWeight,
  QueryError,
  readWeighted,
  type SearchQuery,
  subjectOf,
  type Weighted,
} from "./query.ts";
import { blendVectors, steer } from "./ranking.ts";
import type { EncoderSpace } from "./spaces.ts";

/** What stands before the name of a picture that was given. */
export const UPLOAD = "upload:";

/**
 * Embeds a query.
 *
 * @returns A unit vector.
 * @throws {QueryError} If it cannot be answered: says why, for the reader.
 */
export async function queryVector(
  query: SearchQuery,
  space: EncoderSpace,
): Promise<Float32Array> {
  const { collection } = space;
  const words = (name: "plus" | "minus") =>
    query[name].map((entry) => readWeighted(name, entry)).map(
      async ({ weight, of }) =>
        scaled(await space.embedText(subjectOf(of)), weight),
    );
  const pictures = (name: "like" | "unlike") =>
    picturesOf(query, name, collection).map(
      async ({ weight, of }) => scaled(await embedPicture(of, space), weight),
    );
  const [text, like, plus, minus] = await Promise.all([
    query.text ? space.embedText(subjectOf(query.text)) : undefined,
    Promise.all(pictures("like")),
    Promise.all(words("plus")),
    Promise.all([...words("minus"), ...pictures("unlike")]),
  ]);
  try {
    const picture = like.length > 0 ? sumOf(like) : undefined;
    const asked = text && picture
      ? blendVectors(text, picture, blendWeight(query))
      : text ?? picture;
    return steer(asked, plus, minus);
  } catch {
    throw new QueryError("what is added and what is taken away cancel out");
  }
}

/**
 * The pictures that a query names, in `like` or `unlike`.
 *
 * @throws {QueryError} If there is no such picture.
 */
export function picturesOf(
  query: SearchQuery,
  name: "like" | "unlike",
  collection: Collection,
): Weighted[] {
  return query[name].map((entry) => {
    if (collection.rowOf(entry) !== undefined) return { weight: 1, of: entry };
    const picture = readWeighted(name, entry);
    const { of } = picture;
    if (of.startsWith(UPLOAD) || collection.rowOf(of) !== undefined) {
      return picture;
    }
    throw new QueryError(`there is no picture "${of}" in this collection`);
  });
}

async function embedPicture(
  of: string,
  space: EncoderSpace,
): Promise<Float32Array> {
  const { collection } = space;
  const row = collection.rowOf(of);
  // A copy: the row may be another picture's soon.
  if (row !== undefined) {
    const [vector] = await space.vectorsOf([row]);
    if (!Number.isNaN(vector[0])) return vector;
    throw new QueryError(
      `the picture "${of}" is gone: another page removed it`,
    );
  }
  return await space.embedUpload(of.slice(UPLOAD.length));
}

function scaled(vector: Float32Array, weight: number): Float32Array {
  return vector.map((value) => weight * value);
}

/** The direction of all together. */
function sumOf(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(vectors[0].length);
  for (const vector of vectors) addScaled(sum, vector);
  return l2Normalize(sum);
}
