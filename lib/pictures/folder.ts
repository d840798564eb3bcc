/**
 * A folder of anyone's pictures, which is only read.
 *
 * ```text
 * called as pictures are      listed; the decoder will see what it is
 * called otherwise, or RAW    its first bytes tell whether it is one of ours
 * HEIC, BMP, RAW, …           left out, and said
 * captions.json, README.md    passed over
 * ```
 *
 * What cannot be read is left out with its reason, and moves nothing else.
 *
 * ```ts
 * import { listPictures } from "#lib/pictures/folder.ts";
 * import { paths } from "#lib/paths.ts";
 * import { deepEqual, ok } from "node:assert/strict";
 *
 * const { pictures, leftOut } = await listPictures(paths.sample);
 * ok(pictures.includes("animals/water bird/flamingo.jpg"));
 * deepEqual(leftOut, []);
 * ```
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { spawn } from "node:child_process";
import {
  type FileHandle,
  mkdtemp,
  open,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import process from "node:process";
import pLimit from "p-limit";
import {
  hasPictureName,
  isForeignPicture,
  isPicture,
  PICTURE_FORMATS,
  START_BYTES,
} from "./formats.ts";
import { photoFacts } from "./photo_facts.ts";

/** What may be a picture, and is not searched. */
export interface LeftOut {
  /** Below its folder, with "/"; also of a folder that cannot be read. */
  path: string;
  /** In one line that names no file. */
  reason: string;
}

/** A folder's pictures. */
export interface ListedPictures {
  /** Paths relative to the folder, with "/", sorted. */
  pictures: string[];
  /** Sorted by path. */
  leftOut: LeftOut[];
  /** Folders that were looked into, as the pictures' paths are; "" is the folder itself. */
  folders: string[];
}

/** Endings of pictures in formats that are not decoded. */
const FOREIGN =
  /\.(hei[cf]s?|hif|bmp|dib|jp2|j2k|jp[fxm]|j2c|jxl|jxr|psd|psb|svgz?|ico|tga|dds|exr|qoi|p[bgpn]m)$/i;

/** Endings of what sensors saw: many a TIFF by its first bytes, of a preview. */
const RAW =
  /\.(cr[23w]|nef|nrw|dng|arw|sr[2fw]|raf|or[fi]|rw[2lz]|pef|x3f|3fr|fff|raw|erf|kdc|dcr|mrw|iiq|gpr)$/i;

const NOT_DECODED = `not ${PICTURE_FORMATS}`;
const NOT_UTF8 = "the name is not UTF-8, in which alone it can be opened: " +
  "rename it";

/** What of a folder is looked at. */
export interface ListingOptions {
  /**
   * Folders that are passed over: by name, wherever they lie, or by their paths
   * below the folder, with "/". @default none
   */
  excludeDirs?: readonly string[];
  /** Whether to look into what begins with a dot. @default false */
  includeHidden?: boolean;
  /** The largest picture that is listed. @default any */
  maxMegapixels?: number;
}

/**
 * The pictures below a folder, however deep; hidden ones are passed over.
 *
 * @throws {Error} If the folder itself cannot be read.
 */
export async function listPictures(
  folder: string,
  { excludeDirs = [], includeHidden = false, maxMegapixels }: ListingOptions =
    {},
): Promise<ListedPictures> {
  const pictures: string[] = [];
  const leftOut: LeftOut[] = [];
  const folders: string[] = [];
  const links: string[] = [];
  const visited = new Set<string>();
  const read = pLimit(16);
  const isPassedOver = (name: string) => !includeHidden && name.startsWith(".");
  const isExcluded = (path: string) =>
    excludeDirs.includes(path) || excludeDirs.includes(basename(path));

  // A link can lead back to where it lies; where all others lie is known, and
  // not asked, which would take as long as to read them.
  const visit = async (below: string, known?: string): Promise<void> => {
    const place = join(folder, below);
    try {
      const real = known ?? await realpath(place);
      if (visited.has(real)) return;
      visited.add(real);
      folders.push(below);
      if (known === undefined && below !== "") links.push(below);
      const entries = await readdir(place, { withFileTypes: true });
      const files: string[] = [];
      for (const entry of entries) {
        if (isPassedOver(entry.name)) continue;
        const path = below ? `${below}/${entry.name}` : entry.name;
        const isLink = entry.isSymbolicLink();
        // A link to nowhere is kept, for a reason to be given.
        const target = isLink
          ? await stat(join(folder, path)).catch(() => entry)
          : entry;
        if (target.isDirectory()) {
          const at = isLink ? undefined : join(real, entry.name);
          if (!isExcluded(path)) await visit(path, at);
        } else if (target.isFile() || target === entry && isLink) {
          files.push(path);
        } else if (isCalledPicture(path)) {
          leftOut.push({ path, reason: "not a regular file" });
        }
      }
      // A place in the queue costs more than a look at a name.
      await read.map(files.filter((path) => !takeByName(path)), takeByStart);
    } catch (error) {
      if (below === "") throw error;
      const reason = cannotRead(codeOf(error as Error));
      leftOut.push({ path: below, reason });
    }
  };
  // Only what the name does not tell is opened: of 20,000 files, a second.
  const takeByName = (path: string): boolean => {
    const isTaken = hasPictureName(path);
    const isRaw = !isTaken && RAW.test(path);
    if (isTaken) pictures.push(path);
    if (isRaw) leftOut.push({ path, reason: NOT_DECODED });
    return isTaken || isRaw;
  };
  const takeByStart = async (path: string): Promise<void> => {
    const start = await startOf(join(folder, path));
    if (typeof start === "string") {
      // What has no ending may be anything, but for a link to nowhere.
      const isUnknown = extname(path) === "" || FOREIGN.test(path);
      if (isUnknown && !/^(ENOENT|ELOOP)$/.test(start)) {
        leftOut.push({ path, reason: cannotRead(start) });
      }
    } else if (isPicture(start)) pictures.push(path);
    else if (FOREIGN.test(path) || isForeignPicture(start)) {
      leftOut.push({ path, reason: NOT_DECODED });
    }
  };

  // Beside one another, and neither is left behind where the other fails.
  const [seen, named] = await Promise.allSettled([
    visit(""),
    namesNotUtf8(folder, [""]),
  ]);
  if (seen.status === "rejected") throw seen.reason;
  if (named.status === "rejected") throw named.reason;
  const ofLinks = links.length > 0 ? await namesNotUtf8(folder, links) : [];
  for (const path of [...named.value, ...ofLinks]) {
    const names = path.split("/");
    const parents = names.map((_, i) => names.slice(0, i).join("/"));
    if (parents.some(isExcluded)) continue;
    // What one without an ending is, nobody can see.
    if (isCalledPicture(path) || extname(path) === "") {
      leftOut.push({ path, reason: NOT_UTF8 });
    }
  }
  const small = maxMegapixels === undefined ? pictures : await read.map(
    pictures,
    async (path) => {
      const { width, height } = await photoFacts(join(folder, path));
      if (width * height <= maxMegapixels * 1e6) return path;
      const reason = `more than ${maxMegapixels} megapixels`;
      leftOut.push({ path, reason });
    },
  );
  leftOut.sort((a, b) => a.path < b.path ? -1 : 1);
  return {
    pictures: small.filter((path) => path !== undefined).sort(),
    ...{ leftOut, folders },
  };
}

