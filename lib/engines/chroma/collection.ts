/**
 * A vector database's collections: one for each data set × encoder × space, so
 * that embeddings of two encoders never meet. Here they are opened and searched;
 * update.ts fills them.
 *
 * Chroma's own numbers become an L2 distance, a cosine similarity or a
 * correlation by spaces.ts and nowhere else.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { startChroma } from "#lib/engines/chroma/chroma.ts";
 * import { openIndex, queryIndex } from "#lib/engines/chroma/collection.ts";
 * import { indexEmbeddings } from "#lib/engines/chroma/update.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const chroma = await startChroma({ folder: await Deno.makeTempDir() });
 * const birds = { dataset: "birds", encoder: "by hand", dimensions: 2 };
 * const index = await openIndex(chroma, { ...birds, space: "l2" });
 * const owl = { path: "owl.jpg", category: "birds", term: "owl" };
 * await indexEmbeddings(index, [owl], Matrix.of([[3, 4]]));
 *
 * const hits = await queryIndex(index, Float32Array.of(0, 0), { term: "owl" });
 * deepEqual(hits, [{ ...owl, chromaDistance: 25, l2Distance: 5 }]);
 * await chroma.stop();
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import type { ChromaClient, Collection, Where } from "chromadb";
import type { Matrix } from "../../compare/matrix.ts";
import type { Picture } from "../../records.ts";
import {
  checkK,
  checkVector as check,
  checkWhole,
  type Expected,
} from "../checks.ts";
import type { Chroma } from "./chroma.ts";
import { EncoderFunction } from "./encoder_function.ts";
import { DatabaseError } from "./errors.ts";
import { asStored, SERVER_SPACES, type Space, valueOf } from "./spaces.ts";

export type { Space };

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

/** What an index holds. */
export interface IndexDescription<S extends Space = Space> {
  /** The data set's name: "sample". */
  dataset: string;
  /** The encoder's id. */
  encoder: string;
  /** Length of every vector. */
  dimensions: number;
  space: S;
  /** Where left out: as the collection was made, Chroma's own for a new one. */
  hnsw?: Partial<HnswSettings>;
}

/** What an index keeps of a picture beside its vector; `path` is its id. */
export type IndexedPicture = Pick<Picture, "path" | "category" | "term">;

/** An open index. */
export interface EmbeddingIndex<S extends Space = Space>
  extends IndexDescription<S> {
  /** As stored; undefined on Chroma Cloud, which has another kind of index. */
  hnsw?: HnswSettings;
  readonly client: ChromaClient;
  /** Chroma's collection, for what this library does not wrap. */
  readonly collection: Collection;
}

/**
 * Opens the collection of a data set × encoder × space; makes it where needed.
 *
 * @throws {RangeError} If the space is unknown, or the number of dimensions or a
 * setting is not a whole number of 1 or more.
 * @throws {Error} If the collection holds another encoder's embeddings, or was
 * built with other settings, which cannot be changed.
 */
export async function openIndex<S extends Space>(
  { client }: Pick<Chroma, "client">,
  { hnsw: wanted = {}, ...given }: IndexDescription<S>,
): Promise<EmbeddingIndex<S>> {
  for (const [name, value = 1] of Object.entries(wanted)) {
    checkWhole("openIndex", name, value);
  }
  const description = checkDescription(given);
  const { dataset, encoder, dimensions, space } = description;
  const collection = await client.getOrCreateCollection({
    name: nameOf(description),
    embeddingFunction: new EncoderFunction({ encoder, dimensions, space }),
    metadata: { dataset, encoder, dimensions },
    configuration: {
      hnsw: {
        space: SERVER_SPACES[space],
        max_neighbors: wanted.maxNeighbors,
        ef_construction: wanted.efConstruction,
        ef_search: wanted.efSearch,
      },
    },
  });
  // An existing collection comes back as it is, whatever was asked for.
  checkHeld(collection, description);
  const hnsw = await agreeOnSettings(collection, wanted);
  return { ...description, hnsw, client, collection };
}

/**
 * The collection of a data set × encoder × space where there is one; makes none.
 *
 * @throws {Error} If the collection holds another encoder's embeddings.
 */
