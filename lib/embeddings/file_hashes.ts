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
import { appendFile, mkdir, readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { readRegularFile } from "../files.ts";

interface FileHash {
  path: string;
  size: number;
  modified: number;
  sha256: string;
}

/** Content hashes of files, remembered by size and time. */
export class FileHashes {
  readonly #path: string;
  readonly #known = new Map<string, FileHash>();
  #unsaved: string[] = [];

  private constructor(path: string) {
    this.#path = path;
  }

  /** Reads what is remembered; a line cut short by a crash is passed over. */
  static async open(path: string): Promise<FileHashes> {
    const hashes = new FileHashes(path);
    const text = await readFile(path, "utf8").catch(() => "");
    for (const line of text.split("\n")) {
      try {
        const file: FileHash = JSON.parse(line);
        hashes.#known.set(file.path, file);
      } catch {
        // Its file will be read again.
      }
    }
    return hashes;
  }

  /**
   * A picture's hash; its bytes are read only if they may have changed.
   *
   * @throws {Error} If the file cannot be read.
   */
  async of(source: string | Uint8Array): Promise<string> {
    if (typeof source !== "string") return sha256(source);
    const path = resolve(source);
    const { size, mtimeMs: modified } = await stat(path);
    const known = this.#known.get(path);
    if (known?.size === size && known.modified === modified) {
      return known.sha256;
    }
    const hash = sha256(await readRegularFile(path));
    const file = { path, size, modified, sha256: hash };
    this.#known.set(path, file);
    this.#unsaved.push(JSON.stringify(file));
    return file.sha256;
  }

  /** A file's version when `of` looked at it; undefined if it never did. */
  versionOf(source: string | Uint8Array): string | undefined {
    if (typeof source !== "string") return undefined;
    const known = this.#known.get(resolve(source));
    return known && `${known.size} ${known.modified}`;
  }

  /** Writes what was learnt since the last time. */
  async save(): Promise<void> {
    const lines = this.#unsaved.splice(0);
    if (lines.length === 0) return;
    await mkdir(dirname(this.#path), { recursive: true });
    // Begins a line of its own, whatever a crash has left there.
    await appendFile(this.#path, `\n${lines.join("\n")}\n`);
  }
}

/** A file's version now, its size and time; undefined if no file is there. */
export async function fileVersion(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? `${found.size} ${found.mtimeMs}` : undefined;
}

/** SHA-256 of bytes or of a text, hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
