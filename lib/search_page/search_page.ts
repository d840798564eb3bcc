/**
 * The search page: a collection that is indexed while it is searched, the
 * server behind the page, and what a notebook's cells see of it.
 *
 * Beside this file: search_once.ts, one search without a page; photograph.ts, a
 * picture of the page; index/, where pictures come from, how they become a
 * collection, which engine finds them and what becomes of all this when they
 * change; engine/, how a query is answered; server/, who may ask and what; web/, the page itself, plain
 * JavaScript; terminal/, results in a terminal; served_pictures.ts,
 * query_pictures.ts and fetched_picture.ts, pictures to look at and to look for;
 * folder_settings.ts, what is kept for a folder.
 *
 * ```ts
 * import { openSearchApp } from "#lib/search_page/search_page.ts";
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { equal } from "node:assert/strict";
 *
 * const app = await openSearchApp(await sampleSource(), { encoders: ["offline"], log() {} });
 * await app.ready; // app.url is the page; in a notebook, `app` shows it
 * const { hits } = await app.search({ text: "a violin", k: 1 });
 * equal(hits[0].term, "musical instrument");
 * await app.close();
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { basename, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { metrics } from "../compare/metrics.ts";
import {
  type Displayable,
  displayable,
  escapeHtml,
} from "../display/display.ts";
import type { Precision } from "../encoders/clip.ts";
import type { Encoder } from "../encoders/encoder.ts";
import { openEncoder } from "../encoders/encoders.ts";
import { isDeleted } from "../engines/chroma/errors.ts";
import type { EngineName } from "../engines/engines.ts";
import { statOf } from "../files.ts";
import type { SearchQuery } from "./engine/query.ts";
import {
  hitOf,
  type SearchHit,
  type SearchResult,
} from "./engine/search_result.ts";
import { Searcher } from "./engine/searcher.ts";
import { EncoderSpace } from "./engine/spaces.ts";
import { keepSettings, readSettings } from "./folder_settings.ts";
import { watchChanges } from "./index/changes.ts";
import { type OpenEngine, openEngine } from "./index/open_index.ts";
import { type PictureSource, servedFolder } from "./index/sources.ts";
import { type Failures, updateIndex } from "./index/update.ts";
import { watchFolder } from "./index/watch.ts";
import { pictureRoutes } from "./server/picture_routes.ts";
import { type AppStatus, pageRoutes } from "./server/routes.ts";
import { type ServerOptions, startServer } from "./server/server.ts";

/** How the page is opened. */
export interface SearchAppOptions
  extends Omit<ServerOptions, "onError" | "lastPort"> {
  /** Names or folders of encoders, or open ones. @default ["auto"] */
  encoders?: (string | Encoder)[];
  /** How the weights of those opened here are stored. @default what openEncoder() takes */
  precision?: Precision;
  /** Which engine finds the nearest vectors. @default "exact" */
  index?: EngineName;
  /** Whether changes in the folder are noticed by themselves. @default true */
  watch?: boolean;
  /** Called as pictures are indexed. */
  onProgress?: (done: number, total: number) => void;
  /** Tells the reader what happens, a line at a time. @default console.log */
  log?: (line: string) => void;
}

/** So long after a database did not answer, it is asked again. */
const LATER_MS = 5000;

/** So long a search waits for what other pages have added; the next one has it. */
const WAIT_MS = 500;

/** How the page is shown in a notebook. */
export interface FrameOptions {
  /** Pixels. @default 760 */
  height?: number;
  /**
   * A JPEG of the page, which stands in its place where it does not answer:
   * on GitHub, in a copy, and after the kernel has ended.
   */
  picture?: Uint8Array;
  /** What that picture shows, for those who do not see it. @default "The search page" */
  alt?: string;
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
  selection: SearchHit[];
  /** The reader's last query; undefined before the first. */
  query?: SearchQuery;
  /** What it found. */
  result?: SearchResult;
  /** Ends at the reader's next search or change of the selection. */
  next(): Promise<Pick<SearchApp, "query" | "selection">>;
  /** Searches from a cell, as the page does, without changing the page. */
  search(query: Partial<SearchQuery>): Promise<SearchResult>;
  status(): AppStatus;
  /** Looks the folder over again; ends when what is new can be searched. */
  rescan(): Promise<void>;
  /** The page in a frame. */
  frame(options?: FrameOptions): Displayable;
  /** Ends the server and frees the encoders that were opened here. */
  close(): Promise<void>;
}

/**
 * Opens the page over a source; it can be searched while indexing goes on.
 *
 * @param source A folder is listed when the page is there already, and may be
 *   empty for now.
 * @throws {Error} If there is no such folder, no encoder opens, or the port is
 *   taken.
 */
