/**
 * The one store of embeddings: by content and encoder, added to and never
 * rewritten, so that a picture is embedded once, whoever asks first.
 *
 * ```text
 * 4_embeddings/
 *   files.jsonl        size, time and content hash of each file (file_hashes.ts)
 *   facts.jsonl        what the files tell of themselves (kept_facts.ts)
 *   <encoder>/parts/   embeddings and their keys (parts.ts)
 * ```
 *
 * A key is the hash of a picture's bytes, or of a text. At opening the keys are
 * read; rows only when asked for, since those of 100,000 pictures are 0.7 GB.
 *
 * A part is written every few seconds while pictures are embedded, so that a
 * killed run loses seconds. Two processes at once write parts of their own; at
 * worst both embed the same picture.
 *
 * ```ts
 * import { EmbeddingStore } from "#lib/embeddings/store.ts";
 * import { deepEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/store-");
 * const encoder = { id: "offline", dimensions: 2 };
 * const store = await EmbeddingStore.open(encoder, folder);
 * store.put("owl", Float32Array.of(0.5, 1));
 * await store.save();
 * const again = await EmbeddingStore.open(encoder, folder);
 * deepEqual([...(await again.rows(["owl", "oak"])).data], [0.5, 1, NaN, NaN]);
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Matrix } from "../compare/matrix.ts";
import type { Encoder } from "../encoders/encoder.ts";
import { paths } from "../paths.ts";
import { FileHashes } from "./file_hashes.ts";
import { KeptFacts } from "./kept_facts.ts";
import {
  copyRows,
  type EncoderIdentity,
  type Part,
  readParts,
  writePart,
} from "./parts.ts";

const SAVE_EVERY_MS = 5000;

/** Size of the parts that `compact` makes. */
const BYTES_A_PART = 2 ** 26;

/** A file so old is of no run that still goes on. */
const UNFINISHED_MS = 3_600_000;

/** Folders of former recipes that the reader has been told of. */
const told = new Set<string>();

/** An encoder's embeddings, and the content hashes of files. */
export class EmbeddingStore {
  /** Whose embeddings these are. */
  readonly encoder: EncoderIdentity;
  /** Shared by the stores of all encoders. */
  readonly files: FileHashes;
  readonly facts: KeptFacts;
  readonly #folder: string;
  readonly #places = new Map<string, { part: string; from: number }>();
  readonly #unsaved = new Map<string, Float32Array>();
  #savedAt = Date.now();

  private constructor(
    { id, dimensions }: EncoderIdentity,
    folder: string,
    files: FileHashes,
    facts: KeptFacts,
  ) {
    this.encoder = { id, dimensions };
    this.files = files;
    this.facts = facts;
    this.#folder = join(encoderFolder(id, folder), "parts");
  }

