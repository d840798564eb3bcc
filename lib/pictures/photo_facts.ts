/**
 * What a picture's file tells of itself: its size, and from the camera's notes
 * (EXIF) when, with what and where it was taken. No pixel is decoded: a few
 * tenths of a millisecond a picture.
 *
 * The notes are a stranger's text: control characters go, lengths are bounded,
 * and what cannot be true says nothing. A clock that was never set writes
 * "0000:00:00"; the first photograph is of 1826.
 *
 * Reads files, writes none.
 *
 * ```ts
 * import { photoFacts } from "#lib/pictures/photo_facts.ts";
 * import { deepEqual } from "node:assert/strict";
 * import sharp from "sharp";
 *
 * const create = { width: 60, height: 40, channels: 3, background: "red" } as const;
 * const IFD0 = { Make: "Canon", Model: "Canon EOS 5D" };
 * const photo = await sharp({ create }).withExif({ IFD0 }).jpeg().toBuffer();
 * const { width, height, camera } = await photoFacts(photo);
 * deepEqual([width, height, camera], [60, 40, "Canon EOS 5D"]);
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { open } from "node:fs/promises";
import readExif from "exif-reader";
import { readRegularFile } from "../files.ts";
import { openSharp } from "./decoder.ts";
import { isPicture, START_BYTES, trimStart } from "./formats.ts";
import type { ImageSource } from "./pictures.ts";

/** What a picture's file tells of itself: "" and 0 say nothing. */
export interface PhotoFacts {
  /** Pixels, as shown: turned as EXIF says. */
  width: number;
  height: number;
  /** Size of the file. */
  bytes: number;
  /** When it was taken, by the clock on the wall there: "2019-06-01T12:00:00". */
  date: string;
  /** Where the date is from; "file" is the time of the file's last change. */
  dateFrom: "EXIF" | "file" | "";
  /** "Canon EOS 5D". */
  camera: string;
  /** "EF50mm f/1.8 STM". */
  lens: string;
  /** "1/250 s, f/2.8, ISO 400, 50 mm". */
  exposure: string;
  /** Degrees, north and east positive. */
  place?: { latitude: number; longitude: number };
}

/** Of a picture of which nothing is known. */
export const NO_FACTS: PhotoFacts = {
  ...{ width: 0, height: 0, bytes: 0, date: "", dateFrom: "" },
  ...{ camera: "", lens: "", exposure: "" },
};

/** Longest name of a camera or a lens. */
const LONGEST_NAME = 80;

/**
 * What the bytes of a picture tell, without the size and the time of its file;
 * what is damaged or no picture tells nothing.
 */
export async function photoFacts(image: ImageSource): Promise<PhotoFacts> {
  try {
    const input = await inputOf(image);
    if (input === undefined) return NO_FACTS;
    const sharp = await openSharp();
    const { autoOrient, exif } = await sharp(input).metadata();
    return { ...NO_FACTS, ...autoOrient, ...notesOf(exif) };
  } catch {
    return NO_FACTS; // Why it cannot be decoded, whoever decodes it says.
  }
}

/**
 * Facts that belong to a file, whatever it holds: its size, and its time where
 * the camera noted none.
 *
 * @param modifiedMs Milliseconds since 1970.
 */
export function withFile(
  facts: PhotoFacts,
  bytes: number,
  modifiedMs: number,
): PhotoFacts {
  if (facts.date !== "") return { ...facts, bytes };
  const zone = new Date(modifiedMs).getTimezoneOffset() * 60_000;
  const date = dateText(new Date(modifiedMs - zone));
  return { ...facts, bytes, date, dateFrom: date && "file" };
}

/** What sharp may open: never an SVG, which would have it read other files. */
async function inputOf(image: ImageSource): Promise<ImageSource | undefined> {
  if (typeof image !== "string") {
    return isPicture(image) ? trimStart(image) : undefined;
  }
  const start = new Uint8Array(START_BYTES);
  const file = await open(image);
  try {
    await file.read(start, 0, START_BYTES, 0);
  } finally {
    await file.close();
  }
  if (!isPicture(start)) return undefined;
  const hasEmptyStart = trimStart(start).length < START_BYTES;
  return hasEmptyStart ? trimStart(await readRegularFile(image)) : image;
}

