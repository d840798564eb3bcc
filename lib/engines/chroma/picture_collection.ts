/**
 * A collection of pictures that is asked in words and with pictures: what
 * Chroma's Python has as a multimodal collection, and its JavaScript lacks.
 *
 * The encoder's id is stored with the collection. Opened elsewhere, it knows its
 * encoder; it refuses another one's vectors by name.
 *
 * Reads the pictures, and an encoder's files.
 *
 * ```ts
 * import { startChroma } from "#lib/engines/chroma/chroma.ts";
 * import { openPictureCollection } from "#lib/engines/chroma/picture_collection.ts";
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { samplePath } from "#lib/photo_site/sample.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const chroma = await startChroma({ folder: await Deno.makeTempDir() });
 * const encoder = await openEncoder("offline");
 * const fruit = await openPictureCollection(chroma, { name: "fruit", encoder });
 * const [lemon, banana] = ["lemon", "banana"].map((term) =>
 *   samplePath({ path: `food/fruit/${term}.jpg` }));
 * await fruit.addPictures([{ path: lemon }, { path: banana }]);
 *
 * const { ids } = await fruit.collection.query({ queryTexts: ["a banana"], nResults: 1 });
 * strictEqual(ids[0][0], banana);
 * await encoder.close();
 * await chroma.stop();
 * ```
 *
 * @module
 */
import type {
  ChromaClient,
  Collection,
  Metadata,
  QueryResult,
  Where,
} from "chromadb";
import type { Matrix } from "../../compare/matrix.ts";
import type { Encoder } from "../../encoders/encoder.ts";
import type { ImageSource } from "../../pictures/pictures.ts";
import { checkIds, checkK, checkPut, checkWhole } from "../checks.ts";
import type { Chroma } from "./chroma.ts";
import { expectedOf } from "./collection.ts";
import {
  closeEncoder,
  ENCODER_FUNCTION,
  type EncoderConfig,
  EncoderFunction,
} from "./encoder_function.ts";
import { DatabaseError } from "./errors.ts";
import { checkMetadata } from "./metadata.ts";
import { batchSizeOf, inBatches, rowsARequest } from "./rows.ts";
import { upsertRows } from "./requests.ts";

/** Which collection, and who encodes. */
export interface PictureCollectionOptions {
  /** Chroma's name: 3 to 512 of a-z, A-Z, 0-9, ".", "_" and "-". */
  name: string;
  /** Where left out, the one that the collection has; a new one needs it. */
  encoder?: Encoder;
  /**
   * How it measures closeness. Where left out: as it was made, by cosine where it
   * is new.
   */
  space?: "cosine" | "l2";
}

/** A picture to be added. */
export interface PictureToAdd {
  /** Its file, which is kept as its URI. */
  path: string;
  /** @default {path} */
  id?: string;
  /** What `where` can ask for, besides `path`. */
  metadata?: Metadata;
}

/** How adding is paced, watched and stopped. */
export interface AddOptions {
  /**
   * Sent together.
   * @default 64 pictures, which are encoded together; vectors of 12 MB
   */
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
  /** Stops between two batches, by throwing its reason. */
  signal?: AbortSignal;
}

/** What adding did. */
export interface AddedPictures {
  added: number;
  /** What could not be decoded; the others are in. */
  failures: { path: string; reason: string }[];
}

/** What to ask for beside the query itself. */
export interface PictureQueryOptions {
  /** How many hits a query; fewer come back where fewer match. @default 10 */
  nResults?: number;
  where?: Where;
}

/** Vectors that were made elsewhere, and whose they are. */
export interface VectorsToAdd {
  /** The id of the encoder that made them. */
  encoder: string;
  ids: string[];
  vectors: Matrix;
  /** Where left out, what is kept of these ids stays. */
  metadatas?: Metadata[];
}

