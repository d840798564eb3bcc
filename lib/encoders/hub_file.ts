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
import type { Host } from "../http/hosts.ts";
import { FinalError, fetchOnce, type FetchOptions } from "../http/http.ts";
import { downloadLargeFile } from "../http/large_file.ts";
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
 * One attempt, for `send`.
 */
export async function readFacts(
  address: string,
  { timeoutMs, signal }: FetchOptions = {},
): Promise<{ size: number; etag: string }> {
  const tooMany = new FinalError(
    `${address}: more than ${MAX_REDIRECTS} redirects`,
  );
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const { status, headers } = await explained(
      address,
      fetchOnce(address, (response) => Promise.resolve(response), {
        method: "HEAD",
        redirect: "manual",
        headers: tokenFor(address),
        timeoutMs,
        signal,
      }),
    );
    const location = headers.get("location");
    const linked = headers.get("x-linked-etag");
    if (status >= 300 && status < 400 && location && !linked) {
      address = new URL(location, address).href;
      continue;
    }
    const said = headers.get("x-linked-size") ?? headers.get("content-length");
    const size = Number(said);
    if (!(size > 0 && size <= MAX_BYTES)) {
      throw new FinalError(
        `${address}: expected a size up to ${MAX_BYTES} bytes, got ${said}`,
      );
    }
    const etag = linked ?? headers.get("etag") ?? "";
    return { size, etag: etag.replace(/^W\/|\W/g, "").slice(0, 64) };
  }
  throw tooMany;
}

/**
 * Downloads a file, from where the last attempt stopped.
 *
 * @param folder Where the file goes, under its path in the repository.
 * @param onBytes Called with the number of bytes that are here.
 */
export function downloadFile(
  host: Host,
  { path, address, size, etag }: HubFile,
  folder: string,
  signal: AbortSignal | undefined,
  onBytes: (received: number) => void,
): Promise<void> {
  const file = {
    name: path,
    address,
    destination: join(folder, path),
    size,
    version: etag,
    isRight: (part: string) => checksumIsRight(part, etag),
  };
  const headers = tokenFor(address);
  return explained(
    address,
    downloadLargeFile(host, file, { headers, signal }, onBytes),
  );
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

/** The token, for requests to the hub; fetch() takes it off at redirects away. */
function tokenFor(address: string): Record<string, string> {
  const token = environment("HF_TOKEN");
  const toHub = new URL(address).origin === new URL(hubEndpoint()).origin;
  return token && toHub ? { authorization: `Bearer ${token}` } : {};
}

/** Says what to do about a final status. */
function explained<Result>(
  address: string,
  answer: Promise<Result>,
): Promise<Result> {
  return answer.catch((error) => {
    const { status, message } = error as FinalError;
    if (status === 401 || status === 403) {
      throw new FinalError(
        `${message}: no such repository, or a private one, for which ` +
          "HF_TOKEN must hold a token",
      );
    }
    throw status ? new FinalError(`${message} (${address})`, status) : error;
  });
}
