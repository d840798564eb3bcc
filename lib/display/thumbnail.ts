/**
 * Small pictures inside HTML, as JPEG data addresses. Sizes are pixels.
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
import { Buffer } from "node:buffer";
import { encodePicture, type ImageSource } from "../pictures/pictures.ts";

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
 * @param size Longest side, pixels.
 * @throws {PictureError} If there is no whole picture; its `reason` names no
 * folder, so it can be shown and committed.
 */
export async function thumbnail(
  image: ImageSource,
  size: number,
): Promise<Thumbnail> {
  const { data, width, height } = await encodePicture(
    image,
    { format: "jpeg", quality: 70, mozjpeg: true },
    { longest: size },
  );
  const base64 = Buffer.from(data).toString("base64");
  return { url: `data:image/jpeg;base64,${base64}`, width, height };
}
