/**
 * One search without a page: opens an encoder, indexes what is new, searches,
 * closes.
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
import type { EmbedFailure } from "../embeddings/embeddings.ts";
import type { Precision } from "../encoders/clip.ts";
import { openEncoder } from "../encoders/encoders.ts";
import type { LeftOut } from "../pictures/folder.ts";
import { readQuery, type SearchQuery } from "./engine/query.ts";
import { Searcher, type SearchResult } from "./engine/searcher.ts";
import { EncoderSpace } from "./engine/spaces.ts";
import { watchChanges } from "./index/changes.ts";
import { type IndexOptions, indexPictures } from "./index/indexing.ts";
import { folderSource, sampleSource } from "./index/sources.ts";
import { saveUpload } from "./served_pictures.ts";
import { NO_FOLDING } from "./web/query.js";

/** What is searched for, and where. */
export interface SearchOnceOptions extends IndexOptions {
  /** A folder of pictures; the sample where left out. */
  folder?: string;
  /** @default "auto" */
  encoder?: string;
  /** How its weights are stored. @default what openEncoder() takes */
  precision?: Precision;
  query: Partial<SearchQuery>;
  /** A picture's file as query. */
  picture?: string;
  /** Tells the reader what happens, a line at a time. @default console.log */
  log?: (line: string) => void;
}

/** What was found. */
export interface SearchedOnce {
  /** The encoder's id. */
  encoder: string;
  result: SearchResult;
  /** Whether the best one is nearer than chance would bring it. */
  fits: boolean;
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
 * @throws {Error} If there is no such folder, no picture in it that can be
 *   read, or the query's picture cannot be read.
 */
export async function searchOnce(
  options: SearchOnceOptions,
): Promise<SearchedOnce> {
  const { folder, log } = options;
  readQuery(options.query); // Before minutes may pass with indexing.
  const source = folder ? await folderSource(folder) : await sampleSource();
  const picture = options.picture && await saveUpload(options.picture);
  const encoder = await openEncoder(options.encoder, {
    log,
    precision: options.precision,
    signal: options.signal,
  });
  try {
    const space = new EncoderSpace(encoder, source.pictures.length);
    const failures = await indexPictures(source, space, options);
    const [failure] = failures;
    if (failure && failures.length === source.pictures.length) {
      throw new Error(
        `none of the ${failures.length} pictures in ${source.folder} can be ` +
          `read; ${failure.path}: ${failure.reason}`,
      );
    }
    const searcher = new Searcher(
      [space],
      watchChanges([space], source.folder),
    );
    const { like = [] } = options.query;
    const query = {
      ...options.query,
      like: picture ? [...like, `upload:${picture}`] : like,
    };
    const result = await searcher.search({
      ...query,
      cut: "none",
      fold: NO_FOLDING,
    });
    const { fitting } = await searcher.search({ ...query, cut: "auto", k: 1 });
    return {
      encoder: encoder.name,
      result,
      fits: fitting > 0,
      failures,
      leftOut: [
        ...source.leftOut ?? [],
        ...failures.map(({ path, reason }) => ({ path, reason })),
      ],
      problems: [...result.remark ? [result.remark] : [], ...source.problems],
    };
  } finally {
    await encoder.close();
  }
}
