/**
 * ZIP archives, read where they lie: in a file, or at the other end of a
 * network, of which only the wanted parts are then fetched (HTTP ranges).
 *
 * Each member's checksum is verified. Names are never made into paths here.
 *
 * ```ts
 * import { openZip } from "#lib/http/zip.ts";
 * import { rejects } from "node:assert/strict";
 * import { mkdtemp, writeFile } from "node:fs/promises";
 *
 * const path = `${await mkdtemp("/tmp/zip-")}/cut-off.zip`;
 * await writeFile(path, "PK and then nothing");
 * await rejects(openZip(path), /no whole ZIP archive/);
 * ```
 *
 * @module
 */
import { open } from "node:fs/promises";
import { AbortError } from "p-retry";
import {
  configure,
  type FileEntry,
  Reader,
  Uint8ArrayWriter,
  ZipReader,
} from "@zip.js/zip.js";
import { askFor, either, persistently, SILENCE_MS } from "./large_file.ts";

/** A member of an archive. */
export interface ZipMember {
  /** As the archive says: "val2017/000000000139.jpg". */
  name: string;
  /** Bytes, unpacked. */
  size: number;
  /** Its content. @throws {Error} If its checksum is wrong: names it. */
  read(): Promise<Uint8Array>;
}

/** An open archive. */
export interface ZipArchive {
  members: ZipMember[];
  close(): Promise<void>;
}

/** How an archive at an address is read. */
export interface ZipOptions {
  signal?: AbortSignal;
  /**
   * First pause after a failed request, in milliseconds; it doubles.
   * @default 1000
   */
  retryDelayMs?: number;
}

/** Larger members are not unpacked: none of COCO's is a tenth as large. */
const MAX_MEMBER_BYTES = 2 ** 30;

// Workers would only carry bytes to and fro.
configure({ useWebWorkers: false, chunkSize: 2 ** 20 });

/**
 * Opens an archive.
 *
 * @param source A file's path, or an http address whose server knows ranges.
 * @throws {Error} If it is not there, or no whole archive: says what to do.
 */
export async function openZip(
  source: string,
  options: ZipOptions = {},
): Promise<ZipArchive> {
  const remote = /^https?:/.test(source);
  const reader = remote
    ? new HttpSource(source, options)
    : new FileSource(source);
  const zip = new ZipReader(reader);
  const close = async () => {
    await zip.close();
    await reader.close();
  };
  let entries;
  try {
    entries = await zip.getEntries();
  } catch (error) {
    await close();
    const { code, message } = error as NodeJS.ErrnoException;
    if (code || error instanceof SourceError) throw error;
    throw new Error(
      `${source} is no whole ZIP archive (${message})` +
        (remote ? "" : ": delete it and run again"),
    );
  }
  const files = entries.filter((entry): entry is FileEntry => !entry.directory);
  return {
    members: files.map((entry) => ({
      name: entry.filename,
      size: entry.uncompressedSize,
      read: () => readMember(entry, source),
    })),
    close,
  };
}

async function readMember(
  entry: FileEntry,
  source: string,
): Promise<Uint8Array> {
  if (entry.uncompressedSize > MAX_MEMBER_BYTES) {
    throw new Error(
      `${entry.filename} of ${source} has ${entry.uncompressedSize} bytes: ` +
        `expected at most ${MAX_MEMBER_BYTES}`,
    );
  }
  try {
    return await entry.getData(new Uint8ArrayWriter(), {
      checkSignature: true,
    });
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new Error(
      `${entry.filename} of ${source} is damaged (${(error as Error).message})`,
    );
  }
}

/** What went wrong on the way to the bytes, not in them. */
class SourceError extends Error {}

/** A file, of which parts are read. */
class FileSource extends Reader<string> {
  #path: string;
  #file: Awaited<ReturnType<typeof open>> | undefined;

  constructor(path: string) {
    super(path);
    this.#path = path;
  }

  override async init() {
    this.#file = await open(this.#path);
    this.size = (await this.#file.stat()).size;
    await super.init?.();
  }

  override async readUint8Array(position: number, length: number) {
    const buffer = new Uint8Array(length);
    const { bytesRead } = await this.#file!.read({ buffer, position });
    return buffer.subarray(0, bytesRead);
  }

  async close() {
    await this.#file?.close();
  }
}

/** An address, of which parts are fetched. */
class HttpSource extends Reader<string> {
  #address: string;
  #signal: AbortSignal | undefined;
  #delayMs: number;

  constructor(
    address: string,
    { signal, retryDelayMs = 1000 }: ZipOptions,
  ) {
    super(address);
    this.#address = address;
    this.#signal = signal;
    this.#delayMs = retryDelayMs;
  }

  override async init() {
    this.size = (await this.#fetch(0, 1)).total;
    await super.init?.();
  }

  override async readUint8Array(position: number, length: number) {
    return (await this.#fetch(position, length)).bytes;
  }

  /** A part, and how large the whole is. */
  async #fetch(position: number, length: number) {
    const range = `bytes=${position}-${position + length - 1}`;
    const attempt = async () => {
      const timeout = AbortSignal.timeout(SILENCE_MS);
      const response = await askFor(this.#address, {
        headers: { range },
        signal: either(this.#signal, timeout),
      });
      if (response.status !== 206) {
        await response.body?.cancel();
        throw new AbortError("its server knows no ranges");
      }
      const said = response.headers.get("content-range") ?? "";
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { bytes, total: Number(said.split("/")[1]) };
    };
    try {
      const pace = { delayMs: this.#delayMs, signal: this.#signal };
      return await persistently(4, attempt, pace);
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw new SourceError(`${this.#address}: ${(error as Error).message}`);
    }
  }

  close() {
    return Promise.resolve();
  }
}
