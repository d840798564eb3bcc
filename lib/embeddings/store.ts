/**
 * The one store of embeddings: by content and encoder, added to and never
 * rewritten, so that a picture is embedded once, whoever asks first.
 *
 * ```text
 * 4_embeddings/
 *   files.jsonl                     size, time and content hash of each file
 *   <encoder>/parts/<random>.npy    float32 [n, D], for numpy.load
 *   <encoder>/parts/<random>.jsonl  whose they are, then the n keys, one a line
 * ```
 *
 * A key is the hash of a picture's bytes, or of a text. At opening the keys are
 * read; rows only when asked for, since those of 100,000 pictures are 0.7 GB.
 *
 * A part is written every few seconds while pictures are embedded, so that a
 * killed run loses seconds. Its keys come last: a part without them does not
 * count, nor does one that is damaged, or another encoder's. Two processes at
 * once write parts of their own; at worst both embed the same picture.
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
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Matrix } from "../compare/matrix.ts";
import { NPY_HEADER_BYTES, npyHeader, writeNpy } from "../compare/npy.ts";
import type { Encoder } from "../encoders/encoder.ts";
import { readJsonLines, writeJsonLines } from "../files.ts";
import { paths } from "../paths.ts";
import { FileHashes } from "./file_hashes.ts";

/** Whose embeddings a store holds. */
export type EncoderIdentity = Pick<Encoder, "id" | "dimensions">;

const SAVE_EVERY_MS = 5000;

/** Most rows that are read at once. */
const ROWS_A_READ = 1024;

/** Size of the parts that `compact` makes. */
const BYTES_A_PART = 2 ** 26;

/** A file so old is of no run that still goes on. */
const UNFINISHED_MS = 3_600_000;

/** Where a key's row is. */
interface Place {
  /** The part's path, without its ending. */
  part: string;
  row: number;
}

/** An encoder's embeddings, and the content hashes of files. */
export class EmbeddingStore {
  /** Shared by the stores of all encoders. */
  readonly files: FileHashes;
  /** Whose embeddings these are. */
  readonly encoderId: string;
  readonly #encoder: EncoderIdentity;
  readonly #folder: string;
  readonly #places = new Map<string, Place>();
  readonly #unsaved = new Map<string, Float32Array>();
  #savedAt = Date.now();

  private constructor(
    encoder: EncoderIdentity,
    folder: string,
    files: FileHashes,
  ) {
    this.encoderId = encoder.id;
    this.#encoder = encoder;
    this.#folder = join(encoderFolder(encoder.id, folder), "parts");
    this.files = files;
  }

  /**
   * Reads the keys of what is there.
   *
   * @param folder Holds one folder an encoder.
   */
  static async open(
    encoder: EncoderIdentity,
    folder: string = paths.embeddings,
  ): Promise<EmbeddingStore> {
    const files = await FileHashes.open(join(folder, "files.jsonl"));
    const store = new EmbeddingStore(encoder, folder, files);
    await store.#readKeys();
    return store;
  }

