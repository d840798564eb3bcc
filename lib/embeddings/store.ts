/**
 * Vectors kept on disk under a key, added to and never rewritten.
 *
 * ```text
 * <folder>/<random>.npy     float32 [n, D], for numpy.load
 * <folder>/<random>.jsonl   the n keys, one a line
 * ```
 *
 * A part is written every few seconds while a folder is indexed, so that a
 * killed run loses seconds, and 100,000 vectors are not written anew for ten
 * pictures more. The keys come last: a part without them does not count.
 *
 * A key is the hash of a picture's bytes, or of a text.
 *
 * ```ts
 * import { VectorStore } from "#lib/embeddings/store.ts";
 * import { deepEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/store-");
 * const store = await VectorStore.open(folder, 2);
 * store.put("owl", Float32Array.of(0.5, 1));
 * await store.save();
 * const again = await VectorStore.open(folder, 2);
 * deepEqual([...again.get("owl")!], [0.5, 1]);
 * ```
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readJsonLines, writeJsonLines } from "../files.ts";
import { Matrix } from "../compare/matrix.ts";
import { readNpy, writeNpy } from "../compare/npy.ts";

/** Vectors by key, in memory and on disk. */
export class VectorStore {
  readonly #folder: string;
  readonly #dimensions: number;
  readonly #vectors = new Map<string, Float32Array>();
  #unsaved: string[] = [];

  private constructor(folder: string, dimensions: number) {
    this.#folder = folder;
    this.#dimensions = dimensions;
  }

  /**
   * Reads what is there; an unreadable part is left out, and embedded again.
   *
   * @param dimensions Length of each vector; parts of another length are left out.
   */
  static async open(folder: string, dimensions: number): Promise<VectorStore> {
    const store = new VectorStore(folder, dimensions);
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((name) => name.endsWith(".jsonl"))) {
      const part = join(folder, name.slice(0, -".jsonl".length));
      await store.#readPart(part).catch(() => undefined);
    }
    return store;
  }

  /** The vector of that key; undefined if there is none. */
  get(key: string): Float32Array | undefined {
    return this.#vectors.get(key);
  }

  /** Keeps a vector, on disk from the next `save()` on. */
  put(key: string, vector: Float32Array): void {
    this.#vectors.set(key, vector);
    this.#unsaved.push(key);
  }

  /** Writes what was put since the last time. */
  async save(): Promise<void> {
    const keys = this.#unsaved;
    if (keys.length === 0) return;
    this.#unsaved = [];
    const size = this.#dimensions;
    const vectors = keys.map((key) => this.#vectors.get(key)!);
    const part = join(this.#folder, randomUUID());
    await writeNpy(`${part}.npy`, Matrix.of(vectors, size));
    await writeJsonLines(`${part}.jsonl`, keys);
  }

  async #readPart(part: string): Promise<void> {
    const keys = await readJsonLines<string>(`${part}.jsonl`);
    const rows = await readNpy(`${part}.npy`);
    if (rows.count !== keys.length) return;
    if (rows.dimensions !== this.#dimensions) return;
    keys.forEach((key, i) => this.#vectors.set(key, rows.row(i)));
  }
}
