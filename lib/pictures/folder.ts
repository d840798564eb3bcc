/**
 * A folder of anyone's pictures, which is only read: what is made of it lies
 * under the data folder, in a place of its own.
 *
 * ```ts
 * import { folderPlace, listPictures } from "#lib/pictures/folder.ts";
 * import { paths } from "#lib/paths.ts";
 * import { ok } from "node:assert/strict";
 *
 * const pictures = await listPictures(paths.sample);
 * ok(pictures.includes("animals/water bird/flamingo.jpg"));
 * ok(folderPlace(paths.sample).startsWith(paths.data));
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import pLimit from "p-limit";
import type { PictureToEmbed } from "../embeddings/embeddings.ts";
import { paths } from "../paths.ts";
import { hasPictureName } from "./pictures.ts";

/**
 * The pictures below a folder, however deep; hidden ones are passed over.
 *
 * @returns Paths relative to the folder, with "/", sorted.
 * @throws {Error} If the folder cannot be read.
 */
export async function listPictures(folder: string): Promise<string[]> {
  const found: string[] = [];
  const visited = new Set<string>();
  const visit = async (below: string): Promise<void> => {
    const place = join(folder, below);
    // A link can lead back to where it lies.
    const real = await realpath(place);
    if (visited.has(real)) return;
    visited.add(real);
    for (const entry of await readdir(place, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const path = below ? `${below}/${entry.name}` : entry.name;
      if (await isFolder(join(folder, path), entry)) await visit(path);
      else if (hasPictureName(entry.name)) found.push(path);
    }
  };
  await visit("");
  return found.sort();
}

/**
 * Where the embeddings of a folder's pictures lie: under the data folder, one
 * place a folder, named after it.
 */
export function folderPlace(folder: string): string {
  const path = resolve(folder);
  const digest = createHash("sha256").update(path).digest("hex").slice(0, 8);
  const name = basename(path).replaceAll(/[^\w.-]+/g, "_").slice(0, 40);
  return join(paths.evaluation, `${name || "root"}-${digest}`);
}

/**
 * Reads and hashes pictures, so that they can be embedded by content.
 *
 * @param files Paths relative to the folder.
 * @returns What can be read, in the order given, and what cannot.
 */
export async function toEmbed(
  folder: string,
  files: readonly string[],
): Promise<
  { pictures: PictureToEmbed[]; failures: { id: string; reason: string }[] }
> {
  const pictures: PictureToEmbed[] = [];
  const failures: { id: string; reason: string }[] = [];
  const settled = await pLimit(8).map(files, async (id) => {
    const source = join(folder, id);
    try {
      const bytes = await readFile(source);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      return { id, source, sha256 };
    } catch (error) {
      return { id, reason: (error as Error).message };
    }
  });
  for (const one of settled) {
    if (one.sha256 === undefined) failures.push(one);
    else pictures.push(one);
  }
  return { pictures, failures };
}

/** Whether it is a folder, or a link to one; a link to nowhere is none. */
async function isFolder(
  path: string,
  entry: { isDirectory(): boolean; isSymbolicLink(): boolean },
): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return await stat(path).then((target) => target.isDirectory(), () => false);
}
