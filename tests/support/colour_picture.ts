/**
 * Pictures of nearly one colour, for tests that compare pixels.
 *
 * @module
 */
import sharp from "sharp";

/** A JPEG of one colour with a little texture, different for each `seed`. */
export async function colourPicture(
  [red, green, blue]: number[],
  seed: number,
): Promise<Uint8Array> {
  const side = 24;
  const pixels = Uint8Array.from(
    { length: side * side * 3 },
    (_, i) => [red, green, blue][i % 3] * 200 + (i * (seed + 3) * 31 >> 4) % 40,
  );
  return await sharp(pixels, {
    raw: { width: side, height: side, channels: 3 },
  })
    .jpeg().toBuffer();
}
