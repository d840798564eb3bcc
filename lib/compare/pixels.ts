/**
 * Pictures as vectors of pixels: `size` × `size` of them (a picture's shape is
 * not kept), each red, green, blue, 0–255, row by row from the top left.
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
import { decodePicture, type ImageSource } from "../pictures/pictures.ts";
import { Matrix } from "./matrix.ts";

/**
 * One picture as a vector of pixels.
 *
 * @param size Side of the square in pixels; the seed projects used 448, and 64
 *   ranks as well at a fiftieth of the bytes.
 * @throws {PictureError} If there is no whole picture.
 */
export async function pixelVector(
  image: ImageSource,
  size: number,
): Promise<Uint8Array> {
  if (!Number.isInteger(size) || size < 1 || size > 2048) {
    throw new RangeError(
      `pixelVector: expected a size of 1 to 2048 pixels, got ${size}`,
    );
  }
  return (await decodePicture(image, { square: size })).data;
}

/** Whether a pixel is white or nearly: all three numbers 240 or more. */
export function isNearlyWhite(pixel: Uint8Array): boolean {
  return pixel.every((value) => value >= 240);
}

/**
 * How white a picture's edge is: the share of its outermost pixels that are
 * white or nearly (`isNearlyWhite`). A cut-out on white has 1 or
 * little less, a photograph with a world around the thing much less.
 *
 * @param pixels A picture as `pixelVector` gives it.
 * @returns A share from 0 to 1.
 */
export function whiteEdgeShare(pixels: Uint8Array): number {
  const size = Math.sqrt(pixels.length / 3);
  let edge = 0, white = 0;
  for (let y = 0; y < size; y++) {
    const step = y === 0 || y === size - 1 ? 1 : Math.max(1, size - 1);
    for (let x = 0; x < size; x += step) {
      const at = 3 * (y * size + x);
      edge++;
      if (isNearlyWhite(pixels.subarray(at, at + 3))) white++;
    }
  }
  return white / edge;
}

/** Many pictures as rows of a matrix, in the order given. */
export async function pixelVectors(
  images: readonly ImageSource[],
  size: number,
): Promise<Matrix<Uint8Array>> {
  const length = size * size * 3;
  const vectors = new Matrix(new Uint8Array(images.length * length), length);
  // sharp decodes off this thread; more at once would only hold more memory.
  await pLimit(4).map(
    images,
    async (image, row) => vectors.set(row, await pixelVector(image, size)),
  );
  return vectors;
}
