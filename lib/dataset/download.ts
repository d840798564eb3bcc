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
import { basename, extname, join } from "node:path";
import { setImmediate as immediate } from "node:timers/promises";
import { inspect } from "node:util";
import pLimit, { type LimitFunction } from "p-limit";
import { type FetchLimits, pictureClient } from "./fetch.ts";
import { openFolder } from "./picture_file.ts";
import { isOneOf } from "../crawl/licences.ts";
import { FinalError } from "../http/final_error.ts";
import { STOPPED } from "../http/http.ts";
import { at, type Stage, stageOf } from "../http/stages.ts";
import { paths } from "../paths.ts";
import type { FoundPicture } from "../records.ts";

/** How to download; the limits' defaults are in fetch. */
export interface DownloadOptions extends Partial<FetchLimits> {
  /**
   * Where a picture is fetched from, if not from its own address. Its file is
   * named after its own address either way.
   */
  rebase?: (url: string) => string;
  /**
   * Licences that are wanted, by their names or families: "CC BY 4.0", "CC0". Of
   * others there is no request. @default {all}
   */
  licences?: readonly string[];
  /**
   * Asks for what has a file again. The file stays where the site says that
   * nothing has changed since, or has nothing better. @default {false}
   */
  refresh?: boolean;
  /** Called after each picture. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Stops the download; what has arrived stays for the next run. */
  signal?: AbortSignal;
}

/** How far a download is, in pictures. */
export interface DownloadProgress {
  /** Settled so far. */
  done: number;
  /** Asked for; of a list whose length nobody knows, what is read of it. */
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
  /** Where it ended: "status". */
  stage: Stage;
}

/** What became of a picture; it has a `file` or a `reason`. */
export type Download = DownloadedPicture | DownloadFailure;

/** What has a file and what has none, each in the order given. */
export interface Downloads {
  records: DownloadedPicture[];
  failures: DownloadFailure[];
  /** Places of the failures among all that were given, from 0. */
  failedAt: number[];
}

/** Pictures of a list that are under way or wait for their hosts, at most. */
const WINDOW = 5000;

/** Rows of a list that are read before requests get their turn: 1 ms of work. */
const ROWS_AT_ONCE = 8;

/**
 * Of one host, those that are under way, have stalled, or wait to be asked for
 * again. The others, which only stand in line, cost a tenth of the memory.
 */
const OF_ONE_HOST = 64;

/**
 * Downloads pictures to paths.downloads, as a stream: a list may be endless.
 *
 * Reads ahead, so that a host which is slow keeps only its own pictures waiting.
 * Never throws over a picture or a host. After a stop it reads no more of the
 * list, and what it has read is told as stopped.
 *
 * @yields Each picture, when it is settled, with its place in the list, from 0.
 */
