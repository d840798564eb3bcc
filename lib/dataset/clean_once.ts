/**
 * Cleans pictures into a folder, and none of them twice: what a run has cleaned,
 * a killed one too, the next one takes as it is, unless the file or the options
 * have changed since.
 *
 * ```text
 * .cleaned.jsonl  what became of each file
 * .new/<sha256>    pictures that are clean, until they get their places
 * ```
 *
 * ```ts
 * import { CleanOnce } from "#lib/dataset/clean_once.ts";
 * import { samplePath } from "#lib/photo_site/sample.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 * import { mkdtempSync } from "node:fs";
 *
 * const cleaner = CleanOnce.open(mkdtempSync("/tmp/clean-"), { maxSide: 100 });
 * const lemon = samplePath({ path: "food/fruit/lemon.jpg" });
 * const first = await cleaner.clean(lemon);
 * deepStrictEqual(await cleaner.clean(lemon), first);
 * deepStrictEqual(cleaner.decoded, 1);
 * cleaner.close();
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type CleanOptions,
  cleanPicture,
  type RejectedPicture,
} from "./clean.ts";
import { NumberMap } from "./number_map.ts";
import { HASH_WORDS } from "./perceptual_hash.ts";
import { RowFile } from "./row_file.ts";
import { statOf } from "../files.ts";

/** A clean picture that lies in a file. */
export interface CleanFile {
  sha256: string;
  /** Pixels across. */
  width: number;
  /** Pixels down. */
  height: number;
  /** Length of the file. */
  bytes: number;
  /** Its perceptual hash, hexadecimal; absent where none is wanted. */
  hash?: string;
}

type Entry = { key: string } & (CleanFile | RejectedPicture);

/** Cleans pictures into a folder. */
export class CleanOnce {
  /** How many pictures it had to decode. */
  decoded = 0;
  readonly #staging: string;
  readonly #options: CleanOptions;
  readonly #entries: RowFile<Entry | { options: string }>;
  /** The entry of each file, by what the file is. */
  readonly #known = new NumberMap();

  private constructor(folder: string, options: CleanOptions) {
    this.#options = options;
    this.#staging = join(folder, ".new");
    mkdirSync(this.#staging, { recursive: true });
    this.#entries = RowFile.open(join(folder, ".cleaned.jsonl"));
    const wanted = JSON.stringify(
      Object.entries({ version: 3, ...options }).sort(),
    );
    if (!this.#readEntries(wanted)) {
      this.#known.clear();
      this.#entries.clear();
      this.#entries.append({ options: wanted });
    }
  }

  /** Opens a folder with what earlier runs have left there. */
  static open(folder: string, options: CleanOptions = {}): CleanOnce {
    return new CleanOnce(folder, options);
  }

  /**
   * Cleans a picture, unless it is known and its clean file is there.
   *
   * @param placesOf Where else its clean file may lie.
   */
  async clean(
    file: string,
    placesOf: (clean: CleanFile) => string[] = () => [],
  ): Promise<CleanFile | RejectedPicture> {
    const key = keyOf(file);
    const known = this.#known.get(numberOf(key));
    if (known !== undefined) {
      const { key: of, ...result } = this.#entries.read(known) as Entry;
      const isThere = "rejected" in result ||
        [this.stagedPath(result), ...placesOf(result)]
          .some((path) => holds(path, result));
      if (isThere && of === key) return result;
    }
    this.decoded++;
    const result = await cleanPicture(file, this.#options);
    if ("rejected" in result) return this.#remember(key, result);
    const { jpeg, hash, ...facts } = result;
    const clean: CleanFile = { ...facts, bytes: jpeg.length };
    if (hash) clean.hash = toHex(hash);
    const staged = this.stagedPath(clean);
    if (!holds(staged, clean)) {
      // Whole or absent after a kill; after a power cut, its length tells.
      const temporary = `${staged}.${randomUUID()}`;
      await writeFile(temporary, jpeg);
      await rename(temporary, staged);
    }
    return this.#remember(key, clean);
  }

  /** Where a clean picture lies until it gets its place. */
  stagedPath({ sha256 }: Pick<CleanFile, "sha256">): string {
    return join(this.#staging, sha256);
  }

  /** Closes what is remembered; the files stay. */
  close(): void {
    this.#entries.close();
  }

  #remember<Result extends CleanFile | RejectedPicture>(
    key: string,
    result: Result,
  ): Result {
    this.#known.set(
      numberOf(key),
      this.#entries.append({ key, ...result }),
    );
    return result;
  }

  /** Whether there are entries, all readable, of the same options. */
  #readEntries(wanted: string): boolean {
    try {
      for (let i = 0; i < this.#entries.count; i++) {
        const entry = this.#entries.read(i);
        if ("key" in entry) this.#known.set(numberOf(entry.key), i);
        else if (entry.options !== wanted) return false;
      }
      return this.#entries.count > 0;
    } catch {
      return false; // A power cut can leave anything.
    }
  }
}

/** Whether a clean picture's file is there, as long as it was. */
export function holds(path: string, { bytes }: CleanFile): boolean {
  return statOf(path)?.size === bytes;
}

/** The beginning of a key, which is a sum: that of another is hardly the same. */
function numberOf(key: string): number {
  return Buffer.from(key, "base64url").readUIntBE(0, 6);
}

/** What stands for a file as it is now. */
function keyOf(file: string): string {
  const { size, mtimeMs } = statOf(file) ?? {};
  return createHash("sha256").update(`${file}\n${size}\n${mtimeMs}`)
    .digest("base64url").slice(0, 16);
}

function toHex(words: Uint32Array): string {
  return Buffer.from(words.buffer).toString("hex");
}

/** The numbers of a hash that is written in hexadecimal. */
export function fromHex(hash: string): Uint32Array {
  const words = new Uint32Array(HASH_WORDS);
  Buffer.from(words.buffer).set(Buffer.from(hash, "hex"));
  return words;
}
