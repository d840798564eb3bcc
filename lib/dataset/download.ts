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
import { access, readdir, rm } from "node:fs/promises";
import { extname, join } from "node:path";
import { type FetchLimits, PictureFetcher } from "./fetch.ts";
import { writeAtomic } from "../files.ts";
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

/** A picture and its file. */
export interface DownloadedPicture {
  /** As the crawl found it. */
  picture: FoundPicture;
  /** Absolute path of the file, as the site sent it. */
  file: string;
}

/** A picture without a file. */
export interface DownloadFailure {
  /** As the crawl found it. */
  picture: FoundPicture;
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
  await removeLeftovers();
  const fetcher = new PictureFetcher(limits, signal);
  const outcomes = new Map<string, Promise<Outcome>>();
  const progress = { done: 0, total: pictures.length, resumed: 0, failed: 0 };

  const settled = await Promise.all(pictures.map(async (picture) => {
    const file = downloadPath(picture.url);
    if (!outcomes.has(file)) {
      outcomes.set(file, fetchTo(file, () => rebase(picture.url), fetcher));
    }
    const { resumed, reason } = await outcomes.get(file)!;
    progress.done++;
    if (resumed) progress.resumed++;
    if (reason) progress.failed++;
    onProgress?.({ ...progress });
    return { picture, file, reason };
  }));
  return {
    records: settled.flatMap(({ picture, file, reason }) =>
      reason ? [] : [{ picture, file }]
    ),
    failures: settled.flatMap(({ picture, reason }) =>
      reason ? [{ picture, reason }] : []
    ),
  };
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

/** How one address ended: fetched by an earlier run, or why it has no file. */
interface Outcome {
  resumed?: boolean;
  reason?: string;
}

async function fetchTo(
  file: string,
  address: () => string,
  fetcher: PictureFetcher,
): Promise<Outcome> {
  try {
    if (await exists(file)) return { resumed: true };
    await writeAtomic(file, await fetcher.fetch(address()));
    return {};
  } catch (error) {
    return { reason: describe(error as Error) };
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(() => true, () => false);
}

/** Why a request came to nothing, in one line. */
function describe({ name, message, cause }: Error): string {
  if (name === "TimeoutError") return "no whole answer in time";
  const detail = cause instanceof Error ? cause.message : message;
  return detail.split("\n")[0].slice(0, 200);
}

/** Removes what a killed run had begun to write. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(paths.downloads).catch(() => [])) {
    if (/^\..*\.part$/.test(name)) await rm(join(paths.downloads, name));
  }
}
