/**
 * Pictures as the page gets them: always decoded and encoded anew, so that no
 * file reaches the browser as it is, and small ones are kept on disk.
 *
 * ```text
 * 6_search/thumbnails/<hash>.webp   longest side 320 pixels
 * 6_search/uploads/<hash>.jpg       pictures given as queries, 512 pixels
 * ```
 *
 * ```ts
 * import { saveUpload } from "#lib/search_page/served_pictures.ts";
 * import { rejects } from "node:assert/strict";
 *
 * await rejects(saveUpload(Uint8Array.of(1, 2, 3)), /is no picture/);
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../files.ts";
import { paths } from "../paths.ts";
import {
  encodePicture,
  MAX_PIXELS,
  PICTURE_FORMATS,
  type PictureError,
} from "../pictures/pictures.ts";
import { QueryError } from "./engine/query.ts";
import { LARGEST_UPLOAD } from "./web/query.js";

/** Longest side of a thumbnail, pixels: a tile at twice the density of 160. */
const THUMBNAIL_SIZE = 320;

/** Uploads kept, so that an address with one can be opened again. */
const UPLOADS_KEPT = 200;

/**
 * A small picture, from disk if it was made before.
 *
 * @throws {Error} If the picture is gone, or none.
 */
export async function thumbnailOf(
  source: string | Uint8Array,
): Promise<Uint8Array> {
  const path = join(
    paths.search,
    "thumbnails",
    `${await versionOf(source)}.webp`,
  );
  const kept = await readFile(path).catch(() => undefined);
  if (kept) return kept;
  const { data } = await encodePicture(
    source,
    { format: "webp", quality: 78, effort: 2 },
    { longest: THUMBNAIL_SIZE },
  );
  await writeAtomic(path, data);
  return data;
}

/** A picture to look at, longest side at most 1600 pixels. */
export async function largePicture(
  source: string | Uint8Array,
): Promise<Uint8Array> {
  if (typeof source === "string") await stat(source);
  const encoding = { format: "jpeg", quality: 85 } as const;
  return (await encodePicture(source, encoding, { longest: 1600 })).data;
}

/**
 * Keeps a picture that is given as a query.
 *
 * @returns Its name in queries.
 * @throws {QueryError} If it is no picture, or too large.
 */
export async function saveUpload(bytes: Uint8Array): Promise<string> {
  if (bytes.length > LARGEST_UPLOAD) {
    throw new QueryError(
      `the picture has ${
        Math.round(bytes.length / 1e6)
      } MB: at most 20 can be taken`,
    );
  }
  const { data: jpeg } = await encodePicture(
    bytes,
    { format: "jpeg", quality: 92 },
    { longest: 512 },
  ).catch((error: PictureError) => {
    throw new QueryError(
      error.fault === "too large"
        ? `the picture has more than ${MAX_PIXELS / 1e6} million pixels: ` +
          "give a smaller one"
        : "the file is no picture that can be read: expected " +
          PICTURE_FORMATS,
    );
  });
  const id = createHash("sha256").update(jpeg).digest("hex");
  await writeAtomic(join(uploads(), `${id}.jpg`), jpeg);
  await forgetOldUploads();
  return id;
}

/** A picture given as a query; undefined if it is gone. */
export async function readUpload(id: string): Promise<Uint8Array | undefined> {
  if (!/^[0-9a-f]{64}$/.test(id)) return undefined;
  return await readFile(join(uploads(), `${id}.jpg`)).catch(() => undefined);
}

function uploads(): string {
  return join(paths.search, "uploads");
}

async function forgetOldUploads(): Promise<void> {
  const names = await readdir(uploads());
  if (names.length <= UPLOADS_KEPT) return;
  const aged = await Promise.all(names.map(async (name) => {
    const path = join(uploads(), name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    return { path, mtimeMs };
  }));
  aged.sort((a, b) => b.mtimeMs - a.mtimeMs);
  await Promise.all(
    aged.slice(UPLOADS_KEPT).map(({ path }) => rm(path, { force: true })),
  );
}

/** Changes with the picture: a file's place, size and time, or the bytes' hash. */
async function versionOf(source: string | Uint8Array): Promise<string> {
  const hash = createHash("sha256");
  if (typeof source !== "string") hash.update(source);
  else {
    const { size, mtimeMs } = await stat(source);
    hash.update(`${source} ${size} ${mtimeMs}`);
  }
  return hash.digest("hex").slice(0, 32);
}
