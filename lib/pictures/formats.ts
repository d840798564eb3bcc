/**
 * What a file is, by its first bytes: names and endings are often wrong.
 *
 * ```ts
 * import { formatOf, isPicture } from "#lib/pictures/formats.ts";
 * import { equal } from "node:assert/strict";
 *
 * const file = new TextEncoder().encode("GIF89a…, called owl.jpg");
 * equal(formatOf(file), "GIF");
 * equal(isPicture(file), true);
 * equal(isPicture(new TextEncoder().encode("%PDF-1.7")), false);
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Bytes that tell a file's format; more do no harm. */
export const START_BYTES = 512;

/** The formats that are decoded, for messages. */
export const PICTURE_FORMATS = "JPEG, PNG, GIF, WebP, AVIF or TIFF";

/**
 * Formats that are decoded, with their first bytes as Latin-1. Some sites put
 * an empty line or a null before a picture, which decoders would stumble over.
 */
const DECODED: [name: string, start: RegExp][] = [
  ["JPEG", /^[\0\s]{0,16}\xff\xd8\xff/],
  ["PNG", /^[\0\s]{0,16}\x89PNG\r\n/],
  ["GIF", /^[\0\s]{0,16}GIF8/],
  ["WebP", /^[\0\s]{0,16}RIFF....WEBP/s],
  ["TIFF", /^(II[*+]\0(?!....CR)|MM\0[*+])/s],
  // A film that calls itself so first; a still picture may do so later.
  ["AVIF", /^....ftyp(?!avis)(.{4}){0,16}?avi[fs]/s],
];

/** Pictures in formats that are not decoded. An SVG is a program, and refused. */
const NOT_DECODED: [name: string, start: RegExp][] = [
  ["animated AVIF", /^....ftypavis/s],
  ["HEIC", /^....ftyp(.{4}){0,16}?he[iv][cfimsx]/s],
  ["HEIF", /^....ftyp(mif1|msf1|miaf)/s],
  ["Canon CR3", /^....ftypcrx /s],
  ["JPEG XL", /^(\xff\n|....JXL )/s],
  ["JPEG 2000", /^(\xffO\xffQ|....jP {2})/s],
  ["camera raw", /^(II[*]\0....CR|IIRO|IIU\0|FUJIFILMCCD|\0MRM)/s],
  ["JPEG XR", /^II\xbc/],
  ["BMP", /^BM.{4}\0\0\0\0/s],
  ["icon", /^\0\0[^\0]\0[^\0]\0/],
  ["Photoshop", /^8BPS/],
  ["OpenEXR", /^v\/1\p{Cc}/u],
  ["Radiance HDR", /^#\?RADIANCE/],
  ["Portable Anymap", /^P[1-7]\s+[#\d]/],
  ["QOI", /^qoif/],
  ["DDS", /^DDS /],
  [
    "SVG",
    /^(\xef\xbb\xbf)?\s*<([?!][^>]*>\s*|!--.*?-->\s*)*svg\b|^[^\0]*<svg\b/s,
  ],
];

/** What is no picture, and is met in the place of one. */
const OTHERS: [name: string, start: RegExp][] = [
  ["video", /^(....ftyp|\p{Cc}E\xdf\xa3|RIFF....AVI )/su],
  ["PDF", /^%PDF/],
  ["PostScript", /^%!PS/],
  ["ZIP", /^PK\p{Cc}{2}/u],
  ["gzip", /^\p{Cc}\x8b\p{Cc}/u],
  ["Git LFS pointer", /^version https:\/\/git-lfs/],
  ["HTML", /^(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)/i],
  ["XML", /^(\xef\xbb\xbf)?\s*<\?xml/],
];

const latin1 = (bytes: Uint8Array) =>
  Buffer.from(bytes.subarray(0, START_BYTES)).toString("latin1");

/** A file from where its picture begins. */
export function trimStart(bytes: Uint8Array): Uint8Array {
  const [empty] = /^[\0\s]*(?=\xff\xd8|\x89P|GIF8|RIFF)/.exec(latin1(bytes)) ??
    [""];
  return bytes.subarray(empty.length);
}

/** Whether a file begins as a picture that is decoded, whatever it is called. */
export function isPicture(bytes: Uint8Array): boolean {
  const start = latin1(bytes);
  return DECODED.some(([, begins]) => begins.test(start));
}

/** Whether a file begins as a picture of a format that is not decoded. */
export function isForeignPicture(bytes: Uint8Array): boolean {
  const start = latin1(bytes);
  return NOT_DECODED.some(([, begins]) => begins.test(start));
}

/** The name of a file's format, "HEIC" say; "" if it is none of those known. */
export function formatOf(bytes: Uint8Array): string {
  const start = latin1(bytes);
  const found = [...DECODED, ...NOT_DECODED, ...OTHERS].find(([, begins]) =>
    begins.test(start)
  );
  return found?.[0] ?? "";
}

/** Why a file that is no picture is none, in one line. */
export function whyNoPicture(bytes: Uint8Array): string {
  const expected = `expected a ${PICTURE_FORMATS} file`;
  if (bytes.length === 0) return `an empty file, ${expected}`;
  const format = formatOf(bytes);
  return format === ""
    ? `not a ${PICTURE_FORMATS} file`
    : `${format} is not supported, ${expected}`;
}

/** Whether a file is called as pictures are; `isPicture` knows for certain. */
export function hasPictureName(name: string): boolean {
  return /\.(jpe?g|jpe|jfif|png|webp|gif|avif|tiff?)$/i.test(name);
}
