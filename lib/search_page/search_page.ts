/**
 * The search page: a collection that is indexed while it is searched, the
 * server behind the page, and what a notebook's cells see of it.
 *
 * ```ts
 * import { openSearchApp } from "#lib/search_page/search_page.ts";
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 *
 * async function show() {
 *   const app = await openSearchApp(await sampleSource());
 *   console.log(app.url); // the page; in a notebook, `app` as last expression
 *   await app.next(); // until the reader has searched or selected
 *   console.log(app.query?.text, app.selection.map(({ id }) => id));
 *   await app.close();
 * }
 * ```
 *
 * @module
 */
import {
  type Displayable,
  displayable,
  escapeHtml,
} from "../display/display.ts";
import type { Encoder } from "../encoders/encoder.ts";
import { openEncoder } from "../encoders/encoders.ts";
import { Collection, type Facets } from "./index/collection.ts";
import type { EmbedFailure } from "../embeddings/embeddings.ts";
import { indexPictures } from "./index/indexing.ts";
import { readUpload } from "./pictures.ts";
import type { SearchQuery } from "./engine/query.ts";
import { pageRoutes } from "./routes.ts";
import {
  hitOf,
  Searcher,
  type SearchHit,
  type SearchResult,
} from "./engine/search.ts";
import { startServer } from "./server.ts";
import type { PictureSource } from "./index/sources.ts";
import { EncoderSpace } from "./engine/spaces.ts";

/** How the page is opened. */
export interface SearchAppOptions {
  /** Names or folders of encoders, or open ones. @default ["auto"] */
  encoders?: (string | Encoder)[];
  /** @default a free port */
  port?: number;
  /** Where the server listens. @default "127.0.0.1", this machine alone */
  host?: string;
  /**
   * Where a proxy shows the server, for Jupyter on another machine:
   * "https://hub.example/user/ada/proxy/8000/" with this port.
   */
  publicUrl?: string;
  /** Called as pictures are indexed. */
  onProgress?: (done: number, total: number) => void;
  /** Tells the reader what happens, a line at a time. @default console.log */
  log?: (line: string) => void;
}

/** How far the collection is, and what is in it: the page's start-up block. */
export interface AppStatus {
  name: string;
  /** Pictures that can be searched, of all that were found. */
  indexed: number;
  total: number;
  /** Whether nothing is left to do. */
  done: boolean;
  /** What stopped indexing; "" if nothing. */
  error: string;
  encoders: { id: string; label: string; dimensions: number }[];
  facets: Facets;
  failures: EmbedFailure[];
  problems: string[];
}

/** The page, its server, and what the reader does there. */
export interface SearchApp extends Displayable {
  /** The page's address on this machine. Whoever knows it can search. */
  readonly url: string;
  /** The address to open: through the proxy, where there is one. */
  readonly address: string;
  /** Ends when everything is indexed; throws what stopped it. */
  readonly ready: Promise<void>;
  readonly searcher: Searcher;
  /** The pictures that the reader has selected, in that order. */
  readonly selection: SearchHit[];
  /** The reader's last query; undefined before the first. */
  readonly query: SearchQuery | undefined;
  /** What it found. */
  readonly result: SearchResult | undefined;
  /** Ends at the reader's next search or change of the selection. */
  next(): Promise<{ query?: SearchQuery; selection: SearchHit[] }>;
  /** Searches from a cell, as the page does, without changing the page. */
  search(query: Partial<SearchQuery>): Promise<SearchResult>;
  status(): AppStatus;
  /** The page in a frame of that height, pixels. */
  frame(options?: { height?: number }): Displayable;
  /** Ends the server and frees the encoders that were opened here. */
  close(): Promise<void>;
}

/**
 * Opens the page over a source; it can be searched while indexing goes on.
 *
 * @throws {Error} If no encoder opens, or the port is taken.
 */
export async function openSearchApp(
  source: PictureSource,
  options: SearchAppOptions = {},
): Promise<SearchApp> {
  const { encoders = ["auto"], log = console.log } = options;
  const opened: Encoder[] = [];
  const spaces: EncoderSpace[] = [];
  for (const one of encoders) {
    const encoder = typeof one === "string"
      ? await openEncoder(one, { log })
      : one;
    if (encoder !== one) opened.push(encoder);
    const collection = new Collection(
      source.name,
      encoder.dimensions,
      source.pictures.length,
    );
    spaces.push(new EncoderSpace(encoder, collection));
  }
  const searcher = new Searcher(spaces, readUpload);
  const [{ collection }] = spaces;
  const abort = new AbortController();
  const failures: EmbedFailure[] = [];
  let done = false, error = "";
  let query: SearchQuery | undefined, result: SearchResult | undefined;
  let selection: SearchHit[] = [];
  const waiting: (() => void)[] = [];
  const tell = () => waiting.splice(0).forEach((wake) => wake());

  const state = {
    searcher,
    status,
    searched(found: SearchResult) {
      ({ query } = result = found);
      tell();
    },
    select(ids: string[]) {
      const rows = ids.map((id) => collection.rowOf(id));
      selection = rows.flatMap((row) =>
        row === undefined ? [] : [hitOf(collection, row)]
      );
      tell();
    },
  };
  const server = await startServer({
    ...options,
    routes: pageRoutes(state),
    onError: (error) => log(`The search page: ${(error as Error).message}`),
  }).catch(async (error) => {
    for (const encoder of opened) await encoder.close();
    throw error;
  });

  const { publicUrl } = options;
  const address = publicUrl
    ? new URL(`${server.token}/`, publicUrl).href
    : server.url;

  async function index(): Promise<void> {
    try {
      for (const space of spaces) {
        const left = await indexPictures(
          source,
          space.encoder,
          space.collection,
          { signal: abort.signal, onProgress: options.onProgress },
        );
        if (space === spaces[0]) failures.push(...left);
        // Loads what the first search needs, before the reader waits for it.
        await searcher.search({ text: "a picture", space: space.id })
          .catch(() => undefined);
      }
    } catch (reason) {
      error = (reason as Error).message;
      throw reason;
    } finally {
      done = true;
    }
  }
  const ready = index();
  // Whoever does not wait for it sees the reason on the page.
  ready.catch(() => undefined);

  function status(): AppStatus {
    return {
      name: source.name,
      indexed: collection.count,
      total: source.pictures.length,
      done,
      error,
      encoders: spaces.map(({ id, label, encoder }) => ({
        id,
        label,
        dimensions: encoder.dimensions,
      })),
      facets: collection.facets(),
      failures: failures.slice(0, 100),
      problems: source.problems.slice(0, 100),
    };
  }

  function frame({ height = 760 } = {}): Displayable {
    return displayable({
      "text/plain": `Search page over ${source.name}, ` +
        `${source.pictures.length} pictures`,
      "text/html":
        `<iframe src="${
          escapeHtml(address)
        }" title="Search page" width="100%" ` +
        `height="${height}" style="border:1px solid #8884" ` +
        `allow="clipboard-read; clipboard-write"></iframe>`,
    });
  }

  return {
    ...frame(),
    url: server.url,
    address,
    ready,
    searcher,
    get selection() {
      return selection;
    },
    get query() {
      return query;
    },
    get result() {
      return result;
    },
    async next() {
      await new Promise<void>((wake) => waiting.push(wake));
      return { query, selection };
    },
    search: (query) => searcher.search(query),
    status,
    frame,
    async close() {
      abort.abort(new Error("the search page was closed"));
      await server.close();
      await ready.catch(() => undefined);
      for (const encoder of opened) await encoder.close();
    },
  };
}
