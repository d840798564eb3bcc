/**
 * Fills a collection, and keeps it in line with a data set that changes: only
 * what differs travels.
 *
 * Each row carries a fingerprint of its content, so that a second run over
 * 100,000 unchanged rows sends none of their vectors.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { startChroma } from "#lib/engines/chroma/chroma.ts";
 * import { openIndex } from "#lib/engines/chroma/collection.ts";
 * import { indexEmbeddings } from "#lib/engines/chroma/update.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const chroma = await startChroma({ folder: await Deno.makeTempDir() });
 * const of = { dataset: "a", encoder: "b", dimensions: 2, space: "l2" } as const;
 * const index = await openIndex(chroma, of);
 * const owl = { path: "owl.jpg", category: "birds", term: "owl" };
 * const vectors = Matrix.of([[3, 4]]);
 * await indexEmbeddings(index, [owl], vectors);
 * const changes = await indexEmbeddings(index, [owl], vectors);
 * deepEqual(changes, { sent: 0, unchanged: 1, deleted: 0 });
 * await chroma.stop();
 * ```
 *
 * @module
 */
import type { Matrix } from "../../compare/matrix.ts";
import { checkIds, checkWhole } from "../checks.ts";
import {
  checkVector,
  type EmbeddingIndex,
  type IndexedPicture,
} from "./collection.ts";
import { checkMetadata } from "./metadata.ts";
import {
  batchSizeOf,
  deleteRows,
  fingerprintOf,
  readFingerprints,
  sendChanged,
} from "./rows.ts";

/** How an update is paced, watched and stopped. */
export interface UpdateOptions {
  /**
   * Rows a request, or fewer where the server takes fewer.
   * @default 2000
   */
  batchSize?: number;
  /**
   * Called first with the number of rows that the server has already, then
   * after each batch; `total` is the number of all rows.
   */
  onProgress?: (done: number, total: number) => void;
  /** Stops between two batches, by throwing the signal's reason. */
  signal?: AbortSignal;
}

/** What an update did. */
export interface IndexChanges {
  /** Rows new or changed. */
  sent: number;
  /** Rows that the server had already, equal in every number. */
  unchanged: number;
  /** Rows that the server had and the data set has no more. */
  deleted: number;
}

/**
 * Brings the index in line with a data set: sends what is new or changed,
 * deletes what is gone, leaves alone what is equal. Stopped half-way, the next
 * call sends the rest.
 *
 * @param pictures All of them: a row whose picture is not among them is deleted.
 * @param vectors A row a picture, in their order.
 * @throws {RangeError} Before anything is sent, if there are more or fewer
 * vectors than pictures, a vector has another length than the index or a value
 * that is no finite number, two pictures have one path, or the batch size is not
 * a whole number of 1 or more.
 */
export async function indexEmbeddings(
  index: EmbeddingIndex,
  pictures: readonly IndexedPicture[],
  vectors: Matrix,
  { batchSize: wantedSize = 2000, onProgress, signal }: UpdateOptions = {},
): Promise<IndexChanges> {
  checkWhole("indexEmbeddings", "batch size", wantedSize);
  if (vectors.count !== pictures.length) {
    throw new RangeError(
      `indexEmbeddings: expected a vector for each of ${pictures.length} ` +
        `pictures, got ${vectors.count}`,
    );
  }
  const paths = new Set(pictures.map(({ path }) => path));
  checkIds("indexEmbeddings", pictures.map(({ path }) => path));
  const metadatas = pictures.map(({ path, category, term }, row) => {
    const vector = vectors.row(row);
    checkVector("indexEmbeddings", index, vector, path);
    checkMetadata("indexEmbeddings", path, { category, term });
    const fingerprint = fingerprintOf(vector, [category, term]);
    return { category, term, fingerprint };
  });

  const batchSize = await batchSizeOf(index, wantedSize);
  const options = { batchSize, onProgress, signal };
  const stored = await readFingerprints(index, options);
  const gone = [...stored.keys()].filter((path) => !paths.has(path));
  await deleteRows(index, gone, options);
  const rows = { ids: [...paths], vectors, metadatas };
  const sent = await sendChanged(index, rows, stored, options);
  return { sent, unchanged: pictures.length - sent, deleted: gone.length };
}
