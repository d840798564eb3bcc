/**
 * Whether the vectors that came with pictures, an embeddings.npy say, are those
 * that an encoder would make: embeddings of two encoders never meet.
 *
 * That a row is a vector at all, each row is asked. Whose it is, some rows spread
 * over all tell, whose pictures are embedded to compare: were all embedded,
 * nothing would be gained by the file.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { trustedVectors } from "#lib/search_page/index/given_vectors.ts";
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { deepEqual, equal } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const { pictures } = await sampleSource();
 * const vectors = Matrix.of([[1, 0]]);
 * const { remarks, ...given } = await trustedVectors({ pictures, vectors }, encoder);
 * equal(given.vectors, undefined); // of another length: another encoder's
 * equal(remarks.length, 1);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { Matrix } from "../../compare/matrix.ts";
import { dot, l2Normalize } from "../../compare/metrics.ts";
import { embedPictures } from "../../embeddings/embeddings.ts";
import type { EmbeddingStore } from "../../embeddings/store.ts";
import type { Encoder } from "../../encoders/encoder.ts";
import type { PictureSource } from "./sources.ts";

/** Rows that are compared with what the encoder makes. */
const COMPARED = 16;

/** Cosine of two vectors that one encoder made of one picture, at least. */
const ALIKE = 0.99;

/**
 * The vectors that came with pictures, as far as they can be used.
 *
 * @param store Keeps what is embedded in order to compare.
 * @returns Unit vectors, NaN throughout for a picture that has to be embedded;
 *   none if they are not this encoder's. And what there is to say, a line each.
 */
export async function trustedVectors(
  { vectors, pictures, vectorsFrom = "embeddings.npy" }: Pick<
    PictureSource,
    "vectors" | "pictures" | "vectorsFrom"
  >,
  encoder: Encoder,
  store?: EmbeddingStore,
): Promise<{ vectors?: Matrix; remarks: string[] }> {
  if (!vectors?.count) return { remarks: [] };
  const remarks: string[] = [];
  const refuse = (what: string, more = "") => {
    const whose = `${what} not ${encoder.id}'s${more}`;
    remarks.push(`${vectorsFrom}: ${whose}: the pictures are embedded again`);
    return { remarks };
  };
  if (vectors.dimensions !== encoder.dimensions) {
    const expected = `, which have ${encoder.dimensions}`;
    return refuse(`rows of ${vectors.dimensions} numbers are`, expected);
  }
  const given = Matrix.zeros(vectors.count, vectors.dimensions);
  const good: number[] = [], bad: number[] = [];
  for (const row of pictures.keys()) {
    const vector = vectors.row(row);
    const squares = dot(vector, vector);
    const isVector = squares > 0 && squares < Infinity;
    if (isVector) good.push(row);
    else if (!vector.every(Number.isNaN)) bad.push(row);
    if (isVector) given.set(row, l2Normalize(vector));
    else given.row(row).fill(NaN);
  }
  // A picture that keeps its line's number keeps its row's as well.
  const nameOf = (rows: readonly number[]) => {
    const names = rows.slice(0, 5).map((row) => pictures[row].path);
    if (rows.length > 5) names.push(`${rows.length - 5} more`);
    return `row${rows.length > 1 ? "s" : ""} ${names.join(", ")}`;
  };
  if (bad.length > 0) {
    remarks.push(
      `${vectorsFrom}, ${
        nameOf(bad)
      }: not finite, or zeros alone: embedded again`,
    );
  }

  if (good.length === 0) return { remarks };
  const compared = spread(good);
  const { vectors: own, failures } = await embedPictures(
    encoder,
    compared.map((row) => pictures[row]),
    { store },
  );
  if (failures.length === compared.length) {
    return refuse("no row can be compared, so they count as");
  }
  const foreign = compared.filter((row, i) =>
    // A picture that cannot be decoded, NaN, tells nothing.
    dot(own.row(i), given.row(row)) < ALIKE
  );
  if (foreign.length > 0) {
    const of = `of ${compared.length} compared`;
    const are = foreign.length > 1 ? "are" : "is";
    return refuse(`${nameOf(foreign)}, ${of}, ${are}`);
  }
  return { vectors: given, remarks };
}

/** Some of the rows, evenly, the first and the last among them. */
function spread(rows: readonly number[]): number[] {
  const count = Math.min(COMPARED, rows.length);
  const step = (rows.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, i) => rows[Math.round(i * step)]);
}
