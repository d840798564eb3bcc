/**
 * The sample pictures that come with the project.
 *
 * ```text
 * data/sample/
 *   <category>/<term>/<name>.jpg   longest side at most 320 pixels
 *   captions.json                  captions, author, licence, source of each
 *   LICENSE                        their licences
 *   make.ts  rcc.ts                how they were made
 * ```
 *
 * Category and term are written as one would type them, blanks and all:
 * "animals/water bird/flamingo.jpg".
 *
 * Reads captions.json, no picture.
 *
 * ```ts
 * import { readSample, samplePath } from "#lib/photo_site/sample.ts";
 * import { ok } from "node:assert/strict";
 * import { existsSync } from "node:fs";
 *
 * const pictures = await readSample();
 * const bird = pictures.find(({ term }) => term === "water bird")!;
 * ok(existsSync(samplePath(bird)));
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../paths.ts";
import type { Picture } from "../records.ts";

/** One sample picture, served by nobody but the photo site. */
export interface SamplePicture extends Picture {
  /** Two sentences about it, of which `caption` is the first. */
  captions: [string, string];
  /** The file that it was made from: a stamp (.png) or a photograph (.webp). */
  source: string;
}

/** A sample picture's absolute path. */
export function samplePath(picture: Pick<Picture, "path">): string {
  return join(paths.sample, picture.path);
}

/**
 * Reads the sample's records.
 *
 * @returns All pictures, sorted by category, term and name.
 * @throws {Error} If there is no sample, as beside the npm package: says where
 *   it is.
 */
export async function readSample(): Promise<SamplePicture[]> {
  type Entry = Pick<
    SamplePicture,
    "captions" | "author" | "license" | "source"
  >;
  const file = join(paths.sample, "captions.json");
  const text = await readFile(file, "utf8").catch((error) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(
      `${file} not found: the sample comes with the course's folder; set CONTACT_SHEET_DATA to its data folder`,
    );
  });
  const entries: Record<string, Entry & { page?: string }> = JSON.parse(text);
  return Object.entries(entries).map(([path, entry]) => {
    const [category, term] = path.split("/");
    const [caption] = entry.captions;
    return { path, category, term, url: "", page: "", caption, ...entry };
  }).sort((a, b) => a.path < b.path ? -1 : 1);
}