/**
 * Opens a collection of pictures; makes it where needed.
 *
 * @throws {Error} If it holds another encoder's vectors, measures otherwise than
 *   asked, or no encoder is known.
 */
export async function openPictureCollection(
  { client }: Chroma,
  { name, encoder, space }: PictureCollectionOptions,
): Promise<PictureCollection> {
  const asked = encoder &&
    { encoder: encoder.id, dimensions: encoder.dimensions };
  const collection = asked
    ? await client.getOrCreateCollection({
      name,
      configuration: { hnsw: { space: space ?? "cosine" } },
      embeddingFunction: new EncoderFunction(asked, encoder),
    })
    : await getCollection(client, name);
  const held = storedEncoder(collection);
  if (!held || (asked && held.encoder !== asked.encoder)) {
    throw new Error(
      `openPictureCollection: collection ${name} holds vectors of ` +
        `${
          held ? `encoder ${held.encoder}` : "no encoder known here"
        }, asked ` +
        `for ${asked?.encoder ?? "its own"}: give this one another name`,
    );
  }
  const { hnsw, spann } = collection.configuration;
  const made = (hnsw ?? spann)?.space ?? undefined;
  if (space !== undefined && made !== undefined && made !== space) {
    throw new Error(
      `openPictureCollection: collection ${name} measures by ${made}, asked ` +
        `for ${space}: give this one another name`,
    );
  }
  return new PictureCollection(client, collection, held);
}

/** A collection that is there: a new one would need an encoder. */
async function getCollection(client: ChromaClient, name: string) {
  try {
    return await client.getCollection({ name });
  } catch (error) {
    const isNone = error instanceof DatabaseError && error.kind === "missing";
    if (!isNone) throw error;
    throw new DatabaseError(
      "missing",
      `openPictureCollection: there is no collection ${name}: hand over an ` +
        `encoder to make it, openPictureCollection(chroma, { name, encoder })`,
    );
  }
}

/** What a collection's configuration says of its encoder, if anything. */
function storedEncoder(
  { configuration }: Collection,
): EncoderConfig | undefined {
  // The server's word for it; the client's type has another.
  const { embedding_function: stored } = configuration as {
    embedding_function?: { name?: string; config?: EncoderConfig };
  };
  return stored?.name === ENCODER_FUNCTION ? stored.config : undefined;
}

/** Pictures in a database; `openPictureCollection` makes one. */
export class PictureCollection {
  /** Chroma's own: `collection.query({ queryTexts })`, `get`, `delete`, `count`. */
  readonly collection: Collection;
  /** Whose vectors it holds. */
  readonly encoder: string;
  readonly #client: ChromaClient;
  readonly #function: EncoderFunction;

  constructor(
    client: ChromaClient,
    collection: Collection,
    config: EncoderConfig,
  ) {
    this.#client = client;
    this.collection = collection;
    this.encoder = config.encoder;
    this.#function = new EncoderFunction(config);
  }

  /**
   * Encodes pictures and puts them in, in place of those that have these ids.
   *
   * @throws {RangeError} Before anything is encoded, if an id is none or comes
   *   twice, metadata is none that the database keeps, or the batch size is not a
   *   whole number of 1 or more.
   */
  async addPictures(
    pictures: readonly PictureToAdd[],
    { batchSize = 64, onProgress, signal }: AddOptions = {},
  ): Promise<AddedPictures> {
    checkWhole("addPictures", "batch size", batchSize);
    checkIds("addPictures", pictures.map(({ path, id = path }) => id));
    for (const { path, id = path, metadata } of pictures) {
      checkMetadata("addPictures", id, { path, ...metadata });
    }
    const failures: AddedPictures["failures"] = [];
    let done = 0;
    for (let start = 0; start < pictures.length; start += batchSize) {
      signal?.throwIfAborted();
      const batch = pictures.slice(start, start + batchSize);
      const { good, embeddings } = await this.#encode(batch, failures);
      if (good.length > 0) {
        const ids = good.map(({ path, id = path }) => id);
        // An upsert would add to what is kept of them.
        await this.collection.delete({ ids });
        await this.collection.upsert({
          ids,
          uris: good.map(({ path }) => path),
          embeddings,
          metadatas: good.map(({ path, metadata }) => ({ path, ...metadata })),
        });
      }
      done += batch.length;
      onProgress?.(done, pictures.length);
    }
    return { added: done - failures.length, failures };
  }

