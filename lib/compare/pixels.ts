/**
 * Pictures as vectors of pixels.
 *
 * A picture becomes `size` × `size` pixels (its shape is not kept), each of
 * them red, green, blue, 0–255, row by row from the top left: a Uint8Array of
 * size × size × 3 bytes. Transparency is laid on white.
 *
 * ```ts
 * import { pixelVector } from "#lib/compare/pixels.ts";
 * import { deepEqual } from "node:assert/strict";
 * import sharp from "sharp";
 *
 * const red = await sharp({
 *   create: { width: 60, height: 40, channels: 3, background: "#ff0000" },
 * }).png().toBuffer();
 * deepEqual([...await pixelVector(red, 1)], [255, 0, 0]);
 * ```
 *
 * @module
 */
import pLimit from "p-limit";
import sharp from "sharp";

/**
 * One picture as a vector of pixels.
 *
 * @param image A file's path, or an encoded picture's bytes.
 * @param size Side of the square in pixels; the seed projects used 448, and 64
 *   ranks as well at a fiftieth of the bytes.
 * @throws {Error} If the picture cannot be decoded: names the file.
 */
export async function pixelVector(
  image: string | Uint8Array,
  size: number,
): Promise<Uint8Array> {
  if (!Number.isInteger(size) || size < 1 || size > 2048) {
    throw new RangeError(
      `pixelVector: expected a size of 1 to 2048 pixels, got ${size}`,
    );
  }
  try {
    return await sharp(image)
      .autoOrient()
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .resize(size, size, { fit: "fill" })
      .raw()
      .toBuffer();
  } catch (error) {
    const name = typeof image === "string" ? image : "a picture";
    throw new Error(`${name} cannot be decoded: ${(error as Error).message}`);
  }
}

/** Many pictures as vectors, in the order given, a few decoded at a time. */
export function pixelVectors(
  images: readonly (string | Uint8Array)[],
  size: number,
): Promise<Uint8Array[]> {
  // sharp decodes off this thread; more at once would only hold more memory.
  return pLimit(4).map(images, (image) => pixelVector(image, size));
}
