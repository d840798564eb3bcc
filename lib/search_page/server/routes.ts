/**
 * What the page can ask the server.
 *
 * | request | answer |
 * | --- | --- |
 * | `GET /`, `GET /page.js`, … | the page |
 * | `GET /status` and the like, `POST /search` {…} | JSON: `Answers` lists it |
 * | `GET /uploaded/NAME` | a picture given as a query |
 *
 * picture_routes.ts has those of the collection's pictures.
 *
 * ```ts
 * import { Searcher } from "#lib/search_page/engine/searcher.ts";
 * import { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
 * import { openEncoder } from "#lib/encoders/encoders.ts";
 * import { pageRoutes } from "#lib/search_page/server/routes.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const encoder = await openEncoder("offline", { log() {} });
 * const space = new EncoderSpace(encoder);
 * const searcher = new Searcher([space]);
 * const routes = pageRoutes({ searcher, status: () => null!, searched() {}, select() {} });
 * deepEqual(await (await routes.request("/map")).json(), []);
 * await encoder.close();
 * ```
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Context, Hono } from "hono";
import { getMimeType } from "hono/utils/mime";
import type { EngineName } from "../../engines/engines.ts";
import type { EmbedFailure } from "../../embeddings/embeddings.ts";
import {
  detailOf,
  mapOf,
  type MapPoint,
  type PictureDetail,
  similarityOfPairs,
} from "../engine/overview.ts";
import { fetchedPicture } from "../fetched_picture.ts";
import type { Distribution } from "../engine/ranking.ts";
import {
  hitOf,
  type SearchHit,
  type SearchResult,
} from "../engine/search_result.ts";
import type { Searcher } from "../engine/searcher.ts";
import { recallByWords } from "../engine/recall.ts";
import type { Facets } from "../index/collection.ts";
import { keptThumbnail, readUpload, saveUpload } from "../served_pictures.ts";
import { LARGEST_LIST, readBody, readJson, refusal } from "./server.ts";
import { LARGEST_UPLOAD } from "../web/query.js";

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
  /** What the space of pixels is called. */
  pixels: string;
  metrics: [name: string, label: string][];
  facets: Facets;
  failures: EmbedFailure[];
  problems: string[];
  /** Another number whenever a picture comes, goes, changes or is hidden. */
  generation: number;
  /** Whether the folder is looked over just now. */
  rescanning: boolean;
  /** Whether changes in the folder are noticed by themselves. */
  watched: boolean;
  /** What is wrong with the folder now, in a sentence; "" for nothing. */
  trouble: string;
  /** What finds the nearest vectors. */
  index: {
    engine: EngineName;
    /** How it is set; "" where all vectors are compared. */
    label: string;
    /** Whether it has all pictures; exact search answers until then, if it can. */
    isReady: boolean;
    /** Pictures that it has. */
    count: number;
  };
  /** Where the pictures lie: an absolute path. */
  folder: string;
  /** Whether anything is written about any picture. */
  hasTexts: boolean;
}

/** A result as the page gets it. */
export interface ShownResult extends SearchResult {
  /**
   * Thumbnails of the first hits, where they have been made, as data URLs by the
   * hits' ids: one answer is painted sooner than twelve. With `search` only.
   */
  thumbnails?: Record<number, string>;
}

/** What the page is answered, by the name that it asks. */
export interface Answers {
  status: AppStatus;
  /** How alike two pictures are. */
  statistics: Distribution;
  /**
   * Which part of the ten best of exact search the index finds, for some everyday
   * words; undefined where it is not measured.
   */
  recall: { recall?: number };
  /** How many pictures' pixels have been read. */
  pixels: { done: number; total: number };
  /** Every picture's place. */
  map: MapPoint[];
  /** To a query. */
  search: ShownResult;
  /** To a query that stands beside the reader's, or for more of the same. */
  compare: ShownResult;
  /** To a query: paths of all that fits. */
  fitting: string[];
  /**
   * To a query of which only the filters count, and a `seed`, which draws the
   * same pictures again.
   */
  random: SearchHit[];
  /** To {path}. */
  detail: PictureDetail;
  /** To {paths}: those of them that are no longer there. */
  select: { gone: string[] };
  /** To the picture's bytes: "upload:HASH". */
  upload: { picture: string };
  /** To {url}. */
  "upload-url": { picture: string };
}

/** What the routes need of the app. */
export interface PageState {
  searcher: Searcher;
  status(): AppStatus;
  /** Is told what the reader searched for. */
  searched(result: SearchResult): void;
  /** Is told what the reader selected. */
  select(paths: string[]): void;
}

/** Most hits whose thumbnails come with an answer: as many as the slider offers. */
const FIRST_PAGE = 24;

