/**
 * The record of a picture, from the crawl to the data set: each stage adds what
 * it finds out, and none repeats it. Where a picture has a path, the path is its
 * one id. All strings are text from outside, never markup; "" says nothing.
 *
 * ```ts
 * import type { FoundPicture } from "#lib/records.ts";
 * import { equal } from "node:assert/strict";
 *
 * const owl: FoundPicture = { category: "birds", term: "owl", page: "", author: "",
 *   url: "https://example.org/owl.jpg", caption: "A snowy owl", license: "CC0 1.0" };
 * equal(owl.term, "owl");
 * ```
 *
 * @module
 */

/** What is known about a picture: by a crawl, from captions, from its folder. */
export interface FoundPicture {
  /** First level of the search plan, or the folder above the term's: "birds". */
  category: string;
  /** What was searched for, and the picture's class from here on: "owl". */
  term: string;
  /** Address of the picture file. */
  url: string;
  /** Address of the page that shows and credits it. */
  page: string;
  /** What somebody wrote about it. */
  caption: string;
  /** Who made it. */
  author: string;
  /** Under which terms, as the site says. */
  license: string;
  /** Pixels across, as the site says; absent where it does not. */
  width?: number;
  /** Pixels down, as the site says; absent where it does not. */
  height?: number;
}

/** A picture that has a place. */
export interface Picture extends FoundPicture {
  /** Its id: the path below its data set or folder, with "/": "owl/snowy.jpg". */
  path: string;
}

/** One picture of the data set. */
export interface DatasetPicture extends Picture {
  /** Gallery ("train") or query ("test"). */
  split: "train" | "test";
  /** Width in pixels, of the file. */
  width: number;
  /** Height in pixels, of the file. */
  height: number;
  /** SHA-256 of the file's bytes, hexadecimal. */
  sha256: string;
}

/** The records of a data set, read anew at each call: they need not be held. */
export type Records = () =>
  | AsyncIterable<DatasetPicture>
  | Iterable<DatasetPicture>;
