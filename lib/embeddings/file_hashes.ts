/**
 * Which file holds which bytes, without reading it again: a file of the same
 * size and time has the same content hash. What is learnt is appended to a file
 * of JSON Lines, which several processes can share.
 *
 * ```ts
 * import { FileHashes } from "#lib/embeddings/file_hashes.ts";
 * import { equal } from "node:assert/strict";
 * import { mkdtemp, writeFile } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/hashes-");
 * await writeFile(`${folder}/owl.jpg`, "owl");
 * const hashes = await FileHashes.open(`${folder}/files.jsonl`);
 * equal((await hashes.of(`${folder}/owl.jpg`)).length, 64);
 * await hashes.save();
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { readRegularFile, statOf } from "../files.ts";
import { Journal } from "./journal.ts";

/** What a file was when it was read last. */
export interface KnownFile {
  path: string;
  size: number;
  /** Milliseconds since 1970. */
  modified: number;
  sha256: string;
}

/** Content hashes of files, remembered by size and time. */
export class FileHashes {
  readonly #journal: Journal<KnownFile>;
  readonly #known = new Map<string, KnownFile>();

  private constructor(journal: Journal<KnownFile>) {
    this.#journal = journal;
  }

  /** Reads what is remembered. */
  static async open(path: string): Promise<FileHashes> {
    const hashes = new FileHashes(new Journal(path));
    for (const file of await hashes.#journal.read()) {
      hashes.#known.set(file.path, file);
    }
    return hashes;
  }

  /**
   * A picture's hash; its bytes are read only if they may have changed.
   *
   * @throws {Error} If the file cannot be read.
   */
  async of(source: string | Uint8Array): Promise<string> {
    const known = this.ifKnown(source);
    if (known !== undefined || typeof source !== "string") return known!;
    const path = keyOf(source);
    const { size, mtimeMs: modified } = statSync(path);
    const hash = sha256(await readRegularFile(path));
    const file = { path, size, modified, sha256: hash };
    this.#known.set(path, file);
    this.#journal.add(file);
    return file.sha256;
  }

  /** The same without reading a file: undefined where that would be needed. */
  ifKnown(source: string | Uint8Array): string | undefined {
    if (typeof source !== "string") return sha256(source);
    const known = this.known(source), found = known && statOf(source);
    const isSame = found?.isFile() && found.size === known!.size &&
      found.mtimeMs === known!.modified;
    return isSame ? known!.sha256 : undefined;
  }

  /** A file as it was when `of` looked at it; undefined if it never did. */
  known(source: string): KnownFile | undefined {
    return this.#known.get(keyOf(source));
  }

  /** A file's version when `of` looked at it; undefined if it never did. */
  versionOf(source: string | Uint8Array): string | undefined {
    if (typeof source !== "string") return undefined;
    const known = this.known(source);
    return known && versionOf(known.size, known.modified);
  }

  /** Writes what was learnt since the last time. */
  async save(): Promise<void> {
    await this.#journal.save();
  }
}

/** By what a file is remembered. Resolving takes longer than all the rest. */
function keyOf(path: string): string {
  return isAbsolute(path) ? path : resolve(path);
}

/** A file's version now, its size and time; undefined if `statOf` sees no file. */
export function fileVersion(path: string): string | undefined {
  const found = statOf(path);
  return found?.isFile() ? versionOf(found.size, found.mtimeMs) : undefined;
}

function versionOf(size: number, modified: number): string {
  return `${size} ${modified}`;
}

/** SHA-256 of bytes or of a text, hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
