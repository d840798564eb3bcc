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

/** One sample picture, which is nowhere on the web. */
export interface SamplePicture extends Picture {
  /** The stamp that it was made from, below the package's stamps folder. */
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
 */
export async function readSample(): Promise<SamplePicture[]> {
  type Entry = Pick<SamplePicture, "caption" | "author" | "license" | "source">;
  const captions: Record<string, Entry> = JSON.parse(
    await readFile(join(paths.sample, "captions.json"), "utf8"),
  );
  return Object.keys(captions).sort().map((path) => {
    const [category, term] = path.split("/");
    return { path, category, term, url: "", page: "", ...captions[path] };
  });
}
