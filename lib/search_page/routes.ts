/**
 * What the page can ask the server.
 *
 * | request | answer |
 * | --- | --- |
 * | `GET /`, `GET /page.js`, … | the page |
 * | `GET /status` | what is indexed, encoders, what to filter by |
 * | `GET /statistics` | how alike two pictures are |
 * | `GET /pixels` | how many pictures' pixels have been read |
 * | `POST /search` {query} | hits, distribution of scores |
 * | `POST /compare` {query} | the same, beside the reader's search |
 * | `POST /random` {query} | random hits |
 * | `POST /upload` bytes | the picture's name in queries |
 * | `POST /select` {ids} | |
 * | `GET /detail?id=` | all that is known of a picture, and its neighbours |
 * | `GET /map` | every picture's place |
 * | `GET /thumbnail/ROW`, `/picture/ROW`, `/uploaded/NAME` | pictures |
 *
 * ```ts
 * import { pageRoutes } from "#lib/search_page/routes.ts";
 * import { Searcher } from "#lib/search_page/engine/search.ts";
 * import { ok } from "node:assert/strict";
 *
 * const searcher = new Searcher([], () => Promise.resolve(undefined));
 * const routes = pageRoutes({ searcher, status: () => ({}), searched() {}, select() {} });
 * ok("GET /page.js" in routes);
 * ```
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { dot } from "../compare/metrics.ts";
import { mapOf, type MapPoint } from "./engine/map.ts";
import {
  largePicture,
  LARGEST_UPLOAD,
  readUpload,
  saveUpload,
  thumbnailOf,
} from "./pictures.ts";
import { DEFAULT_QUERY, QueryError } from "./engine/query.ts";
import { distribution } from "./engine/ranking.ts";
import { hitOf, type Searcher, type SearchResult } from "./engine/search.ts";
import { HttpError } from "./guard.ts";
import type { Answer, Route } from "./server.ts";

/** What the routes need of the app. */
export interface PageState {
  searcher: Searcher;
  status(): object;
  /** Is told what the reader searched for. */
  searched(result: SearchResult): void;
  /** Is told what the reader selected. */
  select(ids: string[]): void;
}

const PAGE = new URL("./web/", import.meta.url);

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

/** Most bytes of a query: a picture's name and a thousand filters fit. */
const LARGEST_QUERY = 200_000;

/** Pairs of pictures whose similarities stand for all in the start-up block. */
const PAIRS = 20_000;

/** The routes of the page. */
export function pageRoutes(state: PageState): Record<string, Route> {
  const { searcher } = state;
  const main = () => {
    const [space] = searcher.spaces;
    if (space) return space.collection;
    throw new QueryError("no encoder is open yet: try again soon");
  };
  let map: { count: number; points: MapPoint[] } = { count: 0, points: [] };
  return {
    ...files(),
    "GET /status": () => ({
      json: { ...state.status(), defaults: DEFAULT_QUERY },
    }),
    "GET /statistics": () => ({ json: similarityOfPairs(main()) }),
    "GET /pixels": () => ({ json: searcher.pixels?.progress ?? {} }),
    "POST /search": async ({ readBody }) => {
      const result = await searcher.search(
        readJson(await readBody(LARGEST_QUERY)),
      );
      state.searched(result);
      return { json: result };
    },
    "POST /compare": async ({ readBody }) => ({
      json: await searcher.search(readJson(await readBody(LARGEST_QUERY))),
    }),
    "POST /random": async ({ readBody }) => ({
      json: searcher.random(readJson(await readBody(LARGEST_QUERY))),
    }),
    "POST /upload": async ({ readBody }) => ({
      json: { picture: await saveUpload(await readBody(LARGEST_UPLOAD)) },
    }),
    "POST /select": async ({ readBody }) => {
      const { ids } = readJson(await readBody(LARGEST_QUERY)) as {
        ids?: unknown;
      };
      if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string")) {
        throw new HttpError(400, "expected {ids: […]}");
      }
      state.select(ids);
      return { json: {} };
    },
    "GET /detail": ({ parameters }) => {
      const id = parameters.get("id") ?? "";
      const row = main().rowOf(id);
      if (row === undefined) throw new HttpError(404, `no picture "${id}"`);
      return detail(searcher, row);
    },
    "GET /map": () => {
      // Takes a second where there are many: drawn anew only if there are more.
      const { count } = main();
      if (map.count !== count) map = { count, points: mapOf(main()) };
      return { json: map.points };
    },
    "GET /thumbnail/": async ({ rest }) => ({
      body: await orGone(thumbnailOf(sourceOf(rest))),
      type: "image/webp",
      lasting: true,
    }),
    "GET /picture/": async ({ rest }) => ({
      body: await orGone(largePicture(sourceOf(rest))),
      type: "image/jpeg",
    }),
    "GET /uploaded/": async ({ rest }) => {
      const body = await readUpload(rest);
      if (!body) throw new HttpError(404, "that picture is gone");
      return { body, type: "image/jpeg", lasting: true };
    },
  };

  function sourceOf(row: string): string | Uint8Array {
    const picture = /^\d+$/.test(row) && main().pictures[Number(row)];
    if (!picture) throw new HttpError(404, "no such picture");
    return picture.source;
  }
}

/** The page's own files, each under its name. */
function files(): Record<string, Route> {
  const routes: Record<string, Route> = {};
  for (const name of readdirSync(PAGE)) {
    const type = TYPES[extname(name)];
    if (!type) continue;
    const path = name === "index.html" ? "" : name;
    routes[`GET /${path}`] = async () => ({
      body: await readFile(new URL(name, PAGE)),
      type,
    });
  }
  return routes;
}

/** All that is known of a picture, its neighbours, and a sketch of its vector. */
async function detail(searcher: Searcher, row: number): Promise<Answer> {
  const [{ collection, id: space }] = searcher.spaces;
  const picture = hitOf(collection, row);
  const { hits } = await searcher.search({
    like: picture.id,
    mode: "visual",
    k: 8,
    cut: "none",
    fold: 2,
  });
  const vector = collection.looks.row(row);
  return {
    json: {
      ...picture,
      space,
      dimensions: vector.length,
      // A hundred numbers show what a vector is; all would only fill the page.
      vector: Array.from(vector.subarray(0, 96), (value) => +value.toFixed(4)),
      neighbours: hits,
    },
  };
}

/** How alike two pictures of the collection are, over many pairs. */
function similarityOfPairs(
  { count, looks }: Searcher["spaces"][number]["collection"],
) {
  const values: number[] = [];
  const step = Math.max(1, Math.floor(count * (count - 1) / 2 / PAIRS));
  let pair = 0;
  for (let a = 0; a < count; a++) {
    for (let b = a + 1 + (step - pair % step) % step; b < count; b += step) {
      values.push(dot(looks.row(a), looks.row(b)));
    }
    pair += count - a - 1;
    if (values.length >= PAIRS) break;
  }
  return distribution(values);
}

async function orGone<Bytes>(picture: Promise<Bytes>): Promise<Bytes> {
  try {
    return await picture;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === "ENOENT"
      ? new HttpError(404, "the picture is gone")
      : new HttpError(415, "the picture cannot be read");
  }
}

function readJson(bytes: Uint8Array): object {
  try {
    const json = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof json === "object" && json !== null) return json;
  } catch { /* answered below */ }
  throw new HttpError(400, "expected a JSON object");
}