  /** How many embeddings are on disk. */
  get count(): number {
    return this.#places.size;
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
      await this.#write(keys, await this.rows(keys));
      for (const key of keys) this.#unsaved.delete(key);
    }
    await this.files.save();
  }

  /** Puts all parts together to few, without what counts no more. */
  async compact(): Promise<void> {
    await this.save();
    await this.#readKeys();
    const names = (await readdir(this.#folder).catch(() => [])).toSorted();
    const keys = [...this.#places.keys()];
    const step = Math.ceil(BYTES_A_PART / 4 / this.#encoder.dimensions);
    for (let start = 0; start < keys.length; start += step) {
      const some = keys.slice(start, start + step);
      await this.#write(some, await this.rows(some));
    }
    // In alphabetical order, so that a part's keys, .jsonl, go before its .npy.
    const parts = new Set(names.filter(isKeys).map(stem));
    for (const name of names) {
      const path = join(this.#folder, name);
      const isOld = async () =>
        Date.now() - (await stat(path)).mtimeMs > UNFINISHED_MS;
      if (parts.has(stem(name)) || await isOld()) await rm(path);
    }
  }

  async #readKeys(): Promise<void> {
    this.#places.clear();
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names.filter(isKeys)) {
      const part = join(this.#folder, stem(name));
      // One that cannot be read is left out, and its pictures embedded again.
      const keys = await readPart(part, this.#encoder).catch(() => []);
      keys.forEach((key, row) => this.#places.set(key, { part, row }));
    }
  }

  async #rows(keys: readonly string[]): Promise<Matrix> {
    const { dimensions } = this.#encoder;
    const vectors = new Matrix(
      new Float32Array(keys.length * dimensions).fill(NaN),
      dimensions,
    );
    const wanted = new Map<string, Wanted[]>();
    keys.forEach((key, to) => {
      const unsaved = this.#unsaved.get(key);
      const place = this.#places.get(key);
      if (unsaved) vectors.set(to, unsaved);
      else if (place) {
        const { part, row: from } = place;
        if (!wanted.has(part)) wanted.set(part, []);
        wanted.get(part)!.push({ from, to });
      }
    });
    for (const [part, rows] of wanted) await copyRows(part, rows, vectors);
    return vectors;
  }

  async #write(keys: readonly string[], vectors: Matrix): Promise<void> {
    const part = join(this.#folder, randomUUID());
    await writeNpy(`${part}.npy`, vectors);
    const { id, dimensions } = this.#encoder;
    await writeJsonLines(`${part}.jsonl`, [{ id, dimensions }, ...keys]);
    keys.forEach((key, row) => this.#places.set(key, { part, row }));
  }
}

/** An encoder's folder; its id may hold a slash ("clip-vit-b32/q8"). */
export function encoderFolder(
  encoderId: string,
  folder: string = paths.embeddings,
): string {
  return join(folder, encoderId.replaceAll(/[^\w.-]+/g, "_"));
}

/** A row of a part, and where it goes. */
interface Wanted {
  from: number;
  to: number;
}

/** Copies rows of a part into a matrix; rows side by side are read at once. */
async function copyRows(
  part: string,
  wanted: Wanted[],
  vectors: Matrix,
): Promise<void> {
  wanted.sort((a, b) => a.from - b.from);
  const rowBytes = 4 * vectors.dimensions;
  const file = await open(`${part}.npy`);
  try {
    for (let i = 0; i < wanted.length;) {
      const start = wanted[i].from;
      let end = i + 1;
      while (
        end < wanted.length && wanted[end].from <= wanted[end - 1].from + 1 &&
        wanted[end].from < start + ROWS_A_READ
      ) end++;
      const count = wanted[end - 1].from - start + 1;
      const run = new Matrix(
        new Float32Array(count * vectors.dimensions),
        vectors.dimensions,
      );
      const position = NPY_HEADER_BYTES + start * rowBytes;
      const bytes = new Uint8Array(run.data.buffer);
      const { bytesRead } = await file.read({ buffer: bytes, position });
      if (bytesRead < bytes.length) throw new Error(`${part}.npy is cut off`);
      for (; i < end; i++) {
        vectors.set(wanted[i].to, run.row(wanted[i].from - start));
      }
    }
  } finally {
    await file.close();
  }
}

/**
 * A part's keys.
 *
 * @throws {Error} If it is damaged, or another encoder's.
 */
async function readPart(
  part: string,
  { id, dimensions }: EncoderIdentity,
): Promise<string[]> {
  const [encoder, ...keys] = await readJsonLines(`${part}.jsonl`) as [
    EncoderIdentity,
    ...string[],
  ];
  const header = npyHeader(keys.length, dimensions);
  const file = await open(`${part}.npy`);
  try {
    const found = new Uint8Array(header.length);
    await file.read({ buffer: found });
    const { size } = await file.stat();
    const isWhole = size === header.length + 4 * keys.length * dimensions &&
      Buffer.compare(found, header) === 0;
    if (isWhole && encoder.id === id) return keys;
  } finally {
    await file.close();
  }
  throw new Error(`${part}: expected a part of ${id}, got ${encoder.id}'s`);
}

function isKeys(name: string): boolean {
  return name.endsWith(".jsonl");
}

function stem(name: string): string {
  return name.replace(/\.\w+$/, "");
}
