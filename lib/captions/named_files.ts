/**
 * Which file is meant by the path that captions give a picture. The path as it
 * stands comes first, then what people and programs make of it:
 *
 * | captions | file | why it is the same |
 * | --- | --- | --- |
 * | `Säge.jpg` in one code point a letter (NFC) | `Säge.jpg` in two (NFD) | macOS and archivers write the other form |
 * | `a/Owl.JPG` | `a/owl.jpg` | only where the file system itself takes one for the other |
 * | `val2014/000000391895.jpg` | `000000391895.jpg`, the only one of that name | folders are renamed and left out |
 *
 * Asks the file system whether names are there; reads no file.
 *
 * ```ts
 * import { fileOfEach } from "#lib/captions/named_files.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const files = ["Sa\u0308ge.jpg", "val/owl.jpg"];
 * const named = ["S\u00e4ge.jpg", "owl.jpg", "dog.jpg"].map((path) => ({ path }));
 * deepEqual(fileOfEach("/pictures", files, named), [...files, undefined]);
 * ```
 *
 * @module
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { basename } from "node:path/posix";
import type { Picture } from "../records.ts";

/**
 * The file of each picture; undefined where there is none. Two pictures never
 * share a file: the one that names it more exactly has it.
 *
 * @param folder Holds the files.
 * @param files Their paths below the folder.
 * @param pictures With "/" in their paths.
 */
export function fileOfEach(
  folder: string,
  files: readonly string[],
  pictures: readonly Pick<Picture, "path">[],
): (string | undefined)[] {
  const found: (string | undefined)[] = pictures.map(() => undefined);
  const taken = new Set<string>();
  for (const find of [asItStands, inOneForm, asTheSystemSays, byLastPart]) {
    const fileOf = find(folder, files);
    pictures.forEach(({ path }, i) => {
      if (found[i] !== undefined) return;
      const file = fileOf(path);
      if (file === undefined || taken.has(file)) return;
      found[i] = file;
      taken.add(file);
    });
  }
  return found;
}

/**
 * Tells which file a path names, whoever else names it: as it stands, in the
 * other form, or in another case where the system takes one for the other.
 */
export function namedFile(
  folder: string,
  files: readonly string[],
): (path: string) => string | undefined {
  const ways = [asItStands, inOneForm, asTheSystemSays]
    .map((find) => find(folder, files));
  return (path) =>
    ways.map((fileOf) => fileOf(path)).find((file) => file !== undefined);
}

/** A way to find a picture's file by the path given. */
type Finder = (
  folder: string,
  files: readonly string[],
) => (path: string) => string | undefined;

const asItStands: Finder = (_, files) => {
  const known = new Set(files);
  return (path) => known.has(path) ? path : undefined;
};

const inOneForm: Finder = (_, files) => {
  const known = new Map(files.map((file) => [oneForm(file), file]));
  return (path) => known.get(oneForm(path));
};

const asTheSystemSays: Finder = (folder, files) => {
  const known = new Map(files.map((file) => [anyCase(file), file]));
  return (path) => {
    const place = join(folder, path);
    if (!existsSync(place) || !statSync(place).isFile()) return undefined;
    // A file that is not listed, of another ending say, can be meant as well.
    return known.get(anyCase(path)) ?? path;
  };
};

const byLastPart: Finder = (folder, files) => {
  const named = Map.groupBy(files, (file) => basename(oneForm(file)));
  const inFolder = inOneForm(folder, files);
  return (path) => {
    const last = basename(oneForm(path));
    const [file, other] = named.get(last) ?? [];
    // Among several of that name, the one that lies in no folder of its own.
    return other === undefined ? file : inFolder(last);
  };
};

/** A path in the form in which paths are compared. */
function oneForm(path: string): string {
  return path.replaceAll("\\", "/").normalize("NFC");
}

function anyCase(path: string): string {
  return oneForm(path).toLowerCase();
}
