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
import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { readJson } from "../../captions/json.ts";
import type { Matrix } from "../../compare/matrix.ts";
import { readNpy } from "../../compare/npy.ts";
import { isRegularFile } from "../../files.ts";
import { isPicture, PICTURE_FORMATS } from "../../pictures/formats.ts";
import type { SourcePicture } from "./collection.ts";

/** Longest line that is taken for a picture: 20 MB of bytes. */
const LONGEST_LINE = 28_000_000;

/** So much of images.txt tells what it is. */
const BEGINNING = 65_536;

/**
 * Whether a folder's images.txt holds pictures, which its beginning tells: other
 * data sets have lists of that name beside their pictures.
 */
export async function holdsSeedFiles(folder: string): Promise<boolean> {
  const path = join(folder, "images.txt");
  if (!isRegularFile(path)) return false;
  let beginning = "";
  const options = { encoding: "utf8", end: BEGINNING } as const;
  try {
    for await (const part of createReadStream(path, options)) beginning += part;
  } catch {
    return false; // Nobody may read it: then it is none for us.
  }
  return beginning.split("\n").some((line) => {
    const bytes = bytesOf(line.slice(0, 700));
    return bytes && isPicture(bytes) || line.trim().startsWith("data:image/");
  });
}

/**
 * Reads images.txt, and beside it metadata.json and embeddings.npy if they are
 * there.
 *
 * @throws {Error} If no line is a picture: says what the first one is instead.
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
    if (line.trim() === "") continue;
    const bytes = bytesOf(line);
    if (bytes && isPicture(bytes)) {
      pictures.push(pictureOf(metadata?.[row], row, bytes));
      kept.push(row);
    } else {
      const what = bytes ? `not ${PICTURE_FORMATS}` : "no base64";
      problems.push(`images.txt, picture ${row + 1} is ${what}: left out`);
    }
    row++;
  }
  if (pictures.length === 0) {
    const [first] = problems.filter((one) => one.startsWith("images.txt"));
    const path = join(folder, "images.txt");
    throw new Error(`no line of ${path} is a picture as base64; ${first}`);
  }
  const entries = Object.keys(metadata ?? {}).length;
  if (metadata && entries !== row) {
    problems.push(
      `metadata.json has entries for ${entries} pictures, images.txt has ` +
        `${row}: they are matched from the first on`,
    );
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

/** The bytes of a line of base64; undefined if it is none. */
function bytesOf(line: string): Uint8Array | undefined {
  const text = line.trim().replace(/^data:[^,]*,/, "");
  const isBase64 = text.length <= LONGEST_LINE && /^[\w+/=-]+$/.test(text);
  return isBase64 ? Buffer.from(text, "base64") : undefined;
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

/** Entries by their places, from 0; undefined if there are none. */
async function readMetadata(path: string, problems: string[]): Promise<Json> {
  if (!isRegularFile(path)) return undefined;
  try {
    const { values, problems: odd } = await readJson(path);
    problems.push(...odd.map((one) => `metadata.json: ${one}`));
    const json: Json = values.length === 1 ? values[0] : values; // A record a line.
    // Some write a list, some an object with each entry under its number.
    if (json && typeof json === "object" && "0" in json) return json;
    problems.push("metadata.json is no list of entries: not used");
  } catch (error) {
    problems.push(`metadata.json ${(error as Error).message}`);
  }
}

async function readVectors(
  path: string,
  problems: string[],
): Promise<Matrix | undefined> {
  if (!isRegularFile(path)) return undefined;
  try {
    return await readNpy(path);
  } catch (error) {
    problems.push((error as Error).message);
  }
}
