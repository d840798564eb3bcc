/**
 * Reads an HNSW index out of its files, which hnsw_files.ts tells of, as they are
 * while another program may write newer ones. Of one whose graph is damaged, or
 * was built with other settings, the vectors are taken, and another graph is
 * built of them.
 *
 * ```ts
 * import { HnswNodes } from "#lib/engines/hnsw_nodes.ts";
 * import { readNodes } from "#lib/engines/hnsw_read.ts";
 * import { writeNodes } from "#lib/engines/hnsw_write.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const place = { folder: await mkdtemp("/tmp/hnsw-"), name: "a", encoder: "b" };
 * const nodes = new HnswNodes({ dimensions: 2 }, true);
 * nodes.insert(["owl"], Matrix.of([[3, 4]]));
 * await writeNodes(place, nodes, 0);
 * const again = await readNodes(place, nodes.graph.settings, true);
 * strictEqual(again.nodes?.count, 1);
 * strictEqual(again.version, 1);
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { readNpy } from "../compare/npy.ts";
import { readJsonLines } from "../files.ts";
import { checkPut } from "./checks.ts";
import {
  checksum,
  FORMAT,
  type HnswPlace,
  type KeptFile,
  type Manifest,
  newestVersion,
  pathOf,
} from "./hnsw_files.ts";
import { type GraphSettings, peakOf, roomFor, sizesOf } from "./hnsw_graph.ts";
import { HnswNodes, type NodeRow } from "./hnsw_nodes.ts";

/** What was read. */
export interface ReadNodes {
  /** Undefined where there is none, or none whose vectors are whole. */
  nodes?: HnswNodes;
  /** Number of the file that was read; 0 where there is none. */
  version: number;
}

/** How often it is read again, when another program has written meanwhile. */
const TRIES = 100;

/**
 * Reads an index. One that cannot be gone on with is said on standard error.
 *
 * @param kept Whether the vectors are wanted, too.
 * @throws {RangeError} If the files are of another encoder, or of vectors of
 *   another length: they stay as they are.
 * @throws {Error} If a file is there and cannot be read, or another program
 *   writes it faster than it can be read.
 */
export async function readNodes(
  place: HnswPlace,
  settings: Required<GraphSettings>,
  kept: boolean,
): Promise<ReadNodes> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const version = await newestVersion(place);
    if (version === 0) return { version };
    const path = pathOf(place, version);
    let why: string, manifest: Manifest | undefined;
    try {
      manifest = JSON.parse(await readFile(path, "utf8")) as Manifest;
      if (manifest?.format === FORMAT) {
        checkOwner(path, manifest, place, settings);
      }
      const other = manifest?.format !== FORMAT
        ? "it has another form"
        : !isDeepStrictEqual(manifest.settings, settings)
        ? "it was built with other settings"
        : !(manifest.peak > 0)
        ? "its numbers are of another form"
        : kept && !manifest.vectors
        ? "it has no vectors of its own"
        : undefined;
      if (!other) {
        return { nodes: await read(place.folder, manifest, kept), version };
      }
      why = other;
    } catch (error) {
      if (error instanceof OtherOwner) throw error;
      // Who writes an index deletes the files that it was in before.
      if (await newestVersion(place) !== version) continue;
      const { code = "", message } = error as NodeJS.ErrnoException;
      // What cannot be read now, as where too many files are open, is there.
      if (/^E[A-Z]+$/.test(code) && code !== "ENOENT") throw error;
      why = `it is damaged (${message})`;
    }
    const nodes = kept && manifest?.format === FORMAT
      ? await rebuilt(place, manifest, settings).catch(() => undefined)
      : undefined;
    if (await newestVersion(place) !== version) continue;
    const what = nodes ? "graph" : "index";
    console.warn(`${path}: the ${what} is built anew, since ${why}`);
    return { nodes, version };
  }
  throw new Error(
    `${join(place.folder, place.name)}: another program writes this index ` +
      "faster than it can be read: open it when that one is done",
  );
}

async function read(
  folder: string,
  { settings, peak, traits, graph, rows, vectors }: Manifest,
  kept: boolean,
): Promise<HnswNodes> {
  // usearch would read whatever it is given, and may end the program at it.
  await checkWritten(folder, [graph, rows, vectors ?? []].flat());
  const nodes = new HnswNodes(
    settings,
    kept,
    peak,
    await readJsonLines<NodeRow>(join(folder, rows.file)),
    kept ? await readNpy(join(folder, vectors!.file)) : undefined,
  );
  nodes.traits = traits;
  nodes.graph.load(join(folder, graph.file));
  return nodes;
}

/** A new graph of the vectors that are there, where these are whole. */
async function rebuilt(
  { folder, encoder }: HnswPlace,
  { rows, vectors: kept, encoder: owner, settings: before }: Manifest,
  settings: Required<GraphSettings>,
): Promise<HnswNodes | undefined> {
  const { dimensions } = settings;
  const isOurs = owner === encoder && before?.dimensions === dimensions;
  if (!kept || !isOurs) return;
  await checkWritten(folder, [rows, kept]);
  const vectors = await readNpy(join(folder, kept.file));
  const written = await readJsonLines<NodeRow>(join(folder, rows.file));
  const all = written.flatMap(([print, ...ids], node) =>
    ids.map((id) => ({ id, node, print }))
  );
  let peak = 0;
  for (const vector of vectors) {
    peak = Math.max(peak, peakOf(vector, settings));
  }
  const nodes = new HnswNodes(settings, true, roomFor(peak));
  const sizes = sizesOf(settings);
  for (let start = 0; start < all.length; start += 500) {
    const some = all.slice(start, start + 500);
    const ids = some.map(({ id }) => id);
    const rows = vectors.pick(some.map(({ node }) => node));
    checkPut({ caller: "HNSW", dimensions, sizes }, ids, rows);
    nodes.insert(ids, rows, some.map(({ print }) => print));
    await setImmediate();
  }
  return nodes;
}

async function checkWritten(
  folder: string,
  files: readonly KeptFile[],
): Promise<void> {
  for (const { file, bytes, crc32 } of files) {
    const found = await checksum(join(folder, file));
    if (found.bytes === bytes && found.crc32 === crc32) continue;
    throw new Error(`${file} is not what was written`);
  }
}

/** The files are another's; that is no damage. */
class OtherOwner extends RangeError {}

function checkOwner(
  path: string,
  { encoder, settings, traits }: Manifest,
  place: HnswPlace,
  { dimensions }: Required<GraphSettings>,
): void {
  if (typeof encoder !== "string" || !Number.isInteger(settings?.dimensions)) {
    throw new Error("it does not say of whose vectors");
  }
  if (typeof traits?.isUnit !== "boolean") {
    throw new Error("it does not say of what vectors");
  }
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
