/**
 * An HNSW index in files. One says what the others are called, how long they are
 * and what their checksums are; it is written last, whole, so that a killed
 * program leaves the index as it was the last time.
 *
 * ```text
 * pictures.json              settings, encoder, and the files
 * pictures.UUID.graph        the graph, as usearch writes it
 * pictures.UUID.rows.jsonl   each node's fingerprint and ids
 * pictures.UUID.npy          its vectors, unless they are somebody else's
 * ```
 *
 * ```ts
 * import { readNodes, writeNodes } from "#lib/engines/hnsw_files.ts";
 * import { HnswNodes } from "#lib/engines/hnsw_nodes.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const place = { folder: await mkdtemp("/tmp/hnsw-"), name: "a", encoder: "b" };
 * const nodes = new HnswNodes({ dimensions: 2 }, true);
 * nodes.insert(["owl"], Matrix.of([[3, 4]]));
 * await writeNodes(place, nodes);
 * const again = await readNodes(place, nodes.graph.settings, true);
 * strictEqual(again?.count, 1);
 * ```
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { crc32 } from "node:zlib";
import { readNpy, writeNpy } from "../compare/npy.ts";
import { readJsonLines, writeAtomic, writeJsonLines } from "../files.ts";
import type { GraphSettings } from "./hnsw_graph.ts";
import { HnswNodes, type NodeRow, type VectorTraits } from "./hnsw_nodes.ts";

/** Where an index is kept, and whose. */
export interface HnswPlace {
  folder: string;
  /** What its files' names begin with. */
  name: string;
  /** Whose vectors they are. */
  encoder: string;
}

/** One of the files that the first one names. */
interface KeptFile {
  file: string;
  bytes: number;
  crc32: number;
}

interface Manifest {
  /** Another form of these files, another number. */
  format: number;
  encoder: string;
  settings: Required<GraphSettings>;
  traits: VectorTraits;
  graph: KeptFile;
  rows: KeptFile;
  vectors?: KeptFile;
}

const FORMAT = 1;

/** A kept file's name after the index's. */
const KEPT = /^\.[\da-f-]{36}\.(graph|rows\.jsonl|npy)$/;

/** What no manifest names and is older is of no program that still writes. */
const UNFINISHED_MS = 600_000;

/**
 * Reads an index; undefined where there is none, or none that can be gone on
 * with, which it says on standard error.
 *
 * @param kept Whether the vectors are wanted, too.
 * @throws {RangeError} If the files are of another encoder, or of vectors of
 *   another length: they stay as they are.
 */
export async function readNodes(
  place: HnswPlace,
  settings: Required<GraphSettings>,
  kept: boolean,
): Promise<HnswNodes | undefined> {
  const path = join(place.folder, `${place.name}.json`);
  const text = await readFile(path, "utf8").catch((error) => {
    if (error.code !== "ENOENT") throw error;
  });
  if (text === undefined) return;
  let why: string;
  try {
    const manifest: Manifest = JSON.parse(text);
    if (manifest?.format === FORMAT) {
      checkOwner(path, manifest, place, settings);
    }
    const other = manifest?.format !== FORMAT
      ? "it has another form"
      : !isDeepStrictEqual(manifest.settings, settings)
      ? "it was built with other settings"
      : kept && !manifest.vectors
      ? "it has no vectors of its own"
      : undefined;
    if (!other) return await read(place.folder, manifest, kept);
    why = other;
  } catch (error) {
    if (error instanceof OtherOwner) throw error;
    why = `it is damaged (${(error as Error).message})`;
  }
  console.warn(`${path}: the index is built anew, since ${why}`);
}