export async function findIndex<S extends Space>(
  { client }: Pick<Chroma, "client">,
  given: IndexDescription<S>,
): Promise<EmbeddingIndex<S> | undefined> {
  const description = checkDescription(given);
  try {
    const name = nameOf(description);
    const collection = await client.getCollection({ name });
    checkHeld(collection, description);
    const hnsw = await agreeOnSettings(collection, {});
    return { ...description, hnsw, client, collection };
  } catch (error) {
    if (error instanceof DatabaseError && error.kind === "missing") return;
    throw error;
  }
}

function checkDescription<S extends Space>(
  given: IndexDescription<S>,
): IndexDescription<S> {
  const { dimensions, space } = given;
  if (!Object.hasOwn(SERVER_SPACES, space)) {
    throw new RangeError(
      `openIndex: expected space l2, cosine or correlation, got ${space}`,
    );
  }
  if (!Number.isInteger(dimensions) || dimensions < 1) {
    throw new RangeError(
      `openIndex: expected a whole number of dimensions, 1 or more, got ` +
        inspect(dimensions),
    );
  }
  // A name in either Unicode form is the same name; half a character is none.
  return { ...given, dataset: given.dataset.toWellFormed().normalize("NFC") };
}

/** Refuses a collection of this name that is of something else. */
function checkHeld(
  collection: Collection,
  description: IndexDescription,
): void {
  const [held, asked] = [collection.metadata, description].map((of) =>
    `data set ${of?.dataset}, encoder ${of?.encoder}, ${of?.dimensions} dimensions`
  );
  if (held !== asked) {
    throw new Error(
      `openIndex: collection ${collection.name} holds ${held}; ` +
        `asked for ${asked}: give this data set another name`,
    );
  }
}

/**
 * A collection's name, another one for other names. Chroma takes 3 to 512 of
 * a-z, A-Z, 0-9, ".", "_" and "-", with a letter or digit at both ends. Names of
 * that kind stay as they are; where one is not, what can stand of it shows which
 * it is, and a hash of all tells it from others.
 */
function nameOf({ dataset, encoder, space }: IndexDescription): string {
  // Two dots part three names as long as the first has none.
  const isPlain = /^[a-zA-Z0-9][\w-]{0,99}$/.test(dataset) &&
    /^[\w-]+(\.[\w-]+)*$/.test(encoder) && encoder.length <= 100;
  if (isPlain) return `${dataset}.${encoder}.${space}`;
  const shown = [dataset, encoder].map((name) =>
    name.replaceAll(/[^a-zA-Z0-9]+/g, "-").slice(0, 100).replace(/^-|^$/, "x")
  );
  const hash = createHash("sha256")
    .update(JSON.stringify([dataset, encoder, space])).digest("hex");
  return [...shown, space, hash.slice(0, 16)].join(".");
}

/** Deletes an index with all its rows. */
export function dropIndex(
  { client, collection }: EmbeddingIndex,
): Promise<void> {
  return client.deleteCollection({ name: collection.name });
}

/** What each space's number is called once converted. */
export interface Measured {
  /** The L2 distance, 0 or more. */
  l2: { l2Distance: number };
  /** The cosine similarity, in [-1, 1]. */
  cosine: { cosineSimilarity: number };
  /** Pearson's correlation, in [-1, 1]. */
  correlation: { correlation: number };
}

/**
 * One result of a query: the row's picture, Chroma's own number, which is the
 * squared L2 distance, 1 − cosine or 1 − correlation, and the measure of the index's space.
 */
export type DatabaseHit<S extends Space = Space> =
  & IndexedPicture
  & { chromaDistance: number }
  & Measured[S];

/** What to ask for. */
export interface QueryOptions {
  /** How many rows; fewer come back where fewer match. @default 10 */
  k?: number;
  /** Only rows of this category. */
  category?: string;
  /** Only rows of this term. */
  term?: string;
}

/**
 * The `k` nearest rows, nearest first.
 *
 * Approximate: HNSW looks at part of the rows, and can miss one.
 *
 * @param query A vector of the index's encoder.
 * @throws {RangeError} If the query has another length than the index.
 * @throws {Error} If the index is empty.
 */
export async function queryIndex<S extends Space>(
  index: EmbeddingIndex<S>,
  query: Float32Array,
  options: QueryOptions = {},
): Promise<DatabaseHit<S>[]> {
  checkVector("queryIndex", index, query, "the query");
  const [hits] = await askIndex("queryIndex", index, [query], options);
  return hits;
}

