/**
 * What is known of a folder's pictures from files that lie beside them.
 *
 * | file | from |
 * | --- | --- |
 * | captions.json, captions.jsonl | this project, people |
 * | metadata.jsonl, metadata.csv, in any folder | Hugging Face's image folders |
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

/** What names pictures from where it lies itself. */
const METADATA = ["metadata.jsonl", "metadata.csv"];

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
  ].map((name) => ({ name, folder: "" }));
  for (const folder of foldersOf(found)) {
    files.push(...METADATA.map((name) => ({ name, folder })));
  }
  for (const { name, folder } of files) {
    const file = join(root, folder, name);
    if (!isRegularFile(file)) continue;
    try {
      const { pictures, problems: odd } = await readCaptions(file);
      problems.push(...odd);
      const named = folder
        ? pictures.map((one) => ({ ...one, path: `${folder}/${one.path}` }))
        : pictures;
      const missing: string[] = [];
      fileOfEach(root, found, named).forEach((path, i) => {
        if (path === undefined) missing.push(named[i].path);
        else captioned.set(path, merge(captioned.get(path), named[i]));
      });
      if (missing.length > 0 && METADATA.includes(name)) {
        problems.push(`${file}: ${inAll(missing)}`);
      }
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return { captioned, problems };
}

/** Folders with pictures in or below them, from the outer ones inwards. */
function foldersOf(found: readonly string[]): string[] {
  const folders = new Set<string>([""]);
  for (const path of found) {
    const parts = path.split("/").slice(0, -1);
    parts.forEach((_, i) => folders.add(parts.slice(0, i + 1).join("/")));
  }
  return [...folders].sort();
}

/** What both say; where both say something, the later one counts. */
function merge(
  before: CaptionedPicture | undefined,
  after: CaptionedPicture,
): CaptionedPicture {
  const said = Object.entries(after).filter(([, value]) => value.length > 0);
  return { ...(before ?? after), ...Object.fromEntries(said) };
}

function inAll(missing: readonly string[]): string {
  const some = missing.slice(0, 3).join(", ");
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
  return missing.length === 1
    ? `${some} is no picture that is there`
    : `${some}${more} are no pictures that are there`;
}
