/**
 * Which file holds which bytes, without reading it again: a file of the same
 * size and time has the same content hash.
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
import { readFile, stat } from "node:fs/promises";
import { readJsonLines, writeJsonLines } from "../files.ts";

interface FileHash {
  path: string;
  size: number;
  modified: number;
  sha256: string;
}

/** Content hashes of files, remembered by size and time. */
export class FileHashes {
  readonly #path: string;
  readonly #known: Map<string, FileHash>;
  #changed = false;

  private constructor(path: string, known: FileHash[]) {
    this.#path = path;
    this.#known = new Map(known.map((file) => [file.path, file]));
  }

  /** Reads what is remembered; nothing where the file is not there or broken. */
  static async open(path: string): Promise<FileHashes> {
    return new FileHashes(
      path,
      await readJsonLines<FileHash>(path).catch(() => []),
    );
  }

  /**
   * A picture's hash; its bytes are read only if they may have changed.
   *
   * @throws {Error} If the file cannot be read.
   */
  async of(source: string | Uint8Array): Promise<string> {
    if (typeof source !== "string") return sha256(source);
    const { size, mtimeMs: modified } = await stat(source);
    const known = this.#known.get(source);
    if (known?.size === size && known.modified === modified) {
      return known.sha256;
    }
    const hash = sha256(await readFile(source));
    this.#known.set(source, { path: source, size, modified, sha256: hash });
    this.#changed = true;
    return hash;
  }

  /** Writes what was learnt since the last time. */
  async save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    await writeJsonLines(this.#path, [...this.#known.values()]);
  }
}

/** SHA-256 of bytes or of a text, hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
