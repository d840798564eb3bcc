/**
 * Keeps the collections of a data set × encoder alike. Each holds all rows,
 * arranged for its kind of closeness: one that is made later is filled from
 * those that there are.
 *
 * | a collection of | can be made of those of |
 * | --------------- | ----------------------- |
 * | l2              | none but itself         |
 * | cosine          | l2                      |
 * | correlation     | l2, cosine              |
 *
 * The server scales the vectors of a cosine collection to length 1, and those of
 * correlation are centred as well: what they were before is not to be had there.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { startChroma } from "#lib/engines/chroma/chroma.ts";
 * import { openChromaIndex } from "#lib/engines/chroma/chroma_index.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const chroma = await startChroma({ folder: await Deno.makeTempDir() });
 * const birds = { dataset: "birds", encoder: "by hand", dimensions: 2 };
 * const index = await openChromaIndex(chroma, { ...birds, metrics: ["l2"] });
 * await index.put(["owl", "hen"], Matrix.of([[3, 4], [9, 9]]));
 * const later = await openChromaIndex(chroma, { ...birds, metrics: ["cosine"] });
 * strictEqual((await later.nearest(Float32Array.of(6, 8), 1))[0].id, "owl");
 * await chroma.stop();
 * ```
 *
 * @module
 */
import { type EmbeddingIndex, findIndex } from "./collection.ts";
import { inBatches, readRows, type SendOptions } from "./rows.ts";
import { asStored, SERVER_SPACES, type Space } from "./spaces.ts";
import { upsertRows } from "./requests.ts";

const SPACES = Object.keys(SERVER_SPACES) as Space[];

/** Of which others a space's vectors can be made. */
const SOURCES: Record<Space, readonly Space[]> = {
  l2: [],
  cosine: ["l2"],
  correlation: ["l2", "cosine"],
};

/** In an order in which one can be made of those before it. */
export function bySource(indexes: readonly EmbeddingIndex[]): EmbeddingIndex[] {
  return indexes.toSorted((a, b) =>
    SOURCES[a.space].length - SOURCES[b.space].length
  );
}

/** The collections that there are of the same data set × encoder in other spaces. */
export async function othersOf(
  { client, dataset, encoder, dimensions }: EmbeddingIndex,
  known: ReadonlyMap<Space, EmbeddingIndex>,
): Promise<EmbeddingIndex[]> {
  const found = await Promise.all(
    SPACES.filter((space) => !known.has(space)).map((space) =>
      findIndex({ client }, { dataset, encoder, dimensions, space })
    ),
  );
  return found.filter((index) => index !== undefined);
}

/**
 * Gives each of `indexes` the rows that one of `all` holds and it lacks, where
 * these can be made of that one's. Takes nothing out. Where all hold as many,
 * nothing is read.
 *
 * @returns Those that still lack some.
 */
export async function complete(
  indexes: readonly EmbeddingIndex[],
  all: readonly EmbeddingIndex[],
  options: SendOptions,
): Promise<EmbeddingIndex[]> {
  const counts = await countsOf(all);
  if (counts.every((count) => count === counts[0])) return [];
  const held = new Map<EmbeddingIndex, Set<string>>();
  for (const index of all) {
    const ids = new Set<string>();
    for await (const [id] of readRows(index, options.batchSize)) {
      options.signal?.throwIfAborted();
      ids.add(id);
    }
    held.set(index, ids);
  }
  const union = new Set(Array.from(held.values(), (ids) => [...ids]).flat());
  const lacking: EmbeddingIndex[] = [];
  for (const index of bySource(indexes)) {
    const there = held.get(index)!;
    for (const source of all) {
      if (!SOURCES[index.space].includes(source.space)) continue;
      const missing = [...held.get(source)!].filter((id) => !there.has(id));
      const start = there.size;
      await inBatches(index, missing, options, async (batch) => {
        const taken = await copyRows(source, index, batch);
        for (const id of taken) there.add(id);
        options.onProgress?.(there.size, start + missing.length);
      });
    }
    if (there.size < union.size) lacking.push(index);
  }
  return lacking;
}

/** How many rows each holds. */
export function countsOf(
  indexes: readonly EmbeddingIndex[],
): Promise<number[]> {
  return Promise.all(indexes.map(({ collection }) => collection.count()));
}

async function copyRows(
  source: EmbeddingIndex,
  index: EmbeddingIndex,
  batch: string[],
): Promise<string[]> {
  const { ids, embeddings, metadatas } = await source.collection.get({
    ids: batch,
    include: ["embeddings", "metadatas"],
  });
  // Chroma takes an empty list for a mistake.
  if (ids.length === 0) return [];
  const vectors = embeddings.map((vector) =>
    asStored(index.space, Float32Array.from(vector!))
  );
  await upsertRows(index, ids, vectors, metadatas.map((kept) => kept ?? {}));
  return ids;
}