async function read(
  folder: string,
  { settings, traits, graph, rows, vectors }: Manifest,
  kept: boolean,
): Promise<HnswNodes> {
  for (const { file, bytes, crc32 } of [graph, rows, vectors ?? []].flat()) {
    const found = await checksum(join(folder, file));
    // usearch would read whatever it is given, and may end the program at it.
    if (found.bytes === bytes && found.crc32 === crc32) continue;
    throw new Error(`${file} is not what was written`);
  }
  const nodes = new HnswNodes(
    settings,
    kept,
    await readJsonLines<NodeRow>(join(folder, rows.file)),
    kept ? await readNpy(join(folder, vectors!.file)) : undefined,
  );
  nodes.traits = traits;
  nodes.graph.load(join(folder, graph.file));
  return nodes;
}

/** The files are another's; that is no damage. */
class OtherOwner extends RangeError {}

function checkOwner(
  path: string,
  { encoder, settings }: Manifest,
  place: HnswPlace,
  { dimensions }: Required<GraphSettings>,
): void {
  if (encoder === place.encoder && settings.dimensions === dimensions) return;
  throw new OtherOwner(
    `${path} holds vectors of ${settings.dimensions} numbers by ` +
      `${encoder || "an encoder without a name"}, expected ${dimensions} by ` +
      `${
        place.encoder || "an encoder without a name"
      }: give the index another ` +
      "name or folder, or delete this file",
  );
}

/**
 * Writes an index, and then deletes what it was before.
 *
 * @throws {Error} If it cannot be written, as on a full disk; what was written
 *   before stays.
 */
export async function writeNodes(
  place: HnswPlace,
  nodes: HnswNodes,
): Promise<void> {
  const { folder, name, encoder } = place;
  const stem = `${name}.${randomUUID()}`;
  const files = {
    graph: `${stem}.graph`,
    rows: `${stem}.rows.jsonl`,
    vectors: nodes.vectors ? `${stem}.npy` : undefined,
  };
  const path = join(folder, `${name}.json`);
  const before = await readFile(path, "utf8").catch(() => "");
  const kept = async (file: string): Promise<KeptFile> => (
    { file, ...await checksum(join(folder, file)) }
  );
  try {
    await writeGraph(folder, files.graph, nodes);
    await writeJsonLines(join(folder, files.rows), nodes.rows);
    if (files.vectors) {
      await writeNpy(join(folder, files.vectors), nodes.vectors!);
    }
    const manifest: Manifest = {
      format: FORMAT,
      encoder,
      settings: nodes.graph.settings,
      traits: nodes.traits,
      graph: await kept(files.graph),
      rows: await kept(files.rows),
      vectors: files.vectors ? await kept(files.vectors) : undefined,
    };
    await writeAtomic(path, JSON.stringify(manifest));
  } catch (error) {
    for (const file of Object.values(files)) {
      if (file) await rm(join(folder, file), { force: true }).catch(() => {});
    }
    throw error;
  }
  await removeOthers(place, stem, before);
}

/** Removes what the manifest before named, and what killed programs left. */
async function removeOthers(
  { folder, name }: HnswPlace,
  stem: string,
  before: string,
): Promise<void> {
  for (const file of await readdir(folder)) {
    const isOurs = file.startsWith(`${name}.`) && !file.startsWith(stem) &&
      KEPT.test(file.slice(name.length));
    if (!isOurs && !/^\..*\.part$/.test(file)) continue;
    const path = join(folder, file);
    const age = Date.now() -
      (await stat(path).catch(() => undefined))?.mtimeMs!;
    if (before.includes(JSON.stringify(file)) || age > UNFINISHED_MS) {
      await rm(path, { force: true });
    }
  }
}

/** A file's length and checksum, read a piece at a time. */
async function checksum(
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

/** usearch writes while the program waits; the wait for the disk is shared. */
async function writeGraph(
  folder: string,
  file: string,
  { graph }: HnswNodes,
): Promise<void> {
  const path = join(folder, file);
  try {
    await mkdir(folder, { recursive: true });
    graph.save(path);
    const written = await open(path, "r+");
    await written.sync().finally(() => written.close());
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(
      `${path} cannot be written (${
        code ?? message
      }): expected a folder with ` +
        "space left that this user may write to; CONTACT_SHEET_DATA names " +
        "another data folder",
      { cause: error },
    );
  }
}
