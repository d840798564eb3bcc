/**
 * What has happened to a page's collections in a database without the page: other
 * pages add and remove pictures, and somebody may have deleted rows, or all. A
 * page learns of it by counts, which cost little, and then looks which ids there
 * are.
 *
 * ```text
 * there, not here   another page's: taken in, with what is kept beside its vector
 * here, not there   lost: let go, so that the next look at the folder puts it in
 *                   again, where its file is still there
 * ```
 *
 * ```ts
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { letGoOfLost } from "#lib/search_page/index/database.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder); // Of no database: nothing is lost.
 * strictEqual(await letGoOfLost(space, () => Promise.reject()), 0);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Metadata } from "chromadb";
import type { ChromaIndex } from "../../engines/chroma/chroma_index.ts";
import { isDeleted } from "../../engines/chroma/errors.ts";
import type { VectorIndex } from "../../engines/engines.ts";
import { NO_FACTS, type PhotoFacts } from "../../pictures/photo_facts.ts";
import type { SpaceIndex } from "../engine/space_index.ts";
import type { EncoderSpace } from "../engine/spaces.ts";
import type { SourcePicture } from "./collection.ts";

/** Ids, and records, that a database is asked for at once. */
const IDS_AT_ONCE = 10_000;
const RECORDS_AT_ONCE = 300;

/** What has happened. */
export interface Changes {
  /** Pictures that have come. */
  came: number;
  /** Pictures that were let go, since the database had lost them. */
  lost: number;
}

/**
 * Lets go of what a database has lost, and notes as the index's strangers what
 * it has beyond the collection.
 *
 * @param reopen Makes the collections of pictures and texts anew, where they were
 *   deleted.
 * @returns How many pictures were lost.
 */
export async function letGoOfLost(
  space: EncoderSpace,
  reopen: () => Promise<VectorIndex[]>,
): Promise<number> {
  const { collection, index } = space;
  // What is on its way is not lost.
  if (!index || index.isSyncing) return 0;
  const { contents } = collection;
  let counts: number[];
  try {
    counts = await countsOf(index);
  } catch (error) {
    if (!isDeleted(error)) throw error;
    const [pictures, texts] = await reopen();
    index.reopened(pictures, texts);
    counts = await countsOf(index);
  }
  const isSame = counts.every((count, i) =>
    count === index.counted[i] && count >= index.has[i].size
  );
  if (isSame) return 0;
  const [pictures, texts] = [
    await idsIn(index.pictures, counts[0]),
    await idsIn(index.texts, counts[1]),
  ];
  // What was put in meanwhile may not be among these.
  if (index.isSyncing || collection.contents !== contents) return 0;
  index.counted = counts;
  for (const id of pictures) {
    if (collection.rowOf(id) === undefined) index.strangers.add(id);
  }
  const [hasPictures, hasTexts] = index.has;
  const lost = new Set(
    [...hasPictures.keys()].filter((id) => !pictures.has(id)),
  );
  const lostTexts = new Set([...hasTexts].filter((id) => !texts.has(id)));
  for (let row = 0; lostTexts.size > 0 && row < collection.count; row++) {
    const text = collection.textIds[collection.textRows[row]];
    if (lostTexts.has(text)) lost.add(collection.pictures[row].path);
  }
  index.lose(lost, lostTexts);
  for (const path of lost) collection.remove(path);
  return lost.size;
}

/** Takes in what other pages have put into the database, as far as it is here. */
export async function takeIn(
  { collection, index }: EncoderSpace,
  root: string,
): Promise<number> {
  const ids = [...index!.strangers];
  index!.strangers.clear();
  if (ids.length === 0 || !existsSync(root)) return 0;
  const records = recordsOf(index!.pictures);
  const found: { id: string; metadata?: Metadata | null }[] = [];
  for (let start = 0; start < ids.length; start += RECORDS_AT_ONCE) {
    const part = ids.slice(start, start + RECORDS_AT_ONCE);
    const rows = await records.get({ ids: part, include: ["metadatas"] });
    found.push(...rows.rows());
  }
  const gone: string[] = [];
  let count = 0;
  for (const { id, metadata } of found) {
    if (collection.rowOf(id) !== undefined || !metadata) continue;
    const { picture, facts, text, agreement, machine } = readRecord(metadata);
    const source = isAbsolute(id) ? id : join(root, id);
    if (existsSync(source)) {
      collection.adopt({ ...picture, source }, facts, text, agreement);
      index!.adopted(id);
      count++;
      // Another machine's files may be elsewhere.
    } else if (machine === hostname()) gone.push(id);
  }
  await index!.pictures.remove(gone);
  return count;
}

/** The database's own collection. */
function recordsOf(index: VectorIndex) {
  const [{ collection }] = (index as ChromaIndex).collections.values();
  return collection;
}

/** How many pictures and texts there are. */
function countsOf({ pictures, texts }: SpaceIndex): Promise<number[]> {
  return Promise.all([pictures.count(), texts.count()]);
}

async function idsIn(index: VectorIndex, count: number): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let offset = 0; offset < count; offset += IDS_AT_ONCE) {
    const part = { limit: IDS_AT_ONCE, offset, include: [] };
    for (const id of (await recordsOf(index).get(part)).ids) ids.add(id);
  }
  return ids;
}

/** What SpaceIndex has written beside a vector. */
function readRecord(metadata: Metadata) {
  const text = (name: string) => String(metadata[name] ?? "");
  const number = (name: string) => Number(metadata[name] ?? 0);
  const picture: SourcePicture = {
    // As a folder's pictures are listed, so that both are the same record.
    ...{ path: text("path"), source: "", title: text("title") },
    ...{ url: text("url"), caption: text("caption"), author: text("author") },
    ...{ license: text("license"), page: text("page"), term: text("term") },
    category: text("category"),
    ...(metadata.captions && { captions: JSON.parse(text("captions")) }),
  };
  const facts: PhotoFacts = {
    ...NO_FACTS,
    ...{ width: number("width"), height: number("height") },
    ...{ date: text("date"), camera: text("camera") },
  };
  const { agreement = NaN } = metadata as { agreement?: number };
  return {
    picture,
    facts,
    text: text("text"),
    agreement,
    machine: text("machine"),
  };
}