/** What the camera noted; what it did not, or cannot be true, is left out. */
function notesOf(exif: Buffer | undefined): Partial<PhotoFacts> {
  if (exif === undefined) return {};
  let tags;
  try {
    tags = readExif(exif);
  } catch {
    return {};
  }
  const { Image: image, Photo: photo, GPSInfo: gps } = tags;
  const date = [photo?.DateTimeOriginal, photo?.DateTimeDigitized]
    .map((one) => noted(one, exif)).find(Boolean) ?? "";
  const place = placeOf(gps);
  return {
    ...(date && { date, dateFrom: "EXIF" }),
    camera: cameraOf(oneLine(image?.Make), oneLine(image?.Model)),
    lens: oneLine(photo?.LensModel),
    exposure: exposureOf(photo),
    ...(place && { place }),
  };
}

/** A date that stands in the notes as it was read: the 31st of June does not. */
function noted(date: unknown, exif: Buffer): string {
  const text = date instanceof Date ? dateText(date) : "";
  const [day, time] = text.split("T");
  const written = `${day.replaceAll("-", ":")} ${time}`;
  return exif.includes(written, 0, "latin1") ? text : "";
}

/** A date as text, as its UTC has it; "" before photography and in the future. */
function dateText(date: Date): string {
  const ms = date.getTime();
  const isPossible = ms >= Date.UTC(1826) && ms <= Date.now() + A_DAY;
  return isPossible ? date.toISOString().slice(0, 19) : "";
}

/** No clock on a wall is farther ahead of ours. */
const A_DAY = 86_400_000;

/** "Canon" and "Canon EOS 5D" are "Canon EOS 5D"; "NIKON CORPORATION" and "NIKON D90" are "NIKON D90". */
function cameraOf(make: string, model: string): string {
  const [brand] = make.split(" ");
  const isSaid = model.toLowerCase().startsWith(brand.toLowerCase());
  return (isSaid ? model : `${make} ${model}`).trim().slice(0, LONGEST_NAME);
}

function exposureOf(photo: readExif.Exif["Photo"]): string {
  const seconds = positive(photo?.ExposureTime);
  const stop = positive(photo?.FNumber);
  const speed = positive([photo?.ISOSpeedRatings].flat()[0]);
  const length = positive(photo?.FocalLength);
  const time = seconds >= 0.3 ? rounded(seconds) : `1/${rounded(1 / seconds)}`;
  return [
    seconds && `${time} s`,
    stop && `f/${rounded(stop)}`,
    speed && `ISO ${speed}`,
    length && `${rounded(length)} mm`,
  ].filter(Boolean).join(", ");
}

/** One digit behind the point where the number is small. */
function rounded(value: number): string {
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)}`;
}

/** 0 for what is no number, or none that a camera has. */
function positive(value: unknown): number {
  const isOne = typeof value === "number" && value > 1e-6 && value < 1e7;
  return isOne ? value : 0;
}

function placeOf(gps: readExif.Exif["GPSInfo"]): PhotoFacts["place"] {
  const latitude = degrees(gps?.GPSLatitude, gps?.GPSLatitudeRef, "S", 90);
  const longitude = degrees(gps?.GPSLongitude, gps?.GPSLongitudeRef, "W", 180);
  // Where both are 0, in the sea off Africa, a phone had no signal.
  const isPlace = latitude !== undefined && longitude !== undefined &&
    (latitude !== 0 || longitude !== 0);
  return isPlace ? { latitude, longitude } : undefined;
}

function degrees(
  parts: unknown,
  side: unknown,
  negative: string,
  most: number,
): number | undefined {
  if (!Array.isArray(parts)) return undefined;
  const [whole, minutes = 0, seconds = 0] = parts;
  const value = whole + minutes / 60 + seconds / 3600;
  if (!(value >= 0 && value <= most)) return undefined;
  return Number((side === negative ? -value : value).toFixed(6));
}

/** A text of the notes in one line, of bounded length. */
function oneLine(text: unknown): string {
  const written = Buffer.isBuffer(text) ? text.toString("utf8") : text;
  if (typeof written !== "string") return "";
  return written.replaceAll(/[\p{C}\p{Z}]+/gu, " ").trim()
    .slice(0, LONGEST_NAME);
}
