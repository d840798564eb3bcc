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
import type { Collection, Metadata, QueryResult, Where } from "chromadb";
import type { Matrix } from "../../compare/matrix.ts";
import type { Encoder } from "../../encoders/encoder.ts";
import type { ImageSource } from "../../pictures/pictures.ts";
import type { Chroma } from "./chroma.ts";
import {
  closeEncoder,
  ENCODER_FUNCTION,
  type EncoderConfig,
  EncoderFunction,
} from "./encoder_function.ts";

/** Which collection, and who encodes. */
export interface PictureCollectionOptions {
  /** Chroma's name: 3 to 512 of a-z, A-Z, 0-9, ".", "_" and "-". */
  name: string;
  /** Where left out, the one that the collection has; a new one needs it. */
  encoder?: Encoder;
  /** How a new collection measures closeness. @default "cosine" */
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
  /** Pictures encoded and sent together. @default 64 */
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
  metadatas?: Metadata[];
}

/**
 * Opens a collection of pictures; makes it where needed.
 *
 * @throws {Error} If it holds another encoder's vectors, or no encoder is known.
 */
export async function openPictureCollection(
  { client }: Chroma,
  { name, encoder, space = "cosine" }: PictureCollectionOptions,
): Promise<PictureCollection> {
  const asked = encoder &&
    { encoder: encoder.id, dimensions: encoder.dimensions };
  const collection = asked
    ? await client.getOrCreateCollection({
      name,
      configuration: { hnsw: { space } },
      embeddingFunction: new EncoderFunction(asked, encoder),
    })
    : await client.getCollection({ name });
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
  return new PictureCollection(collection, held);
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
  readonly #function: EncoderFunction;

  constructor(collection: Collection, config: EncoderConfig) {
    this.collection = collection;
    this.encoder = config.encoder;
    this.#function = new EncoderFunction(config);
  }

  /**
   * Encodes pictures and puts them in, in place of those that have these ids.
   *
   * @throws {RangeError} If an id comes twice.
   */
  async addPictures(
    pictures: readonly PictureToAdd[],
    { batchSize = 64, onProgress, signal }: AddOptions = {},
  ): Promise<AddedPictures> {
    const ids = new Set<string>();
    for (const { path, id = path } of pictures) {
      if (ids.has(id)) throw new RangeError(`addPictures: expected ${id} once`);
      ids.add(id);
    }
    const failures: AddedPictures["failures"] = [];
    let done = 0;
    for (let start = 0; start < pictures.length; start += batchSize) {
      signal?.throwIfAborted();
      const batch = pictures.slice(start, start + batchSize);
      const { good, embeddings } = await this.#encode(batch, failures);
      if (good.length > 0) {
        await this.collection.upsert({
          ids: good.map(({ path, id = path }) => id),
          uris: good.map(({ path }) => path),
          embeddings,
          // Chroma takes empty metadata for a mistake.
          metadatas: good.map(({ path, metadata }) => ({ path, ...metadata })),
        });
      }
      done += batch.length;
      onProgress?.(done, pictures.length);
    }
    return { added: done - failures.length, failures };
  }

  /**
   * Puts in vectors that were made elsewhere.
   *
   * @throws {RangeError} If another encoder made them, or lengths differ.
   */
  async addVectors(
    { encoder, ids, vectors, metadatas }: VectorsToAdd,
  ): Promise<void> {
    if (encoder !== this.encoder) {
      throw new RangeError(
        `addVectors: collection ${this.collection.name} holds vectors of ` +
          `encoder ${this.encoder}, got some of ${encoder}`,
      );
    }
    const bad = vectors.data.find((value) => !Number.isFinite(value));
    if (bad !== undefined || vectors.count !== ids.length) {
      throw new RangeError(
        `addVectors: expected finite numbers, a row for each of ${ids.length} ` +
          `ids, got ${bad ?? `${vectors.count} rows`}`,
      );
    }
    const embeddings = Array.from(vectors, (row) => Array.from(row));
    await this.collection.upsert({ ids, embeddings, metadatas });
  }

  /** The nearest to each picture: files, or their bytes. */
  async queryPictures(
    pictures: ImageSource[],
    { nResults = 10, where }: PictureQueryOptions = {},
  ): Promise<QueryResult> {
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
