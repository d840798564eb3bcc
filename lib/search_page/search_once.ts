/**
 * One search without a page: opens an encoder, indexes what is new, searches,
 * closes. It answers as the page does.
 *
 * ```ts
 * import { searchOnce } from "#lib/search_page/search_once.ts";
 *
 * async function firstOwl(folder: string) {
 *   const { result } = await searchOnce({ folder, query: { text: "an owl", k: 1 } });
 *   return result.hits[0].path;
 * }
 * ```
 *
 * @module
 */
import { resolve } from "node:path";
import { fileVersion } from "../embeddings/file_hashes.ts";
import type { EmbedFailure } from "../embeddings/embeddings.ts";
import type { Precision } from "../encoders/clip.ts";
import type { EngineName } from "../engines/engines.ts";
import { openEncoder } from "../encoders/encoders.ts";
import type { LeftOut, ListingOptions } from "../pictures/folder.ts";
import { readQuery, type SearchQuery, subjectOf } from "./engine/query.ts";
import type { SearchHit, SearchResult } from "./engine/search_result.ts";
import { Searcher } from "./engine/searcher.ts";
import { EncoderSpace } from "./engine/spaces.ts";
import { readSettings } from "./folder_settings.ts";
import { type IndexOptions, indexPictures } from "./index/indexing.ts";
import { type OpenEngine, openEngine } from "./index/open_index.ts";
import { folderSource, sampleSource } from "./index/sources.ts";
import {
  findQueryPictures,
  nameQueryPictures,
  type QueryPicture,
} from "./query_pictures.ts";

/** What is searched for, and where. */
export interface SearchOnceOptions extends IndexOptions {
  /** A folder of pictures; the sample where left out. */
  folder?: string;
  /** Which of the folder's files are taken. */
  listing?: ListingOptions;
  /** @default "auto" */
  encoder?: string;
  /** How its weights are stored. @default what openEncoder() takes */
  precision?: Precision;
  /** Which engine finds the nearest vectors. @default "exact" */
  index?: EngineName;
  query: Partial<SearchQuery>;
  /** Pictures beside those that the query names itself. */
  pictures?: readonly QueryPicture[];
  /** Tells the reader what happens, a line at a time. @default console.log */
  log?: (line: string) => void;
}

/** What was found. */
export interface SearchedOnce {
  /** The encoder's id. */
  encoder: string;
  /** The engine that answered. */
  index: EngineName;
  /** Its hits say which of them fit; where none does, they are the nearest. */
  result: SearchResult;
  /**
   * A hit's picture: its file's absolute path; its bytes where it has no file of
   * its own.
   */
  sourceOf(hit: Pick<SearchHit, "path">): string | Uint8Array;
  /** Pictures that could not be indexed. */
  failures: EmbedFailure[];
  /** These, and files that were not listed though they may be pictures. */
  leftOut: LeftOut[];
  /** What is odd about the query and what lies beside the pictures, a line each. */
  problems: string[];
}

/**
 * Searches a folder or the sample.
 *
 * @throws {QueryError} If a query's picture cannot be read or fetched.
 * @throws {Error} If there is no such folder, or no picture in it that can be
 *   searched.
 */
