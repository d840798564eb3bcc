/**
 * The one door to pictures: which files are some, and how they are decoded,
 * whoever asks: cleaning, encoders, pixels, thumbnails, uploads, terminal.
 *
 * ```text
 * accepted      JPEG, PNG, GIF, WebP, AVIF, TIFF, by their first bytes; SVG and
 *               all other markup is a program, and refused
 * how large     at most 150 megapixels
 * how whole     to the last row; what viewers pass over, as a stray byte
 *               between two rows, is passed over
 * shown         the first frame, turned as EXIF says, transparency on white
 * colours       converted from the picture's own profile to sRGB, 8 bits each
 * ```
 *
 * So a caller says what size it wants, and nothing else; and a picture that one
 * stage accepts is not refused by the next. Beside this file: formats.ts knows
 * files by their first bytes; whole.ts tells whether rows are missing;
 * bit_depth.ts brings 12 bits and floats to 8; folder.ts lists a folder's
 * pictures; square.ts makes a model's input, by the exact resize.as.ts;
 * kernels.ts opens that, and the other kernels.
 *
 * Reads files, writes none.
 *
 * ```ts
 * import { decodePicture } from "#lib/pictures/pictures.ts";
 * import { deepEqual, rejects } from "node:assert/strict";
 * import sharp from "sharp";
 *
 * const red = await sharp({
 *   create: { width: 60, height: 40, channels: 3, background: "#ff0000" },
 * }).png().toBuffer();
 * const { data, width, height } = await decodePicture(red, { longest: 3 });
 * deepEqual([width, height, ...data.subarray(0, 3)], [3, 2, 255, 0, 0]);
 * await rejects(decodePicture("a.jpg", { longest: 3 }), /a\.jpg .* not found/);
 * ```
 *
 * @module
 */
import type {
  JpegOptions,
  PngOptions,
  ResizeOptions,
  Sharp,
  WebpOptions,
} from "sharp";
import { readRegularFile } from "../files.ts";
import { scaledPicture } from "./bit_depth.ts";
import { isPicture, trimStart, whyNoPicture } from "./formats.ts";
import { decodeWhole, Fault, type Open } from "./whole.ts";

/** A picture: the path of its file, or the file's bytes. */
export type ImageSource = string | Uint8Array;

/** In a word, what is wrong, for those who treat one thing differently. */
export type PictureFault = "gone" | "no picture" | Fault["fault"];

/** A picture that cannot be decoded; the message names its file. */
export class PictureError extends Error {
  /** Of which kind. */
  readonly fault: PictureFault;
  /** In one line that names no file, so that it can be shown and committed. */
  readonly reason: string;

  /** Puts both into the message. */
  constructor(image: ImageSource, fault: PictureFault, reason: string) {
    const name = typeof image === "string" ? image : "a picture";
    super(`${name} cannot be decoded: ${reason}`);
    this.fault = fault;
    this.reason = reason;
  }
}

/** Why a picture is left out, in one line beside which its name stands. */
export function whyLeftOut(error: Error): string {
  return error instanceof PictureError ? error.reason : error.message;
}

/** How large a picture is wanted, in pixels. */
export type PictureSize =
  /** The longer side, or less where the picture is smaller. */
  | { longest: number }
  /** The shorter side, or less where the picture is smaller. */
  | { shortest: number }
  /** Both sides, squeezed or stretched. */
  | { square: number }
  /** Both sides of the square in its middle, or less where the picture is smaller. */
  | { middle: number }
  /** All its pixels, or fewer where the picture has fewer. */
  | { pixels: number };

/** A picture as it was asked for. */
export interface PictureData {
  /** Its pixels or its file. */
  data: Uint8Array;
  /** Pixels of a row. */
  width: number;
  /** Rows. */
  height: number;
}

/** A picture as a new file. */
export interface EncodedPicture extends PictureData {
  /** The pixels that it was made of, where they were asked for. */
  pixels?: Uint8Array;
}

/** How a picture is written, in the words of sharp. */
export type Encoding =
  & { format: "jpeg" | "webp" | "png" | "raw" }
  & (JpegOptions & WebpOptions & PngOptions);

