/**
 * `task bench near_duplicates`: which made copies of the sample's pictures are
 * found, how many pairs of different pictures are taken for copies, and how long
 * 10,000 pictures take beside their decoding; against Python's imagehash, its
 * phash of 64 bits with the 10 bits that imagededup allows.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import sharp, { type Sharp } from "sharp";
import {
  type Alike,
  findAlike,
  MAX_HASH_DISTANCE,
} from "../lib/dataset/near_duplicates.ts";
import {
  HASH_WORDS,
  hashDistance,
  perceptualHash,
} from "../lib/dataset/perceptual_hash.ts";
import { openEncoder } from "../lib/encoders/encoders.ts";
import { readSample, samplePath } from "../lib/photo_site/sample.ts";
import { type Bench, type BenchRow, row } from "./harness.ts";

/** Measures. */
export const bench: Bench = async ({ log, peer }) => {
  const files = (await readSample()).map(samplePath);
  const folder = await mkdtemp(join(tmpdir(), "near-"));
  try {
    log(`${files.length} pictures, ${Object.keys(COPIES).length} copies each`);
    const rows = await copiesFound(files, folder, log, peer);
    const theirs = await peer("near_duplicates.py", "time");
    const own = await secondsFor(10_000);
    const what = "pairs of 10,000 pictures";
    rows.push(row(what, "s", own, "imagehash", theirs?.seconds));
    rows.push(row("one hash of a file", "ms", ...await hashTimes(files, peer)));
    return rows;
  } finally {
    await rm(folder, { recursive: true });
  }
};

type Peer = Parameters<Bench>[0]["peer"];

/**
 * Makes the copies of these pictures, and tells how many of each kind are found,
 * by the hash alone and with the encoder's help.
 */
export async function copiesFound(
  files: readonly string[],
  folder: string,
  log: (line: string) => void,
  peer: Peer,
): Promise<BenchRow[]> {
  const kinds = Object.keys(COPIES);
  await makeCopies(files, folder);
  const theirs = await peer("near_duplicates.py", "copies", folder);
  const originals = await hashesOf(pathsOf(folder, "original", files.length));
  const encoder = await openEncoder("offline");
  const embed = (paths: string[]) => encoder.encodeImages(paths);
  const rows: BenchRow[] = [];
  for (const kind of kinds) {
    const paths = pathsOf(folder, kind, files.length);
    const copies = await hashesOf(paths);
    let found = 0, withEncoder = 0;
    for (const [i, copy] of copies.entries()) {
      const isNear = hashDistance(originals[i], copy) <= MAX_HASH_DISTANCE;
      if (isNear) found++;
      const both = new Uint32Array([...originals[i], ...copy]);
      const [original] = pathsOf(folder, "original", files.length).slice(i);
      const pair = isNear ||
        (await findAlike(both, (n) => [original, paths[i]][n], { embed }))
            .length > 0;
      if (pair) withEncoder++;
    }
    const share = (count: number) =>
      Number((100 * count / files.length).toFixed(1));
    log(`${kind}: ${share(found)} %, with an encoder ${share(withEncoder)} %`);
    rows.push({
      ...{ what: `${kind}, hash alone`, unit: "% found", ours: share(found) },
      ...theirs && { peer: "imagehash", peerValue: share(theirs[kind]) },
    }, {
      ...{ what: `${kind}, with an encoder`, unit: "% found" },
      ours: share(withEncoder),
    });
  }
  const all = Uint32Array.from(originals.flatMap((hash) => [...hash]));
  const fileOf = (picture: number) => files[picture];
  const alone = await findAlike(all, fileOf);
  const both = await findAlike(all, fileOf, { embed });
  await encoder.close();
  const tell = ({ a, b, hashDistance, similarity }: Alike) =>
    log(`${files[a]} and ${files[b]}: ${hashDistance}, ${similarity}`);
  both.forEach(tell);
  rows.push({
    ...{ what: "pairs of originals, hash alone", unit: "pairs" },
    ours: alone.length,
    ...theirs && { peer: "imagehash", peerValue: theirs.pairs },
  }, {
    ...{ what: "pairs of originals, with an encoder", unit: "pairs" },
    ours: both.length,
  });
  return rows;
}

