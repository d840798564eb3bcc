/**
 * Downloads a model's files from the hub, huggingface.co or a mirror of it.
 *
 * They go into a folder of the repository's name among the models. A file that
 * exists there is whole, so a folder that someone filled by hand, or that an
 * interrupted download left, is taken as it is and completed.
 *
 * `@huggingface/hub` asks what a file is: its size, and its checksum as an
 * ETag, SHA-256 for large files and Git's SHA-1 for small ones. The bytes come
 * by lib/http/large_file.ts instead of the library's own `downloadFile`, or of
 * Transformers.js's: neither goes on where a broken download stopped, asks
 * again, verifies a checksum or can be stopped, and a model has 600 MB.
 *
 * `HF_ENDPOINT` names a mirror of the hub; `HF_TOKEN` opens private
 * repositories, and is sent to no other host.
 *
 * ```ts
 * import { missingFiles, repositoryFolder } from "#lib/encoders/hub.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const folder = repositoryFolder("nobody/no-such-model");
 * deepEqual(missingFiles(folder, ["config.json"]), ["config.json"]);
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isRegularFile } from "../files.ts";
import { Host } from "../http/hosts.ts";
import { FinalError } from "../http/final_error.ts";
import { fetchOnce, send } from "../http/http.ts";
import { downloadLargeFile, type LargeFile } from "../http/large_file.ts";
import { environment, paths } from "../paths.ts";

/** How far a download is, in bytes. */
export interface HubProgress {
  /** The file under way, by its path in the repository. */
  file: string;
  /** Bytes of all files that are here. */
  received: number;
  /** Bytes of all files. */
  total: number;
}

/** How a download is watched and stopped. */
export interface HubOptions {
  /** Called as bytes arrive. */
  onProgress?: (progress: HubProgress) => void;
  /** Where `onProgress` is left out, told in a line at each tenth. */
  log?: (line: string) => void;
  /** Stops the download; what has arrived stays for the next one. */
  signal?: AbortSignal;
  /**
   * First pause between two attempts at a file, in milliseconds; it doubles.
   * @default 1000
   */
  retryDelayMs?: number;
}

/** ONNX files cannot be larger, and nothing else is nearly as large. */
const MAX_BYTES = 2 ** 31;

/** The hub's address, without a slash at its end. */
export function hubEndpoint(): string {
  const endpoint = environment("HF_ENDPOINT") ?? "https://huggingface.co";
  return endpoint.replace(/\/+$/, "");
}

/** Where a repository's files lie: a folder of that name among the models. */
export function repositoryFolder(
  repository: string,
  models: string = paths.models,
): string {
  return join(models, ...repository.split("/"));
}

/** Those of the files that the folder does not hold. */
export function missingFiles(
  folder: string,
  files: readonly string[],
): string[] {
  return files.filter((file) => !isRegularFile(join(folder, file)));
}

/**
 * Makes sure, by one question, that the hub has a file.
 *
 * @param signal Stops the waiting.
 * @throws {Error} If it does not say so within 3 s: what it says, on one line.
 */
export async function askHub(
  repository: string,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const late = AbortSignal.timeout(3000);
  const either = AbortSignal.any([late, ...signal ? [signal] : []]);
  try {
    await describeFile(repository, file, either);
  } catch (error) {
    signal?.throwIfAborted();
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    throw new Error(
      `the hub at ${hubEndpoint()} ` +
        (late.aborted
          ? "did not answer within 3 s"
          : `cannot be used: ${reason.split("\n")[0]}`),
    );
  }
}

/**
 * Downloads those of the files that the folder does not hold yet.
 *
 * @param repository Its name on the hub: "Xenova/clip-vit-base-patch32".
 * @param files Paths in the repository.
 * @param folder Where they go, under the same paths.
 * @throws {Error} If one cannot be had: names the repository and its address,
 *   the reason, and which files to put into the folder by hand.
 */
