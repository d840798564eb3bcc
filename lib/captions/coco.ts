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
 * import { rejects } from "node:assert/strict";
 *
 * await rejects(downloadCoco(cocoSplits.val, 0), {
 *   message: "downloadCoco: expected 1 picture or more, or Infinity, got 0",
 * });
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import pLimit from "p-limit";
import {
  type CaptionedPicture,
  type CaptionFile,
  readCaptions,
} from "./captions.ts";
import { type FetchLimits, pictureFetcher } from "../dataset/fetch.ts";
import { writeAtomic } from "../files.ts";
import { Host } from "../http/hosts.ts";
import type { FetchOptions } from "../http/http.ts";
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

/** A part as its publishers name it. */
function published(name: string, bytes: number, md5: string): CocoSplit {
  const origin = "http://images.cocodataset.org";
  return {
    name,
    pictures: { address: `${origin}/zips/${name}.zip`, bytes, md5 },
    annotations: `${origin}/annotations/annotations_trainval2017.zip`,
  };
}

/** The parts that have captions: 5,000 and 118,287 pictures. */
export const cocoSplits: Record<"val" | "train", CocoSplit> = {
  val: published("val2017", 815_585_330, "442b8da7639aecaf257c1dceb8ba8c80"),
  train: published(
    "train2017",
    19_336_861_798,
    "cced6f7f71b7629ddf16f17bbcfab6b2",
  ),
};

/** How a download is watched, stopped and paced. */
export interface CocoOptions extends Partial<FetchLimits> {
  /** Called as work goes on: bytes of the archive, or pictures. */
  onProgress?: (stage: string, done: number, total: number) => void;
  signal?: AbortSignal;
  /** @default paths.coco */
  folder?: string;
}

/**
 * What is here after a download: the wanted pictures in the annotations' order,
 * and a line for each that is not, and for what was wrong in the annotations.
 */
export interface CocoDownload extends CaptionFile {
  /** Holds the pictures. */
  folder: string;
  /** Captions of the whole part, for evaluateCaptions(). */
  captionFile: string;
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
  options: CocoOptions = {},
): Promise<CocoDownload> {
  if (!(count === Infinity || (Number.isInteger(count) && count >= 1))) {
    throw new RangeError(
      `downloadCoco: expected 1 picture or more, or Infinity, got ${count}`,
    );
  }
  const { onProgress, signal, folder: root = paths.coco, ...limits } = options;
  /** Says what to do where an archive cannot be had. */
  const advise = (what: string, archive: string) => ({ message }: Error) => {
    signal?.throwIfAborted();
    throw new Error(
      `${what} cannot be had (${message}): run again, or put ` +
        `${basename(archive)} into ${root}`,
    );
  };
  const captionFile = await fetchCaptions(split, root, options)
    .catch(advise("COCO's captions", split.annotations));
  const { pictures, problems } = await readCaptions(captionFile);
  const wanted = pictures.slice(0, count);
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
    const { address } = split.pictures;
    const archive = await fetchArchive(split, root, options)
      .catch(advise(address, address));
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

/** The captions' file, out of the archive of all annotations. */
async function fetchCaptions(
  { name, annotations }: CocoSplit,
  root: string,
  options: CocoOptions,
): Promise<string> {
  const member = `annotations/captions_${name}.json`;
  const file = join(root, member);
  if (existsSync(file)) return file;
  const byHand = join(root, basename(annotations));
  const { members, close } = existsSync(byHand)
    ? await openZip(byHand)
    : await openZip(annotations, hostOf(annotations, options), howOf(options));
  try {
    const read = members.get(member);
    if (!read) throw new Error(`${annotations} holds no ${member}`);
    await writeAtomic(file, await read());
  } finally {
    await close();
  }
  return file;
}

/** The archive of all pictures, whole and checked, here. */
async function fetchArchive(
  { pictures: { address, bytes, md5 } }: CocoSplit,
  root: string,
  options: CocoOptions,
): Promise<string> {
  const name = basename(address);
  const destination = join(root, name);
  if (existsSync(destination)) return destination;
  const file = { name, address, destination, size: bytes, version: md5 };
  const isRight = async (path: string) => await md5Of(path) === md5;
  await downloadLargeFile(
    hostOf(address, options),
    { ...file, isRight },
    howOf(options),
    (here) => options.onProgress?.("Downloading, bytes", here, bytes),
  );
  return destination;
}

/** More patient than with one picture: an archive takes hours. */
function hostOf(address: string, { backoffMs = 1000 }: CocoOptions): Host {
  return new Host(new URL(address).host, { backoffMs, retries: 5 });
}

/** How archives are asked for. */
function howOf({ signal, allowedHosts }: CocoOptions): FetchOptions {
  return { signal, allowedHosts };
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash("md5");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
