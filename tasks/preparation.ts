/**
 * The work of `task dataset`, and what it prints of it: from a folder, a list of
 * addresses or what the crawl left to a data set with its credits.
 *
 * @module
 */
import { join } from "node:path";
import { captionsBeside } from "../lib/captions/beside.ts";
import {
  type Account,
  accountsPath,
  type ReasonCount,
  reasonCounts,
} from "../lib/dataset/accounts.ts";
import { downloadEach, type DownloadOptions } from "../lib/dataset/download.ts";
import { prepareFolder } from "../lib/dataset/from_folder.ts";
import { readList } from "../lib/dataset/lists.ts";
import type { NearOptions } from "../lib/dataset/near_duplicates.ts";
import {
  NothingLeft,
  type Prepared,
  prepareDataset,
  type PrepareOptions,
} from "../lib/dataset/prepare.ts";
import { RowFile } from "../lib/dataset/row_file.ts";
import { table } from "../lib/display/table.ts";
import type { Encoder } from "../lib/encoders/encoder.ts";
import { checkEncoder, openEncoder } from "../lib/encoders/encoders.ts";
import {
  readJsonLines,
  requireStage,
  statOf,
  writeJsonLines,
} from "../lib/files.ts";
import { paths } from "../lib/paths.ts";
import { startPhotoSite } from "../lib/photo_site/photo_site.ts";
import type { FoundPicture } from "../lib/records.ts";
import { CommandError } from "./command.ts";
import { takeDatasetLock } from "./lock.ts";
import type { Progress } from "./progress.ts";

/** Where the pictures come from. */
export type Source =
  | { kind: "folder" | "list"; path: string }
  | { kind: "crawl" };

/** How to make the data set. */
export interface Preparation
  extends Pick<PrepareOptions, "split" | "maxSide" | "signal"> {
  source: Source;
  licences: readonly string[];
  near: Pick<NearOptions, "keep" | "spare">;
  /** Confirms near duplicates; "none" leaves them to the hash. */
  encoder: string;
  /** Of the downloads. */
  limits?: DownloadOptions;
  progress: Progress;
}

/** A data set, told. */
export interface Report {
  /** What `--json` prints. */
  json: Pick<Prepared, "counts" | "refused"> & {
    /** Pictures, or addresses. */
    found: number;
    downloaded: number;
    badLines: BadLines;
    /** Near duplicates that were left out. */
    pairs: number;
    /** The most frequent reasons. */
    failures: ReasonCount[];
    /** Where the data set is; absent if none is made. */
    folder?: string;
  };
  /** The same for people. */
  text: string;
}

/** Lines of a list that hold no picture. */
interface BadLines {
  count: number;
  /** By their numbers from 1. */
  first: { line: number; reason: string }[];
}

/** Bad lines that `--json` prints, and those that are shown. */
const MOST_BAD = 100, SHOWN_BAD = 5;

/** Reasons that are shown. */
const MOST_REASONS = 15;

/**
 * Makes the data set, or tells why no picture is left.
 *
 * @throws {Error} If there is no picture to begin with.
 */
export async function prepareSource(options: Preparation): Promise<Report> {
  const { source, near, progress, encoder: name, signal } = options;
  if (name !== "none") checkEncoder(name);
  using _lock = await takeDatasetLock();
  let encoder: Promise<Encoder> | undefined;
  // Only what the hash finds is embedded: often, there is nothing to open.
  const embed = async (files: string[]) => {
    const log = (line: string) => progress.line(line);
    encoder ??= openEncoder(name, { log, signal });
    return (await encoder).encodeImages(files);
  };
  const how: PrepareOptions = {
    ...{ split: options.split, maxSide: options.maxSide, signal },
    nearDuplicates: { ...near, ...name !== "none" && { embed } },
  };
  const seen: Seen = { badLines: { count: 0, first: [] }, remarks: [] };
  try {
    const made = source.kind === "folder"
      ? await fromFolder(source.path, how, options, seen)
      : await fromAddresses(source, how, options, seen);
    await writeJsonLines(nearDuplicatesPath(), made.pairs);
    seen.remarks.push(...made.remarks, ...strangers(near.spare));
    const failures = reasonCounts(accounts());
    return tell({ ...made, pairs: made.pairs.length, failures }, seen);
  } catch (error) {
    if (!(error instanceof NothingLeft)) throw error;
    const { counts, refused, reasons, remarks } = error;
    seen.remarks.push(...remarks);
    return tell({ counts, refused, pairs: 0, failures: reasons }, seen);
  } finally {
    progress.remarks(seen.remarks, 10);
    await (await encoder)?.close();
  }
}

/** What a source has shown, whether or not pictures of it are left. */
interface Seen {
  badLines: BadLines;
  remarks: string[];
}

async function fromFolder(
  folder: string,
  how: PrepareOptions,
  { licences, progress }: Preparation,
  { remarks }: Seen,
): Promise<Prepared> {
  return await prepareFolder(folder, {
    ...{ ...how, licences },
    readKnown: async (root, found) => {
      const { captioned, problems } = await captionsBeside(root, found);
      remarks.push(...problems);
      return captioned;
    },
    onProgress: (done) => progress.passing(`Cleaning: ${done} pictures`),
  });
}