/**
 * What was left out, in few lines: a line a reason, with formats counted by the
 * endings of names and the first of the others by name.
 */
export function remarksOn(leftOut: readonly LeftOut[]): string[] {
  const groups = Map.groupBy(leftOut, ({ reason }) => reason);
  return [...groups].map(([reason, group]) => {
    const paths = group.map(({ path }) => path);
    const named = reason === NOT_DECODED
      ? countEndings(paths)
      : paths.slice(0, MOST_NAMED);
    const more = group.length - named.length;
    if (reason !== NOT_DECODED && more > 0) named.push(`and ${more} more`);
    return `left out: ${named.join(", ")}: ${reason}`;
  });
}

/** Paths in a remark. */
const MOST_NAMED = 4;

/** "3 .heic", most frequent first. */
function countEndings(paths: readonly string[]): string[] {
  const endings = Map.groupBy(paths, (path) => extname(path).toLowerCase());
  return [...endings].map(([ending, { length }]) => ({ ending, length }))
    .sort((a, b) => b.length - a.length)
    .map(({ ending, length }) => `${length} ${ending || "without an ending"}`);
}

/** Whether a file is called as pictures of any format are. */
function isCalledPicture(path: string): boolean {
  return hasPictureName(path) || FOREIGN.test(path) || RAW.test(path);
}

/** A file's first bytes, or the error's code if it cannot be read. */
async function startOf(path: string): Promise<Uint8Array | string> {
  const start = new Uint8Array(START_BYTES);
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { bytesRead } = await file.read(start, 0, START_BYTES, 0);
    return start.subarray(0, bytesRead);
  } catch (error) {
    return codeOf(error as Error);
  } finally {
    await file?.close();
  }
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}

function cannotRead(code: string): string {
  return `cannot be read (${code})`;
}

/**
 * Paths that are not UTF-8, which Deno leaves out of folders without a word: as
 * `find` lists them, where there is such a program.
 *
 * @param places Where to look, seen from `folder`: `find` follows those links
 *   alone that it is given.
 */
async function namesNotUtf8(
  folder: string,
  places: readonly string[],
): Promise<string[]> {
  if (process.platform === "win32") return [];
  const hidden = ["-mindepth", "1", "-name", ".*", "-prune"];
  const rest = ["-o", "!", "-type", "d", "-print0"];
  const starts = places.map((path) => `./${path}`);
  // Into a file: for each pipe Deno keeps some kilobytes, and a folder that is
  // watched is listed thousands of times.
  const temporary = await mkdtemp(join(tmpdir(), "contact-sheet-"))
    .catch(() => undefined);
  if (temporary === undefined) return []; // A disk that is full or read-only.
  const output = await open(join(temporary, "names"), "w+");
  let listed: Uint8Array;
  try {
    const child = spawn("find", ["-H", ...starts, ...hidden, ...rest], {
      cwd: folder,
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", output.fd, "ignore"],
    });
    await new Promise<void>((resolve) => {
      // Where there is no such program. A folder that it cannot read ends it
      // with 1, and the others are listed.
      child.on("error", () => resolve());
      child.on("close", () => resolve());
    });
    listed = await readFile(join(temporary, "names"));
  } finally {
    await output.close();
    await rm(temporary, { recursive: true });
  }
  const found: string[] = [];
  if (isUtf8(listed)) return found;
  const decoder = new TextDecoder();
  for (let start = 0; start < listed.length;) {
    const end = listed.indexOf(0, start);
    const path = listed.subarray(start, end);
    if (!isUtf8(path)) found.push(decoder.decode(path).replace(/^\.\//, ""));
    start = end + 1;
  }
  return found;
}