/** The routes of the page. */
export function pageRoutes(state: PageState): Hono {
  const { searcher } = state;
  const [first] = searcher.spaces;
  const { collection } = first;
  let map = { generation: 0, points: [] as MapPoint[] };
  let known = {
    ...{ contents: -1, isReady: false },
    recall: undefined as number | undefined,
  };
  const answers: {
    [Name in keyof Answers]: (
      context: Context,
    ) => Answers[Name] | Promise<Answers[Name]>;
  } = {
    status: () => state.status(),
    statistics: () => similarityOfPairs(first),
    async recall() {
      const { contents } = collection;
      if (
        known.contents !== contents || known.isReady !== first.isApproximate
      ) {
        const isReady = first.isApproximate;
        known = { contents, isReady, recall: await recallByWords(first) };
      }
      return { recall: known.recall };
    },
    pixels: () => searcher.pixels.progress,
    async map() {
      const { generation } = collection;
      if (map.generation !== generation) {
        map = { generation, points: await mapOf(first) };
      }
      return map.points;
    },
    async search(context) {
      const result = await searcher.search(await readJson(context));
      state.searched(result);
      return { ...result, thumbnails: thumbnailsOf(result.hits) };
    },
    compare: async (context) => searcher.search(await readJson(context)),
    fitting: async (context) => searcher.fitting(await readJson(context)),
    async random(context) {
      const { seed, ...query } = await readJson(context);
      const own = Number.isInteger(seed) ? seed as number : undefined;
      return await searcher.current(searcher.random(query, own));
    },
    async detail(context) {
      const path = String((await readJson(context)).path);
      const row = collection.rowOf(path);
      if (row === undefined) throw refusal(404, `no picture "${path}"`);
      await searcher.current([hitOf(collection, row)]);
      const latest = collection.rowOf(path);
      if (latest === undefined) {
        throw refusal(404, `the file of "${path}" is gone`);
      }
      return await detailOf(searcher, latest);
    },
    async select(context) {
      const { paths } = await readJson(context, LARGEST_LIST);
      if (
        !Array.isArray(paths) || paths.some((one) => typeof one !== "string")
      ) {
        throw refusal(400, "expected {paths: […]}");
      }
      const rows = paths.map((path) => collection.rowOf(path))
        .filter((row) => row !== undefined);
      await searcher.current(rows.map((row) => hitOf(collection, row)));
      state.select(paths);
      const isGone = (path: string) => collection.rowOf(path) === undefined;
      return { gone: paths.filter(isGone) };
    },
    async upload(context) {
      const bytes = await readBody(context, LARGEST_UPLOAD);
      return { picture: `upload:${await saveUpload(bytes)}` };
    },
    async "upload-url"(context) {
      const { url } = await readJson(context);
      if (typeof url !== "string") throw refusal(400, "expected {url}");
      return {
        picture: `upload:${await saveUpload(await fetchedPicture(url))}`,
      };
    },
  };
  const thumbnailsOf = (hits: SearchHit[]) =>
    Object.fromEntries(
      hits.slice(0, FIRST_PAGE).flatMap(({ id, path }) => {
        const row = collection.rowOf(path);
        const kept = row === undefined
          ? undefined
          : keptThumbnail(collection.pictures[row].source);
        if (!kept) return [];
        return [[id, `data:image/webp;base64,${kept.toString("base64")}`]];
      }),
    );
  const routes = new Hono();
  for (const [name, answer] of Object.entries(answers)) {
    routes.on(
      ["GET", "POST"],
      `/${name}`,
      async (context) => context.json(await answer(context)),
    );
  }
  routes.get("/uploaded/:name", async (context) => {
    const bytes = await readUpload(context.req.param("name"));
    if (!bytes) throw refusal(404, "that picture is gone");
    return picture(context, bytes, "jpeg", LASTING);
  });
  // Read once: whoever asks often opens no files.
  const web = fileURLToPath(new URL("../web/", import.meta.url));
  const files = new Map(
    readdirSync(web).map((name) => [name, readFileSync(join(web, name))]),
  );
  routes.get("*", async (context, next) => {
    // What stands before a route's own path: the token.
    const path = context.req.path.replace(/^\/([0-9A-Za-z]{16,64}\/)?/, "");
    const name = path || "index.html";
    const bytes = files.get(name);
    if (!bytes) return await next();
    const type = { "Content-Type": getMimeType(name)! };
    return context.body(bytes, 200, type);
  });
  return routes;
}

/** The picture stays what it is as long as the address holds. */
const LASTING = { "Cache-Control": "private, max-age=31536000, immutable" };

function picture(
  context: Context,
  bytes: Uint8Array,
  format: string,
  headers: object = {},
): Response {
  const type = { "Content-Type": `image/${format}` };
  const body = bytes as Uint8Array<ArrayBuffer>;
  return context.body(body, 200, { ...type, ...headers });
}
