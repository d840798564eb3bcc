/**
 * The files of the seed project with the widget:
 *
 * ```text
 * images.txt       a picture a line: base64, with or without "data:…;base64,"
 * metadata.json    a list, in the same order: {title, text, …} each, or texts
 * embeddings.npy   float [N, D], in the same order
 * ```
 *
 * A line that is no picture keeps its place in the order and is reported.
 *
 * Reads files.
 *
 * ```ts
 * import { readSeedFiles } from "#lib/search_page/index/seed_files.ts";
 * import { equal } from "node:assert/strict";
 * import { mkdtemp, writeFile } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/seed-");
 * await writeFile(`${folder}/images.txt`, "iVBORw0KGgo=\n");
 * await writeFile(`${folder}/metadata.json`, `[{"title": "An owl"}]`);
 * const { pictures } = await readSeedFiles(folder);
 * equal(pictures[0].title, "An owl");
 * ```
 *
 * @module
 */
import { createReadStream, existsSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { readJson } from "../../captions/json.ts";
import type { Matrix } from "../../compare/matrix.ts";
import { readNpy } from "../../compare/npy.ts";
import type { SourcePicture } from "./collection.ts";

/** Longest line that is taken for a picture: 20 MB of bytes. */
const LONGEST_LINE = 28_000_000;

/**
 * Reads images.txt, and beside it metadata.json and embeddings.npy if they are
 * there.
 */
export async function readSeedFiles(folder: string): Promise<{
  name: string;
  folder: string;
  pictures: SourcePicture[];
  vectors?: Matrix;
  problems: string[];
}> {
  const problems: string[] = [];
  const metadata = await readMetadata(join(folder, "metadata.json"), problems);
  const vectors = await readVectors(join(folder, "embeddings.npy"), problems);
  const pictures: SourcePicture[] = [];
  const kept: number[] = [];
  let row = 0;
  const lines = createInterface({
    input: createReadStream(join(folder, "images.txt"), "utf8"),
  });
  for await (const line of lines) {
    const text = line.trim().replace(/^data:[^,]*,/, "");
    if (text === "") continue;
    if (text.length > LONGEST_LINE || !/^[\w+/=-]+$/.test(text)) {
      problems.push(`images.txt, picture ${row + 1} is no base64: left out`);
    } else {
      const bytes = Buffer.from(text, "base64");
      pictures.push(pictureOf(metadata[row], row, bytes));
      kept.push(row);
    }
    row++;
  }
  if (vectors && vectors.count !== row) {
    problems.push(
      `embeddings.npy has ${vectors.count} rows, images.txt ${row} pictures: ` +
        "the pictures are embedded again",
    );
  }
  return {
    ...{ name: basename(folder), folder, pictures, problems },
    ...(vectors?.count === row && { vectors: vectors.pick(kept) }),
  };
}

// deno-lint-ignore no-explicit-any -- whatever a file from outside holds
type Json = any;

function pictureOf(
  entry: Json,
  row: number,
  source: Uint8Array,
): SourcePicture {
  const text = (...keys: string[]) =>
    keys.map((key) => entry?.[key])
      .find((value) => typeof value === "string" && value !== "") ?? "";
  return {
    path: `${row + 1}`,
    source,
    title: typeof entry === "string" ? entry : text("title", "name"),
    caption: text("caption", "text", "selftext", "description"),
    term: text("term", "label", "class", "subreddit"),
    category: text("category"),
    author: text("author"),
    license: text("license"),
    url: "",
    page: text("page", "permalink", "url"),
  };
}

async function readMetadata(path: string, problems: string[]): Promise<Json[]> {
  if (!existsSync(path)) return [];
  try {
    const { values, problems: odd } = await readJson(path);
    problems.push(...odd.map((one) => `metadata.json: ${one}`));
    const json = values.length === 1 ? values[0] : values; // A record a line.
    // Some write a list, some an object of lists' entries by number.
    return Array.isArray(json) ? json : Object.values(json as object);
  } catch (error) {
    problems.push(`metadata.json ${(error as Error).message}`);
    return [];
  }
}

async function readVectors(
  path: string,
  problems: string[],
): Promise<Matrix | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    return await readNpy(path);
  } catch (error) {
    problems.push((error as Error).message);
  }
}
