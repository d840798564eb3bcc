/**
 * COCO 2017: pictures of everyday scenes, each with five captions that people
 * wrote (Chen et al., Microsoft COCO Captions, 2015). Captions are under CC BY
 * 4.0, each picture under its Flickr licence, which stays beside it.
 *
 * ```text
 * 7_coco/annotations/captions_val2017.json   1 MB, out of an archive of 253 MB
 * 7_coco/val2017/000000000139.jpg            the first N pictures, or all
 * ```
 *
 * A few pictures come one by one from their own addresses, all of them in one
 * archive (0.8 GB; train 19 GB), which is checked and then unpacked and removed.
 * What is here is not fetched again, and an interrupted download goes on. An
 * archive that somebody put into the folder is used as it is.
 *
 * ```ts
 * import { cocoSplits, downloadCoco } from "#lib/captions/coco.ts";
 *
 * async function firstHundred() {
 *   const { folder, captionFile } = await downloadCoco(cocoSplits.val, 100);
 *   console.log(folder, captionFile);
 * }
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import pLimit from "p-limit";
import { type CaptionedPicture, readCaptions } from "./captions.ts";
import { type FetchLimits, PictureFetcher } from "../dataset/fetch.ts";
import { writeAtomic } from "../files.ts";
import { Host } from "../http/hosts.ts";
import { downloadLargeFile } from "../http/large_file.ts";
import { paths } from "../paths.ts";
import { openZip } from "../http/zip.ts";

/** One part of COCO, and where it is. */
export interface CocoSplit {
  /** "val2017": its folder, in the archive too. */
  name: string;
  /** The archive of all its pictures. */
  pictures: { address: string; bytes: number; md5: string };
  /** The archive that holds its captions among other annotations. */
  annotations: string;
}

const origin = "http://images.cocodataset.org";
const annotations = `${origin}/annotations/annotations_trainval2017.zip`;

/** The parts that have captions: 5,000 and 118,287 pictures. */
export const cocoSplits: Record<"val" | "train", CocoSplit> = {
  val: {
    name: "val2017",
    pictures: {
      address: `${origin}/zips/val2017.zip`,
      bytes: 815_585_330,
      md5: "442b8da7639aecaf257c1dceb8ba8c80",
    },
    annotations,
  },
  train: {
    name: "train2017",
    pictures: {
      address: `${origin}/zips/train2017.zip`,
      bytes: 19_336_861_798,
      md5: "cced6f7f71b7629ddf16f17bbcfab6b2",
    },
    annotations,
  },
};

/** How a download is watched and stopped. */
export interface CocoOptions extends Partial<FetchLimits> {
  /** Called as work goes on: bytes of the archive, or pictures. */
  onProgress?: (stage: string, done: number, total: number) => void;
  signal?: AbortSignal;
  /** @default paths.coco */
  folder?: string;
}

/** What is here after a download. */
export interface CocoDownload {
  /** Holds the pictures. */
  folder: string;
  /** Captions of the whole part, for evaluateCaptions(). */
  captionFile: string;
  /** Those of the wanted pictures that are here, in the annotations' order. */
  pictures: CaptionedPicture[];
  /** Those that are not, and what was wrong in the annotations, a line each. */
  problems: string[];
}

/**
 * Downloads captions, and pictures that are not here yet.
 *
 * @param count The first how many of the annotations' pictures; Infinity for all,
 *   by the archive.
 * @throws {Error} If the captions or the archive cannot be had: says what to do.
 *   Of single pictures, those that cannot be had are returned.
 */