export async function* downloadEach(
  pictures: Iterable<FoundPicture> | AsyncIterable<FoundPicture>,
  { rebase = (url) => url, licences = [], refresh = false, ...options }:
    DownloadOptions = {},
): AsyncGenerator<Download & { index: number }> {
  const { onProgress, signal, ...limits } = options;
  const left = new AbortController();
  const stop = AbortSignal.any([left.signal, ...signal ? [signal] : []]);
  const client = pictureClient(limits, stop);
  const folder = await openFolder(paths.downloads, client, limits.maxBytes);
  /** By file, what is under way: whether an earlier run had fetched it. */
  const underWay = new Map<string, Promise<boolean>>();
  const progress = { done: 0, total: 0, resumed: 0, failed: 0 };
  let settled: (Download & { index: number })[] = [];
  /** Read, and not yet taken by the caller. */
  let inside = 0;
  let changed = Promise.withResolvers<void>();
  let room = Promise.withResolvers<void>();

  /** By host, those that stand in line. */
  const lines = new Map<string, LimitFunction>();
  async function inLine<Result>(address: string, task: () => Promise<Result>) {
    const host = URL.canParse(address) ? new URL(address).host : "";
    const line = lines.get(host) ?? pLimit(OF_ONE_HOST);
    lines.set(host, line);
    try {
      return await line(task);
    } finally {
      if (line.activeCount + line.pendingCount === 0) lines.delete(host);
    }
  }

  /** Fetches what is not there yet; true if it was. */
  async function save(name: string, url: string): Promise<boolean> {
    const isHere = folder.has(name);
    if (isHere && !refresh) return true;
    try {
      const address = rebase(url);
      return await inLine(address, () => folder.fetch(address, name)) ===
        "same";
    } catch (error) {
      // What is here is better than nothing.
      if (isHere) return true;
      throw error;
    }
  }

  async function settle(picture: FoundPicture, index: number) {
    // Records from elsewhere may hold anything.
    const given: unknown = picture?.url;
    const url = typeof given === "string" ? given : inspect(given);
    const file = downloadPath(url);
    try {
      checkLicence(picture, licences);
      const first = !underWay.has(file);
      if (first) {
        underWay.set(file, save(basename(file), url));
      }
      const resumed = await underWay.get(file)!
        .finally(() => first && underWay.delete(file));
      if (resumed) progress.resumed++;
      settled.push({ ...picture, file, index });
    } catch (error) {
      progress.failed++;
      const [reason, stage] = signal?.aborted
        ? [STOPPED, "stopped" as const]
        : [(error as Error).message, stageOf(error)];
      settled.push({ ...picture, reason, stage, index });
    }
    progress.done++;
    onProgress?.({ ...progress });
    changed.resolve();
  }

  async function read() {
    if (Array.isArray(pictures)) progress.total = pictures.length;
    let index = 0;
    for await (const picture of pictures) {
      if (stop.aborted) break;
      inside++;
      progress.total = Math.max(progress.total, index + 1);
      settle(picture, index++);
      if (inside >= WINDOW) {
        room = Promise.withResolvers();
        await room.promise;
      }
      if (index % ROWS_AT_ONCE === 0) await immediate();
    }
  }

  let reading = true;
  const end = read().finally(() => {
    reading = false;
    changed.resolve();
  });
  end.catch(() => {});
  try {
    while (reading || inside > 0) {
      await changed.promise;
      changed = Promise.withResolvers();
      const batch = settled;
      settled = [];
      for (const download of batch) {
        inside--;
        room.resolve();
        yield download;
      }
    }
    await end;
  } finally {
    left.abort();
    room.resolve();
  }
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
  options: DownloadOptions = {},
): Promise<Downloads> {
  const outcomes: Download[] = [];
  for await (const { index, ...outcome } of downloadEach(pictures, options)) {
    outcomes[index] = outcome;
  }
  // After a stop the rest of the list is not read.
  const rest = pictures.slice(outcomes.length).map((picture) => {
    const file = downloadPath(String(picture?.url));
    return existsSync(file)
      ? { ...picture, file }
      : { ...picture, reason: STOPPED, stage: "stopped" as const };
  });
  return inOrder([...outcomes, ...rest]);
}

/**
 * Asks once more for what failed.
 *
 * @param options As of `download`; progress is of what failed.
 * @returns All pictures, in the order in which they were first given.
 */
export async function retryFailed(
  { records, failures, failedAt }: Downloads,
  options: DownloadOptions = {},
): Promise<Downloads> {
  const pictures = failures.map(({ reason: _, stage: __, ...picture }) =>
    picture
  );
  const again: Download[] = [];
  for await (const { index, ...outcome } of downloadEach(pictures, options)) {
    again[index] = outcome;
  }
  const places = new Map(failedAt.map((place, i) => [place, again[i]]));
  const kept = records.values();
  return inOrder(
    Array.from(
      { length: records.length + failures.length },
      (_, place) => places.get(place) ?? kept.next().value!,
    ),
  );
}

/** Parts what has a file from what has none. */
function inOrder(outcomes: readonly Download[]): Downloads {
  const downloads: Downloads = {
    records: [],
    failures: [],
    failedAt: [],
  };
  outcomes.forEach((outcome, place) => {
    if ("file" in outcome) downloads.records.push(outcome);
    else {
      downloads.failures.push(outcome);
      downloads.failedAt.push(place);
    }
  });
  return downloads;
}

/** @throws {FinalError} If a picture's licence is none of those, where there are any. */
function checkLicence(
  { license }: FoundPicture,
  licences: readonly string[],
): void {
  if (licences.length === 0 || isOneOf(license, licences)) return;
  throw at(
    "licence",
    new FinalError(
      `expected one of ${licences.join(", ")}, got ${license || "no licence"}`,
    ),
  );
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