export async function searchOnce(
  options: SearchOnceOptions,
): Promise<SearchedOnce> {
  const { folder, listing, log, precision, signal, index = "exact" } = options;
  const asked = readQuery(options.query); // Before minutes pass with indexing.
  let early: Promise<unknown> = Promise.resolve();
  const openSpace = async () => {
    const { encoder } = options;
    const space = new EncoderSpace(
      await openEncoder(encoder, { log, precision, signal }),
      undefined,
      index !== "chroma",
    );
    // Opens the model for texts while the folder's files are waited for.
    if (asked.text) {
      early = space.embedText(subjectOf(asked.text)).catch(() => undefined);
    }
    return space;
  };
  // Beside one another: neither needs the other.
  const [listed, opened] = await Promise.allSettled([
    folder ? folderSource(folder, listing) : sampleSource(),
    openSpace(),
  ]);
  if (opened.status === "rejected") throw opened.reason;
  const space = opened.value;
  const { collection, encoder } = space;
  let engine: OpenEngine | undefined;
  try {
    if (listed.status === "rejected") throw listed.reason;
    const source = listed.value;
    const found = await findQueryPictures(
      options.pictures ?? [],
      source.pictures,
      signal,
    );
    engine = await openEngine(index, source.folder, log);
    await engine.attach(space);
    collection.reserve(source.pictures.length);
    const { hidden = [] } = await readSettings(source.folder);
    for (const path of hidden) collection.hide(path, true);
    const failures = await indexPictures(source, space, options);
    const [failure] = failures;
    if (failure && failures.length === source.pictures.length) {
      const why = [`${failure.path}: ${failure.reason}`, ...source.problems];
      throw new Error(
        `none of the ${failures.length} pictures in ${source.folder} can be ` +
          `read; ${why.join("; ")}`,
      );
    }
    if (collection.count === 0) {
      throw new Error(
        `none of the ${source.pictures.length} pictures in ${source.folder} ` +
          `has been indexed yet: search once with indexing`,
      );
    }
    const failed = new Set(failures.map(({ path }) => path));
    const isNew = ({ path }: { path: string }) =>
      collection.rowOf(path) === undefined && !failed.has(path);
    // Built once: a later search finds it there.
    if (space.index && !space.index.isReady && collection.count > MANY) {
      log?.(`Bringing the index to ${collection.count} pictures`);
    }
    const trouble = await space.index?.sync({ signal }).then(
      () => undefined,
      (error) => {
        signal?.throwIfAborted();
        // The vectors are here: without the index all of them are compared.
        if (engine!.keepsVectors) return error.message as string;
        throw error;
      },
    );
    const { like, unlike } = await nameQueryPictures(found, collection);
    const result = await new Searcher([space]).search({
      ...asked,
      like: [...asked.like, ...like],
      unlike: [...asked.unlike, ...unlike],
    });
    const notIndexed = source.pictures.filter(isNew);
    const hiddenOnes = source.pictures.filter(({ path }) =>
      collection.hidden.has(path)
    );
    const changed = result.hits.filter(({ path }) => {
      const row = collection.rowOf(path)!;
      const { source } = collection.pictures[row];
      const then = collection.versions[row];
      return typeof source === "string" && then && then !== fileVersion(source);
    });
    return {
      encoder: encoder.name,
      index: space.isApproximate ? index : "exact",
      result,
      sourceOf({ path }) {
        const { source } = collection.pictures[collection.rowOf(path)!];
        return typeof source === "string" ? resolve(source) : source;
      },
      failures,
      leftOut: [
        ...source.leftOut ?? [],
        ...failures.map(({ path, reason }) => ({ path, reason })),
        ...notIndexed.map(({ path }) => ({ path, reason: "not indexed yet" })),
        ...hiddenOnes.map(({ path }) => ({
          path,
          reason: "hidden on the page",
        })),
      ],
      problems: [
        ...result.remark ? [result.remark] : [],
        ...trouble ? [`all pictures were compared: ${trouble}`] : [],
        ...remarkOnNew(notIndexed.length),
        ...remarkOnHidden(hiddenOnes.length),
        ...remarkOnChanged(changed.map(({ path }) => path)),
        ...source.problems,
      ],
    };
  } finally {
    await early;
    // What was found is found, whether or not the index can be kept.
    await engine?.close().catch(({ message }) =>
      log?.(`The index is not kept: ${message}`)
    );
    await encoder.close();
  }
}

/** Pictures for which an index may take a while. */
const MANY = 5000;

/** Paths in a remark. */
const MOST_NAMED = 4;

function remarkOnChanged(paths: readonly string[]): string[] {
  if (paths.length === 0) return [];
  const named = paths.slice(0, MOST_NAMED).join(", ");
  const more = paths.length - MOST_NAMED;
  const rest = more > 0 ? ` and ${more} more` : "";
  return [`changed or gone since they were indexed: ${named}${rest}`];
}

function remarkOnHidden(count: number): string[] {
  return passedOver(count, "hidden: the search page can show them again");
}

/** What to say of pictures that are not indexed, if there are any. */
export function remarkOnNew(count: number): string[] {
  return passedOver(count, "not indexed yet: search once with indexing");
}

function passedOver(count: number, why: string): string[] {
  if (count === 0) return [];
  return [`${count === 1 ? "1 picture is" : `${count} pictures are`} ${why}`];
}
