/**
 * Cut-outs on grounds of their own: what a method scores on them, beside what
 * it scores on white, says how much of it was the white ground.
 *
 * ```ts
 * import { groundColours, paintGround } from "#lib/evaluate/ground.ts";
 * import { pixelVector } from "#lib/compare/pixels.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 * import sharp from "sharp";
 *
 * const white = await sharp({
 *   create: { width: 4, height: 4, channels: 3, background: "#fff" },
 * }).png().toBuffer();
 * const [colour] = groundColours(1);
 * const painted = await pixelVector(await paintGround(white, colour), 1);
 * deepStrictEqual([...painted], colour);
 * ```
 *
 * @module
 */
import sharp from "sharp";
import { isNearlyWhite } from "../compare/pixels.ts";
import { decodePicture, type ImageSource } from "../pictures/pictures.ts";
import { seededRandom } from "./bootstrap.ts";

/** Red, green and blue, 0–255. */
export type Colour = [number, number, number];

/** Random colours, the same ones each time; none is nearly white. */
export function groundColours(count: number): Colour[] {
  const random = seededRandom();
  const level = () => Math.floor(240 * random());
  return Array.from({ length: count }, () => [level(), level(), level()]);
}

/**
 * A picture with one colour in place of all that is nearly white, white in the
 * thing included.
 *
 * @returns A PNG, its longest side 320 pixels at most.
 * @throws {PictureError} If there is no whole picture.
 */
export async function paintGround(
  image: ImageSource,
  colour: Colour,
): Promise<Uint8Array> {
  const { data, ...sides } = await decodePicture(image, { longest: 320 });
  for (let i = 0; i < data.length; i += 3) {
    const pixel = data.subarray(i, i + 3);
    if (isNearlyWhite(pixel)) pixel.set(colour);
  }
  const raw = { ...sides, channels: 3 } as const;
  return await sharp(data, { raw }).png({ compressionLevel: 1 }).toBuffer();
}
