/**
 * Pictures of more than 8 bits, of which no header says which number is white:
 * cameras and microscopes write 10, 12 or 14 bits into 16, others floats from 0
 * to 1, or 32 bits. Taken for full 16 bits or for 0 to 255, they come out black.
 *
 * So white is read off the picture: the end of the narrowest usual range that
 * holds all its values.
 *
 * ```ts
 * import { whiteOf } from "#lib/pictures/bit_depth.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(whiteOf(3360, "ushort"), 4095); // 12 bits in 16
 * equal(whiteOf(0.8, "float"), 1);
 * equal(whiteOf(0.8 * 2 ** 16, "ushort"), 65_535);
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import sharp, { type Metadata, type Sharp } from "sharp";

/**
 * The value that is white.
 *
 * @param largest The largest value in the picture.
 * @param depth What a value is, in the words of libvips: "ushort", "float".
 */
export function whiteOf(largest: number, depth: string): number {
  const sign = /^(short|int)$/.test(depth) ? 1 : 0;
  const bits = [8, 10, 12, 14, 16 - sign].find((n) => largest < 2 ** n);
  const white = depth === "float" && largest <= 1
    ? 1
    : bits
    ? 2 ** bits - 1
    : 2 ** (32 - sign);
  // Below a sixteenth of white, all would be black to the eye.
  return largest > 0 && 16 * largest < white ? largest : white;
}

/**
 * A picture in 8 bits, from one whose white is not what its format says.
 *
 * @param open Begins to decode it, anew each time.
 * @returns Undefined where libvips knows white itself.
 */
export async function scaledPicture(
  bytes: Uint8Array,
  open: () => Sharp,
): Promise<Sharp | undefined> {
  // Only these formats hold such pictures; a PNG tells it in its 25th byte.
  const start = Buffer.from(bytes.subarray(0, 4)).toString("latin1");
  if (!/^(II|MM)/.test(start) && !(start === "\x89PNG" && bytes[24] === 16)) {
    return;
  }
  const facts = await open().metadata();
  const { depth, space, hasAlpha } = facts;
  if (depth === "uchar" || /^lab|cmyk$/.test(space)) return;
  if (depth === "ushort") {
    // Most 16 bits are in full use: this look takes no memory.
    const { channels } = await open().stats();
    const largest = channels.slice(0, hasAlpha ? -1 : undefined)
      .reduce((most, { max }) => Math.max(most, max), 0);
    if (whiteOf(largest, depth) === 65_535) return;
  }
  return await scale(open, facts);
}

/** All values as they are stored, then brought to 0 to 255. */
async function scale(
  open: () => Sharp,
  { depth, space, hasAlpha }: Metadata,
): Promise<Sharp> {
  const picture = open().autoOrient()
    .pipelineColourspace(space).toColourspace(space);
  // Half floats of one colour are rounded on their way: so they become 16 bits.
  if (depth === "float" && space === "grey16") picture.linear(65_535, 0);
  const { data, info } = await picture.raw({ depth: "float" })
    .toBuffer({ resolveWithObject: true });
  const values = new Float32Array(
    data.buffer,
    data.byteOffset,
    data.byteLength / 4,
  );
  const { width, height, channels } = info;
  const pixels = new Uint8Array(values.length);
  const fill = (from: number, to: number) => {
    let least = 0, largest = 0;
    for (let at = 0; at < values.length; at += channels) {
      for (let i = at + from; i < at + to; i++) {
        const value = values[i];
        if (value < least && value > -Infinity) least = value;
        if (value > largest && value < Infinity) largest = value;
      }
    }
    // What falls below 0 has no usual range.
    const white = least < 0 ? largest : whiteOf(largest, depth!);
    for (let at = 0; at < values.length; at += channels) {
      for (let i = at + from; i < at + to; i++) {
        const value = 255 * (values[i] - least) / (white - least);
        pixels[i] = value > 255 ? 255 : value + 0.5;
      }
    }
  };
  // Opacity has a range of its own.
  const colours = hasAlpha ? channels - 1 : channels;
  fill(0, colours);
  fill(colours, channels);
  return sharp(pixels, { raw: { width, height, channels } });
}