export async function openSearchApp(
  source: PictureSource | string,
  options: SearchAppOptions = {},
): Promise<SearchApp> {
  const { encoders = ["auto"], precision, log = console.log, index = "exact" } =
    options;
  const found = typeof source === "string" ? unlisted(source) : source;
  const opened: Encoder[] = [];
  let engine: OpenEngine | undefined;
  const closeEncoders = async () => {
    await engine?.close().catch(({ message }) =>
      log(`The index is not kept: ${message}`)
    );
    for (const encoder of opened) await encoder.close();
  };
  try {
    engine = await openEngine(index, found.folder, log);
    const spaces: EncoderSpace[] = [];
    for (const one of encoders) {
      const encoder = typeof one === "string"
        ? await openEncoder(one, { log, precision })
        : one;
      if (encoder !== one) opened.push(encoder);
      const { length } = found.pictures;
      const space = new EncoderSpace(encoder, length, engine.keepsVectors);
      await engine.attach(space);
      spaces.push(space);
    }
    return await openOver(found, spaces, engine, options, closeEncoders);
  } catch (error) {
    await closeEncoders();
    throw error;
  }
}

/** A folder of which nothing is known yet but that it is there. */
function unlisted(folder: string): PictureSource {
  if (!statOf(folder)?.isDirectory()) {
    throw new Error(`${folder} is no folder: expected a folder of pictures`);
  }
  const root = resolve(folder);
  return {
    ...{ name: basename(root), folder: root, pictures: [], problems: [] },
    look: () => servedFolder(root),
  };
}

