/**
 * Embeddings that another tool has made of a folder's pictures, so that they need
 * not be made again:
 *
 * ```text
 * clip-retrieval   img_emb/img_emb_0.npy, …      float16 or float32 [n, D]
 *                  metadata/metadata_0.parquet, …  image_path, caption, …
 * NumPy            embeddings.npy, or any name   [n, D]
 *                  paths.txt, .json or .jsonl    a path a row
 * ```
 *
 * clip-retrieval's two folders may lie together in any folder below; the other in
 * the folder itself, or directly below in one that is called as such folders are.
 * Whose vectors they are is for given_vectors.ts to tell; a path that leads to no
 * picture leaves its row out.
 *
 * Reads files.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { writeNpy } from "#lib/compare/npy.ts";
 * import { readMadeIndex } from "#lib/search_page/index/made_index.ts";
 * import { deepEqual } from "node:assert/strict";
 * import { mkdtemp, writeFile } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/made-");
 * await writeNpy(`${folder}/features.npy`, Matrix.of([[1, 0], [0, 1]]));
 * await writeFile(`${folder}/paths.txt`, "owl.jpg\noak.jpg\n");
 * const made = await readMadeIndex(folder, ["oak.jpg", "owl.jpg"]);
 * deepEqual(made?.pictures.map(({ path }) => path), ["owl.jpg", "oak.jpg"]);
 * ```
 *
 * @module
 */
