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
import type { FoundFile } from "../lib/dataset/clean_each.ts";
import { downloadEach, type DownloadOptions } from "../lib/dataset/download.ts";
import { prepareFolder } from "../lib/dataset/from_folder.ts";
import { readList } from "../lib/dataset/lists.ts";
import type { NearOptions } from "../lib/dataset/near_duplicates.ts";
import {
  type Prepared,
  prepareDataset,
  type PrepareOptions,
} from "../lib/dataset/prepare.ts";
import { RowFile } from "../lib/dataset/row_file.ts";
import { table } from "../lib/display/table.ts";
import type { Encoder } from "../lib/encoders/encoder.ts";
import { openEncoder } from "../lib/encoders/encoders.ts";
import { readJsonLines, requireStage, writeJsonLines } from "../lib/files.ts";
import { paths } from "../lib/paths.ts";
import { startPhotoSite } from "../lib/photo_site/photo_site.ts";
import type { FoundPicture } from "../lib/records.ts";
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
    /** Lines of a list that hold no picture. */
    badLines: number;
    /** Near duplicates that were left out. */
    pairs: number;
    /** The most frequent reasons. */
    failures: ReasonCount[];
    /** Where the data set is. */
    folder: string;
  };
  /** The same for people. */
  text: string;
}

/** Reasons that are shown. */
const MOST_REASONS = 15;

/**
 * Makes the data set.
 *
 * @throws {Error} If there is no picture, or none is left.
 */
export async function prepareSource(options: Preparation): Promise<Report> {
  const { source, near, progress, encoder: name, signal } = options;
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
  try {
    const made = source.kind === "folder"
      ? await fromFolder(source.path, how, options)
      : await fromAddresses(source, how, options);
    await writeJsonLines(nearDuplicatesPath(), made.pairs);
    return tell(made);
  } finally {
    await (await encoder)?.close();
  }
}

/** A data set, and how many pictures and bad lines its source had. */
type Made = Prepared & { found: number; badLines: number };

async function fromFolder(
  folder: string,
  how: PrepareOptions,
  { licences, progress }: Preparation,
): Promise<Made> {
  const remarks: string[] = [];
  const made = await prepareFolder(folder, {
    ...{ ...how, licences },
    readKnown: async (root, found) => {
      const { captioned, problems } = await captionsBeside(root, found);
      remarks.push(...problems);
      return captioned;
    },
    onProgress: (done) => progress.passing(`Cleaning: ${done} pictures`),
  });
  progress.remarks([...made.remarks, ...remarks], 10);
  return { ...made, badLines: 0 };
}

async function fromAddresses(
  source: Source,
  how: PrepareOptions,
  { licences, limits, progress, signal }: Preparation,
): Promise<Made> {
  let found = 0, badLines = 0;
  const failed: string[] = [];
  const pictures: Iterable<FoundPicture> | AsyncIterable<FoundPicture> =
    source.kind === "list"
      ? readList(source.path, {
        onBadLine: (line, reason) => {
          if (++badLines <= 5) {
            progress.remarks([`  line ${line}: ${reason}`], 1);
          }
        },
      })
      : await requireStage(paths.crawled, 1, readJsonLines<FoundPicture>);
  const practice = await practiceSite(pictures);
  let cleaned = 0;
  const downloads = downloadEach(pictures, {
    ...{ licences, signal, ...practice?.limits, ...limits },
    onProgress: ({ done, failed }) =>
      progress.passing(
        `Downloading: ${done} pictures, ${failed} failed, ${cleaned} cleaned`,
      ),
  });
  try {
    const prepared = await prepareDataset(counted(), {
      ...how,
      onProgress: (done) => cleaned = done,
    });
    return { ...prepared, found, badLines };
  } catch (error) {
    if (!signal?.aborted) progress.remarks(failed, 5);
    throw error;
  } finally {
    await practice?.close();
  }

  async function* counted(): AsyncGenerator<FoundFile> {
    for await (const one of downloads) {
      found++;
      if ("reason" in one && failed.length < 5) {
        failed.push(`  left out: ${one.url}: ${one.reason}`);
      }
      yield one;
    }
  }
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

function tell(
  { found, badLines, counts, refused, pairs }: Made,
): Report {
  const failures = reasonCounts(accounts());
  const kept = counts.train + counts.test;
  const downloaded = found - counts["not downloaded"];
  const folder = paths.dataset;
  const lines = [
    `${kept} of ${found} pictures are the data set: ${counts.train} to be ` +
    `searched (train), ${counts.test} to search with (test)`,
  ];
  if (badLines > 0) lines.push(`${badLines} lines of the list are left out`);
  if (failures.length > 0) {
    const rows = failures.slice(0, MOST_REASONS)
      .map(({ count, ...row }) => ({ pictures: count, ...row }));
    lines.push("", `${table(rows)}`);
    const more = failures.length - rows.length;
    if (more > 0) lines.push(`… and ${more} reasons more`);
    lines.push("");
  }
  for (const { term, reason } of refused.slice(0, MOST_REASONS)) {
    lines.push(`Class ${term} is left out: ${reason}`);
  }
  const more = refused.length - MOST_REASONS;
  if (more > 0) lines.push(`… and ${more} classes more`);
  if (pairs.length > 0) {
    lines.push(
      `${pairs.length} near duplicates are left out: ${nearDuplicatesPath()} ` +
        "lists them, --spare FILE keeps one",
    );
  }
  lines.push(`They are in ${folder}, whose they are in CREDITS.md there`);
  return {
    json: {
      ...{ found, downloaded, badLines, counts, refused, pairs: pairs.length },
      ...{ failures: failures.slice(0, 100), folder },
    },
    text: lines.join("\n"),
  };
}