/**
 * The same for many queries in one call, so that the way to the server and back
 * is gone once.
 *
 * @returns Each query's hits, in the queries' order.
 * @throws {RangeError} If the queries have another length than the index.
 * @throws {Error} If the index is empty.
 */
export async function queryIndexBatch<S extends Space>(
  index: EmbeddingIndex<S>,
  queries: Matrix,
  options: QueryOptions = {},
): Promise<DatabaseHit<S>[][]> {
  const vectors = [...queries];
  vectors.forEach((query, row) =>
    checkVector("queryIndexBatch", index, query, `query ${row}`)
  );
  // The server takes no queries for a mistake.
  if (vectors.length === 0) return [];
  return await askIndex("queryIndexBatch", index, vectors, options);
}

async function askIndex<S extends Space>(
  caller: string,
  index: EmbeddingIndex<S>,
  queries: readonly Float32Array[],
  { k = 10, category, term }: QueryOptions,
): Promise<DatabaseHit<S>[][]> {
  checkK(caller, k);
  const filters: Where[] = [];
  if (category !== undefined) filters.push({ category });
  if (term !== undefined) filters.push({ term });
  const answer = await index.collection.query({
    queryEmbeddings: queries.map((query) =>
      Array.from(asStored(index.space, query))
    ),
    nResults: k,
    // Chroma takes a list of one for a mistake.
    where: filters.length > 1 ? { $and: filters } : filters[0],
    include: ["distances", "metadatas"],
  });
  const found = answer.rows();
  const isEmpty = found.every(({ length }) => length === 0);
  if (isEmpty && await index.collection.count() === 0) {
    throw new Error(
      `${caller}: ${index.collection.name} is empty: fill it with indexEmbeddings first`,
    );
  }
  return found.map((rows) =>
    rows.map(({ id, distance, metadata }) => ({
      path: id,
      category: String(metadata!.category),
      term: String(metadata!.term),
      chromaDistance: distance!,
      ...measured[index.space](distance!),
    }))
  );
}

/** Each space's number under its name. */
const measured: { [S in Space]: (chromaDistance: number) => Measured[S] } = {
  l2: (distance) => ({ l2Distance: valueOf("l2", distance) }),
  cosine: (distance) => ({ cosineSimilarity: valueOf("cosine", distance) }),
  correlation: (distance) => ({
    correlation: valueOf("correlation", distance),
  }),
};

/** Applies the one setting that can change; refuses the others. */
async function agreeOnSettings(
  collection: Collection,
  wanted: Partial<HnswSettings>,
): Promise<HnswSettings | undefined> {
  const stored = collection.configuration.hnsw;
  if (!stored) return undefined;
  const hnsw = {
    maxNeighbors: stored.max_neighbors!,
    efConstruction: stored.ef_construction!,
    efSearch: stored.ef_search!,
  };
  for (const key of ["maxNeighbors", "efConstruction"] as const) {
    if ((wanted[key] ?? hnsw[key]) !== hnsw[key]) {
      throw new Error(
        `openIndex: ${collection.name} was built with ${key} ${hnsw[key]}, ` +
          `asked for ${wanted[key]}: drop it with dropIndex and fill it again`,
      );
    }
  }
  const { efSearch: ef_search = hnsw.efSearch } = wanted;
  if (ef_search !== hnsw.efSearch) {
    await collection.modify({ configuration: { hnsw: { ef_search } } });
  }
  return { ...hnsw, efSearch: ef_search };
}

/**
 * What vectors of an index are to be like. The server computes in 32 bits: it
 * takes a distance whose square they cannot hold for 0.
 *
 * @param caller What is given the vectors, for the message.
 */
export function expectedOf(
  caller: string,
  { dimensions, encoder }: Pick<EmbeddingIndex, "dimensions" | "encoder">,
): Expected {
  const help = "the server computes in 32 bits, so multiply all by one number";
  const sizes = { least: 1e-15, most: 1e15, help };
  return { caller, dimensions, encoder, sizes };
}

/**
 * Checks a vector against the index it is for.
 *
 * @param caller The function that was given it, for the message.
 * @param owner What the vector stands for, for the message.
 * @throws {RangeError} If it has another length, or a value that is not finite,
 *   or too large or small for the server.
 */
export function checkVector(
  caller: string,
  index: EmbeddingIndex,
  vector: Float32Array,
  owner: string,
): void {
  check(expectedOf(caller, index), vector, owner);
}
