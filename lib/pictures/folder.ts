/**
 * A folder of anyone's pictures, which is only read.
 *
 * ```ts
 * import { listPictures } from "#lib/pictures/folder.ts";
 * import { paths } from "#lib/paths.ts";
 * import { ok } from "node:assert/strict";
 *
 * const pictures = await listPictures(paths.sample);
 * ok(pictures.includes("animals/water bird/flamingo.jpg"));
 * ```
 *
 * @module
 */
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasPictureName } from "./formats.ts";

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
      // A link to nowhere is kept, for a reason to be given.
      const target = entry.isSymbolicLink()
        ? await stat(join(folder, path)).catch(() => entry)
        : entry;
      if (target.isDirectory()) await visit(path);
      else if (!target.isFile() && !target.isSymbolicLink()) continue;
      else if (hasPictureName(path)) found.push(path);
    }
  };
  await visit("");
  return found.sort();
}
