/**
 * ZIP archives, read where they lie: in a file, or at the other end of a
 * network, of which only the wanted parts are then fetched (HTTP ranges).
 *
 * Each member's checksum is verified. Names are never made into paths here.
 *
 * zip.js reads; each of its ranges is sent as http.ts does. A file has a reader
 * of our own: Deno's openAsBlob() takes all of one into memory, 19 GB of COCO's.
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
import { type FileHandle, open } from "node:fs/promises";
import {
  configure,
  type FileEntry,
  HttpReader,
  Reader,
  Uint8ArrayWriter,
  ZipReader,
} from "@zip.js/zip.js";
import type { Host } from "./hosts.ts";
import { FinalError } from "./final_error.ts";
import { fetchOnce, type FetchOptions, readStart, send } from "./http.ts";

/** An open archive. */
export interface ZipArchive {
  /**
   * What reads each member's content, by its name: "val2017/000000000139.jpg".
   * It throws an Error that names the member if the checksum is wrong.
   */
  members: Map<string, () => Promise<Uint8Array>>;
  close(): Promise<void>;
}

/** Larger members are not unpacked: none of COCO's is a tenth as large. */
const MAX_MEMBER_BYTES = 2 ** 30;

/** Most that is asked for, and taken, at a time. */
const MAX_RANGE_BYTES = 2 ** 20;

// Workers would only carry bytes to and fro.
configure({ useWebWorkers: false, chunkSize: 2 ** 20 });

/**
 * Opens an archive.
 *
 * @param source A file's path, or an http address whose server knows ranges.
 * @param host What an address is asked of.
 * @param options How it is asked.
 * @throws {Error} If it is not there, or no whole archive: says what to do.
 */
export async function openZip(
  source: string,
  host?: Host,
  options: FetchOptions = {},
): Promise<ZipArchive> {
  const file = host ? undefined : await open(source);
  const zip = new ZipReader(
    file ? new FileReader(file) : httpReader(source, host!, options),
  );
  const close = async () => {
    await zip.close();
    await file?.close();
  };
  const advice = file ? ": delete it and run again" : "";
  const entries = await zip.getEntries().catch(async (error) => {
    await close();
    throw explained(error, `${source} is no whole ZIP archive`, advice);
  });
  const members = entries.filter((entry): entry is FileEntry =>
    !entry.directory
  ).map((entry) => [entry.filename, () => readMember(entry, source)] as const);
  return { members: new Map(members), close };
}

async function readMember(
  entry: FileEntry,
  source: string,
): Promise<Uint8Array> {
  const { filename, uncompressedSize } = entry;
  if (uncompressedSize > MAX_MEMBER_BYTES) {
    throw new Error(
      `${filename} of ${source} has ${uncompressedSize} bytes: ` +
        `expected at most ${MAX_MEMBER_BYTES}`,
    );
  }
  const checked = { checkSignature: true };
  return await entry.getData(new Uint8ArrayWriter(), checked).catch((error) => {
    throw explained(error, `${filename} of ${source} is damaged`);
  });
}

/** What is wrong with an archive, unless we could not get at its bytes. */
function explained(error: Error, what: string, advice = ""): Error {
  return error instanceof SourceError
    ? error
    : new Error(`${what} (${error.message})${advice}`);
}

/** What went wrong on the way to the bytes, not in them. */
class SourceError extends Error {}

/** A file, of which parts are read. */
class FileReader extends Reader<FileHandle> {
  #file: FileHandle;

  constructor(file: FileHandle) {
    super(file);
    this.#file = file;
  }

  override async init() {
    this.size = (await this.#file.stat()).size;
    await super.init?.();
  }

  override async readUint8Array(position: number, length: number) {
    const buffer = new Uint8Array(length);
    const { bytesRead } = await this.#file.read({ buffer, position });
    return buffer.subarray(0, bytesRead);
  }
}

/** An address, of which parts are fetched, each whole before it is handed on. */
function httpReader(
  address: string,
  host: Host,
  options: FetchOptions,
): HttpReader {
  const { signal } = options;
  const read = async (response: Response) => {
    if (response.status !== 206) {
      throw new FinalError("its server knows no ranges");
    }
    const { status, headers } = response;
    const bytes = await readStart(response, MAX_RANGE_BYTES);
    return new Response(bytes as Uint8Array<ArrayBuffer>, { status, headers });
  };
  return new HttpReader(address, {
    forceRangeRequests: true,
    maximumRangeSize: MAX_RANGE_BYTES,
    fetch: (_, init) => {
      const { headers } = init as { headers: Record<string, string> };
      return send(
        host,
        () => fetchOnce(address, read, { ...options, headers }),
        signal,
      )
        .catch((error) => {
          signal?.throwIfAborted();
          throw new SourceError(`${address}: ${error.message}`);
        });
    },
  });
}
