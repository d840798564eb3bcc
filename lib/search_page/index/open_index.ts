/**
 * The engine that a collection is searched with: opened, kept at what the
 * collection holds, closed.
 *
 * ```text
 * exact    none: all vectors of the collection are compared
 * hnsw     files below 6_search/indexes, for each folder × encoder; vectors stay
 *          in the collection. Until the index has all of them, exact search
 *          answers. Of two pages over one folder the first that adds something
 *          writes the files, and the other goes on in memory
 * chroma   collections of a database, for each folder × encoder; vectors are
 *          there alone, and of each picture what it takes to show it: what another
 *          page has put in is found by this one
 * ```
 *
 * ```ts
 * import { openEngine } from "#lib/search_page/index/open_index.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const engine = await openEngine("exact", "/never/served");
 * strictEqual(engine.keepsVectors, true);
 * await engine.close();
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { basename, isAbsolute, join, resolve } from "node:path";
import type { Metadata } from "chromadb";
import { Matrix } from "../../compare/matrix.ts";
import { sha256 } from "../../embeddings/file_hashes.ts";
import { type Chroma, openChroma } from "../../engines/chroma/chroma.ts";
import {
  type ChromaIndex,
  openChromaIndex,
} from "../../engines/chroma/chroma_index.ts";
import type { EngineName } from "../../engines/engines.ts";
import { HnswIndex } from "../../engines/hnsw.ts";
import { IndexTaken } from "../../engines/hnsw_files.ts";
import { paths } from "../../paths.ts";
import { NO_FACTS, type PhotoFacts } from "../../pictures/photo_facts.ts";
import { SpaceIndex } from "../engine/space_index.ts";
import type { EncoderSpace } from "../engine/spaces.ts";
import type { SourcePicture } from "./collection.ts";

/**
 * Vectors among which a graph's search looks. Many: a query of words lies off the
 * pictures, where a graph finds its way less well. Of 20,000 made-up vectors of
 * 512 numbers and queries that lie near none of them, 128 find eight of the ten
 * best, and 1,000 all but one in a hundred.
 */
const EF_SEARCH = 1500;

/** Ids, and records, that a database is asked for at once. */
const IDS_AT_ONCE = 10_000;
const RECORDS_AT_ONCE = 300;

/** An engine over one folder. */
export interface OpenEngine {
  readonly name: EngineName;
  /** Whether the vectors stay in the collection. */
  readonly keepsVectors: boolean;
  /**
   * Gives a space its index, before anything is in its collection.
   *
   * @throws {Error} If it cannot be opened, or holds another encoder's vectors.
   */
  attach(space: EncoderSpace): Promise<void>;
  /**
   * Looks after what hits were that the collection does not know: takes in what
   * another page has added, takes out what is gone. For when the collection has
   * all of the folder.
   *
   * @returns How many pictures have come.
   */
  tidy(space: EncoderSpace): Promise<number>;
  close(): Promise<void>;
}

/**
 * Opens an engine.
 *
 * @param folder Names its indexes.
 * @param log Is told where an index goes on in memory alone.
 * @throws {Error} If the database cannot be reached or started.
 */
export async function openEngine(
  name: EngineName,
  folder: string,
  log: (line: string) => void = console.warn,
): Promise<OpenEngine> {
  const root = resolve(folder);
  let isTold = false;
  // A folder has an index of pictures and one of texts: of both, once.
  const onUnkept = (error: Error) => {
    const why = error instanceof IndexTaken
      ? "another program has written it meanwhile; what comes here is put in " +
        "again at the next start"
      : error.message;
    if (!isTold) log(`The index is not kept: ${why}`);
    isTold = true;
  };
  const opened: SpaceIndex[] = [];
  const close = async () => {
    for (const index of opened) await index.close();
  };
  if (name === "exact") {
    const attach = () => Promise.resolve();
    const tidy = () => Promise.resolve(0);
    return { name, keepsVectors: true, attach, tidy, close };
  }
  if (name === "hnsw") {
    return {
      ...{ name, keepsVectors: true, close },
      async attach(space) {
        space.index = await openHnsw(space, root, onUnkept);
        opened.push(space.index);
      },
      async tidy({ index, collection }) {
        const isGone = (id: string) => collection.rowOf(id) === undefined;
        const gone = [...index!.strangers].filter(isGone);
        index!.strangers.clear();
        await index!.pictures.remove(gone);
        return 0;
      },
    };
  }
  const chroma = await openChroma();
  return {
    ...{ name, keepsVectors: false },
    async attach(space) {
      space.index = await openInChroma(chroma, space, root);
      opened.push(space.index);
    },
    tidy: (space) => takeIn(space, root),
    close: () => close().finally(() => chroma.stop()),
  };
}

