/**
 * A vector database's collections: one for each data set × encoder × space, so
 * that embeddings of two encoders never meet.
 *
 * Opened here, filled by update.ts, searched by query.ts.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { openIndex } from "#lib/chroma/collection.ts";
 * import { openChroma } from "#lib/chroma/chroma.ts";
 *
 * async function countRows() {
 *   const chroma = await openChroma();
 *   const { collection } = await openIndex(chroma, {
 *     dataset: "birds",
 *     encoder: "clip-vit-b32/fp32",
 *     dimensions: 512,
 *     space: "cosine",
 *   });
 *   return await collection.count();
 * }
 * ```
 *
 * @module
 */
import type { ChromaClient, Collection } from "chromadb";
import type { Chroma } from "./chroma.ts";

/** How closeness is measured: Euclidean distance or the angle's cosine. */
export type Space = "l2" | "cosine";

/** The graph that answers queries (hierarchical navigable small world). */
export interface HnswSettings {
  /** M: links that a vector keeps. More: better recall, more memory. */
  maxNeighbors: number;
  /** Candidates looked at while a vector is linked in. More: slower to build. */
  efConstruction: number;
  /**
   * Candidates looked at by a query. More: better recall, slower. The server
   * reads a change when it next loads the index, so restart it.
   */
  efSearch: number;
}

/** Chroma's own defaults. */
export const HNSW_DEFAULTS: Readonly<HnswSettings> = {
  maxNeighbors: 16,
  efConstruction: 100,
  efSearch: 100,
};

/** What an index holds. */
export interface IndexDescription<S extends Space = Space> {
  /** The data set's name: "sample". */
  dataset: string;
  /** The encoder's id. */
  encoder: string;
  /** Length of every vector. */
  dimensions: number;
  space: S;
  /** Where left out: as the collection was made, `HNSW_DEFAULTS` for a new one. */
  hnsw?: Partial<HnswSettings>;
}

/** An open index. */
export interface EmbeddingIndex<S extends Space = Space>
  extends Omit<IndexDescription<S>, "hnsw"> {
  /** As stored; undefined on Chroma Cloud, which has another kind of index. */
  hnsw?: HnswSettings;
  readonly client: ChromaClient;
  /** Chroma's collection, for what this library does not wrap. */
  readonly collection: Collection;
}

/**
 * Opens the collection of a data set × encoder × space; makes it where needed.
 *
 * @throws {RangeError} If the space is unknown.
 * @throws {Error} If the collection holds another encoder's embeddings, or was
 * built with other settings, which cannot be changed.
 */
export async function openIndex<S extends Space>(
  { client }: Chroma,
  { dataset, encoder, dimensions, space, hnsw: wanted }: IndexDescription<S>,
): Promise<EmbeddingIndex<S>> {
  if (space !== "l2" && space !== "cosine") {
    throw new RangeError(
      `openIndex: expected space l2 or cosine, got ${space}`,
    );
  }
  const settings = { ...HNSW_DEFAULTS, ...wanted };
  const collection = await client.getOrCreateCollection({
    name: `${dataset}.${encoder}.${space}`.replaceAll(/[^\w.-]+/g, "-"),
    embeddingFunction: null,
    metadata: { dataset, encoder, dimensions },
    configuration: {
      hnsw: {
        space,
        max_neighbors: settings.maxNeighbors,
        ef_construction: settings.efConstruction,
        ef_search: settings.efSearch,
      },
    },
  });
  // An existing collection comes back as it is, whatever was asked for.
  checkContent(collection, { dataset, encoder, dimensions });
  const hnsw = await agreeOnSettings(collection, wanted ?? {});
  return { dataset, encoder, dimensions, space, hnsw, client, collection };
}

/** Deletes an index with all its rows. */
export function dropIndex(
  { client, collection }: EmbeddingIndex,
): Promise<void> {
  return client.deleteCollection({ name: collection.name });
}

/**
 * Checks a vector against the index it is for.
 *
 * @param caller The function that was given it, for the message.
 * @param owner What the vector stands for, for the message.
 * @throws {RangeError} If it has another length, or a value that is not finite.
 */
export function checkVector(
  caller: string,
  { dimensions, encoder }: EmbeddingIndex,
  vector: Float32Array,
  owner: string,
): void {
  if (vector.length !== dimensions) {
    throw new RangeError(
      `${caller}: expected ${dimensions} numbers of encoder ${encoder}, ` +
        `got ${vector.length} for ${owner}`,
    );
  }
  const bad = vector.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new RangeError(
      `${caller}: expected finite numbers, got ${vector[bad]} for ${owner}`,
    );
  }
}

function checkContent(
  { name, metadata }: Collection,
  wanted: Record<"dataset" | "encoder" | "dimensions", string | number>,
): void {
  const tell = (of: Record<string, unknown>) =>
    `data set ${of.dataset}, encoder ${of.encoder}, ${of.dimensions} dimensions`;
  if (tell(metadata ?? {}) !== tell(wanted)) {
    throw new Error(
      `openIndex: collection ${name} holds ${tell(metadata ?? {})}; ` +
        `asked for ${tell(wanted)}: give this data set another name`,
    );
  }
}

/** Applies the one setting that can change; refuses the others. */
async function agreeOnSettings(
  collection: Collection,
  wanted: Partial<HnswSettings>,
): Promise<HnswSettings | undefined> {
  const stored = collection.configuration.hnsw;
  if (!stored) return undefined;
  const hnsw: HnswSettings = {
    maxNeighbors: stored.max_neighbors!,
    efConstruction: stored.ef_construction!,
    efSearch: stored.ef_search!,
  };
  for (const key of ["maxNeighbors", "efConstruction"] as const) {
    if (wanted[key] !== undefined && wanted[key] !== hnsw[key]) {
      throw new Error(
        `openIndex: ${collection.name} was built with ${key} ${hnsw[key]}, ` +
          `asked for ${wanted[key]}: drop it with dropIndex and fill it again`,
      );
    }
  }
  const { efSearch = hnsw.efSearch } = wanted;
  if (efSearch !== hnsw.efSearch) {
    await collection.modify({
      configuration: { hnsw: { ef_search: efSearch } },
    });
  }
  return { ...hnsw, efSearch };
}
