/**
 * Rows that a server is asked for, or sent, a part at a time: as many as it takes
 * in a request, and as the plan that pays for it allows.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { startChroma } from "#lib/engines/chroma/chroma.ts";
 * import { openIndex } from "#lib/engines/chroma/collection.ts";
 * import { batchSizeOf, inBatches } from "#lib/engines/chroma/rows.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const chroma = await startChroma({ folder: await Deno.makeTempDir() });
 * const of = { dataset: "a", encoder: "b", dimensions: 2, space: "l2" } as const;
 * const index = await openIndex(chroma, of);
 * const sent: number[][] = [], batchSize = await batchSizeOf(index, 2);
 * await inBatches(index, [1, 2, 3], { batchSize }, async (part) => {
 *   sent.push(part);
 * });
 * deepStrictEqual(sent, [[1, 2], [3]]);
 * await chroma.stop();
 * ```
 *
 * @module
 */
import type { ChromaClient, Metadata } from "chromadb";
import type { EmbeddingIndex } from "./collection.ts";
import { rowLimitIn } from "./errors.ts";

/** How sending is paced, watched and stopped. */
export interface SendOptions {
  /** Rows a request; fewer where the server takes fewer. */
  batchSize: number;
  /** Called first with what the server has already, then after each batch. */
  onProgress?: (done: number, total: number) => void;
  /** Stops between two batches, by throwing its reason. */
  signal?: AbortSignal;
}

/** Bytes of vectors in a request: in base64 16 MB, and a server takes 40. */
const REQUEST_BYTES = 12e6;

/** How many vectors of this length fill a request. */
export function rowsARequest(dimensions: number): number {
  return Math.max(1, Math.floor(REQUEST_BYTES / (4 * dimensions)));
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
