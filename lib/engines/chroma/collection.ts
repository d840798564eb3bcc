/**
 * A vector database's collections: one for each data set × encoder × space, so
 * that embeddings of two encoders never meet. Here they are opened, made where
 * needed, and dropped; chroma_index.ts fills and asks them.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { startChroma } from "#lib/engines/chroma/chroma.ts";
 * import { openIndex } from "#lib/engines/chroma/collection.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const chroma = await startChroma({ folder: await Deno.makeTempDir() });
 * const birds = { dataset: "birds", encoder: "offline-2", dimensions: 984 };
 * const { collection } = await openIndex(chroma, { ...birds, space: "l2" });
 * strictEqual(collection.name, "birds.offline-2.l2");
 * strictEqual(await collection.count(), 0);
 * await chroma.stop();
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import type { ChromaClient, Collection } from "chromadb";
import { checkWhole, type Expected } from "../checks.ts";
import type { Chroma } from "./chroma.ts";
import { EncoderFunction } from "./encoder_function.ts";
import { DatabaseError } from "./errors.ts";
import { SERVER_SPACES, type Space } from "./spaces.ts";

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
export interface IndexDescription {
  /** The data set's name: "sample". */
  dataset: string;
  /** The encoder's id. */
  encoder: string;
  /** Length of every vector. */
  dimensions: number;
  space: Space;
  /** Where left out: as the collection was made, Chroma's own for a new one. */
  hnsw?: Partial<HnswSettings>;
}

/** An open index. */
export interface EmbeddingIndex extends IndexDescription {
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
export async function openIndex(
  { client }: Pick<Chroma, "client">,
  { hnsw: wanted = {}, ...given }: IndexDescription,
): Promise<EmbeddingIndex> {
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
export async function findIndex(
  { client }: Pick<Chroma, "client">,
  given: IndexDescription,
): Promise<EmbeddingIndex | undefined> {
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

function checkDescription(
  given: IndexDescription,
): IndexDescription {
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
