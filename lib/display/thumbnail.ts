/**
 * Small pictures inside HTML: any picture sharp reads, as a JPEG data address.
 *
 * Sizes are pixels. Transparent parts become white, so that cut-out pictures
 * look the same in light and dark themes; orientation from EXIF is applied.
 *
 * Reads files.
 *
 * ```ts
 * import { thumbnail } from "#lib/display/thumbnail.ts";
 * import { equal } from "node:assert/strict";
 * import sharp from "sharp";
 *
 * const create = { width: 400, height: 200, channels: 3, background: "red" } as const;
 * const picture = await sharp({ create }).png().toBuffer();
 * const { url, width, height } = await thumbnail(picture, 128);
 * equal(url.startsWith("data:image/jpeg;base64,"), true);
 * equal(`${width} × ${height}`, "128 × 64");
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import sharp from "sharp";

/** A picture small enough to stand inside a page. */
export interface Thumbnail {
  /** `data:image/jpeg;base64,…` */
  url: string;
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
}

/**
 * Makes a thumbnail; a picture that is already smaller is not enlarged.
 *
 * @param image A file's path, or an encoded picture's bytes.
 * @param size Longest side, pixels.
 * @throws {Error} If the file is missing or no picture; the message names no
 * folder, so it can be shown and committed.
 */
export async function thumbnail(
  image: string | Uint8Array,
  size: number,
): Promise<Thumbnail> {
  const bytes = typeof image === "string" ? await readPicture(image) : image;
  const { data, info } = await sharp(bytes, { limitInputPixels: 100_000_000 })
    .rotate()
    .resize({
      width: size,
      height: size,
      fit: "inside",
      withoutEnlargement: true,
    })
    .flatten({ background: "white" })
    .jpeg({ quality: 70, mozjpeg: true })
    .toBuffer({ resolveWithObject: true });
  return {
    url: `data:image/jpeg;base64,${data.toString("base64")}`,
    width: info.width,
    height: info.height,
  };
}

async function readPicture(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(
      code === "ENOENT" ? "file not found" : `cannot read: ${code}`,
    );
  }
}
