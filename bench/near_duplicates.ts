/**
 * `task bench near_duplicates`: which made copies of the sample's pictures are
 * found, how many pairs of different pictures are taken for copies, drawn ones
 * too, and how long 10,000 pictures take beside their decoding; against Python's
 * imagehash, its phash of 64 bits with the 10 bits that imagededup allows.
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
  type NearOptions,
} from "../lib/dataset/near_duplicates.ts";
import {
  HASH_WORDS,
  perceptualHash,
  WORDS,
} from "../lib/dataset/perceptual_hash.ts";
import { openEncoder } from "../lib/encoders/encoders.ts";
import { readSample, samplePath } from "../lib/photo_site/sample.ts";
import { drawnPictures, recoloured } from "./pictures/drawn_pictures.ts";
import { type Bench, type BenchRow, row } from "./harness.ts";

/** Measures. */
export const bench: Bench = async ({ log, peer }) => {
  const files = (await readSample()).map(samplePath);
  const folder = await mkdtemp(join(tmpdir(), "near-"));
  const encoder = await openEncoder("offline");
  const embed = remembering((paths) => encoder.encodeImages(paths));
  try {
    log(`${files.length} pictures, ${Object.keys(COPIES).length} copies each`);
    const rows = [
      ...await copiesFound(files, join(folder, "photos"), embed, log, peer),
      ...await drawnPairs(files, join(folder, "drawn"), embed, log, peer),
    ];
    const theirs = await peer("near_duplicates.py", "time");
    const own = await secondsFor(10_000);
    const what = "pairs of 10,000 pictures";
    rows.push(row(what, "s", own, "imagehash", theirs?.seconds));
    rows.push(row("one hash of a file", "ms", ...await hashTimes(files, peer)));
    return rows;
  } finally {
    await encoder.close();
    await rm(folder, { recursive: true });
  }
};

/** Embeds each file once. */
export function remembering(embed: Embed): Embed {
  const known = new Map<string, ArrayLike<number>>();
  return async (files) => {
    const unknown = files.filter((file) => !known.has(file));
    const rows = unknown.length > 0 ? await embed(unknown) : [];
    for (const row of rows) known.set(unknown.shift()!, row);
    return files.map((file) => known.get(file)!);
  };
}

type Peer = Parameters<Bench>[0]["peer"];
type Log = (line: string) => void;
type Embed = NonNullable<NearOptions["embed"]>;

/**
 * Makes the copies of these pictures, and tells how many of each kind are found,
 * without an encoder and with one, and which of the pictures are taken for pairs.
 */
export async function copiesFound(
  files: readonly string[],
  folder: string,
  embed: Embed,
  log: Log,
  peer: Peer,
): Promise<BenchRow[]> {
  await makeCopies(files, folder);
  const theirs = await peer("near_duplicates.py", "copies", folder);
  const originals = pathsOf(folder, "original", files.length);
  const hashes = await hashesOf(originals);
  const rows: BenchRow[] = [];
  for (const kind of Object.keys(COPIES)) {
    const paths = pathsOf(folder, kind, files.length);
    const copies = await hashesOf(paths);
    const all = Uint32Array.from(
      [...hashes, ...copies].flatMap((hash) => [...hash]),
    );
    const fileOf = (n: number) => [...originals, ...paths][n];
    const count = async (options: NearOptions) =>
      (await findAlike(all, fileOf, options))
        .filter(({ a, b }) => b === a + files.length).length;
    const alone = await count({}), confirmed = await count({ embed });
    const share = (count: number) =>
      Number((100 * count / files.length).toFixed(1));
    const found = { alone: share(alone), confirmed: share(confirmed) };
    rows.push(
      ...bothRules(kind, "% found", found, theirs && share(theirs[kind])),
    );
    log(`${kind}: ${found.alone} %, with an encoder ${found.confirmed} %`);
  }
  const pairs = await pairsAmong(originals, embed, log);
  rows.push(...bothRules("pairs of originals", "pairs", pairs, theirs?.pairs));
  return rows;
}

/** How many pairs of drawn pictures are taken for copies; none is one. */
async function drawnPairs(
  files: readonly string[],
  folder: string,
  embed: Embed,
  log: Log,
  peer: Peer,
): Promise<BenchRow[]> {
  const photos = await Promise.all(files.slice(0, 16).map(recoloured));
  const drawn = { ...await drawnPictures(60), recoloured: photos.flat() };
  const rows: BenchRow[] = [];
  for (const [kind, pictures] of Object.entries(drawn)) {
    const own = join(folder, kind), count = pictures.length;
    await mkdir(join(own, "original"), { recursive: true });
    const paths = pathsOf(own, "original", count);
    await Promise.all(pictures.map((one, i) => writeFile(paths[i], one)));
    const theirs = await peer("near_duplicates.py", "copies", own);
    const pairs = await pairsAmong(paths, embed, log);
    const what = `pairs of ${count} ${kind}`;
    rows.push(...bothRules(what, "pairs", pairs, theirs?.pairs));
    log(`${what}: ${pairs.alone}, with an encoder ${pairs.confirmed}`);
  }
  return rows;
}

/** How many pairs the rule finds, without an encoder and with one. */
async function pairsAmong(files: readonly string[], embed: Embed, log: Log) {
  const hashes = (await hashesOf(files)).flatMap((hash) => [...hash]);
  const all = Uint32Array.from(hashes);
  const fileOf = (picture: number) => files[picture];
  const alone = await findAlike(all, fileOf);
  const confirmed = await findAlike(all, fileOf, { embed });
  const tell = ({ a, b, hashDistance, similarity }: Alike) =>
    log(`${files[a]} and ${files[b]}: ${hashDistance}, ${similarity}`);
  confirmed.forEach(tell);
  return { alone: alone.length, confirmed: confirmed.length };
}

function bothRules(
  what: string,
  unit: string,
  { alone, confirmed }: { alone: number; confirmed: number },
  theirs?: number,
): BenchRow[] {
  return [{
    ...{ what: `${what}, without an encoder`, unit, ours: alone },
    ...theirs !== undefined && { peer: "imagehash", peerValue: theirs },
  }, { what: `${what}, with an encoder`, unit, ours: confirmed }];
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
    await mkdir(join(folder, kind), { recursive: true });
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
  for (let picture = 0; picture < count; picture++) {
    const at = picture * HASH_WORDS;
    for (let word = 0; word < 2 * WORDS; word++) {
      hashes[at + word] = 2 ** 32 * Math.random();
    }
    if (picture % 3 > 0) hashes.copyWithin(at + WORDS, at, at + WORDS);
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
