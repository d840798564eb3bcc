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
 * stage accepts is not refused by the next. Beside this file: folder.ts lists a
 * folder's pictures; square.ts makes a model's input, by the exact resize.as.ts;
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
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import sharp, {
  type JpegOptions,
  type PngOptions,
  type ResizeOptions,
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

/** Whether a file begins as a picture, whatever it is called. */
export function isPicture(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 32)).toString("latin1");
  return PICTURE_START.test(start);
}

/** Whether a file is called as pictures are; `isPicture` knows for certain. */
export function hasPictureName(name: string): boolean {
  return /\.(jpe?g|jfif|png|webp|gif|avif|tiff?)$/i.test(name);
}

/** In a word, what is wrong, for those who treat one thing differently. */
export type PictureFault = "gone" | "no picture" | "too large" | "damaged";

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

/** How large a picture is wanted, in pixels. Only `square` changes its shape. */
export type PictureSize =
  /** The longer side, or less where the picture is smaller. */
  | { longest: number }
  /** The shorter side, or less where the picture is smaller. */
  | { shortest: number }
  /** Both sides, squeezed or stretched. */
  | { square: number };

/** A picture as it was asked for. */
export interface PictureData {
  /** Its pixels or its file. */
  data: Uint8Array;
  /** Pixels of a row. */
  width: number;
  /** Rows. */
  height: number;
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
 * A picture as a new file, without the camera's data.
 *
 * @param size Its own if left out, but for sides too long for any JPEG.
 * @throws {PictureError} If there is no whole picture.
 */
export async function encodePicture(
  image: ImageSource,
  { format, ...options }: Encoding,
  size: PictureSize = { longest: 65_500 },
): Promise<PictureData> {
  const bytes = typeof image === "string" ? await read(image) : image;
  // Before the decoder has a look: an SVG would have it read other files.
  if (!isPicture(bytes)) throw notAPicture(image);
  const limits = { failOn: "error", limitInputPixels: MAX_PIXELS } as const;
  const picture = sharp(bytes, limits)
    .autoOrient()
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb");
  for (const [fit, side] of Object.entries(size)) {
    picture.resize(side, side, FIT[fit as keyof typeof FIT]);
  }
  try {
    const { data, info } = await picture.toFormat(format, options)
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch {
    throw await explain(image, bytes);
  }
}

async function read(path: string): Promise<Uint8Array> {
  return await readFile(path).catch(({ code }) => {
    const reason = code === "ENOENT"
      ? "file not found"
      : `cannot read: ${code}`;
    throw new PictureError(path, "gone", reason);
  });
}

/**
 * Why a picture was not decoded, in words of our own: where several decode at
 * once, the decoder's can be about another file. Only now, since a look at the
 * header of each would take a tenth of the time that it takes to decode.
 */
async function explain(image: ImageSource, bytes: Uint8Array) {
  const header = await sharp(bytes, { limitInputPixels: false }).metadata()
    .catch(() => undefined);
  if (!header) return notAPicture(image);
  const { width, height } = header.autoOrient;
  if (width * height <= MAX_PIXELS) {
    return new PictureError(image, "damaged", "cannot be decoded to its end");
  }
  const size = `${width} × ${height} pixels`;
  const reason = `${size}, expected ${MAX_PIXELS} or fewer in all`;
  return new PictureError(image, "too large", reason);
}

function notAPicture(image: ImageSource): PictureError {
  const reason = `not a ${PICTURE_FORMATS} file`;
  return new PictureError(image, "no picture", reason);
}