/**
 * A picture's pixels.
 *
 * @returns Red, green and blue, 0 to 255, row by row from the top left.
 * @throws {PictureError} If there is no whole picture.
 */
export async function decodePicture(
  image: ImageSource,
  size: PictureSize,
): Promise<PictureData> {
  return await encodePicture(image, { format: "raw" }, size);
}

const FIT = {
  longest: { fit: "inside", withoutEnlargement: true },
  shortest: { fit: "outside", withoutEnlargement: true, kernel: "cubic" },
  square: { fit: "fill" },
} as const satisfies Record<string, ResizeOptions>;

/**
 * A JPEG whose codes are made for it is 5 % smaller, and held as a whole until
 * they are: of 12 megapixels, 160 MB. Of files above this, in bytes, it is not.
 */
const LARGE_FILE = 1_000_000;

/** Longest side of a JPEG. */
const LONGEST_SIDE = 65_500;

/**
 * A picture as a new file, without the camera's data.
 *
 * @param size Its own if left out, but for sides too long for any JPEG.
 * @param withPixels Longest side of a picture whose pixels are wanted too: of the
 *   same decoding, and held as a whole. @default none is
 * @throws {PictureError} If there is no whole picture.
 */
export async function encodePicture(
  image: ImageSource,
  { format, ...encoding }: Encoding,
  size: PictureSize = { longest: LONGEST_SIDE },
  withPixels = 0,
): Promise<EncodedPicture> {
  const file = typeof image === "string" ? await read(image) : image;
  // Before the decoder has a look: an SVG would have it read other files.
  if (!isPicture(file)) {
    throw new PictureError(image, "no picture", whyNoPicture(file));
  }
  const bytes = trimStart(file);
  encoding.optimiseCoding ??= bytes.length < LARGE_FILE;
  const result = await decodeWhole(bytes, async (open) => {
    const scaled = await scaledPicture(bytes, open);
    const picture = (scaled ?? open().autoOrient())
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb");
    picture.resize(await resizing(size, open));
    const toBuffer = async (one: Sharp) => {
      const made = await one.toBuffer({ resolveWithObject: true });
      const { data, info: { width, height } } = made;
      return { data, width, height };
    };
    if (!await isWithin(withPixels, size, open)) {
      return await toBuffer(picture.toFormat(format, encoding));
    }
    const { data: pixels, ...sides } = await toBuffer(picture.raw());
    const again = open(pixels, { raw: { ...sides, channels: 3 } });
    return { ...await toBuffer(again.toFormat(format, encoding)), pixels };
  });
  if (!(result instanceof Fault)) return result;
  throw new PictureError(image, result.fault, result.reason);
}

/** Whether a picture comes out with sides no longer than these. */
async function isWithin(
  most: number,
  size: PictureSize,
  open: Open,
): Promise<boolean> {
  if (most === 0) return false;
  if ("longest" in size && size.longest <= most) return true;
  const { width, height } = await open().metadata();
  return Math.max(width, height) <= most;
}

/** What the decoder is told of a size. */
async function resizing(size: PictureSize, open: Open): Promise<ResizeOptions> {
  if (!("middle" in size || "pixels" in size)) {
    const [[fit, side]] = Object.entries(size);
    return { width: side, height: side, ...FIT[fit as keyof typeof FIT] };
  }
  const { width, height } = (await open().metadata()).autoOrient;
  if ("middle" in size) {
    const side = Math.min(size.middle, width, height);
    return { width: side, height: side, fit: "cover" };
  }
  const scale = Math.min(
    1,
    Math.sqrt(size.pixels / (width * height)),
    LONGEST_SIDE / Math.max(width, height),
  );
  const scaled = (side: number) => Math.max(1, Math.round(scale * side));
  return { width: scaled(width), height: scaled(height), fit: "fill" };
}

async function read(path: string): Promise<Uint8Array> {
  return await readRegularFile(path).catch(({ code }) => {
    const reason = code === "ENOENT"
      ? "file not found"
      : `cannot read: ${code}`;
    throw new PictureError(path, "gone", reason);
  });
}
