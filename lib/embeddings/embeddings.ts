/**
 * Pictures and texts to embeddings, through the store: what it holds comes from
 * disk, the rest goes through the encoder and is kept.
 *
 * ```text
 * 4_embeddings/<encoder>/
 *   parts/           the store (store.ts), of all pictures and texts
 *   embeddings.npy   the data set's: float32 [N, D], unit rows, for numpy.load
 *   index.json       whose they are, and each row's picture
 * ```
 *
 * A picture is known by the hash of its bytes (file_hashes.ts): adding ten to
 * ten thousand embeds ten, and a renamed one is not embedded again. One that
 * cannot be decoded keeps its place: its row is NaN throughout, which compares
 * with nothing and ranks last. pipeline.ts has how decoding and inference run
 * side by side.
 *
 * ```ts
 * import { embedPictures } from "#lib/embeddings/embeddings.ts";
 * import { EmbeddingStore } from "#lib/embeddings/store.ts";
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { paths } from "#lib/paths.ts";
 * import { deepEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 * import { join } from "node:path";
 *
 * const encoder = await openEncoder("offline");
 * const store = await EmbeddingStore.open(encoder, await mkdtemp("/tmp/store-"));
 * const pictures = ["animals/water bird/flamingo.jpg", "gone.jpg"]
 *   .map((path) => ({ path, source: join(paths.sample, path) }));
 * const first = await embedPictures(encoder, pictures, { store });
 * deepEqual([first.vectors.count, first.embedded], [2, 1]);
 * deepEqual(first.failures.map(({ path }) => path), ["gone.jpg"]);
 * deepEqual((await embedPictures(encoder, pictures, { store })).embedded, 0);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import type { Matrix } from "../compare/matrix.ts";
import { writeNpy } from "../compare/npy.ts";
import type { Encoder } from "../encoders/encoder.ts";
import { requireStage, writeAtomic } from "../files.ts";
import { type ImageSource, whyLeftOut } from "../pictures/pictures.ts";
import type { DatasetPicture, Picture } from "../records.ts";
import { sha256 } from "./file_hashes.ts";
import {
  embedBatches,
  type EmbeddedBatch,
  embedTextBatches,
} from "./pipeline.ts";
import { EmbeddingStore, encoderFolder } from "./store.ts";

/** A picture to embed. */
export interface PictureToEmbed extends Pick<Picture, "path"> {
  /** Where its bytes are. */
  source: ImageSource;
  /** SHA-256 of its bytes, where it is known already. */
  sha256?: string;
}

/** A picture without an embedding, and why. */
export interface EmbedFailure extends Pick<Picture, "path"> {
  /** Its position in the list of pictures. */
  index: number;
  /** What the decoder said. */
  reason: string;
}

/** Pictures' embeddings. */
export interface EmbeddedPictures {
  /** Unit vectors, a row a picture in the order given; NaN for failures. */
  vectors: Matrix;
  failures: EmbedFailure[];
  /** How many pictures went through the encoder this time. */
  embedded: number;
}

/** How a run is watched and stopped, and what it shares with others. */
export interface EmbedOptions {
  /** Called after each batch; what was embedded before counts as done. */
  onProgress?: (done: number, total: number) => void;
  /** Stops between two batches, by throwing its reason. */
  signal?: AbortSignal;
  /**
   * Embeddings on disk, which the caller saves.
   * @default the encoder's own, opened and saved
   */
  store?: EmbeddingStore;
}

/** Embeds pictures. */
export async function embedPictures(
  encoder: Encoder,
  pictures: readonly PictureToEmbed[],
  options: EmbedOptions = {},
): Promise<EmbeddedPictures> {
  const { reasons, ...found } = await lookUp(
    encoder,
    pictures.map(({ source }) => source),
    (store) => {
      const read = pLimit(16);
      return Promise.all(
        pictures.map(({ source, sha256 }) =>
          sha256 ?? read(() =>
            // Of one that cannot be read, the decoder will say why.
            store.files.of(source).catch(() => randomUUID())
          )
        ),
      );
    },
    (missing) => embedBatches(encoder, missing, options.signal),
    options,
  );
  const failures = pictures.flatMap(({ path }, index) => {
    const reason = reasons[index];
    return reason === undefined ? [] : [{ index, path, reason }];
  });
  return { ...found, failures };
}

/**
 * Embeds texts.
 *
 * @returns Unit vectors, a row a text in the order given.
 */
export async function embedTexts(
  encoder: Encoder,
  texts: readonly string[],
  options: EmbedOptions = {},
): Promise<Matrix> {
  const { vectors } = await lookUp(
    encoder,
    texts,
    () => texts.map((text) => `text:${sha256(text)}`),
    (missing) => embedTextBatches(encoder, missing, options.signal),
    options,
  );
  return vectors;
}

