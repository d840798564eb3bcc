/**
 * Whether a picture is whole: the same answer for all who ask, whatever the size
 * they want it in, and in the decoder's words about this very file.
 *
 * Both take care, since libvips keeps one list of errors and warnings for all
 * that it decodes at a time, and since a damaged JPEG or GIF is a warning to it.
 * So pictures are first decoded many at a time. One that fails, or runs while a
 * warning of lost rows comes in, whosoever it is, is decoded once more, in full
 * and alone: then what is said is about it.
 *
 * ```ts
 * import { decodeWhole, Fault } from "#lib/pictures/whole.ts";
 * import { deepEqual } from "node:assert/strict";
 * import sharp from "sharp";
 *
 * const red = { width: 60, height: 40, channels: 3, background: "red" } as const;
 * const jpeg = await sharp({ create: red }).jpeg().toBuffer();
 * const cut = jpeg.subarray(0, -90);
 * deepEqual(
 *   await decodeWhole(cut, (open) => open().raw().toBuffer()),
 *   new Fault("damaged", 'the decoder says "premature end of JPEG image"'),
 * );
 * ```
 *
 * @module
 */
import type { Sharp, SharpOptions } from "sharp";
import { openSharp } from "./decoder.ts";

/** Most pixels that are decoded: more than any phone's camera takes. */
export const MAX_PIXELS = 150_000_000;

/** Begins to decode the picture, or what was made of it. */
export type Open = (input?: Uint8Array, options?: SharpOptions) => Sharp;

/** What is wrong with a picture. */
export class Fault {
  /** In a word. */
  readonly fault: "too large" | "damaged" | "not supported";
  /** In one line that names no file, at most 200 characters. */
  readonly reason: string;

  /** Keeps both. */
  constructor(fault: Fault["fault"], reason: string) {
    this.fault = fault;
    this.reason = reason;
  }
}

/**
 * Decodes a picture, unless rows of it are missing.
 *
 * @param bytes Of one of the formats that are decoded.
 * @param decode Gets what begins to decode the bytes, and may call it again. A
 *   Fault that it throws is returned.
 */
export async function decodeWhole<Result>(
  bytes: Uint8Array,
  decode: (open: Open) => Promise<Result>,
): Promise<Result | Fault> {
  const sharp = await openSharp();
  const open: Open = (input = bytes, options = {}) =>
    sharp(input, {
      failOn: "error",
      limitInputPixels: MAX_PIXELS,
      ...options,
    }).on("warning", (line: string) => isAlarmed ||= tellsOfLoss(line));
  const result = await together(() => decode(open)).catch((error) =>
    error instanceof Fault ? error : faultOf(error)
  );
  const isFault = result instanceof Fault;
  if (isFault ? result.fault === "not supported" : !isAlarmed) return result;
  return await alone(() => findFault(bytes)) ?? result;
}

/**
 * Warnings that mean lost rows. Others are of what no viewer shows, or shows
 * all the same: stray bytes, a colour profile, a checksum over a comment.
 */
const LOST_ROWS =
  /bad Huffman code|premature end|instead of RST|progression|arithmetic|Invalid frame|Discarding/;

/** Whether rows are lost; of which picture, only decoding it alone tells. */
let isAlarmed = false;

/** The second one is all that is left of a warning whose words were cleared. */
function tellsOfLoss(line: string): boolean {
  return LOST_ROWS.test(line) || /^read gave/.test(line);
}

/** Decodings under way, and the last of those that must be alone. */
const running = new Set<Promise<unknown>>();
let exclusive: Promise<unknown> = Promise.resolve();

/** Decodes beside others. */
async function together<Result>(
  decode: () => Promise<Result>,
): Promise<Result> {
  let before: unknown;
  do await (before = exclusive); while (before !== exclusive);
  const result = decode();
  const ended = result.catch(() => {}).finally(() => running.delete(ended));
  running.add(ended);
  return await result;
}

/** Decodes while nothing else does. */
async function alone<Result>(decode: () => Promise<Result>): Promise<Result> {
  const result = exclusive.then(async () => {
    await Promise.all(running);
    await drain();
    return await decode();
  });
  exclusive = result.catch(() => {});
  return await result;
}

/**
 * Takes all warnings off the list. One job takes them up to the first that is
 * empty, as those are whose words another job has cleared meanwhile.
 */
async function drain(): Promise<void> {
  const sharp = await openSharp();
  const dot = { width: 1, height: 1, channels: 3, background: "red" } as const;
  for (let job = 0; job < MOST_EMPTY; job++) {
    await sharp({ create: dot }).raw().toBuffer();
  }
  isAlarmed = false;
}

/** More jobs than leave such warnings behind. */
const MOST_EMPTY = 8;

/** What is wrong with a picture; undefined if its rows are all there. */
async function findFault(bytes: Uint8Array): Promise<Fault | undefined> {
  const sharp = await openSharp();
  const warnings: string[] = [];
  const open = () =>
    sharp(bytes, { failOn: "error", limitInputPixels: false })
      .on("warning", (line: string) => warnings.push(line));
  try {
    const { width, height } = (await open().metadata()).autoOrient;
    if (width * height > MAX_PIXELS) {
      const size = `${width} × ${height} pixels`;
      const reason = `${size}, expected ${MAX_PIXELS} or fewer in all`;
      return new Fault("too large", reason);
    }
    await open().greyscale().raw().toBuffer();
  } catch (error) {
    // Some errors are empty, and the warning before them names the cause.
    const cause = warnings.findLast((line) =>
      !line.startsWith("error in tile")
    );
    return faultOf(error as Error, cause);
  }
  const lost = warnings.find((line) => LOST_ROWS.test(line));
  if (lost) return faultOf(new Error(lost));
}

/**
 * Our sentence with the decoder's last line, which names the cause.
 *
 * @param instead What it said before, for an error that has no words.
 */
function faultOf({ message }: Error, instead?: string): Fault {
  const words = (text: string) =>
    text.split("\n").map((line) =>
      line.replace(/^\s*(Input buffer has corrupt header:\s*|\w+: )*/, "")
        .replace(/\p{Cc}/gu, " ").trim().slice(0, 150)
    ).findLast((line) => /^[a-z]{3}/i.test(line) && line !== "Unknown error");
  const cause = words(message) ?? words(instead ?? "");
  const reason = cause === undefined
    ? "the decoder fails, and gives no reason"
    : `the decoder says "${cause}"`;
  return new Fault("damaged", reason);
}
