/**
 * The pictures behind the results: to look at, to take along, to hide, to show
 * in the system's file manager; and the folder, to be looked over again.
 *
 * | request | answer |
 * | --- | --- |
 * | `GET /thumbnail/ID` | a small square of it, made anew as the next two are |
 * | `GET /picture/ID`, `/whole/ID` | as a window shows it, and to be enlarged |
 * | `GET /original/ID` | the file's own bytes, to be saved |
 * | `POST /archive` {paths} | a zip of the files and of who made them (archive.ts) |
 * | `POST /hide` {paths, hidden}, `GET /hidden` | what is no result |
 * | `POST /reveal` {path} | opens the file's folder (reveal.ts) |
 * | `POST /rescan` | {} when the folder has been looked over |
 *
 * ```ts
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { pictureRoutes } from "#lib/search_page/server/picture_routes.ts";
 * import { equal } from "node:assert/strict";
 *
 * const routes = pictureRoutes({ collections: [new Collection(4)], folder: "/tmp",
 *   isLocal: false, rescan: async () => {} });
 * equal((await routes.request("/thumbnail/1")).status, 404);
 * ```
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { type Context, Hono } from "hono";
import { statOf } from "../../files.ts";
import { formatOf } from "../../pictures/formats.ts";
import { archiveOf } from "./archive.ts";
import { hitOf } from "../engine/search_result.ts";
import { keepSettings } from "../folder_settings.ts";
import type { Collection, SourcePicture } from "../index/collection.ts";
import { reveal } from "./reveal.ts";
import { largePicture, thumbnailOf } from "../served_pictures.ts";
import { LARGEST_LIST, readJson, refusal } from "./server.ts";

/** What these routes need of the app. */
export interface PictureRoutesState {
  /** One an encoder; ids are those of the first. */
  collections: readonly Collection[];
  /** Whose hidden pictures are kept. */
  folder: string;
  /** Whether whoever asks sits at this machine. */
  isLocal: boolean;
  /** Looks the folder over again. */
  rescan(): Promise<void>;
}

/** The routes. */
export function pictureRoutes(state: PictureRoutesState): Hono {
  const { collections, folder, isLocal } = state;
  const [collection] = collections;

  const byId = (context: Context): SourcePicture => {
    const row = collection.rowOfId(Number(context.req.param("id")));
    if (row !== undefined) return collection.pictures[row];
    throw refusal(404, "that picture is gone, or has changed");
  };
  const byPath = (path: unknown): SourcePicture => {
    const row = typeof path === "string" ? collection.rowOf(path) : undefined;
    if (row !== undefined) return collection.pictures[row];
    throw refusal(404, `no picture "${String(path).slice(0, 200)}"`);
  };
  /** The paths of a list: one that is gone keeps no other from what is asked. */
  const listIn = ({ paths }: Record<string, unknown>) => {
    if (!Array.isArray(paths) || paths.length === 0) {
      throw refusal(400, "expected {paths: […]}, with one path or more");
    }
    const isKnown = (path: unknown) =>
      typeof path === "string" &&
      (collection.rowOf(path) !== undefined || collection.hidden.has(path));
    const { known = [], gone = [] } = Object.groupBy(
      paths as string[],
      (path) => isKnown(path) ? "known" : "gone",
    );
    if (known.length === 0) byPath(gone[0]); // Says that there is none.
    return { known, gone };
  };

  return new Hono()
    .get("/thumbnail/:id{\\d+}", async (context) => {
      const bytes = await thumbnailOf(byId(context).source);
      return picture(context, bytes, "webp");
    })
    .get("/picture/:id{\\d+}", async (context) => {
      const bytes = await largePicture(byId(context).source);
      return picture(context, bytes, "jpeg");
    })
    .get("/whole/:id{\\d+}", async (context) => {
      const bytes = await largePicture(byId(context).source, "whole");
      return picture(context, bytes, "jpeg");
    })
    .get("/original/:id{\\d+}", (context) => original(context, byId(context)))
    .post("/archive", async (context) => {
      const { known, gone } = listIn(await readJson(context, LARGEST_LIST));
      const there = known.filter((path) =>
        collection.rowOf(path) !== undefined
      );
      return context.body(archiveOf(there.map(byPath), gone), 200, {
        "Content-Type": "application/zip",
        "Content-Disposition": 'attachment; filename="pictures.zip"',
      });
    })
    .post("/hide", async (context) => {
      const asked = await readJson(context, LARGEST_LIST);
      if (typeof asked.hidden !== "boolean") {
        throw refusal(400, "expected {paths: […], hidden: true or false}");
      }
      for (const path of listIn(asked).known) {
        for (const one of collections) one.hide(path, asked.hidden);
      }
      await keepSettings(folder, { hidden: [...collection.hidden] });
      return context.json({});
    })
    .get("/hidden", (context) => {
      const rows = [...collection.hidden].map((path) => collection.rowOf(path))
        .filter((row) => row !== undefined);
      return context.json(rows.map((row) => hitOf(collection, row)));
    })
    .post("/reveal", async (context) => {
      const { source } = byPath((await readJson(context)).path);
      if (!isLocal) {
        throw refusal(
          403,
          "the file lies on the server's machine, not on yours",
        );
      }
      if (typeof source !== "string") {
        throw refusal(404, "the picture has no file of its own");
      }
      const trouble = await reveal(source);
      if (trouble) throw refusal(501, trouble);
      return context.json({});
    })
    .post("/rescan", async (context) => {
      await state.rescan();
      return context.json({});
    });
}

/** An id's picture never becomes another one. */
const LASTING = { "Cache-Control": "private, max-age=31536000, immutable" };

function picture(
  context: Context,
  bytes: Uint8Array,
  format: string,
): Response {
  const body = bytes as Uint8Array<ArrayBuffer>;
  const type = { "Content-Type": `image/${format}` };
  return context.body(body, 200, { ...type, ...LASTING });
}

/** The file itself. To be saved, never shown: it may be anything. */
function original(context: Context, { path, source }: SourcePicture): Response {
  const file = typeof source === "string" ? statOf(source) : undefined;
  if (typeof source === "string" && !file?.isFile()) {
    throw refusal(404, `the file of "${path}" is gone`);
  }
  const name = typeof source === "string"
    ? basename(source)
    : `${path}.${formatOf(source).toLowerCase()}`;
  const escaped = encodeURIComponent(name.toWellFormed())
    .replaceAll("'", "%27");
  const headers = {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": `attachment; filename*=UTF-8''${escaped}`,
    "Content-Length": `${file?.size ?? source.length}`,
  };
  const body = typeof source === "string"
    ? Readable.toWeb(createReadStream(source)) as ReadableStream
    : source as Uint8Array<ArrayBuffer>;
  return context.body(body, 200, headers);
}
