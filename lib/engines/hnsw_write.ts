/**
 * Writes an HNSW index into its files, which hnsw_files.ts tells of: new ones
 * beside those that are there, then the one that names them, and then those from
 * before go.
 *
 * ```ts
 * import { HnswNodes } from "#lib/engines/hnsw_nodes.ts";
 * import { writeNodes } from "#lib/engines/hnsw_write.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { rejects, strictEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const place = { folder: await mkdtemp("/tmp/hnsw-"), name: "a", encoder: "b" };
 * const nodes = new HnswNodes({ dimensions: 2 }, true);
 * nodes.insert(["owl"], Matrix.of([[3, 4]]));
 * strictEqual(await writeNodes(place, nodes, 0), 1);
 * strictEqual(await writeNodes(place, nodes, 1), 2);
 * await rejects(writeNodes(place, nodes, 1), /another program has written/);
 * ```
 *
 * @module
 */
import { randomUUID } from "node:crypto";
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
import { writeNpy } from "../compare/npy.ts";
import { writeAtomic, writeJsonLines } from "../files.ts";
import {
  checksum,
  FORMAT,
  type HnswPlace,
  IndexTaken,
  type KeptFile,
  type Manifest,
  newestVersion,
  pathOf,
  versionsOf,
} from "./hnsw_files.ts";
import type { HnswNodes } from "./hnsw_nodes.ts";

/** A kept file's name after the index's. */
const KEPT = /^\.[\da-f-]{36}\.(graph|rows\.jsonl|npy)$/;

/** What no manifest names and is older is of no program that still writes. */
const UNFINISHED_MS = 600_000;

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
      peak: nodes.graph.peak,
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