export async function downloadFiles(
  repository: string,
  files: readonly string[],
  folder: string,
  { log, onProgress = log && inTenths(log), signal, retryDelayMs }: HubOptions =
    {},
): Promise<void> {
  const host = new Host(hubEndpoint(), { backoffMs: retryDelayMs ?? 1000 });
  try {
    const wanted: LargeFile[] = [];
    for (const path of missingFiles(folder, files)) {
      const describe = () => describeFile(repository, path, signal);
      const destination = join(folder, path);
      wanted.push({ ...await send(host, describe, signal), destination });
    }
    const total = wanted.reduce((sum, { size }) => sum + size, 0);
    let before = 0;
    for (const file of wanted) {
      const options = {
        headers: token(),
        // The hub, or a mirror that the user named.
        allowedHosts: "any" as const,
        signal,
      };
      const report = (here: number) =>
        onProgress?.({ file: file.name, received: before + here, total });
      await downloadLargeFile(host, file, options, report);
      before += file.size;
    }
  } catch (error) {
    signal?.throwIfAborted();
    const reason = (error as Error).message;
    const list = missingFiles(folder, files).map((file) => `\n  ${file}`);
    throw new Error(
      `${repository} cannot be downloaded from ${hubEndpoint()}: ${reason}. ` +
        "Try again, set HF_ENDPOINT to a mirror, or put these files into " +
        `${folder}:${list.join("")}`,
    );
  }
}

/** What the hub says of a file; one attempt, for `send`. */
async function describeFile(
  repository: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Omit<LargeFile, "destination">> {
  // Loaded here, since most commands find their files.
  const { fileDownloadInfo } = await import("@huggingface/hub");
  const info = await fileDownloadInfo({
    repo: repository,
    path,
    hubUrl: hubEndpoint(),
    fetch: (address, init) =>
      ask(String(address), { ...init?.headers } as Headings, signal),
  });
  const { url, size, etag } = info!;
  if (!(size > 0 && size <= MAX_BYTES)) {
    throw new FinalError(
      `${url}: expected a size up to ${MAX_BYTES} bytes, got ${size}`,
    );
  }
  const version = etag.replace(/^W\/|\W/g, "").slice(0, 64);
  const isRight = (part: string) => checksumIsRight(part, version);
  return { name: path, address: url, size, version, isRight };
}

type Headings = Record<string, string>;

/** The library's fetch(): by our rule of statuses, and for all kinds of mirrors. */
async function ask(
  address: string,
  headers: Headings,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const get = (redirect: "follow" | "manual") =>
    fetchOnce(address, (answer) => Promise.resolve(answer), {
      headers: { ...headers, ...token() },
      allowedHosts: "any",
      redirect,
      signal,
    }).catch((error: FinalError) => {
      const { status, message } = error;
      if (!status) throw error;
      const advice = status === 401 || status === 403
        ? ": no such repository, or a private one, for which HF_TOKEN must " +
          "hold a token"
        : ` (${address})`;
      throw new FinalError(message + advice);
    });
  let answer = await get("manual");
  // Of a large file, the hub's redirect to the bytes says all there is to know.
  let size = answer.headers.get("x-linked-size");
  if (!size && answer.headers.has("location")) answer = await get("follow");
  if (answer.headers.get("content-type")?.startsWith("text/html")) {
    throw new FinalError(
      `expected a file, got a web page (${address}): is there a log-in page ` +
        "between here and the hub?",
    );
  }
  // Some mirrors know neither ranges nor ETags.
  if (answer.status === 200) size ??= answer.headers.get("content-length");
  const found = new Headers(answer.headers);
  if (!found.has("etag")) found.set("etag", 'W/""');
  if (size) found.set("content-range", `bytes 0-0/${size}`);
  return new Response(null, { headers: found });
}

/** The token, for requests to the hub; fetch() takes it off at redirects away. */
function token(): Record<string, string> {
  const secret = environment("HF_TOKEN");
  return secret ? { authorization: `Bearer ${secret}` } : {};
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

/** Says how much has arrived, a line at each tenth of the whole. */
function inTenths(log: (line: string) => void): HubOptions["onProgress"] {
  let told = 0;
  return ({ received, total }) => {
    const tenths = Math.floor(10 * received / total);
    if (tenths <= told) return;
    told = tenths;
    log(`  ${10 * tenths} % of ${Math.ceil(total / 1e6)} MB`);
  };
}
