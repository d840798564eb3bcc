/**
 * Turns a file that claims to be a picture into one that later stages can rely
 * on: decodable to the last row, not too small, upright, 8-bit sRGB, JPEG.
 *
 * Sizes are pixels. Camera data (place, time, device) does not survive.
 *
 * Reads files, writes none.
 *
 * ```ts
 * import { cleanPicture } from "#lib/dataset/clean.ts";
 * import { deepEqual } from "node:assert/strict";
 * import sharp from "sharp";
 *
 * const icon = await sharp({
 *   create: { width: 200, height: 32, channels: 3, background: "#ff0000" },
 * }).png().toBuffer();
 * deepEqual(await cleanPicture(icon), {
 *   rejected: "too small",
 *   reason: "200 × 32 pixels, expected 50 or more a side",
 * });
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import sharp from "sharp";

/** A picture in its final form. */
export interface CleanPicture {
  /** The whole JPEG file. */
  jpeg: Uint8Array;
  /** Width in pixels, as shown upright. */
  width: number;
  /** Height in pixels, as shown upright. */
  height: number;
  /** SHA-256 of `jpeg`, hexadecimal: equal pixels have equal sums. */
  sha256: string;
}

/** A picture that is left out. */
export interface RejectedPicture {
  /** Which rule it breaks. */
  rejected: "corrupt" | "too small" | "too large";
  /** What was found and what was expected. */
  reason: string;
}

/** What is let through, in pixels. */
export interface CleanOptions {
  /** Shortest side. @default 50 */
  minSide?: number;
  /** Width × height. Bounds memory: 3 bytes a pixel. @default 50_000_000 */
  maxPixels?: number;
}

/** Formats of photographs; sharp would draw SVG, which is markup, as well. */
const FORMATS = ["jpeg", "png", "gif", "webp", "heif", "tiff"];

/**
 * Decodes a picture fully and converts it.
 *
 * Transparency is laid on white; of an animation the first frame is taken.
 *
 * @param image A file's path, or the file's bytes.
 * @returns The picture, or why it is left out. A bad picture throws nothing.
 */
export async function cleanPicture(
  image: string | Uint8Array,
  { minSide = 50, maxPixels = 50_000_000 }: CleanOptions = {},
): Promise<CleanPicture | RejectedPicture> {
  // The decoder's own messages get lost where several decode at once.
  let reason = "not a JPEG, PNG, GIF, WebP, AVIF or TIFF file";
  try {
    // Sizes are checked below, from the header, before anything is decoded.
    const decoder = sharp(image, {
      failOn: "truncated",
      limitInputPixels: false,
    });
    const { format, width, height } = await decoder.metadata();
    if (!FORMATS.includes(format)) return reject("corrupt", reason);
    const size = `${width} × ${height} pixels`;
    if (Math.min(width, height) < minSide) {
      return reject("too small", `${size}, expected ${minSide} or more a side`);
    }
    if (width * height > maxPixels) {
      return reject(
        "too large",
        `${size}, expected ${maxPixels} or fewer in all`,
      );
    }
    reason = "cannot be decoded to its end";
    const { data, info } = await decoder
      .autoOrient()
      .flatten({ background: "#ffffff" })
      // Over the sample 50 dB from the original at the same file size; with
      // sharp's default, half the resolution for colour, 42 dB.
      .jpeg({ quality: 92, chromaSubsampling: "4:4:4" })
      .toBuffer({ resolveWithObject: true });
    const sha256 = createHash("sha256").update(data).digest("hex");
    return { jpeg: data, width: info.width, height: info.height, sha256 };
  } catch {
    return reject("corrupt", reason);
  }
}

function reject(
  rejected: RejectedPicture["rejected"],
  reason: string,
): RejectedPicture {
  return { rejected, reason };
}