/** The pictures that have an embedding, and a row for each of them alone. */
export function leaveOutFailures<Item>(
  pictures: readonly Item[],
  { vectors, failures }: Pick<EmbeddedPictures, "vectors" | "failures">,
): { pictures: Item[]; vectors: Matrix } {
  const failed = new Set(failures.map(({ index }) => index));
  const kept = [...pictures.keys()].filter((index) => !failed.has(index));
  return {
    pictures: kept.map((index) => pictures[index]),
    vectors: vectors.pick(kept),
  };
}

/** The data set's embeddings, as notebook 4 has left them. */
export interface Embeddings extends Omit<EmbeddedPictures, "embedded"> {
  /** Each row's picture: its path in the data set. */
  paths: string[];
}

interface Index {
  encoder: string;
  description: string;
  dimensions: number;
  pictures: { path: string; sha256: string; reason?: string }[];
}

/**
 * Writes the data set's embeddings for NumPy and for later notebooks.
 *
 * @param pictures In the order of the rows.
 */
export async function writeEmbeddings(
  encoder: Encoder,
  pictures: readonly Pick<DatasetPicture, "path" | "sha256">[],
  { vectors, failures }: Omit<EmbeddedPictures, "embedded">,
): Promise<void> {
  const reasons = new Map(failures.map(({ index, reason }) => [index, reason]));
  const index: Index = {
    encoder: encoder.id,
    description: encoder.describe(),
    dimensions: encoder.dimensions,
    pictures: pictures.map(({ path, sha256 }, index) => ({
      ...{ path, sha256, reason: reasons.get(index) },
    })),
  };
  const folder = encoderFolder(encoder.id);
  await writeNpy(join(folder, "embeddings.npy"), vectors);
  await writeAtomic(join(folder, "index.json"), JSON.stringify(index));
}

/**
 * Reads the data set's embeddings: what notebook 4 listed, from the store.
 *
 * @throws {Error} If there are none, "… not found: run notebook 4 first", or
 *   they are damaged, of an older layout or another encoder's.
 */
export async function readEmbeddings(encoderId: string): Promise<Embeddings> {
  const path = join(encoderFolder(encoderId), "index.json");
  return await requireStage(path, 4, async () => {
    const { encoder, dimensions, pictures = [] }: Index = JSON.parse(
      await readFile(path, "utf8"),
    );
    if (encoder !== encoderId) {
      throw new Error(`expected embeddings of ${encoderId}, got ${encoder}'s`);
    }
    const store = await EmbeddingStore.open({ id: encoder, dimensions });
    const failures = pictures.flatMap(({ path, reason }, index) =>
      reason === undefined ? [] : [{ index, path, reason }]
    );
    const found = pictures.filter(({ sha256 }) => store.has(sha256));
    if (found.length + failures.length < pictures.length || !found.length) {
      throw new Error(
        `the store has ${found.length} of ${pictures.length} embeddings`,
      );
    }
    return {
      paths: pictures.map(({ path }) => path),
      vectors: await store.rows(pictures.map(({ sha256 }) => sha256)),
      failures,
    };
  });
}

/** A row an item: what the store lacks goes through the encoder first. */
async function lookUp<Item>(
  encoder: Encoder,
  items: readonly Item[],
  keysOf: (store: EmbeddingStore) => string[] | Promise<string[]>,
  embed: (missing: Item[]) => AsyncIterable<EmbeddedBatch>,
  { store: given, onProgress }: EmbedOptions,
) {
  const store = given ?? await EmbeddingStore.open(encoder);
  if (store.encoder.id !== encoder.id) {
    throw new RangeError(
      `expected a store of ${encoder.id}, got one of ${store.encoder.id}`,
    );
  }
  const keys = await keysOf(store);
  // Equal contents are embedded once.
  const missing = new Map<string, Item>();
  keys.forEach((key, index) => {
    if (!store.has(key)) missing.set(key, items[index]);
  });
  const wanted = [...missing.keys()];
  const known = keys.length - wanted.length;
  onProgress?.(known, keys.length);
  const reasons = new Map<string, string>();
  let done = 0;
  try {
    for await (const batch of embed([...missing.values()])) {
      for (const result of batch) {
        const key = wanted[done++];
        if (result instanceof Error) reasons.set(key, whyLeftOut(result));
        else store.put(key, result);
      }
      await store.save(false);
      onProgress?.(known + done, keys.length);
    }
  } finally {
    // Also when stopped: what is embedded is kept.
    if (!given) await store.save();
  }
  return {
    vectors: await store.rows(keys),
    embedded: done - reasons.size,
    reasons: keys.map((key) => reasons.get(key)),
  };
}
