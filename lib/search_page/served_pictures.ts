/**
 * Pictures as the page gets them: always decoded and encoded anew, so that no
 * file reaches the browser as it is, and small ones are kept on disk.
 *
 * ```text
 * 6_search/thumbnails/<hash>.webp   the square in the middle, 480 pixels a side
 * 6_search/uploads/<hash>.jpg       pictures given as queries, 512 pixels
 * ```
 *
 * ```ts
 * import { saveUpload } from "#lib/search_page/served_pictures.ts";
 * import { rejects } from "node:assert/strict";
 *
 * await rejects(saveUpload(Uint8Array.of(1, 2, 3)), /not a JPEG/);
 * ```
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { sha256 } from "../embeddings/file_hashes.ts";
import { statOf, writeAtomic } from "../files.ts";
import { paths } from "../paths.ts";
import {
  encodePicture,
  type ImageSource,
  type PictureError,
} from "../pictures/pictures.ts";
import { QueryError } from "./engine/query.ts";

/** Uploads kept, so that an address with one can be opened again. */
const UPLOADS_KEPT = 200;

/** Side of a thumbnail: of a tile on the largest screens, or at twice the density. */
const THUMBNAIL_SIDE = 480;

/** Of those that cannot be written: some megabytes. */
const MOST_UNWRITTEN = 20;

/**
 * Pixels of a large picture in all: what a screen shows of it, and what is worth
 * enlarging, which a browser can still hold. By all its pixels, not by its longer
 * side: of a panorama, a strip of a few pixels would be left.
 */
const PIXELS = { screen: 4e6, whole: 32e6 };

/** Whole pictures are made one after the other: each takes much memory. */
const oneByOne = pLimit(1);

/**
 * A small square of a picture, as tiles show it, from disk if it was made before
 * of the same file.
 *
 * @throws {PictureError} If there is no whole picture.
 */
export async function thumbnailOf(source: ImageSource): Promise<Uint8Array> {
  const kept = keptThumbnail(source);
  if (kept) return kept;
  const size = { middle: THUMBNAIL_SIDE };
  const encoding = { format: "webp", quality: 78, effort: 2 } as const;
  const { data } = await encodePicture(source, encoding, size);
  // A disk that is full or read-only: it can be shown all the same.
  await writeAtomic(thumbnailPath(source), data).catch(() => {});
  return data;
}

/** A small picture that was made before of the same file; undefined if none was. */
export function keptThumbnail(source: ImageSource): Buffer | undefined {
  try {
    // A grid waits for many: they are read sooner than a thread is found for it.
    return readFileSync(thumbnailPath(source));
  } catch {
    return undefined;
  }
}

function thumbnailPath(source: ImageSource): string {
  let version = source;
  if (typeof source === "string") {
    const { size = 0, mtimeMs = 0 } = statOf(source) ?? {};
    version = `${source} ${size} ${mtimeMs}`;
  }
  const name = `${sha256(version).slice(0, 32)}-${THUMBNAIL_SIDE}.webp`;
  return join(paths.search, "thumbnails", name);
}

/** A picture to look at, as a window shows it or enlarged. */
export async function largePicture(
  source: ImageSource,
  as: keyof typeof PIXELS = "screen",
): Promise<Uint8Array> {
  const encoding = { format: "jpeg", quality: 85 } as const;
  const make = () => encodePicture(source, encoding, { pixels: PIXELS[as] });
  return (await (as === "whole" ? oneByOne(make) : make())).data;
}

/**
 * Keeps a picture that is given as a query.
 *
 * @returns Its name in queries.
 * @throws {QueryError} If it is no picture, or too large.
 */
export async function saveUpload(image: ImageSource): Promise<string> {
  // By its shorter side, as encoders see it: of a panorama whose longer side is
  // cut down, a strip of a few pixels would be left.
  const { data } = await encodePicture(image, {
    format: "jpeg",
    quality: 95,
    chromaSubsampling: "4:4:4",
  }, { shortest: 512 }).catch(({ message }: PictureError) => {
    throw new QueryError(message);
  });
  const name = sha256(data);
  try {
    await writeAtomic(uploadPath(name), data);
    await forgetOldUploads();
  } catch {
    // A disk that is full or read-only: it can be searched for all the same.
    unwritten.set(name, data);
    if (unwritten.size > MOST_UNWRITTEN) {
      unwritten.delete(unwritten.keys().next().value!);
    }
  }
  return name;
}

/** Uploads that could not be written, as long as the program runs. */
const unwritten = new Map<string, Uint8Array>();

/** A picture given as a query; undefined if it is gone. */
export async function readUpload(
  name: string,
): Promise<Uint8Array | undefined> {
  if (!/^[0-9a-f]{64}$/.test(name)) return undefined;
  return await readFile(uploadPath(name)).catch(() => unwritten.get(name));
}

function uploadPath(name: string): string {
  return join(paths.search, "uploads", `${name}.jpg`);
}

async function forgetOldUploads(): Promise<void> {
  const folder = join(paths.search, "uploads");
  const files = await Promise.all((await readdir(folder)).map(async (name) => {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    return { path, mtimeMs };
  }));
  files.sort((a, b) => b.mtimeMs - a.mtimeMs);
  for (const { path } of files.slice(UPLOADS_KEPT)) {
    await rm(path, { force: true });
  }
}
