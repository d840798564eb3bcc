/**
 * An honest little encoder for tests: a picture's vector is its mean colour, a
 * text's the sum of the colours that it names. No models, no files.
 */
import sharp from "sharp";
import type { Encoder } from "#lib/encoders/encoder.ts";
import type { ImageSource } from "#lib/pictures/pictures.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { l2Normalize } from "#lib/compare/metrics.ts";

const COLOURS: Record<string, number[]> = {
  red: [255, 0, 0],
  green: [0, 255, 0],
  blue: [0, 0, 255],
  white: [255, 255, 255],
  yellow: [255, 255, 0],
};

/** A vector that is no colour comes out slightly grey, so that it has a length. */
const vectorOf = (colour: number[]) =>
  l2Normalize([...colour.map((value) => value + 1), 1]);

/** How often pictures and texts were embedded. */
export interface Counted {
  pictures: number;
  texts: number;
}

/** Makes an encoder, and counts what it does. */
export function colourEncoder(
  counted: Counted = { pictures: 0, texts: 0 },
  name = "colours",
): Encoder {
  const encoder: Encoder = {
    id: `${name}-1`,
    name,
    dimensions: 4,
    describe: () => `${name}: mean colours`,
    async decodeImage(image: ImageSource) {
      const pixel = await sharp(image).flatten().toColourspace("srgb")
        .resize(1, 1, { fit: "fill" }).raw().toBuffer();
      return Float32Array.from(pixel.subarray(0, 3));
    },
    encodeDecoded(pixels) {
      counted.pictures += pixels.length;
      return Promise.resolve(
        Matrix.of(pixels.map((colour) => vectorOf([...colour])), 4),
      );
    },
    async encodeImages(images) {
      const decoded = await Promise.all(images.map(encoder.decodeImage));
      return await encoder.encodeDecoded(decoded);
    },
    encodeTexts(texts) {
      counted.texts += texts.length;
      if (texts.some((text) => text.includes("fail"))) {
        return Promise.reject(new Error("the model ran out of memory"));
      }
      const vectors = texts.map((text) => {
        const sum = [0, 0, 0];
        for (const word of text.toLowerCase().split(/\W+/)) {
          COLOURS[word]?.forEach((value, i) => sum[i] += value);
        }
        return vectorOf(sum);
      });
      return Promise.resolve(Matrix.of(vectors, 4));
    },
    close: () => Promise.resolve(),
  };
  return encoder;
}

/** A picture of one colour. */
export function plain(
  colour: string | { r: number; g: number; b: number },
  format: "png" | "jpeg" = "png",
  size = 32,
): Promise<Uint8Array> {
  return sharp({
    create: { width: size, height: size, channels: 3, background: colour },
  })
    .toFormat(format).toBuffer();
}