import { readdir, readFile } from "node:fs/promises";
import {
  basename,
  dirname,
  isAbsolute,
  join,
  normalize,
  relative,
  sep,
} from "node:path";
import zlib from "node:zlib";
import {
  type Compressors,
  parquetMetadata,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { fileOfEach, namedFile } from "../../captions/named_files.ts";
import { readJson } from "../../captions/json.ts";
import { Matrix } from "../../compare/matrix.ts";
import { readNpy } from "../../compare/npy.ts";
import { isRegularFile } from "../../files.ts";
import type { LeftOut } from "../../pictures/folder.ts";
import { hasPictureName } from "../../pictures/formats.ts";

/** What another tool has made of a folder. */
export interface MadeIndex {
  /** What it is called in messages: "img_emb", "features.npy". */
  name: string;
  pictures: MadePicture[];
  /** A row a picture. */
  vectors: Matrix;
  /** Rows whose picture is not there, and why. */
  leftOut: LeftOut[];
  problems: string[];
}

/** A picture of such an index. */
export interface MadePicture {
  /** Below the folder as it is listed, or absolute where it lies elsewhere. */
  path: string;
  caption: string;
  author: string;
  license: string;
  page: string;
}

/** A row, as it was written. */
type Row = Record<string, unknown>;

interface RawIndex {
  name: string;
  rows: Row[];
  vectors: Matrix;
}

/** Columns and keys that hold a picture's path, as tools call it. */
const PATHS = ["image_path", "path", "file_name", "filename", "file", "image"];

/** What a folder for a .npy with a list is called: elsewhere it may be anything. */
const OF_INDEXES = /embed|index|feature|vector|clip/i;

/** Names of lists of paths, beside the one that is called as the .npy is. */
const LISTS = ["paths", "image_paths", "filenames", "files", "images"];

/**
 * The index that lies in a folder or below it; undefined for none.
 *
 * @param found The folder's pictures, as listed.
 * @param folders It and those below it, as listed.
 */
export async function readMadeIndex(
  folder: string,
  found: readonly string[],
  folders: readonly string[] = [""],
): Promise<MadeIndex | undefined> {
  const problems: string[] = [];
  const sorted = folders.toSorted();
  const parts = sorted.filter((path) => basename(path) === "img_emb");
  const places = sorted.filter((path) =>
    path === "" || !path.includes("/") && OF_INDEXES.test(path)
  );
  const readers = [
    ...parts.map((path) => [readClipRetrieval, dirname(path)] as const),
    ...places.map((path) => [readListed, path] as const),
  ];
  for (const [read, place] of readers) {
    const raw = await read(join(folder, place), problems);
    if (raw) return { ...match(raw, folder, found), problems };
  }
  if (problems.length === 0) return undefined;
  const nothing = { pictures: [], vectors: Matrix.zeros(0, 0), leftOut: [] };
  return { name: "", ...nothing, problems };
}

/** Finds each row's picture. */
function match(
  { name, rows, vectors }: RawIndex,
  folder: string,
  found: readonly string[],
): Omit<MadeIndex, "problems"> {
  const listed = new Set(found);
  const paths = rows.map((row) => {
    const path = text(row, ...PATHS);
    // "./owl.jpg", as find writes it, is "owl.jpg".
    const inside = isAbsolute(path) ? relative(folder, path) : tidy(path);
    return inside.startsWith("..") ? path : inside.split(sep).join("/");
  });
  const files = fileOfEach(folder, found, paths.map((path) => ({ path })));
  const fileNamed = namedFile(folder, found);
  // Files, and the paths that led to them.
  const taken = new Set<string>();
  const pictures: MadePicture[] = [], kept: number[] = [];
  const leftOut: LeftOut[] = [];
  paths.forEach((path, i) => {
    const file = files[i];
    const place = file !== undefined && listed.has(file)
      ? file
      : isAbsolute(path) && hasPictureName(path) && isRegularFile(path)
      ? path
      : undefined;
    if (place === undefined || taken.has(place)) {
      // A file is one row's: another that names it finds none.
      const isAgain = [path, place, fileNamed(path)]
        .some((one) => one !== undefined && taken.has(one));
      const what = isAgain ? "there twice" : "no such picture";
      leftOut.push({
        path: path || `row ${i + 1}`,
        reason: `${what}, in ${name}`,
      });
      return;
    }
    taken.add(place).add(path);
    kept.push(i);
    pictures.push({
      path: place,
      caption: text(rows[i], "caption", "text", "description", "title"),
      author: text(rows[i], "author", "photographer"),
      license: text(rows[i], "license"),
      page: text(rows[i], "page", "url"),
    });
  });
  return { name, pictures, vectors: vectors.pick(kept), leftOut };
}

/** A path without steps that lead nowhere; "" stays so. */
const tidy = (path: string): string => path && normalize(path);

/** The first of these that is a text, in whatever case the key is written. */
function text(row: Row, ...keys: string[]): string {
  for (const key of keys) {
    const value = row[key] ?? row[key.toUpperCase()];
    if (typeof value === "string" && value !== "") return value;
  }
  return "";
}

/** What clip-retrieval's inference has written, of one part or many. */
async function readClipRetrieval(
  place: string,
  problems: string[],
): Promise<RawIndex | undefined> {
  const vectorFiles = await numbered(join(place, "img_emb"), ".npy");
  if (vectorFiles.length === 0) return undefined;
  try {
    const parts: Matrix[] = [];
    const rows: Row[] = [];
    for (const file of vectorFiles) {
      const vectors = await readNpy(file);
      const number = basename(file).replace(/^img_emb_|\.npy$/g, "");
      const path = join(place, "metadata", `metadata_${number}.parquet`);
      const described = await readParquet(path);
      const sizes = parts.map(({ dimensions }) => dimensions);
      if (described.length !== vectors.count) {
        throw new Error(
          `${file} has ${vectors.count} rows, ${path} ${described.length}`,
        );
      }
      if (sizes.some((size) => size !== vectors.dimensions)) {
        throw new Error(
          `${file} has rows of ${vectors.dimensions} numbers, others of ${
            sizes[0]
          }`,
        );
      }
      parts.push(vectors);
      for (const row of described) rows.push(row);
    }
    return { name: "img_emb", rows, vectors: joined(parts) };
  } catch (error) {
    const reason = (error as Error).message;
    problems.push(`${reason}: the pictures are embedded again`);
  }
}

/** Files of a folder in the order of the numbers in their names. */
async function numbered(folder: string, ending: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const { compare } = new Intl.Collator("en", { numeric: true });
  return names.filter((name) => name.endsWith(ending)).sort(compare)
    .map((name) => join(folder, name));
}

/** What unpacks a Parquet file's pages, beside Snappy; none grows beyond its size. */
const COMPRESSORS: Compressors = {
  GZIP: (packed, size) => zlib.gunzipSync(packed, { maxOutputLength: size }),
  BROTLI: (packed, size) =>
    zlib.brotliDecompressSync(packed, { maxOutputLength: size }),
  // From Node 22.15 on.
  ZSTD: (packed, size) =>
    zlib.zstdDecompressSync(packed, { maxOutputLength: size }),
};

/** The rows of a Parquet file, of its columns of text. */
async function readParquet(path: string): Promise<Row[]> {
  try {
    const bytes = await readFile(path);
    const file = new Uint8Array(bytes).buffer;
    const metadata = parquetMetadata(file);
    const columns = parquetSchema(metadata).children
      .filter(({ element: { type } }) => type === "BYTE_ARRAY")
      .map(({ element: { name } }) => name);
    const compressors = COMPRESSORS;
    return await parquetReadObjects({ file, metadata, columns, compressors });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(
      code === "ENOENT"
        ? `${path} is not there, which names the rows' pictures`
        : `${path} cannot be read (${message.split("\n")[0]}): expected ` +
          "Parquet, plain or packed by Snappy, gzip, Brotli or Zstandard",
    );
  }
}

function joined(parts: readonly Matrix[]): Matrix {
  if (parts.length === 1) return parts[0];
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const whole = Matrix.zeros(count, parts[0].dimensions);
  let start = 0;
  for (const { data } of parts) {
    whole.data.set(data, start);
    start += data.length;
  }
  return whole;
}

/** An .npy file with a list of as many paths beside it. */
async function readListed(
  place: string,
  problems: string[],
): Promise<RawIndex | undefined> {
  const names = (await readdir(place).catch(() => [])).sort();
  for (const name of names.filter((name) => name.endsWith(".npy"))) {
    const stems = [name.slice(0, -".npy".length), ...LISTS];
    const list = stems.flatMap((stem) =>
      [".txt", ".json", ".jsonl"].map((ending) => `${stem}${ending}`)
    ).find((list) => names.includes(list));
    if (!list) {
      problems.push(
        `${name} is not used: no list of its pictures lies beside it, such as ` +
          `${stems[0]}.txt or paths.txt`,
      );
      continue;
    }
    try {
      const rows = await readList(join(place, list));
      if (!rows) {
        problems.push(
          `${name} is not used: ${list} beside it names no pictures`,
        );
        continue;
      }
      const vectors = await readNpy(join(place, name));
      if (rows.length === vectors.count) return { name, rows, vectors };
      problems.push(
        `${name} has ${vectors.count} rows, ${list} ${rows.length} paths: ` +
          "the pictures are embedded again",
      );
    } catch (error) {
      problems.push(`${(error as Error).message}: not used`);
    }
  }
}

/** The rows of a list of paths; undefined if it is a list of something else. */
async function readList(path: string): Promise<Row[] | undefined> {
  const toRow = (value: unknown): Row =>
    typeof value === "string" ? { path: value } : Object(value);
  let values: unknown[];
  if (path.endsWith(".txt")) {
    const lines = (await readFile(path, "utf8")).replace(/^\ufeff/, "");
    values = lines.split(/\r?\n/).filter((line) => line.trim() !== "");
  } else {
    const { values: lines } = await readJson(path);
    const listIn = (value: unknown) =>
      Array.isArray(value) ? value : LISTS
        .map((name) => (Object(value) as Row)[name]).find(Array.isArray);
    values = path.endsWith(".jsonl") ? lines : listIn(lines[0]) ?? [];
  }
  const rows = values.map(toRow);
  return rows.some((row) => hasPictureName(text(row, ...PATHS)))
    ? rows
    : undefined;
}
