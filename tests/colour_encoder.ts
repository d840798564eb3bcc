/**
 * A small encoder for tests: a picture is its mean colour, a text the colour
 * that it names. Real vectors, real failures, no model.
 */
import sharp from "sharp";
import type { Encoder } from "#lib/encoders/encoder.ts";
import { l2Normalize } from "#lib/metrics.ts";

const COLOURS: Record<string, number[]> = {
  red: [1, 0.05, 0.05],
  green: [0.05, 1, 0.05],
  blue: [0.05, 0.05, 1],
};

/** Opens it. */
export function openColourEncoder(): Encoder {
  const encoder: Encoder = {
    id: "colour",
    dimensions: 3,
    describe: () => "colour: mean colours, for tests",
    async decodeImage(image) {
      try {
        const pixel = await sharp(image).flatten().toColourspace("srgb")
          .resize(1, 1, { fit: "fill" }).raw().toBuffer();
        return Float32Array.from(pixel, (value) => value + 1);
      } catch (error) {
        throw new Error(
          `${image} cannot be decoded: ${(error as Error).message}`,
        );
      }
    },
    encodeDecoded: (pixels) => Promise.resolve(pixels.map(l2Normalize)),
    async encodeImages(images) {
      const decoded = await Promise.all(images.map(encoder.decodeImage));
      return encoder.encodeDecoded(decoded);
    },
    encodeTexts: (texts) =>
      Promise.resolve(texts.map((text) => {
        const name = Object.keys(COLOURS).find((colour) =>
          text.includes(colour)
        );
        return l2Normalize(name ? COLOURS[name] : [1, 1, 1]);
      })),
    close: () => Promise.resolve(),
  };
  return encoder;
}

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