async function fromAddresses(
  source: Source,
  how: PrepareOptions,
  { licences, limits, progress, signal }: Preparation,
  { badLines }: Seen,
): Promise<Prepared> {
  const pictures: Iterable<FoundPicture> | AsyncIterable<FoundPicture> =
    source.kind === "list"
      ? readList(source.path, {
        onBadLine: (line, reason) => {
          if (badLines.count++ < SHOWN_BAD) {
            progress.remarks([`  line ${line}: ${reason}`], 1);
          }
          if (badLines.count <= MOST_BAD) badLines.first.push({ line, reason });
        },
      })
      : await readCrawl();
  const practice = await practiceSite(pictures);
  const allowedHosts = [practice, { limits }]
    .flatMap((one) => one?.limits?.allowedHosts ?? []);
  let cleaned = 0;
  const downloads = downloadEach(pictures, {
    ...{ licences, signal, ...practice?.limits, ...limits, allowedHosts },
    onProgress: ({ done, failed }) =>
      progress.passing(
        `Downloading: ${done} pictures, ${failed} failed, ${cleaned} cleaned`,
      ),
  });
  try {
    return await prepareDataset(downloads, {
      ...how,
      onProgress: (done) => cleaned = done,
    });
  } finally {
    await practice?.close();
  }
}

async function readCrawl(): Promise<FoundPicture[]> {
  if (!statOf(paths.crawled)) {
    throw new CommandError(
      `${paths.crawled} not found: run task crawl or notebook 1 first, or ` +
        "give a folder or a list",
    );
  }
  return await requireStage(paths.crawled, 1, readJsonLines<FoundPicture>);
}

/** The practice site, where a crawl has met it: it has no place of its own. */
async function practiceSite(
  pictures: Iterable<FoundPicture> | AsyncIterable<FoundPicture>,
): Promise<{ limits: DownloadOptions; close(): Promise<void> } | undefined> {
  const isOfSite = ({ url }: FoundPicture) =>
    /^http:\/\/127\.0\.0\.1:\d+\/pictures\//.test(url);
  if (!Array.isArray(pictures) || !pictures.some(isOfSite)) return undefined;
  const site = await startPhotoSite();
  const { rebase, host } = site;
  return {
    limits: { rebase, allowedHosts: [host], intervalMs: 5 },
    close: () => site.close(),
  };
}

/** Where the pairs of near duplicates are listed. */
function nearDuplicatesPath(): string {
  return join(paths.dataset, "near_duplicates.jsonl");
}

/** What became of each picture: of 100,000, one is held at a time. */
function* accounts(): Generator<Account> {
  const rows = RowFile.open<Account>(accountsPath());
  try {
    for (let row = 0; row < rows.count; row++) yield rows.read(row);
  } finally {
    rows.close();
  }
}

/** What was to be spared, and is none of the source's pictures: a line each. */
function strangers(spare: readonly string[] = []): string[] {
  const open = new Set(spare);
  if (open.size === 0) return [];
  for (const { url, file = "" } of accounts()) {
    open.delete(url);
    open.delete(file);
  }
  return [...open].map((one) =>
    `--spare ${one} spares nothing: the source has no such picture`
  );
}

function tell(
  { counts, refused, pairs, failures }: Pick<Report["json"], "pairs"> & {
    counts: Prepared["counts"];
    refused: Prepared["refused"];
    failures: ReasonCount[];
  },
  { badLines }: Seen,
): Report {
  const found = Object.values(counts).reduce((sum, count) => sum + count);
  const kept = counts.train + counts.test;
  const downloaded = found - counts["not downloaded"];
  const lines: string[] = [];
  if (kept > 0) {
    lines.push(
      `${kept} of ${found} pictures are the data set: ${counts.train} to be ` +
        `searched (train), ${counts.test} to search with (test)`,
    );
  }
  if (badLines.count > 0) {
    const all = badLines.count <= MOST_BAD ? "them" : `the first ${MOST_BAD}`;
    const more = badLines.count > SHOWN_BAD ? `; --json names ${all}` : "";
    lines.push(
      badLines.count === 1
        ? "1 line of the list is left out"
        : `${badLines.count} lines of the list are left out${more}`,
    );
  }
  if (failures.length > 0) {
    const rows = failures.slice(0, MOST_REASONS)
      .map(({ count, ...row }) => ({ pictures: count, ...row }));
    if (lines.length > 0) lines.push("");
    lines.push(`${table(rows)}`);
    const more = failures.length - rows.length;
    if (more > 0) lines.push(`… and ${more} reasons more`);
    lines.push("");
  }
  if (failures.some(({ stage }) => stage === "address")) {
    lines.push(
      "A machine of your own network is asked only where --allow HOST:PORT " +
        "names it",
    );
  }
  for (const { term, reason } of refused.slice(0, MOST_REASONS)) {
    lines.push(`Class ${term} is left out: ${reason}`);
  }
  const more = refused.length - MOST_REASONS;
  if (more > 0) lines.push(`… and ${more} classes more`);
  if (pairs > 0) {
    lines.push(
      `${pairs} near duplicates are left out: ${nearDuplicatesPath()} ` +
        "lists them, --spare FILE keeps one",
    );
  }
  const folder = paths.dataset;
  lines.push(
    kept > 0
      ? `They are in ${folder}; CREDITS.md there says whose they are`
      : whyNone(found, failures[0]?.stage),
  );
  return {
    json: {
      ...{ found, downloaded, badLines, counts, refused, pairs },
      ...{ failures: failures.slice(0, 100), ...kept > 0 && { folder } },
    },
    text: lines.join("\n"),
  };
}

/** Says that there is no data set, and what to do by where most were lost. */
function whyNone(found: number, stage = ""): string {
  const ways: Record<string, string> = {
    licence: "leave out --licence, or say beside the pictures or in the list " +
      "which licence each has",
    split: "find more pictures of a class, or make no queries with --test 0",
    clean: "expected pictures that can be decoded, of 50 pixels or more a side",
  };
  const way = ways[stage] ?? "mend what the table says, and run it again";
  return found === 0
    ? "No data set is made: the source has no pictures"
    : `No data set is made, since none of ${found} pictures is left: ${way}`;
}
