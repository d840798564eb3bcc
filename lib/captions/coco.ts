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
import { type FetchLimits, pictureFetcher } from "../dataset/fetch.ts";
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
  const job = { split, root, onProgress, signal, limits };
  const captionFile = await fetchCaptions(job);
  const { pictures: listed, problems } = await readCaptions(captionFile);
  const wanted = listed.slice(0, count);
  const folder = join(root, split.name);
  const isHere = ({ path }: CaptionedPicture) => existsSync(join(folder, path));
  const missing = wanted.filter((picture) => !isHere(picture));

  const reasons = new Map<string, string>();
  const save = async (path: string, content: Promise<Uint8Array>) => {
    try {
      await writeAtomic(join(folder, path), await content);
    } catch (error) {
      reasons.set(path, (error as Error).message);
    }
    signal?.throwIfAborted();
  };
  if (missing.length > 0 && count === Infinity) {
    const archive = await fetchArchive(job);
    const { members, close } = await openZip(archive);
    try {
      for (const [i, { path }] of missing.entries()) {
        const read = members.get(`${split.name}/${path}`);
        if (read) await save(path, read());
        onProgress?.("Unpacking", i + 1, missing.length);
      }
    } finally {
      await close();
    }
    await rm(archive);
  } else {
    const fetchPicture = pictureFetcher(limits, signal);
    let done = wanted.length - missing.length;
    await pLimit(16).map(missing, async ({ path, url }) => {
      await save(path, fetchPicture(url));
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

/** What is downloaded, and how. */
interface Job extends Pick<CocoOptions, "onProgress" | "signal"> {
  split: CocoSplit;
  root: string;
  limits: Partial<FetchLimits>;
}

/** The captions' file, out of the archive of all annotations. */
async function fetchCaptions(job: Job): Promise<string> {
  const { split: { name, annotations }, root, signal } = job;
  const member = `annotations/captions_${name}.json`;
  const file = join(root, member);
  if (existsSync(file)) return file;
  const byHand = join(root, basename(annotations));
  await orSayWhatToDo("COCO's captions", annotations, job, async (host) => {
    const { members, close } = existsSync(byHand)
      ? await openZip(byHand)
      : await openZip(annotations, host, signal);
    try {
      const read = members.get(member);
      if (!read) throw new Error(`${annotations} holds no ${member}`);
      await writeAtomic(file, await read());
    } finally {
      await close();
    }
  });
  return file;
}

/** The archive of all pictures, whole and checked, here. */
async function fetchArchive(job: Job): Promise<string> {
  const { split: { pictures: { address, bytes, md5 } }, onProgress } = job;
  const destination = join(job.root, basename(address));
  if (existsSync(destination)) return destination;
  await orSayWhatToDo(address, address, job, (host) =>
    downloadLargeFile(
      host,
      {
        name: basename(address),
        address,
        destination,
        size: bytes,
        version: md5,
        isRight: async (path) => await md5Of(path) === md5,
      },
      { signal: job.signal },
      (here) => onProgress?.("Downloading, bytes", here, bytes),
    ));
  return destination;
}

/** Asks an archive's host for it. */
async function orSayWhatToDo(
  what: string,
  archive: string,
  { root, limits, signal }: Job,
  ask: (host: Host) => Promise<void>,
): Promise<void> {
  try {
    await ask(new Host(new URL(archive).host, { ...limits, retries: 5 }));
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(
      `${what} cannot be had (${
        (error as Error).message
      }): run again, or put ` +
        `${basename(archive)} into ${root}`,
    );
  }
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash("md5");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
