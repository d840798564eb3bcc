/**
 * What a picture's file tells of itself.
 *
 * Touches no files.
 *
 * ```ts
 * import { NO_FACTS } from "#lib/pictures/photo_facts.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(NO_FACTS.date, "");
 * ```
 *
 * @module
 */

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
