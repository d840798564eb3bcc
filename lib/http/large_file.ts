/**
 * Downloads a large file so that nothing that has arrived is fetched again.
 *
 * It arrives as `FILE.VERSION.part` and gets its own name when it is whole and
 * its checksum is right. An interrupted download goes on where it stopped (HTTP
 * ranges), as long as the version, which names what is at the other end, is
 * still the same.
 *
 * ```ts
 * import { askFor, downloadLargeFile } from "#lib/http/large_file.ts";
 *
 * async function downloadArchive(address: string, size: number, md5: string) {
 *   await downloadLargeFile({
 *     name: "archive.zip",
 *     destination: "data/archive.zip",
 *     size,
 *     version: md5,
 *     request: (init) => askFor(address, init),
 *     isRight: () => Promise.resolve(true),
 *   });
 * }
 * ```
 *
 * @module
 */
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
// Node's own timers, whose refresh() the global ones lack under Deno.
import { clearTimeout, setTimeout } from "node:timers";
import pRetry, { AbortError } from "p-retry";

/** A connection on which nothing arrives for so long counts as broken. */
export const SILENCE_MS = 30_000;

/** A file at the other end, and where it goes. */
export interface LargeFile {
  /** What messages call it. */
  name: string;
  /** Its place when it is whole; missing folders are made. */
  destination: string;
  /** Bytes. */
  size: number;
  /** Tells it from an older or newer file of that name; "" if nobody knows. */
  version: string;
  /** Asks for it, with the headers given; throws unless it is sent. */
  request: (init: RequestInit) => Promise<Response>;
  /** Whether the content of a file is the right one. */
  isRight: (path: string) => Promise<boolean>;
}

/** How a download is watched and stopped. */
export interface LargeFileOptions {
  /** Stops it; what has arrived stays for the next attempt. */
  signal?: AbortSignal;
  /** Called with the number of bytes that are here. */
  onBytes?: (received: number) => void;
}

/**
 * One attempt at a file, from where the last one stopped.
 *
 * @throws {Error} If it did not arrive whole and right; another attempt may
 *   succeed.
 */
export async function downloadLargeFile(
  file: LargeFile,
  options: LargeFileOptions = {},
): Promise<void> {
  const { name, destination, size, version, isRight } = file;
  const part = `${destination}.${version}.part`;
  await mkdir(dirname(part), { recursive: true });
  let here = (await stat(part).catch(() => ({ size: 0 }))).size;
  // Without a version, nobody knows whether the file is still the same.
  if (!version || here > size) here = 0;
  if (here < size) await receive(file, part, here, options);
  if (!await isRight(part)) {
    await rm(part);
    throw new Error(`${name} arrived with a wrong checksum`);
  }
  await rename(part, destination);
  for (const other of await readdir(dirname(part))) {
    // What is left of an older file of this name.
    if (
      other.startsWith(`${basename(destination)}.`) && /\.part$/.test(other)
    ) {
      await rm(join(dirname(part), other));
    }
  }
}

/**
 * Tries again what may pass: the first pause is `delayMs` long, and each one
 * twice as long as the one before.
 *
 * @param retries How many further attempts.
 * @throws {Error} What the last attempt threw, or p-retry's AbortError at once.
 */
export function persistently<Result>(
  retries: number,
  attempt: () => Promise<Result>,
  { delayMs, signal }: { delayMs: number; signal?: AbortSignal },
): Promise<Result> {
  return pRetry(() => attempt().catch(plainError), {
    retries,
    minTimeout: delayMs,
    signal,
  });
}

/**
 * Asks for a file, uncompressed, so that ranges and lengths mean its own bytes.
 *
 * @throws {Error} If the answer is an error that may pass.
 * @throws {AbortError} If it is one that would come again.
 */
export async function askFor(
  address: string,
  init: RequestInit,
): Promise<Response> {
  const response = await fetch(address, {
    ...init,
    headers: { "accept-encoding": "identity", ...init.headers },
  });
  const { status, statusText } = response;
  if (status < 400) return response;
  await response.body?.cancel();
  const said = `${status} ${statusText}`.trim();
  const mayPass = status >= 500 || status === 408 || status === 429;
  throw mayPass ? new Error(said) : new AbortError(said);
}

/** Rethrows with the cause in the message; p-retry gives up on TypeErrors. */
function plainError(error: unknown): never {
  if (error instanceof AbortError) throw error;
  const { cause, message } = error as Error;
  throw new Error(cause instanceof Error ? cause.message : message);
}

/** Adds to the part what is missing. */
async function receive(
  { name, size, request }: LargeFile,
  part: string,
  here: number,
  { signal, onBytes }: LargeFileOptions,
): Promise<void> {
  const silence = new AbortController();
  const timer = setTimeout(
    () => silence.abort(new Error(`nothing came for ${SILENCE_MS / 1000} s`)),
    SILENCE_MS,
  );
  let received = here;
  let file: FileHandle | undefined;
  try {
    const { status, headers, body } = await request({
      headers: here ? { range: `bytes=${here}-` } : {},
      signal: either(signal, silence.signal),
    });
    const range = headers.get("content-range") ?? "";
    const resumed = status === 206 && range.startsWith(`bytes ${here}-`);
    // A server that knows no ranges sends the file from its start.
    if (!resumed) received = 0;
    file = await open(part, resumed ? "a" : "w");
    for await (const chunk of body ?? []) {
      received += chunk.length;
      if (received > size) break;
      await file.appendFile(chunk);
      timer.refresh();
      onBytes?.(received);
    }
    await file.sync();
  } finally {
    clearTimeout(timer);
    await file?.close();
  }
  if (received > size) await rm(part);
  if (received !== size) {
    throw new Error(`expected ${size} bytes of ${name}, got ${received}`);
  }
}

/** A signal that is aborted when one of the two is. */
export function either(
  a: AbortSignal | undefined,
  b: AbortSignal,
): AbortSignal {
  return a ? AbortSignal.any([a, b]) : b;
}
