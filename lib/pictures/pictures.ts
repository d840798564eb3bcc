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
 * stage accepts is not refused by the next. Beside this file: square.ts, a
 * picture as a model takes it, by the exact resize.ts; folder.ts lists a folder.
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
 * await rejects(decodePicture("a.jpg"), /a\.jpg cannot be decoded: file not found/);
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import sharp, {
  type JpegOptions,
  type PngOptions,
  type ResizeOptions,
  type Sharp,
  type WebpOptions,
} from "sharp";

/** A picture: the path of its file, or the file's bytes. */
export type ImageSource = string | Uint8Array;

/** Most pixels that are decoded: more than any phone's camera takes. */
export const MAX_PIXELS = 150_000_000;

/** The formats that are decoded, for messages. */
export const PICTURE_FORMATS = "JPEG, PNG, GIF, WebP, AVIF or TIFF";

/** First bytes, as Latin-1; AVIF may name itself second, after "mif1". */
const PICTURE_START =
  /^(\xff\xd8\xff|\x89PNG\r\n|GIF8|RIFF....WEBP|....ftyp(.{4})*?avi[fs]|II[*+]\0|MM\0[*+])/s;

/** The same formats by the ends of their names. */
const PICTURE_NAME = /\.(jpe?g|jfif|png|webp|gif|avif|tiff?)$/i;

/** Whether a file begins as a picture, whatever it is called. */
export function isPicture(bytes: Uint8Array): boolean {
  return PICTURE_START.test(Buffer.from(bytes).toString("latin1", 0, 32));
}

/** Whether a file is called as pictures are; `isPicture` knows for certain. */
export function hasPictureName(name: string): boolean {
  return PICTURE_NAME.test(name);
}

/** Why there is no picture. */
export type PictureFault =
  | "not found"
  | "not a picture"
  | "too large"
  | "damaged";

/** A picture that cannot be decoded; the message names its file. */
export class PictureError extends Error {
  /** In a word, for those who treat them differently. */
  readonly fault: PictureFault;
  /** In a sentence of one line that names no file. */
  readonly reason: string;

  /** Puts what a reader needs into one line. */
  constructor(
    image: ImageSource,
    fault: PictureFault,
    reason: string,
    options?: ErrorOptions,
  ) {
    const name = typeof image === "string" ? image : "a picture";
    super(`${name} cannot be decoded: ${reason}`, options);
    this.fault = fault;
    this.reason = reason;
  }
}

/** How large a picture is wanted, in pixels; its shape is kept but for `square`. */
export type PictureSize =
  /** The longer side, or less where the picture is smaller. */
  | { longest: number }
  /** The shorter side, or less where the picture is smaller. */
  | { shortest: number }
  /** Both sides: squeezed or stretched. */
  | { square: number };

/** A picture's pixels. */
export interface Pixels {
  /** Red, green and blue, 0 to 255, row by row from the top left. */
  data: Uint8Array;
  /** Pixels of a row. */
  width: number;
  /** Rows. */
  height: number;
}

/** How a picture is written, in the words of sharp. */
export type Encoding =
  | { format: "jpeg" } & JpegOptions
  | { format: "webp" } & WebpOptions
  | { format: "png" } & PngOptions;

/**
 * A picture's pixels, in its own size if none is given.
 *
 * @throws {PictureError} If there is no whole picture.
 */
export async function decodePicture(
  image: ImageSource,
  size?: PictureSize,
): Promise<Pixels> {
  return await run(image, size, (picture) => picture.raw());
}

/**
 * A picture as a new file, upright and without the camera's data.
 *
 * @returns The file's bytes, and its size in pixels.
 * @throws {PictureError} If there is no whole picture.
 */
export async function encodePicture(
  image: ImageSource,
  { format, ...options }: Encoding,
  size?: PictureSize,
): Promise<Pixels> {
  return await run(image, size, (picture) => picture.toFormat(format, options));
}

/**
 * A picture's size as it is shown, from its header alone.
 *
 * @throws {PictureError} If there is no picture, or a larger one than is decoded.
 */
export async function measurePicture(
  image: ImageSource,
): Promise<{ width: number; height: number }> {
  return await measure(image, await readPicture(image));
}

async function run(
  image: ImageSource,
  size: PictureSize | undefined,
  output: (picture: Sharp) => Sharp,
): Promise<Pixels> {
  const bytes = await readPicture(image);
  const picture = sharp(bytes, {
    failOn: "error",
    limitInputPixels: MAX_PIXELS,
  })
    .autoOrient()
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb");
  if (size) picture.resize(resizing(size));
  try {
    const { data, info } = await output(picture)
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch (cause) {
    // The decoder's own words are of no use: where several decode at once, they
    // can be about another file. Nor is a look at each header first, which
    // takes as long as a tenth of the decoding.
    await measure(image, bytes);
    const reason = "cannot be decoded to its end";
    throw new PictureError(image, "damaged", reason, { cause });
  }
}

async function measure(image: ImageSource, bytes: Uint8Array) {
  try {
    const header = sharp(bytes, { failOn: "error", limitInputPixels: false });
    const { width, height } = (await header.metadata()).autoOrient;
    if (width * height <= MAX_PIXELS) return { width, height };
    throw new PictureError(
      image,
      "too large",
      `${width} × ${height} pixels, expected ${MAX_PIXELS} or fewer in all`,
    );
  } catch (error) {
    throw error instanceof PictureError ? error : notAPicture(image);
  }
}

/** The bytes of a file that begins as a picture. */
async function readPicture(image: ImageSource): Promise<Uint8Array> {
  const bytes = typeof image === "string" ? await read(image) : image;
  // Before the decoder has a look: to an SVG that would be one at its links.
  if (!isPicture(bytes)) throw notAPicture(image);
  return bytes;
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === "ENOENT"
      ? "file not found"
      : `cannot read: ${code}`;
    throw new PictureError(path, "not found", reason, { cause });
  }
}

function notAPicture(image: ImageSource): PictureError {
  const reason = `not a ${PICTURE_FORMATS} file`;
  return new PictureError(image, "not a picture", reason);
}

function resizing(size: PictureSize): ResizeOptions {
  if ("square" in size) {
    return { width: size.square, height: size.square, fit: "fill" };
  }
  const side = "longest" in size ? size.longest : size.shortest;
  return {
    width: side,
    height: side,
    withoutEnlargement: true,
    ..."longest" in size
      ? { fit: "inside" }
      : { fit: "outside", kernel: "cubic" },
  };
}