export async function downloadCoco(
  split: CocoSplit,
  count: number,
  { onProgress, signal, folder: root = paths.coco, ...limits }: CocoOptions =
    {},
): Promise<CocoDownload> {
  if (!(count === Infinity || (Number.isInteger(count) && count >= 1))) {
    throw new RangeError(
      `downloadCoco: expected 1 picture or more, or Infinity, got ${count}`,
    );
  }
  const captionFile = await fetchCaptions(split, root, limits, signal);
  const { pictures: listed, problems } = await readCaptions(captionFile);
  const wanted = listed.slice(0, count);
  const folder = join(root, split.name);
  const isHere = ({ path }: CaptionedPicture) => existsSync(join(folder, path));
  const missing = wanted.filter((picture) => !isHere(picture));

  const reasons = new Map<string, string>();
  if (missing.length > 0 && count === Infinity) {
    const archive = await fetchArchive(split, root, limits, onProgress, signal);
    await unpack(archive, split, missing, folder, reasons, onProgress, signal);
    await rm(archive);
  } else if (missing.length > 0) {
    const fetcher = new PictureFetcher(limits, signal);
    let done = wanted.length - missing.length;
    await pLimit(16).map(missing, async ({ path, url }) => {
      try {
        await writeAtomic(join(folder, path), await fetcher.fetch(url));
      } catch (error) {
        reasons.set(path, (error as Error).message);
      }
      onProgress?.("Downloading pictures", ++done, wanted.length);
    });
    signal?.throwIfAborted();
  }
  for (const { path } of wanted.filter((picture) => !isHere(picture))) {
    const reason = reasons.get(path) ?? "it is not in the archive";
    problems.push(`${path} is not here: ${reason}`);
  }
  return { folder, captionFile, pictures: wanted.filter(isHere), problems };
}

/** The captions' file, out of the archive of all annotations. */
async function fetchCaptions(
  { name, annotations }: CocoSplit,
  root: string,
  { backoffMs }: Partial<FetchLimits>,
  signal?: AbortSignal,
): Promise<string> {
  const member = `annotations/captions_${name}.json`;
  const file = join(root, member);
  if (existsSync(file)) return file;
  const byHand = join(root, basename(annotations));
  const source = existsSync(byHand) ? byHand : annotations;
  try {
    const zip = await openZip(source, { signal, retryDelayMs: backoffMs });
    try {
      const found = zip.members.find((one) => one.name === member);
      if (!found) throw new Error(`${source} holds no ${member}`);
      await writeAtomic(file, await found.read());
    } finally {
      await zip.close();
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(
      `COCO's captions cannot be had (${(error as Error).message}): run ` +
        `again, or put ${basename(annotations)} into ${root}`,
    );
  }
  return file;
}

/** The archive of all pictures, whole and checked, here. */
async function fetchArchive(
  { pictures: { address, bytes, md5 } }: CocoSplit,
  root: string,
  { backoffMs = 1000 }: Partial<FetchLimits>,
  onProgress: CocoOptions["onProgress"],
  signal?: AbortSignal,
): Promise<string> {
  const destination = join(root, basename(address));
  if (existsSync(destination)) return destination;
  const attempt = () =>
    downloadLargeFile({
      name: basename(address),
      destination,
      size: bytes,
      version: md5,
      request: (init) => askFor(address, init),
      isRight: async (path) => await md5Of(path) === md5,
    }, {
      signal,
      onBytes: (here) => onProgress?.("Downloading, bytes", here, bytes),
    });
  try {
    await persistently(4, attempt, { delayMs: backoffMs, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(
      `${address} cannot be had (${(error as Error).message}): run again to ` +
        `go on, or put ${basename(address)} into ${root}`,
    );
  }
  return destination;
}

/** Takes the missing pictures out of the archive; notes those it cannot. */
async function unpack(
  archive: string,
  { name }: CocoSplit,
  missing: readonly CaptionedPicture[],
  folder: string,
  reasons: Map<string, string>,
  onProgress: CocoOptions["onProgress"],
  signal?: AbortSignal,
): Promise<void> {
  const zip = await openZip(archive);
  const members = new Map(zip.members.map((member) => [member.name, member]));
  try {
    let done = 0;
    for (const { path } of missing) {
      signal?.throwIfAborted();
      try {
        const content = await members.get(`${name}/${path}`)?.read();
        if (content) await writeAtomic(join(folder, path), content);
      } catch (error) {
        reasons.set(path, (error as Error).message);
      }
      onProgress?.("Unpacking", ++done, missing.length);
    }
  } finally {
    await zip.close();
  }
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash("md5");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
