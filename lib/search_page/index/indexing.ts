/**
 * Fills a collection from a source, picture by picture, so that it can be
 * searched while it grows: what was embedded before comes from disk, the rest
 * goes through the encoder.
 *
 * ```text
 * 6_search/<name>-<hash>/files.jsonl   size, time and content hash of each file
 * 6_search/<name>-<hash>/<encoder>/    vectors by content hash
 * ```
 *
 * A file of the same size and time is not read again, so that a second start
 * takes a moment. Nothing is written into the folder of the pictures.
 *
 * ```ts
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { indexPictures } from "#lib/search_page/index/indexing.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import type { Encoder } from "#lib/encoders/encoder.ts";
 *
 * async function indexSample(encoder: Encoder) {
 *   const collection = new Collection("Sample", encoder.dimensions);
 *   const failures = await indexPictures(await sampleSource(), encoder, collection);
 *   console.log(collection.count, failures);
 * }
 * ```
 *
 * @module
 */
import { basename, join } from "node:path";
import { embedPictures } from "../../embeddings/pipeline.ts";
import type { Encoder } from "../../encoders/encoder.ts";
import { Matrix } from "../../compare/matrix.ts";
import { dot, l2Normalize } from "../../compare/metrics.ts";
import { paths } from "../../paths.ts";
import { type Collection, type SourcePicture, textOf } from "./collection.ts";
import { FileHashes, sha256 } from "../../embeddings/file_hashes.ts";
import type { PictureSource } from "./sources.ts";
import { VectorStore } from "../../embeddings/store.ts";

/** A picture that could not be indexed, and why. */
export interface IndexFailure {
  id: string;
  reason: string;
}

/** How indexing is watched and stopped. */
export interface IndexOptions {
  /** Called after each group of pictures, and once more at the end. */
  onProgress?: (done: number, total: number) => void;
  /** Stops between two groups, by throwing the signal's reason. */
  signal?: AbortSignal;
}

/** Pictures that are looked up, embedded and added together. */
const GROUP = 48;

const SAVE_EVERY_MS = 5000;

/**
 * Adds all pictures of a source to a collection.
 *
 * @returns The pictures left out, and why.
 */
export async function indexPictures(
  source: PictureSource,
  encoder: Encoder,
  collection: Collection,
  { onProgress, signal }: IndexOptions = {},
): Promise<IndexFailure[]> {
  const folder = indexFolder(source.folder);
  const hashes = await FileHashes.open(join(folder, "files.jsonl"));
  const store = await VectorStore.open(
    join(folder, encoder.id.replaceAll(/[^\w.-]+/g, "_")),
    encoder.dimensions,
  );
  const given = await trustedVectors(source, encoder);
  const failures: IndexFailure[] = [];
  let savedAt = Date.now();
  const save = async () => {
    await store.save();
    await hashes.save();
    savedAt = Date.now();
  };
  try {
    for (let start = 0; start < source.pictures.length; start += GROUP) {
      signal?.throwIfAborted();
      const group = source.pictures.slice(start, start + GROUP);
      const looks = await looksOf(
        group,
        encoder,
        store,
        hashes,
        (i) => given?.row(start + i),
      );
      const words = await wordsOf(group, encoder, store);
      group.forEach((picture, i) => {
        const vector = looks[i];
        if (vector instanceof Float32Array) {
          collection.add(picture, vector, words[i]);
        } else {
          failures.push({ id: picture.id, reason: vector });
        }
      });
      onProgress?.(start + group.length, source.pictures.length);
      if (Date.now() - savedAt > SAVE_EVERY_MS) await save();
    }
  } finally {
    await save();
  }
  return failures;
}

/** Where a folder's index lies: under its name, and its place's hash. */
export function indexFolder(folder: string): string {
  const name = basename(folder).replaceAll(/[^\w.-]+/g, "_");
  return join(paths.search, `${name}-${sha256(folder).slice(0, 8)}`);
}

/** Each picture's vector, or the reason why it has none. */
async function looksOf(
  group: readonly SourcePicture[],
  encoder: Encoder,
  store: VectorStore,
  hashes: FileHashes,
  given: (index: number) => Float32Array | undefined,
): Promise<(Float32Array | string)[]> {
  const keys = await Promise.all(
    group.map(({ source }, i) => {
      if (given(i)) return { key: "" };
      return hashes.of(source).then(
        (key) => ({ key }),
        (error: Error) => ({ reason: reasonOf(error) }),
      );
    }),
  );
  const wanted = group.flatMap(({ source }, i) => {
    const found = keys[i];
    return "key" in found && found.key !== "" && !store.get(found.key)
      ? [{ key: found.key, source }]
      : [];
  });
  const { vectors, failures } = await embedPictures(
    encoder,
    wanted.map(({ source }) => source),
  );
  const reasons = new Map(
    failures.map(({ index, reason }) => [wanted[index].key, reason]),
  );
  wanted.forEach(({ key }, i) => {
    if (!reasons.has(key)) store.put(key, vectors.row(i));
  });
  return keys.map((found, i) => {
    if ("reason" in found) return found.reason;
    return given(i) ?? store.get(found.key) ?? reasons.get(found.key)!;
  });
}

/** Each picture's text as a vector; undefined where nothing is written. */
async function wordsOf(
  group: readonly SourcePicture[],
  encoder: Encoder,
  store: VectorStore,
): Promise<(Float32Array | undefined)[]> {
  const texts = group.map(textOf);
  const wanted = [...new Set(texts)].filter((text) =>
    text !== "" && !store.get(textKey(text))
  );
  if (wanted.length > 0) {
    const vectors = await encoder.encodeTexts(wanted);
    wanted.forEach((text, i) => store.put(textKey(text), vectors.row(i)));
  }
  return texts.map((text) =>
    text === "" ? undefined : store.get(textKey(text))
  );
}

/**
 * The vectors that came with the pictures, if this encoder made them: the first
 * picture's own vector tells. Embeddings of two encoders never meet.
 */
async function trustedVectors(
  { vectors, pictures, problems }: PictureSource,
  encoder: Encoder,
): Promise<Matrix | undefined> {
  if (!vectors?.count) return undefined;
  if (vectors.dimensions === encoder.dimensions) {
    const [own] = await encoder.encodeImages([pictures[0].source])
      .catch(() => []);
    if (own && dot(own, l2Normalize(vectors.row(0))) > 0.99) {
      return Matrix.of(Array.from(vectors, l2Normalize));
    }
  }
  problems.push(
    `the vectors that came with the pictures are not ${encoder.id}'s: the ` +
      "pictures are embedded again",
  );
}

function textKey(text: string): string {
  return `text:${sha256(text)}`;
}

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" ? "file not found" : code ?? error.message;
}
