/**
 * What pictures' files tell of themselves, kept by content hash, so that no file
 * is opened for it twice.
 *
 * ```ts
 * import { FileHashes } from "#lib/embeddings/file_hashes.ts";
 * import { KeptFacts } from "#lib/embeddings/kept_facts.ts";
 * import { paths } from "#lib/paths.ts";
 * import { equal } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/facts-");
 * const files = await FileHashes.open(`${folder}/files.jsonl`);
 * const facts = await KeptFacts.open(`${folder}/facts.jsonl`, files);
 * const source = `${paths.sample}/animals/water bird/flamingo.jpg`;
 * equal((await facts.of({ source, sha256: await files.of(source) })).width > 0, true);
 * await facts.save();
 * ```
 *
 * @module
 */
import pLimit from "p-limit";
import type { ImageSource } from "../pictures/pictures.ts";
import {
  NO_FACTS,
  type PhotoFacts,
  photoFacts,
  withFile,
} from "../pictures/photo_facts.ts";
import type { FileHashes } from "./file_hashes.ts";
import { Journal } from "./journal.ts";

/** Without what says nothing. */
interface Kept extends Partial<PhotoFacts> {
  sha256: string;
}

/** Facts of pictures, remembered by their contents. */
export class KeptFacts {
  readonly #files: FileHashes;
  readonly #journal: Journal<Kept>;
  readonly #known = new Map<string, PhotoFacts>();
  /** So many files are open at once. */
  readonly #reading = pLimit(16);

  private constructor(journal: Journal<Kept>, files: FileHashes) {
    this.#journal = journal;
    this.#files = files;
  }

  /** Reads what is remembered. */
  static async open(path: string, files: FileHashes): Promise<KeptFacts> {
    const journal = new Journal<Kept>(path);
    const facts = new KeptFacts(journal, files);
    for (const { sha256, ...known } of await journal.read()) {
      facts.#known.set(sha256, { ...NO_FACTS, ...known });
    }
    return facts;
  }

  /** A picture's facts; its file is opened only if nobody has asked before. */
  async of(
    { source, sha256 }: { source: ImageSource; sha256: string },
  ): Promise<PhotoFacts> {
    const known = this.#known.get(sha256) ?? await this.#read(source, sha256);
    if (typeof source !== "string") return { ...known, bytes: source.length };
    const file = this.#files.known(source);
    return file ? withFile(known, file.size, file.modified) : known;
  }

  /** Writes what was learnt since the last time. */
  async save(): Promise<void> {
    await this.#journal.save();
  }

  async #read(source: ImageSource, sha256: string): Promise<PhotoFacts> {
    const facts = await this.#reading(() => photoFacts(source));
    this.#known.set(sha256, facts);
    const told = Object.entries(facts).filter(([, value]) => value);
    this.#journal.add({ sha256, ...Object.fromEntries(told) });
    return facts;
  }
}
