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
import { basename, join, resolve } from "node:path";
import { Matrix } from "../../compare/matrix.ts";
import { sha256 } from "../../embeddings/file_hashes.ts";
import { type Chroma, openChroma } from "../../engines/chroma/chroma.ts";
import { openChromaIndex } from "../../engines/chroma/chroma_index.ts";
import type { EngineName, VectorIndex } from "../../engines/engines.ts";
import { HnswIndex } from "../../engines/hnsw.ts";
import { IndexTaken } from "../../engines/hnsw_files.ts";
import { paths } from "../../paths.ts";
import { SpaceIndex } from "../engine/space_index.ts";
import type { EncoderSpace } from "../engine/spaces.ts";
import { type Changes, letGoOfLost, takeIn } from "./database.ts";

/**
 * Vectors among which a graph's search looks. Many: a query of words lies off the
 * pictures, where a graph finds its way less well. Of 20,000 made-up vectors of
 * 512 numbers and queries that lie near none of them, 128 find eight of the ten
 * best, and 1,000 all but one in a hundred.
 */
const EF_SEARCH = 1500;

/**
 * The same of a server, whose graph holds pictures with fewer links looked for. Of
 * 100,000 vectors and far-off words, 1,500 find .86 of the ten best, 4,000 .97; and
 * looking costs it less than naming: 4,000 of which 1,200 are named take 25 ms, all
 * of them named 40.
 */
const SERVER_EF_SEARCH = { pictures: 4000, texts: EF_SEARCH };

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
   */
  tidy(space: EncoderSpace): Promise<Changes>;
  /**
   * Takes out of the collection what a database has lost, or all where its
   * collections were deleted, which are made anew: whoever looks the folder over
   * then finds it new, and puts it in again.
   *
   * @returns How many pictures were lost.
   */
  letGoOfLost(space: EncoderSpace): Promise<number>;
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
    return { name, keepsVectors: true, attach, close, ...NO_DATABASE };
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
        return { came: 0, lost: 0 };
      },
      letGoOfLost: NO_DATABASE.letGoOfLost,
    };
  }
  const chroma = await openChroma();
  const lookOver = (space: EncoderSpace) =>
    letGoOfLost(space, () => openInChroma(chroma, space, root));
  return {
    ...{ name, keepsVectors: false },
    async attach(space) {
      const [pictures, texts] = await openInChroma(chroma, space, root);
      space.index = new SpaceIndex(space.collection, pictures, texts);
      opened.push(space.index);
    },
    tidy: async (space) => {
      const lost = await lookOver(space);
      return { came: await takeIn(space, root), lost };
    },
    letGoOfLost: lookOver,
    close: () => close().finally(() => chroma.stop()),
  };
}

/** Nothing happens to an index but by its page. */
const NO_DATABASE: Pick<OpenEngine, "tidy" | "letGoOfLost"> = {
  tidy: () => Promise.resolve({ came: 0, lost: 0 }),
  letGoOfLost: () => Promise.resolve(0),
};

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

/** Of pictures, and of texts. */
function openInChroma(
  chroma: Chroma,
  { encoder: { id: encoder, dimensions } }: EncoderSpace,
  root: string,
): Promise<VectorIndex[]> {
  return Promise.all(
    (["pictures", "texts"] as const).map((kind) =>
      openChromaIndex(chroma, {
        ...{ dataset: `${nameOf(root)}-${kind}`, encoder, dimensions },
        hnsw: { efSearch: SERVER_EF_SEARCH[kind] },
      })
    ),
  );
}
