/**
 * One file of the hub: what it is, and how to get it.
 *
 * HEAD /REPOSITORY/resolve/main/FILE gives its size, and its checksum as an
 * ETag: SHA-256 for large files, which are then sent from another host, and
 * Git's SHA-1 for small ones. The file arrives as `FILE.ETAG.part` and gets its
 * own name when its checksum is right. An interrupted one goes on where it
 * stopped, as long as the hub's file is still the same.
 *
 * `HF_ENDPOINT` names a mirror of the hub; `HF_TOKEN` opens private
 * repositories, and is sent to no other host.
 *
 * ```ts
 * import { hubEndpoint } from "#lib/encoders/hub_file.ts";
 * import { ok } from "node:assert/strict";
 *
 * ok(hubEndpoint().startsWith("http"));
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AbortError } from "p-retry";
import { downloadLargeFile, either, SILENCE_MS } from "../http/large_file.ts";
import { environment } from "../paths.ts";

/** A file of the hub. */
export interface HubFile {
  /** In the repository. */
  path: string;
  /** Where it is asked for. */
  address: string;
  /** Bytes. */
  size: number;
  /** Its checksum, if it is as long as one: SHA-256, or Git's SHA-1. */
  etag: string;
}

/** ONNX files cannot be larger, and nothing else is nearly as large. */
const MAX_BYTES = 2 ** 31;
const MAX_REDIRECTS = 5;

/** The hub's address, without a slash at its end. */
export function hubEndpoint(): string {
  const endpoint = environment("HF_ENDPOINT") ?? "https://huggingface.co";
  return endpoint.replace(/\/+$/, "");
}

/**
 * A file's size and checksum, from the hub itself, not from where it sends us.
 *
 * @throws {AbortError} If there is no use in asking again.
 */
export async function askAbout(
  address: string,
  signal?: AbortSignal,
): Promise<{ size: number; etag: string }> {
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const { status, headers } = await request(address, {
      method: "HEAD",
      redirect: "manual",
      signal: either(signal, AbortSignal.timeout(SILENCE_MS)),
    });
    const location = headers.get("location");
    const linked = headers.get("x-linked-etag");
    if (status >= 300 && status < 400 && location && !linked) {
      address = new URL(location, address).href;
      continue;
    }
    const said = headers.get("x-linked-size") ?? headers.get("content-length");
    const size = Number(said);
    if (!(size > 0 && size <= MAX_BYTES)) {
      throw new AbortError(
        `${address}: expected a size up to ${MAX_BYTES} bytes, got ${said}`,
      );
    }
    const etag = linked ?? headers.get("etag") ?? "";
    return { size, etag: etag.replace(/^W\/|\W/g, "").slice(0, 64) };
  }
  throw new AbortError(`${address}: more than ${MAX_REDIRECTS} redirects`);
}

/**
 * One attempt at a file, from where the last one stopped.
 *
 * @param folder Where the file goes, under its path in the repository.
 * @param onBytes Called with the number of bytes that are here.
 * @throws {AbortError} If there is no use in another attempt.
 */
export function downloadFile(
  { path, address, size, etag }: HubFile,
  folder: string,
  signal: AbortSignal | undefined,
  onBytes: (received: number) => void,
): Promise<void> {
  return downloadLargeFile({
    name: path,
    destination: join(folder, path),
    size,
    version: etag,
    request: (init) => request(address, init),
    isRight: (part) => checksumIsRight(part, etag),
  }, { signal, onBytes });
}

/** Whether the content fits the ETag, where that is a checksum. */
async function checksumIsRight(path: string, etag: string): Promise<boolean> {
  const sha256 = /^[0-9a-f]{64}$/.test(etag);
  if (!sha256 && !/^[0-9a-f]{40}$/.test(etag)) return true;
  const hash = createHash(sha256 ? "sha256" : "sha1");
  // Git puts this before a file's content.
  if (!sha256) hash.update(`blob ${(await stat(path)).size}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex") === etag;
}

/** Sends a request, with the token if it goes to the hub. */
async function request(url: string, init: RequestInit): Promise<Response> {
  const token = environment("HF_TOKEN");
  const toHub = new URL(url).origin === new URL(hubEndpoint()).origin;
  const response = await fetch(url, {
    ...init,
    headers: {
      // Compressed answers have no use for ranges, nor a true length.
      "accept-encoding": "identity",
      "user-agent": "contact-sheet",
      ...(token && toHub ? { authorization: `Bearer ${token}` } : {}),
      ...init.headers,
    },
  });
  const { status, statusText } = response;
  if (status < 400) return response;
  await response.body?.cancel();
  const said = `${status} ${statusText}`.trim();
  if (status === 401 || status === 403) {
    throw new AbortError(
      `${said}: no such repository, or a private one, for which HF_TOKEN ` +
        "must hold a token",
    );
  }
  const mayPass = status >= 500 || status === 408 || status === 429;
  throw mayPass ? new Error(said) : new AbortError(`${said} (${url})`);
}
