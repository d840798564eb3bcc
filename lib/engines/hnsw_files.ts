/**
 * What an HNSW index is in files, to hnsw_read.ts and hnsw_write.ts. One says what
 * the others are called, how long they are and what their checksums are; it is
 * written last, whole, so that a killed program leaves the index as it was the
 * last time. Each time it has the next number, which only one program can take: of
 * two that write into one folder, the second is told, and what the first has
 * written stays.
 *
 * ```text
 * pictures.7.json            settings, encoder, and the files
 * pictures.UUID.graph        the graph, as usearch writes it
 * pictures.UUID.rows.jsonl   each node's fingerprint and ids
 * pictures.UUID.npy          its vectors, unless they are somebody else's
 * ```
 *
 * ```ts
 * import { newestVersion, pathOf } from "#lib/engines/hnsw_files.ts";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtemp, writeFile } from "node:fs/promises";
 *
 * const place = { folder: await mkdtemp("/tmp/hnsw-"), name: "a", encoder: "b" };
 * strictEqual(await newestVersion(place), 0);
 * await writeFile(pathOf(place, 7), "{}");
 * strictEqual(await newestVersion(place), 7);
 * ```
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { GraphSettings } from "./hnsw_graph.ts";
import type { VectorTraits } from "./hnsw_nodes.ts";

/** Where an index is kept, and whose. */
export interface HnswPlace {
  folder: string;
  /** What its files' names begin with. */
  name: string;
  /** Whose vectors they are. */
  encoder: string;
}

/** One of the files that the first one names. */
export interface KeptFile {
  file: string;
  bytes: number;
  crc32: number;
}

/** What the first file says. */
export interface Manifest {
  /** Another form of these files, another number. */
  format: number;
  encoder: string;
  settings: Required<GraphSettings>;
  /** The peak for which the graph has room. */
  peak: number;
  traits: VectorTraits;
  graph: KeptFile;
  rows: KeptFile;
  vectors?: KeptFile;
}

/** The form of these files. */
export const FORMAT = 1;

/** Another program has written an index since it was read. */
export class IndexTaken extends Error {}

/** Where the first file of that number is. */
export function pathOf({ folder, name }: HnswPlace, version: number): string {
  return join(folder, `${name}.${version}.json`);
}

/** Numbers of the first files that are there, in no order. */
export async function versionsOf(
  { folder, name }: HnswPlace,
): Promise<number[]> {
  const files = await readdir(folder).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return files.filter((file) => file.startsWith(`${name}.`)).flatMap((file) => {
    const [, version] = /^\.([1-9]\d*)\.json$/.exec(file.slice(name.length)) ??
      [];
    return version === undefined ? [] : Number(version);
  });
}

/** The number of the index that counts; 0 where there is none. */
export async function newestVersion(place: HnswPlace): Promise<number> {
  return Math.max(0, ...await versionsOf(place));
}

/** A file's length and checksum, read a piece at a time. */
export async function checksum(
  path: string,
): Promise<{ bytes: number; crc32: number }> {
  let bytes = 0, sum = 0;
  for await (
    const piece of createReadStream(path, { highWaterMark: 2 ** 20 })
  ) {
    bytes += piece.length;
    sum = crc32(piece, sum);
  }
  return { bytes, crc32: sum };
}
