/**
 * What is kept for a folder that is served, in our data and never in the folder:
 * the page's address, so that a bookmark stays good, and the pictures that its
 * reader has hidden. Nobody else may read it: the token is a key.
 *
 * ```text
 * 6_search/folders/<hash of the folder's path>.json
 * ```
 *
 * ```ts
 * import { readSettings } from "#lib/search_page/folder_settings.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * deepEqual(await readSettings("/never/served"), {});
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as v from "valibot";
import { sha256 } from "../embeddings/file_hashes.ts";
import { writeAtomic } from "../files.ts";
import { paths } from "../paths.ts";

/** What a token may be. */
export const TOKEN = /^[0-9A-Za-z]{16,64}$/;

const schema = v.partial(v.object({
  token: v.pipe(v.string(), v.regex(TOKEN)),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  hidden: v.array(v.string()),
}));

/** What is kept for a folder. */
export type FolderSettings = v.InferOutput<typeof schema>;

/** What is kept for a folder; nothing where it is damaged. */
export async function readSettings(folder: string): Promise<FolderSettings> {
  try {
    return v.parse(schema, JSON.parse(await readFile(pathFor(folder), "utf8")));
  } catch {
    return {};
  }
}

/** Keeps something more for a folder. */
export async function keepSettings(
  folder: string,
  settings: FolderSettings,
): Promise<void> {
  const kept = { ...await readSettings(folder), ...settings };
  const text = JSON.stringify({ folder: resolve(folder), ...kept });
  await writeAtomic(pathFor(folder), text, 0o600);
}

function pathFor(folder: string): string {
  const name = sha256(resolve(folder)).slice(0, 32);
  return join(paths.search, "folders", `${name}.json`);
}