/** What a folder's indexes are called: its name, and what tells it from others. */
function nameOf(root: string): string {
  const plain = basename(root).replaceAll(/[^a-zA-Z0-9]+/g, "-").slice(0, 40);
  return `${plain.replace(/^-|^$/, "x")}-${sha256(root).slice(0, 12)}`;
}

async function openHnsw(
  space: EncoderSpace,
  root: string,
  onUnkept: (error: Error) => void,
): Promise<SpaceIndex> {
  const { collection, encoder } = space;
  const { pictureEmbeddings, textEmbeddings, textIds } = collection;
  const { dimensions } = encoder;
  const folder = join(paths.search, "indexes", nameOf(root));
  const files = {
    ...{ dimensions, folder, encoder: encoder.id, onUnkept },
    efSearch: EF_SEARCH,
  };
  const name = sha256(encoder.id).slice(0, 12);
  let textRows = new Map<string, number>(), known = -1;
  const [pictures, texts] = await Promise.all([
    HnswIndex.open({
      ...{ ...files, name: `${name}-pictures` },
      vectorsOf: (ids) =>
        rowsOf(pictureEmbeddings, ids.map((id) => collection.rowOf(id))),
    }),
    HnswIndex.open({
      ...{ ...files, name: `${name}-texts` },
      vectorsOf(ids) {
        if (known !== collection.contents) {
          textRows = new Map(textIds.map((id, row) => [id, row]));
          known = collection.contents;
        }
        return rowsOf(textEmbeddings, ids.map((id) => textRows.get(id)));
      },
    }),
  ]);
  return new SpaceIndex(collection, pictures, texts);
}

/** Copies of rows; NaN throughout where there is none. */
function rowsOf(
  matrix: Matrix,
  rows: readonly (number | undefined)[],
): Matrix {
  const copy = Matrix.zeros(rows.length, matrix.dimensions);
  rows.forEach((row, i) => {
    if (row === undefined || row >= matrix.count) copy.row(i).fill(NaN);
    else copy.set(i, matrix.row(row));
  });
  return copy;
}

async function openInChroma(
  chroma: Chroma,
  { collection, encoder: { id: encoder, dimensions } }: EncoderSpace,
  root: string,
): Promise<SpaceIndex> {
  const [pictures, texts] = await Promise.all(
    ["pictures", "texts"].map((kind) =>
      openChromaIndex(chroma, {
        ...{ dataset: `${nameOf(root)}-${kind}`, encoder, dimensions },
        hnsw: { efSearch: EF_SEARCH },
      })
    ),
  );
  return new SpaceIndex(collection, pictures, texts);
}

/** Takes in what other pages have put into the database, as far as it is here. */
async function takeIn(space: EncoderSpace, root: string): Promise<number> {
  const { collection } = space;
  const index = space.index!;
  const { collections } = index.pictures as ChromaIndex;
  const [{ collection: records }] = collections.values();
  const there = await records.count();
  if (there !== index.counted) {
    index.counted = there;
    for (let offset = 0; offset < there; offset += IDS_AT_ONCE) {
      const part = { limit: IDS_AT_ONCE, offset, include: [] };
      for (const id of (await records.get(part)).ids) {
        if (collection.rowOf(id) === undefined) index.strangers.add(id);
      }
    }
  }
  const ids = [...index.strangers];
  index.strangers.clear();
  if (ids.length === 0 || !existsSync(root)) return 0;
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
      index.adopted(id);
      count++;
      // Another machine's files may be elsewhere.
    } else if (machine === hostname()) gone.push(id);
  }
  await index.pictures.remove(gone);
  return count;
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