  /**
   * Puts in vectors that were made elsewhere, in batches that the server takes,
   * in place of those that have these ids.
   *
   * @throws {RangeError} Before anything is sent, if another encoder made them,
   *   lengths differ, or something of it is none that the database keeps.
   */
  async addVectors(
    { encoder, ids, vectors, metadatas }: VectorsToAdd,
    { batchSize: wantedSize, onProgress, signal }: AddOptions = {},
  ): Promise<void> {
    if (wantedSize !== undefined) {
      checkWhole("addVectors", "batch size", wantedSize);
    }
    if (encoder !== this.encoder) {
      throw new RangeError(
        `addVectors: collection ${this.collection.name} holds vectors of ` +
          `encoder ${this.encoder}, got some of ${encoder}`,
      );
    }
    checkPut(expectedOf("addVectors", this.#function.config), ids, vectors);
    if (metadatas && metadatas.length !== ids.length) {
      throw new RangeError(
        `addVectors: expected metadata for each of ${ids.length} ids, ` +
          `got ${metadatas.length}`,
      );
    }
    metadatas?.forEach((kept, row) =>
      checkMetadata("addVectors", ids[row], kept)
    );
    const rows = { client: this.#client, collection: this.collection };
    const size = wantedSize ?? rowsARequest(this.#function.config.dimensions);
    const pace = { batchSize: await batchSizeOf(rows, size), signal };
    let done = 0;
    await inBatches(rows, [...ids.keys()], pace, async (batch) => {
      const part = batch.map((row) => ids[row]);
      // An upsert would add to what is kept of them.
      if (metadatas) await this.collection.delete({ ids: part });
      await upsertRows(
        rows,
        part,
        batch.map((row) => vectors.row(row)),
        metadatas && batch.map((row) => metadatas[row]),
      );
      done += batch.length;
      onProgress?.(done, ids.length);
    });
  }

  /** The nearest to each picture: files, or their bytes. */
  async queryPictures(
    pictures: ImageSource[],
    { nResults = 10, where }: PictureQueryOptions = {},
  ): Promise<QueryResult> {
    checkK("queryPictures", nResults);
    if (pictures.length === 0) {
      throw new RangeError("queryPictures: expected one picture or more");
    }
    const queryEmbeddings = await this.#function.generateForPictures(pictures);
    return await this.collection.query({
      queryEmbeddings,
      nResults,
      where,
      include: ["distances", "metadatas", "uris"],
    });
  }

  /** Frees the encoder, unless it was handed over: then its owner does. */
  close(): Promise<void> {
    return closeEncoder(this.encoder);
  }

  async #encode(batch: PictureToAdd[], failures: AddedPictures["failures"]) {
    const encode = (pictures: PictureToAdd[]) =>
      this.#function.generateForPictures(pictures.map(({ path }) => path));
    try {
      return { good: batch, embeddings: await encode(batch) };
    } catch (error) {
      if (batch.length === 1) {
        failures.push({
          path: batch[0].path,
          reason: (error as Error).message,
        });
        return { good: [], embeddings: [] };
      }
    }
    // One at a time: what is bad shows, and stays alone.
    const good: PictureToAdd[] = [], embeddings: number[][] = [];
    for (const picture of batch) {
      const one = await this.#encode([picture], failures);
      good.push(...one.good);
      embeddings.push(...one.embeddings);
    }
    return { good, embeddings };
  }
}
