/**
 * What is known of a folder's pictures from files that lie beside them.
 *
 * | file | from |
 * | --- | --- |
 * | captions.json, captions.jsonl | this project, people |
 * | metadata.jsonl, also in train/ and test/ | Hugging Face's image folders |
 * | annotations/captions_*.json | COCO |
 * | dataset_flickr30k.json, results_20130124.token | Flickr30k |
 *
 * ```ts
 * import { captionsBeside } from "#lib/captions/beside.ts";
 * import { paths } from "#lib/paths.ts";
 * import { ok } from "node:assert/strict";
 *
 * const path = "animals/water bird/flamingo.jpg";
 * const { captioned } = await captionsBeside(paths.sample, [path]);
 * ok(captioned.get(path)!.caption);
 * ```
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isRegularFile } from "../files.ts";
import { type CaptionedPicture, readCaptions } from "./captions.ts";
import { fileOfEach } from "./named_files.ts";

/** Where image folders have their metadata.jsonl. */
const SPLITS = ["", "train", "test"];

/**
 * Reads whichever of these files are there.
 *
 * @param root The folder.
 * @param found Paths of its pictures below it, with "/".
 * @returns What is known, by path, and what is odd in the files, a line each.
 */
export async function captionsBeside(
  root: string,
  found: readonly string[],
): Promise<{ captioned: Map<string, CaptionedPicture>; problems: string[] }> {
  const captioned = new Map<string, CaptionedPicture>();
  const problems: string[] = [];
  const annotations = join(root, "annotations");
  const coco = await readdir(annotations).catch(() => []);
  const files = [
    ...["captions.json", "captions.jsonl", "dataset_flickr30k.json"],
    "results_20130124.token",
    ...coco.filter((name) => /^captions_.*\.json$/.test(name)).sort()
      .map((name) => join("annotations", name)),
    ...SPLITS.map((split) => join(split, "metadata.jsonl")),
  ].map((name) => join(root, name));
  for (const file of files.filter(isRegularFile)) {
    try {
      const { pictures, problems: odd } = await readCaptions(file);
      problems.push(...odd);
      // These alone name pictures from where they lie themselves.
      const split = SPLITS.find((split) =>
        file === join(root, split, "metadata.jsonl")
      );
      const named = split
        ? pictures.map((one) => ({ ...one, path: `${split}/${one.path}` }))
        : pictures;
      fileOfEach(root, found, named).forEach((path, i) => {
        if (path !== undefined) captioned.set(path, named[i]);
      });
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return { captioned, problems };
}
