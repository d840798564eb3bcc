/**
 * Downloads pictures, each address once, and continues where an earlier run
 * stopped.
 *
 * A picture lies in paths.downloads under a name made from its address, and it
 * gets that name only when all of it is there: a file that exists is whole.
 *
 * ```ts
 * import { download, downloadPath } from "#lib/dataset/download.ts";
 * import { equal, match } from "node:assert/strict";
 * import { basename } from "node:path";
 *
 * match(
 *   basename(downloadPath("https://example.org/a/snowy owl.jpg?size=l")),
 *   /^snowy_owl-[0-9a-f]{16}\.jpg$/,
 * );
 * const owl = { category: "birds", term: "owl", url: "ftp://example.org/a.jpg",
 *   page: "", caption: "", author: "", license: "" };
 * const { failures } = await download([owl]);
 * equal(failures[0].reason, "expected an http or https address, got ftp:");
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { inspect } from "node:util";
import { type FetchLimits, pictureFetcher } from "./fetch.ts";
import { removeUnfinished, writeAtomic } from "../files.ts";
import { STOPPED } from "../http/http.ts";
import { paths } from "../paths.ts";
import type { FoundPicture } from "../records.ts";

/** How to download; the limits' defaults are in fetch. */
export interface DownloadOptions extends Partial<FetchLimits> {
  /**
   * Where a picture is fetched from, if not from its own address. Its file is
   * named after its own address either way.
   */
  rebase?: (url: string) => string;
  /** Called after each picture. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Stops the download; what has arrived stays for the next run. */
  signal?: AbortSignal;
}

/** How far a download is, in pictures. */
export interface DownloadProgress {
  /** Settled so far. */
  done: number;
  /** Asked for. */
  total: number;
  /** Of the settled ones: those that an earlier run had fetched. */
  resumed: number;
  /** Of the settled ones: those without a file. */
  failed: number;
}

/** A picture that has a file. */
export interface DownloadedPicture extends FoundPicture {
  /** Absolute path of the file, as the site sent it. */
  file: string;
}

/** A picture without a file. */
export interface DownloadFailure extends FoundPicture {
  /** Why, in a few words: "404 Not Found". */
  reason: string;
}

/**
 * Downloads pictures to paths.downloads.
 *
 * Never throws over a picture or a host: what it could not get is returned
 * with the reason, and asked for again by the next run.
 *
 * @returns What has a file and what has none, each in the order given.
 */
export async function download(
  pictures: readonly FoundPicture[],
  { rebase = (url) => url, onProgress, signal, ...limits }: DownloadOptions =
    {},
): Promise<{ records: DownloadedPicture[]; failures: DownloadFailure[] }> {
  await removeUnfinished(paths.downloads);
  const fetchPicture = pictureFetcher(limits, signal);
  /** By file: whether an earlier run had fetched it, or why there is none. */
  const outcomes = new Map<string, Promise<boolean | Error>>();
  const progress = { done: 0, total: pictures.length, resumed: 0, failed: 0 };
  const records: DownloadedPicture[] = [];
  const failures: DownloadFailure[] = [];

  const settled = await Promise.all(pictures.map(async (picture) => {
    // Records from elsewhere may hold anything.
    const given: unknown = picture?.url;
    const url = typeof given === "string" ? given : inspect(given);
    const file = downloadPath(url);
    if (!outcomes.has(file)) {
      const fetchBytes = () => fetchPicture(rebase(url));
      const onError = (error: Error) =>
        signal?.aborted ? new Error(STOPPED) : error;
      outcomes.set(file, save(file, fetchBytes).catch(onError));
    }
    const outcome = await outcomes.get(file)!;
    progress.done++;
    if (outcome === true) progress.resumed++;
    if (outcome instanceof Error) progress.failed++;
    onProgress?.({ ...progress });
    return { file, outcome };
  }));
  settled.forEach(({ file, outcome }, i) => {
    if (outcome instanceof Error) {
      failures.push({ ...pictures[i], reason: outcome.message });
    } else records.push({ ...pictures[i], file });
  });
  return { records, failures };
}

/**
 * The file of an address: the end of the address in plain letters and digits,
 * then 16 digits of the SHA-256 of the whole, so that no address names
 * another's file or a place outside the folder.
 */
export function downloadPath(url: string): string {
  // What follows "#" never reaches the server.
  const address = url.replace(/#.*/s, "");
  const last = address.replace(/\?.*/s, "").split("/").at(-1)!;
  const extension = extname(last);
  const name = last.slice(0, last.length - extension.length)
    .replace(/[^A-Za-z0-9_-]+/g, "_").replace(/^-+/, "").slice(0, 60);
  const digest = createHash("sha256").update(address).digest("hex");
  return join(
    paths.downloads,
    `${name || "picture"}-${digest.slice(0, 16)}` +
      (/^\.[A-Za-z]{3,4}$/.test(extension) ? extension.toLowerCase() : ""),
  );
}

/** Fetches what is not there yet; true if it was. */
async function save(
  file: string,
  fetchBytes: () => Promise<Uint8Array>,
): Promise<boolean> {
  if (existsSync(file)) return true;
  await writeAtomic(file, await fetchBytes());
  return false;
}