function pathsOf(folder: string, kind: string, count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => join(folder, kind, `${i}.jpg`),
  );
}

async function hashesOf(paths: readonly string[]): Promise<Uint32Array[]> {
  return await pLimit(4).map(paths, (path) => perceptualHash(path));
}

async function makeCopies(
  files: readonly string[],
  folder: string,
): Promise<void> {
  const made: typeof COPIES = { original: (file) => sharp(file), ...COPIES };
  for (const [kind, copy] of Object.entries(made)) {
    await mkdir(join(folder, kind));
    await pLimit(4).map(files, async (file, i) => {
      const { width, height } = (await sharp(file).metadata()).autoOrient;
      const quality = kind === "JPEG quality 40" ? 40 : 90;
      const bytes = await copy(file, width, height).autoOrient()
        .jpeg({ quality }).toBuffer();
      await writeFile(join(folder, kind, `${i}.jpg`), bytes);
    });
  }
}

/** How each kind of copy is made of a file of so many pixels. */
const COPIES: Record<
  string,
  (file: string, width: number, height: number) => Sharp
> = {
  "resized to half": (file, width) => sharp(file).resize(width >> 1),
  "JPEG quality 40": (file) => sharp(file),
  "cropped by 5 %": (file, width, height) =>
    sharp(file).extract({
      left: Math.round(0.025 * width),
      top: Math.round(0.025 * height),
      width: Math.round(0.95 * width),
      height: Math.round(0.95 * height),
    }),
  mirrored: (file) => sharp(file).flop(),
  grey: (file) => sharp(file).greyscale(),
  "2 % border, black": framed("black"),
  "2 % border, white": framed("white"),
  "2 % border, red": framed("#c0392b"),
  "small caption": (file, width, height) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}"
      height="${height}"><text x="4%" y="95%" font-size="${0.07 * height}"
      font-family="sans-serif" fill="white" stroke="black"
      stroke-width="0.6">A small caption</text></svg>`;
    return sharp(file).composite([{ input: Buffer.from(svg) }]);
  },
};

function framed(background: string) {
  return (file: string, width: number, height: number) => {
    const depth = Math.max(1, Math.round(0.02 * Math.max(width, height)));
    const sides = { top: depth, bottom: depth, left: depth, right: depth };
    return sharp(file).extend({ ...sides, background });
  };
}

/** Seconds for the pairs of so many pictures, a third of which have a frame. */
export async function secondsFor(count: number): Promise<number> {
  const hashes = new Uint32Array(count * HASH_WORDS);
  for (let i = 0; i < hashes.length; i += HASH_WORDS) {
    const isFramed = i % 3 === 0;
    for (let word = 0; word < HASH_WORDS; word++) {
      const isSecond = word >= HASH_WORDS / 2;
      hashes[i + word] = isSecond && !isFramed
        ? hashes[i + word - HASH_WORDS / 2]
        : 2 ** 32 * Math.random();
    }
  }
  const start = performance.now();
  await findAlike(hashes, String);
  return (performance.now() - start) / 1000;
}

/** Milliseconds for the hash of a file, one after the other; and the peer's. */
async function hashTimes(
  files: readonly string[],
  peer: Peer,
): Promise<[ours: number, peer: string, theirs: number | undefined]> {
  const start = performance.now();
  for (const file of files) await perceptualHash(file);
  const each = (performance.now() - start) / files.length;
  const theirs = await peer(
    "near_duplicates.py",
    "hash",
    ...files.slice(0, 99),
  );
  return [each, "imagehash", theirs?.milliseconds];
}