async function openOver(
  first: PictureSource,
  spaces: readonly EncoderSpace[],
  engine: OpenEngine,
  { log = console.log, onProgress, watch = true, ...place }: SearchAppOptions,
  closeEncoders: () => Promise<void>,
): Promise<SearchApp> {
  const { name, folder } = first;
  const failures: Failures = new Map();
  const findOutdated = watchChanges(spaces, folder, failures);
  const searcher = new Searcher(spaces, findOutdated, (space) =>
    // Only then does the collection know all that is in its folder.
    done && !rescanning
      ? Promise.race([tidy(space), sleep(WAIT_MS, 0, { ref: false })])
      : Promise.resolve(0));
  const [{ collection }] = spaces;
  const waiting: (() => void)[] = [];
  const abort = new AbortController();
  const settings = await readSettings(folder);
  for (const path of settings.hidden ?? []) {
    for (const { collection } of spaces) collection.hide(path, true);
  }
  // Of what was found last; the pictures themselves are in the collections.
  let problems = first.problems, total = first.pictures.length;
  let done = false, rescanning = false, error = "", trouble = "";

  let isOfIndex = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** A database that does not answer may be back then. */
  const lookLater = () => {
    clearTimeout(timer);
    if (!abort.signal.aborted) timer = setTimeout(folderWatch.soon, LATER_MS);
  };
  /** How many have come; what goes wrong, the index's `trouble` says. */
  const tidy = async (space: EncoderSpace) => {
    const { index } = space;
    try {
      const { came, lost } = await engine.tidy(space);
      if (lost > 0) folderWatch.soon();
      if (index?.isReady) index.trouble = "";
      return came;
    } catch (error) {
      index!.trouble = (error as Error).message;
      lookLater();
      return 0;
    }
  };
  /** What an index could not do is no trouble any more once it has done it. */
  const troubles = () => {
    const isWell = spaces.every(({ index }) =>
      !index || index.isReady && index.trouble === ""
    );
    if (isOfIndex && isWell) trouble = error = "";
    const [ofIndex = ""] = spaces.map(({ index }) => index?.trouble)
      .filter(Boolean);
    return { error, trouble: trouble || ofIndex };
  };
  const update = async (source: PictureSource) => {
    ({ problems } = source);
    total = source.pictures.length;
    trouble = total === 0 ? problems.join("; ") : "";
    isOfIndex = false;
    const watched = { signal: abort.signal, onProgress };
    const looked = await updateIndex(source, spaces, failures, watched);
    for (const { index } of spaces) {
      const synced = index?.sync({ signal: abort.signal });
      // In a database nothing is found before; else exact search answers.
      if (!engine.keepsVectors) await synced;
      else synced?.catch(() => undefined); // Its `trouble` says what it is.
    }
    for (const space of spaces) void tidy(space);
    error = "";
    return looked;
  };
  const isListed = first.pictures.length > 0 || !first.look;
  let listed: PictureSource | undefined = isListed ? first : undefined;
  const look = async (isAgain = false): Promise<number> => {
    const start = performance.now();
    let source: PictureSource | undefined, looked = 0, lost = 0;
    rescanning = true;
    try {
      for (const space of spaces) {
        lost += await engine.letGoOfLost(space).catch((reason) => {
          space.index!.trouble = reason.message;
          throw reason;
        });
      }
      source = listed;
      listed = undefined;
      source ??= first.look ? await first.look() : lost > 0 ? first : undefined;
      looked = performance.now() - start;
      if (source) looked += await update(source);
    } catch (reason) {
      // Deleted while something was put in: the next look makes it anew.
      if (isDeleted(reason) && !isAgain) return looked + await look(true);
      trouble = (reason as Error).message;
      if (!done) error = trouble;
      isOfIndex = spaces.some(({ index }) => index?.trouble === trouble);
      if (isOfIndex) lookLater();
    } finally {
      rescanning = false;
    }
    return looked;
  };
  const folderWatch = watchFolder(
    folder,
    () => look(),
    watch && Boolean(first.look),
  );

  for (const { index } of spaces) {
    if (index) index.onDeleted = folderWatch.soon;
  }

  const status = (): AppStatus => ({
    ...{ name, total, done, rescanning, folder, ...troubles() },
    index: indexState(engine.name, spaces),
    indexed: collection.count,
    encoders: spaces.map(({ id, label, encoder: { dimensions } }) => (
      { id, label, dimensions }
    )),
    pixels: searcher.pixels.label,
    metrics: Object.entries(metrics).map(([name, { label }]) => [name, label]),
    facets: collection.facets(),
    failures: [...failures.values()].slice(0, 100)
      .map(({ index, path, reason }) => ({ index, path, reason })),
    problems: problems.slice(0, 100),
    generation: collection.generation,
    watched: folderWatch.isWatching,
    hasTexts: collection.hasTexts,
  });
  const readerDid = (what: Partial<SearchApp>) => {
    Object.assign(app, what);
    waiting.splice(0).forEach((wake) => wake());
  };
  const { host = "127.0.0.1", port, publicUrl } = place;
  const ofPictures = pictureRoutes({
    collections: spaces.map(({ collection }) => collection),
    folder,
    isLocal: host === "127.0.0.1" && publicUrl === undefined,
    rescan: folderWatch.now,
  });
  const ofPage = pageRoutes({
    searcher,
    status,
    searched: (result) => readerDid({ result, query: result.query }),
    select(paths) {
      const rows = paths.map((path) => collection.rowOf(path))
        .filter((row) => row !== undefined);
      readerDid({ selection: rows.map((row) => hitOf(collection, row)) });
    },
  });
  const routes = new Hono().route("/", ofPictures).route("/", ofPage);
  const server = await startServer(routes, {
    ...{ token: settings.token, lastPort: settings.port, ...place },
    onError: ({ message }) => log(`The search page: ${message}`),
  });
  const { port: lastPort = server.port } = settings;
  if (port === undefined && lastPort !== server.port) {
    log(
      `Port ${lastPort}, where this folder was served before, is taken: the ` +
        `page is at ${server.port} this time`,
    );
  }
  const { token } = server;
  await keepSettings(folder, { token, port: port || lastPort })
    .catch(({ message }) => log(`The page's address is not kept: ${message}`));

  const index = async () => {
    await folderWatch.now();
    abort.signal.throwIfAborted();
    if (error) throw new Error(error);
    for (const { id } of spaces) {
      // Loads what the first search needs, before the reader waits for it.
      await searcher.search({ text: "a picture", space: id })
        .catch(() => undefined);
    }
  };
  const ready = index().finally(() => done = true);
  // Whoever does not wait for it sees the reason on the page.
  ready.catch(() => undefined);

  const frame = (
    { height = 760, picture, alt = "The search page" }: FrameOptions = {},
  ) =>
    displayable({
      "text/plain": `Search page over ${name}, ${total} pictures`,
      "text/html":
        `<iframe src="${escapeHtml(server.address)}" title="Search page" ` +
        `width="100%" height="${height}" style="border:1px solid #8884" ` +
        `allow="clipboard-read; clipboard-write"` +
        (picture ? ` hidden onload="${escapeHtml(SHOW_IF_ALIVE)}"` : "") +
        `></iframe>` + (picture ? standIn(picture, alt) : ""),
    });
  const app: SearchApp = {
    ...frame(),
    ...{ url: server.url, address: server.address, ready, searcher },
    ...{ selection: [], status, frame, rescan: folderWatch.now },
    search: (query) => searcher.search(query),
    async next() {
      await new Promise<void>((wake) => waiting.push(wake));
      return { query: app.query, selection: app.selection };
    },
    async close() {
      abort.abort(new Error("the search page was closed"));
      clearTimeout(timer);
      await server.close();
      await folderWatch.close();
      await ready.catch(() => undefined);
      await closeEncoders();
    },
  };
  return app;
}

/** What the page says of the engine. */
function indexState(
  engine: EngineName,
  spaces: readonly EncoderSpace[],
): AppStatus["index"] {
  const [{ index, collection }] = spaces;
  return {
    engine,
    label: index?.pictures.label ?? "",
    isReady: spaces.every(({ index }) => index?.isReady ?? true),
    count: index?.count ?? collection.count,
  };
}

/**
 * Runs in the frame's element once something has loaded there, which may be the
 * browser's own "cannot connect": only the page answers (page.js), and only then
 * does it take the place of what stands behind it.
 */
const SHOW_IF_ALIVE = `const frame = this;
window.addEventListener("message", ({ source }) => {
  if (source !== frame.contentWindow) return;
  frame.hidden = false;
  frame.nextElementSibling.hidden = true;
});
frame.contentWindow.postMessage("alive?", "*");`;

/** What stands where the page does not answer. */
function standIn(picture: Uint8Array, alt: string): string {
  const data = Buffer.from(picture).toString("base64");
  return `<div><p>A picture of the page: the page itself is here while a ` +
    `kernel runs.</p><img width="800" alt="${escapeHtml(alt)}" ` +
    `src="data:image/jpeg;base64,${data}"></div>`;
}
