/**
 * The sample pictures that come with the project.
 *
 * ```text
 * data/sample/
 *   <category>/<term>/<name>.jpg   longest side at most 256 pixels
 *   captions.json                  caption, author, licence and source of each
 *   LICENSE  make.ts               their licence, and how they were made
 * ```
 *
 * Category and term are written as one would type them, blanks and all:
 * "animals/water bird/flamingo.jpg".
 *
 * Reads captions.json, no picture.
 *
 * ```ts
 * import { readSample } from "#lib/photo_site/sample.ts";
 * import { ok } from "node:assert/strict";
 *
 * const pictures = await readSample();
 * ok(pictures.some(({ term }) => term === "water bird"));
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../paths.ts";
import type { FoundPicture } from "../records.ts";

/** One sample picture, as the offline photo site shows and credits it. */
export interface SamplePicture extends Omit<FoundPicture, "url" | "page"> {
  /** File name without its ending, unique within the term: "king-penguin". */
  name: string;
  /** The picture file's absolute path. */
  path: string;
  /** The stamp that it was made from, below the package's stamps folder. */
  source: string;
}

/** What captions.json says about the picture at one path. */
type Entry = Pick<SamplePicture, "caption" | "author" | "license" | "source">;

/**
 * Reads the sample's records.
 *
 * @returns All pictures, sorted by category, term and name.
 */
export async function readSample(): Promise<SamplePicture[]> {
  const captions: Record<string, Entry> = JSON.parse(
    await readFile(join(paths.sample, "captions.json"), "utf8"),
  );
  return Object.keys(captions).sort().map((key) => {
    const [category, term, file] = key.split("/");
    return {
      category,
      term,
      name: file.replace(/\.jpg$/, ""),
      path: join(paths.sample, category, term, file),
      ...captions[key],
    };
  });
}
