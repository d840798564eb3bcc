/**
 * Looking after the stores: what is kept, putting parts together, forgetting.
 *
 * ```ts
 * import { EmbeddingStore } from "#lib/embeddings/store.ts";
 * import { forgetStore, listStores } from "#lib/embeddings/maintenance.ts";
 * import { deepEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/stores-");
 * const store = await EmbeddingStore.open({ id: "a/q8", dimensions: 1 }, folder);
 * store.put("owl", Float32Array.of(1));
 * await store.save();
 * const [{ id, count }] = await listStores(folder);
 * deepEqual([id, count], ["a/q8", 1]);
 * await forgetStore("a/q8", folder);
 * deepEqual(await listStores(folder), []);
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { paths } from "../paths.ts";
import {
  EmbeddingStore,
  encoderFolder,
  type EncoderIdentity,
} from "./store.ts";

/** What is kept for an encoder. */
export interface StoreSummary extends EncoderIdentity {
  /** Embeddings, of pictures and of texts. */
  count: number;
  /** Files that they are spread over. */
  parts: number;
  /** What they take on disk, in bytes. */
  bytes: number;
}

/**
 * All stores, by their folders' names.
 *
 * @param folder Holds one folder an encoder.
 */
export async function listStores(
  folder: string = paths.embeddings,
): Promise<StoreSummary[]> {
  const summaries: StoreSummary[] = [];
  for (const name of (await readdir(folder).catch(() => [])).toSorted()) {
    const place = join(folder, name, "parts");
    const files = await readdir(place).catch(() => []);
    const identity = await identityOf(place, files);
    if (!identity) continue;
    const { count } = await EmbeddingStore.open(identity, folder);
    const sizes = files.map(async (file) =>
      (await stat(join(place, file))).size
    );
    const bytes = (await Promise.all(sizes)).reduce(
      (sum, size) => sum + size,
      0,
    );
    const parts = files.filter((file) => file.endsWith(".npy")).length;
    summaries.push({ ...identity, count, parts, bytes });
  }
  return summaries;
}

/**
 * Puts an encoder's parts together to few, without what counts no more.
 *
 * @throws {Error} If there is no such store: names those that there are.
 */
export async function compactStore(
  encoderId: string,
  folder: string = paths.embeddings,
): Promise<void> {
  const identity = await requireStore(encoderId, folder);
  await (await EmbeddingStore.open(identity, folder)).compact();
}

/**
 * Deletes an encoder's embeddings, the data set's among them.
 *
 * @throws {Error} If there is no such store: names those that there are.
 */
export async function forgetStore(
  encoderId: string,
  folder: string = paths.embeddings,
): Promise<void> {
  await requireStore(encoderId, folder);
  await rm(encoderFolder(encoderId, folder), { recursive: true });
}

/** Embeddings of an older layout, which are left alone: their folders. */
export async function listOldEmbeddings(): Promise<string[]> {
  const indexes = await readdir(paths.search).catch(() => []);
  return [
    join(paths.data, "7_captions"),
    join(paths.data, "7_evaluation"),
    ...indexes.map((name) => join(paths.search, name))
      .filter((place) => existsSync(join(place, "files.jsonl"))),
  ].filter((place) => existsSync(place));
}

async function requireStore(
  encoderId: string,
  folder: string,
): Promise<EncoderIdentity> {
  const stores = await listStores(folder);
  const found = stores.find(({ id }) => id === encoderId);
  if (found) return found;
  const names = stores.map(({ id }) => id).join(", ") || "none";
  throw new Error(`there is no store of "${encoderId}"; there are: ${names}`);
}

/** Whose parts lie in a folder, from the first of them that says so. */
async function identityOf(
  place: string,
  files: readonly string[],
): Promise<EncoderIdentity | undefined> {
  for (const file of files.filter((name) => name.endsWith(".jsonl"))) {
    try {
      const [line] = (await readFile(join(place, file), "utf8")).split("\n", 1);
      const { id, dimensions } = JSON.parse(line);
      if (encoderFolder(id) === encoderFolder(basename(dirname(place)))) {
        return { id, dimensions };
      }
    } catch {
      // Damaged: another one may say it.
    }
  }
}
