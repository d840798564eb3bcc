/**
 * A collection's rows: which the server holds, by their fingerprints, and how
 * new ones are sent. An update of a whole data set (update.ts) and an index that
 * is asked like any other (chroma_index.ts) stand on it.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { fingerprintOf } from "#lib/engines/chroma/rows.ts";
 * import { notStrictEqual, strictEqual } from "node:assert/strict";
 *
 * const one = fingerprintOf(Float32Array.of(1, 2), { term: "owl" });
 * strictEqual(fingerprintOf(Float32Array.of(1, 2), { term: "owl" }), one);
 * notStrictEqual(fingerprintOf(Float32Array.of(1, 2), { term: "hen" }), one);
 * ```
 *
 * @module
 */
import type { ChromaClient, Metadata } from "chromadb";
import { createHash } from "node:crypto";
import type { Matrix } from "../../compare/matrix.ts";
import type { EmbeddingIndex } from "./collection.ts";
import { rowLimitIn } from "./errors.ts";
import { asStored } from "./spaces.ts";
import { upsertRows } from "./upsert.ts";

/** What is kept of a row beside its vector. */
export type RowMetadata = Metadata & { fingerprint: number };

/** Rows to be sent: ids, vectors and what is kept beside them, in one order. */
export interface Rows {
  ids: readonly string[];
  vectors: Matrix;
  metadatas: readonly RowMetadata[];
  /** Those of which the server alone has the metadata: they never leave it. */
  inPlace?: ReadonlySet<string>;
}

/** How sending is paced, watched and stopped. */
export interface SendOptions {
  /** Rows a request; fewer where the server takes fewer. */
  batchSize: number;
  /** Called first with what the server has already, then after each batch. */
  onProgress?: (done: number, total: number) => void;
  /** Stops between two batches, by throwing its reason. */
  signal?: AbortSignal;
}

/**
 * Names a row's content, so that an equal one need not be sent again: 53 bits of
 * its hash, a whole number. In 43 letters it would take the server a tenth
 * longer to add the row.
 */
export function fingerprintOf(
  vector: Float32Array,
  metadata: unknown,
): number {
  const hash = createHash("sha256").update(vector)
    .update(JSON.stringify(metadata)).digest();
  return Number(hash.readBigUInt64LE() >> 11n);
}

/** Rows that a plan takes at once, where that is less than its server says. */
const rowLimits = new WeakMap<ChromaClient, number>();

/** How many rows a request may have: the wanted number, or what the server takes. */
export async function batchSizeOf(
  { client }: Pick<EmbeddingIndex, "client">,
  wanted: number,
): Promise<number> {
  const limit = await client.getMaxBatchSize();
  // A server that states no limit says -1.
  const taken = limit > 0 ? limit : Infinity;
  return Math.min(wanted, taken, rowLimits.get(client) ?? Infinity);
}

/**
 * Asks for so many rows; for as many as the plan takes, where that is fewer.
 *
 * @returns The answer, and for how many it was asked at last.
 */
export async function withinLimit<Answer>(
  { client }: Pick<EmbeddingIndex, "client">,
  wanted: number,
  ask: (count: number) => Promise<Answer>,
): Promise<[answer: Answer, asked: number]> {
  for (;;) {
    const count = Math.min(wanted, rowLimits.get(client) ?? wanted);
    try {
      return [await ask(count), count];
    } catch (error) {
      const limit = rowLimitIn(error);
      if (limit === undefined || limit >= count) throw error;
      rowLimits.set(client, limit);
    }
  }
}

/** Hands on a list part by part, each as long as the server and the plan take. */
export async function inBatches<Item>(
  index: Pick<EmbeddingIndex, "client">,
  items: readonly Item[],
  { batchSize, signal }: Pick<SendOptions, "batchSize" | "signal">,
  send: (batch: Item[]) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length;) {
    signal?.throwIfAborted();
    const left = Math.min(batchSize, items.length - start);
    const [, sent] = await withinLimit(
      index,
      left,
      (count) => send(items.slice(start, start + count)),
    );
    start += sent;
  }
}

/**
 * The fingerprint of each row that the server holds.
 *
 * @param ids Only these; all where left out.
 */
export async function readFingerprints(
  index: EmbeddingIndex,
  { batchSize, signal }: SendOptions,
  ids?: readonly string[],
): Promise<Map<string, unknown>> {
  const stored = new Map<string, unknown>();
  for await (const [id, metadata] of readRows(index, batchSize, ids)) {
    signal?.throwIfAborted();
    stored.set(id, metadata?.fingerprint);
  }
  return stored;
}

/** Ids and what is kept beside the vectors, a page at a time. */
export async function* readRows(
  index: EmbeddingIndex,
  batchSize: number,
  ids?: readonly string[],
): AsyncGenerator<[id: string, metadata: Metadata | null]> {
  const { collection } = index;
  const count = ids?.length ?? await collection.count();
  for (let offset = 0; offset < count;) {
    const left = Math.min(batchSize, count - offset);
    const [page, asked] = await withinLimit(
      index,
      left,
      (limit) =>
        collection.get({
          ...(ids
            ? { ids: ids.slice(offset, offset + limit) }
            : { limit, offset }),
          include: ["metadatas"],
        }),
    );
    for (const [i, id] of page.ids.entries()) yield [id, page.metadatas[i]];
    offset += asked;
  }
}

/**
 * Sends the rows that are new or changed; passes over those that are equal.
 *
 * @param stored What the server holds.
 * @returns How many were sent.
 */
export async function sendChanged(
  index: EmbeddingIndex,
  { ids, vectors, metadatas, inPlace }: Rows,
  stored: ReadonlyMap<string, unknown>,
  options: SendOptions,
): Promise<number> {
  const { collection, space } = index;
  const changed = [...ids.keys()].filter((row) =>
    stored.get(ids[row]) !== metadatas[row].fingerprint
  );
  let done = ids.length - changed.length;
  options.onProgress?.(done, ids.length);
  await inBatches(index, changed, options, async (rows) => {
    const batch = rows.map((row) => ids[row]);
    // Rows overwritten in place wear the graph out: after a change of all of
    // 10,000 x 128 numbers it found 95 to 98 of 100 neighbours. Deleted and
    // added again, rows are linked in afresh, and it found all.
    const known = batch.filter((id) => stored.has(id) && !inPlace?.has(id));
    // Chroma takes an empty list for a mistake.
    if (known.length > 0) await collection.delete({ ids: known });
    await upsertRows(
      index,
      batch,
      rows.map((row) => asStored(space, vectors.row(row))),
      rows.map((row) => metadatas[row]),
    );
    done += rows.length;
    options.onProgress?.(done, ids.length);
  });
  return changed.length;
}

/** Takes rows out, a request for each so many. */
export async function deleteRows(
  index: EmbeddingIndex,
  ids: readonly string[],
  options: Pick<SendOptions, "batchSize" | "signal">,
): Promise<void> {
  await inBatches(index, ids, options, async (batch) => {
    await index.collection.delete({ ids: batch });
  });
}