  /**
   * Reads the keys of what is there. Where there is nothing yet but a former
   * recipe's embeddings, it says so once, on standard error.
   *
   * @param folder Holds one folder an encoder.
   */
  static async open(
    encoder: EncoderIdentity & Pick<Encoder, "formerIds">,
    folder: string = paths.embeddings,
  ): Promise<EmbeddingStore> {
    const files = await FileHashes.open(join(folder, "files.jsonl"));
    const kept = join(folder, "facts.jsonl");
    const facts = await KeptFacts.open(kept, files);
    const store = new EmbeddingStore(encoder, folder, files, facts);
    await store.#readKeys();
    for (const id of encoder.formerIds ?? []) {
      const old = join(encoderFolder(id, folder), "parts");
      const isNews = existsSync(old) && !existsSync(store.#folder);
      if (!isNews || told.has(old)) continue;
      told.add(old);
      console.warn(
        `The embeddings kept for ${id} are of an older recipe and cannot be ` +
          `compared with ${encoder.id}'s: they are made anew. ` +
          `\`npx deno@2.8.1 task store forget ${id}\` deletes the old ones.`,
      );
    }
    return store;
  }

  /** Whether that key has an embedding. */
  has(key: string): boolean {
    return this.#places.has(key) || this.#unsaved.has(key);
  }

  /**
   * The embeddings of these keys, a row each, in their order; NaN throughout
   * where there is none.
   */
  async rows(keys: readonly string[]): Promise<Matrix> {
    try {
      return await this.#rows(keys);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      // Another process has put the parts together: they lie elsewhere now.
      await this.#readKeys();
      return await this.#rows(keys);
    }
  }

  /** Takes a copy of an embedding; it is on disk after the next `save()`. */
  put(key: string, vector: Float32Array): void {
    this.#unsaved.set(key, vector.slice());
  }

  /**
   * Writes what was put since the last time.
   *
   * @param now If false, only where that was some seconds ago.
   */
  async save(now = true): Promise<void> {
    if (!now && Date.now() - this.#savedAt < SAVE_EVERY_MS) return;
    this.#savedAt = Date.now();
    const keys = [...this.#unsaved.keys()];
    if (keys.length > 0) {
      await this.#write(keys);
      for (const key of keys) this.#unsaved.delete(key);
    }
    await this.files.save();
    await this.facts.save();
  }

  /** Puts all parts together to few, without what counts no more. */
  async compact(): Promise<void> {
    const names = (await readdir(this.#folder)).toSorted();
    // After the list: another process's part in it would else be lost.
    await this.#readKeys();
    const keys = [...this.#places.keys()];
    const step = Math.ceil(BYTES_A_PART / 4 / this.encoder.dimensions);
    for (let start = 0; start < keys.length; start += step) {
      await this.#write(keys.slice(start, start + step));
    }
    const hasKeys = (name: string) =>
      names.includes(name.replace(/\.npy$/, ".jsonl"));
    // In alphabetical order, so that a part's keys, .jsonl, go before its .npy.
    for (const name of names) {
      const path = join(this.#folder, name);
      const age = Date.now() - (await stat(path)).mtimeMs;
      if (hasKeys(name) || age > UNFINISHED_MS) await rm(path);
    }
  }

  async #readKeys(): Promise<void> {
    this.#places.clear();
    const { id, dimensions } = this.encoder;
    for (const part of await readParts(this.#folder)) {
      // Embeddings of two encoders never meet, wherever files were copied to.
      if (part.id === id && part.dimensions === dimensions) this.#place(part);
    }
  }

  #place({ path, keys }: Part): void {
    keys.forEach((key, from) => this.#places.set(key, { part: path, from }));
  }

  async #rows(keys: readonly string[]): Promise<Matrix> {
    const vectors = Matrix.zeros(keys.length, this.encoder.dimensions);
    const copies: { part: string; from: number; to: number }[] = [];
    keys.forEach((key, to) => {
      const unsaved = this.#unsaved.get(key), place = this.#places.get(key);
      if (unsaved) vectors.set(to, unsaved);
      else if (place) copies.push({ ...place, to });
      else vectors.row(to).fill(NaN);
    });
    for (const [part, ofPart] of Map.groupBy(copies, ({ part }) => part)) {
      await copyRows(part, ofPart, vectors);
    }
    return vectors;
  }

  async #write(keys: readonly string[]): Promise<void> {
    const vectors = await this.rows(keys);
    this.#place(await writePart(this.#folder, this.encoder, keys, vectors));
  }
}

/** An encoder's folder; its id may hold a slash ("clip-vit-b32/q8"). */
export function encoderFolder(
  encoderId: string,
  folder: string = paths.embeddings,
): string {
  return join(folder, encoderId.replaceAll(/[^\w.-]+/g, "_"));
}

/** What is kept for an encoder. */
export interface StoreSummary extends EncoderIdentity {
  /** Embeddings, of pictures and of texts. */
  count: number;
  /** Files that they are spread over. */
  parts: number;
  /** What they take on disk, in bytes. */
  bytes: number;
}

/** All encoders' stores, by their folders' names. */
export async function listStores(): Promise<StoreSummary[]> {
  const summaries: StoreSummary[] = [];
  const names = await readdir(paths.embeddings).catch(() => []);
  for (const name of names.toSorted()) {
    const place = join(paths.embeddings, name, "parts");
    const parts = (await readParts(place))
      .filter(({ id }) => basename(encoderFolder(id)) === name);
    if (parts.length === 0) continue;
    const [{ id, dimensions }] = parts;
    const count = new Set(parts.flatMap(({ keys }) => keys)).size;
    let bytes = 0;
    for (const file of await readdir(place)) {
      bytes += (await stat(join(place, file))).size;
    }
    summaries.push({ id, dimensions, count, parts: parts.length, bytes });
  }
  return summaries;
}

/**
 * Deletes an encoder's embeddings, the data set's among them.
 *
 * @throws {Error} If there is no such store: names those that there are.
 */
export async function forgetStore(encoderId: string): Promise<void> {
  const { id } = await findStore(encoderId);
  await rm(encoderFolder(id), { recursive: true });
}

/**
 * Puts an encoder's parts together to few, without what counts no more.
 *
 * @throws {Error} If there is no such store: names those that there are.
 */
export async function compactStore(encoderId: string): Promise<void> {
  const store = await EmbeddingStore.open(await findStore(encoderId));
  await store.compact();
}

/** Folders with embeddings of an older layout, which are left alone. */
export async function listOldEmbeddings(): Promise<string[]> {
  const has = (...names: string[]) => existsSync(join(...names));
  const inside = async (folder: string) =>
    (await readdir(folder).catch(() => [])).toSorted()
      .map((name) => join(folder, name));
  return [
    ...(await inside(paths.embeddings)).filter((place) =>
      has(place, "embeddings.npy") && !has(place, "parts")
    ),
    ...(await inside(paths.search)).filter((at) => has(at, "files.jsonl")),
    ...["7_captions", "7_evaluation"].map((name) => join(paths.data, name))
      .filter((place) => has(place)),
  ];
}

async function findStore(encoderId: string): Promise<StoreSummary> {
  const stores = await listStores();
  const found = stores.find(({ id }) => id === encoderId);
  if (found) return found;
  const names = stores.map(({ id }) => id).join(", ") || "none";
  throw new Error(`there is no store of "${encoderId}"; there are: ${names}`);
}
