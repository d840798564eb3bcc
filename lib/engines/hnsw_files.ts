/**
 * An HNSW index in files. One says what the others are called, how long they are
 * and what their checksums are; it is written last, whole, so that a killed
 * program leaves the index as it was the last time. Each time it has the next
 * number, which only one program can take: of two that write into one folder, the
 * second is told, and what the first has written stays.
 *
 * ```text
 * pictures.7.json            settings, encoder, and the files
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
 * await writeNodes(place, nodes, 0);
 * const again = await readNodes(place, nodes.graph.settings, true);
 * strictEqual(again.nodes?.count, 1);
 * strictEqual(again.version, 1);
 * ```
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { crc32 } from "node:zlib";
import { readNpy, writeNpy } from "../compare/npy.ts";
import { readJsonLines, writeAtomic, writeJsonLines } from "../files.ts";
import { checkPut } from "./checks.ts";
import { type GraphSettings, sizesOf } from "./hnsw_graph.ts";
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

/** Another program has written an index since it was read. */
export class IndexTaken extends Error {}

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

function pathOf({ folder, name }: HnswPlace, version: number): string {
  return join(folder, `${name}.${version}.json`);
}

/** Numbers of the first files that are there, in no order. */
async function versionsOf({ folder, name }: HnswPlace): Promise<number[]> {
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

async function newestVersion(place: HnswPlace): Promise<number> {
  return Math.max(0, ...await versionsOf(place));
}

async function read(
  folder: string,
  { settings, traits, graph, rows, vectors }: Manifest,
  kept: boolean,
): Promise<HnswNodes> {
  // usearch would read whatever it is given, and may end the program at it.
  await checkWritten(folder, [graph, rows, vectors ?? []].flat());
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
  const nodes = new HnswNodes(settings, true);
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

/**
 * Writes an index, and then deletes what it was before.
 *
 * @param version What was read or written last; 0 for none.
 * @returns What is written now.
 * @throws {IndexTaken} If another program has written it since: its files stay.
 * @throws {Error} If it cannot be written, as on a full disk; what was written
 *   before stays.
 */
export async function writeNodes(
  place: HnswPlace,
  nodes: HnswNodes,
  version: number,
): Promise<number> {
  const { folder, name, encoder } = place;
  const stem = `${name}.${randomUUID()}`;
  const files = {
    graph: `${stem}.graph`,
    rows: `${stem}.rows.jsonl`,
    vectors: nodes.vectors ? `${stem}.npy` : undefined,
  };
  const next = version + 1;
  const kept = async (file: string): Promise<KeptFile> => (
    { file, ...await checksum(join(folder, file)) }
  );
  try {
    await writeGraph(folder, files.graph, nodes);
    // Before it takes long.
    const newest = await newestVersion(place);
    if (newest !== version && newest !== 0) throw taken(place);
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
    await writeOnce(place, next, JSON.stringify(manifest));
  } catch (error) {
    for (const file of Object.values(files)) {
      if (file) await rm(join(folder, file), { force: true }).catch(() => {});
    }
    throw error;
  }
  await removeOthers(place, stem, next);
  return next;
}

/** Writes the first file, unless another program has been there. */
async function writeOnce(
  place: HnswPlace,
  version: number,
  text: string,
): Promise<void> {
  const path = pathOf(place, version);
  const whole = join(place.folder, `.${randomUUID()}.part`);
  try {
    await writeAtomic(whole, text);
    // Of two programs, one can give it this name.
    await link(whole, path).catch(async ({ code }) => {
      if (code === "EEXIST") throw taken(place);
      // Some disks have no links; there, two at the same moment go unseen.
      await rename(whole, path);
    });
  } finally {
    await rm(whole, { force: true }).catch(() => {});
  }
  // Others may have been there, gone on, and deleted that one again.
  let newest = 0;
  try {
    newest = await newestVersion(place);
  } finally {
    if (newest !== version) await rm(path, { force: true });
  }
  if (newest !== version) throw taken(place);
}

function taken({ folder, name }: HnswPlace): IndexTaken {
  return new IndexTaken(
    `${join(folder, name)}: another program has written this index since it ` +
      "was opened here, and what was put in here is not kept: open it again " +
      "and put it in, or give one of them another name or folder",
  );
}

/** Removes what the index was before, and what killed programs left. */
async function removeOthers(
  place: HnswPlace,
  stem: string,
  version: number,
): Promise<void> {
  const { folder, name } = place;
  const older = (await versionsOf(place)).filter((other) => other < version);
  let before = "";
  for (const other of older) {
    const path = pathOf(place, other);
    before += await readFile(path, "utf8").catch(() => "");
    await rm(path, { force: true });
  }
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
