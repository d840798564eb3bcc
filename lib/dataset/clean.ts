/**
 * Turns a file that claims to be a picture into one that later stages can rely
 * on: decodable to the last row, not too small, upright, 8-bit sRGB, JPEG.
 *
 * Sizes are pixels. Camera data (place, time, device) does not survive.
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
import {
  hashPixels,
  MAX_HASHED_SIDE,
  perceptualHash,
} from "./perceptual_hash.ts";
import {
  encodePicture,
  type Encoding,
  type ImageSource,
  PictureError,
} from "../pictures/pictures.ts";

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
  /** What `perceptualHash` gives, where it is wanted. */
  hash?: Uint32Array;
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
  /** Shortest side, of what is left after shrinking. @default 50 */
  minSide?: number;
  /** Longer side, to which a larger picture is shrunk. @default its own */
  maxSide?: number;
  /** Whether the perceptual hash is wanted. @default false */
  hash?: boolean;
}

/**
 * Over the sample 50 dB from the original at the same file size; with sharp's
 * default, half the resolution for colour, 42 dB.
 */
const JPEG: Encoding = {
  format: "jpeg",
  quality: 92,
  chromaSubsampling: "4:4:4",
};

/**
 * Decodes a picture fully and converts it.
 *
 * @returns The picture, or why it is left out. A bad picture throws nothing.
 */
export async function cleanPicture(
  image: ImageSource,
  { minSide = 50, maxSide, hash: isHashed = false }: CleanOptions = {},
): Promise<CleanPicture | RejectedPicture> {
  try {
    const { data: jpeg, width, height, pixels } = await encodePicture(
      image,
      JPEG,
      maxSide ? { longest: maxSide } : undefined,
      isHashed ? MAX_HASHED_SIDE : 0,
    );
    if (Math.min(width, height) < minSide) {
      const reason =
        `${width} × ${height} pixels, expected ${minSide} or more a side`;
      return { rejected: "too small", reason };
    }
    const sha256 = createHash("sha256").update(jpeg).digest("hex");
    const picture = { jpeg, width, height, sha256 };
    if (!isHashed) return picture;
    const hash = pixels
      ? hashPixels({ data: pixels, width, height })
      : await perceptualHash(jpeg);
    return { ...picture, hash };
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    const { fault, reason } = error;
    return { rejected: fault === "too large" ? fault : "corrupt", reason };
  }
}
