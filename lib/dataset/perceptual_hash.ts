/**
 * A perceptual hash: bits that stay, all but a few, when a picture is made
 * smaller, saved again or coloured otherwise, and that differ in about half of
 * them between two pictures.
 *
 * It is pHash, by the discrete cosine transform: of a small grey picture the
 * slowest waves, 16 down by 16 across, each a 1 if it is stronger than half of
 * them. A frame around a picture moves all that is in it, so a second hash is
 * taken without one. Both are blind to colour, so a little of it is kept beside
 * them: the mean of each of 4 by 4 cells.
 *
 * ```ts
 * import {
 *   colourDistance,
 *   hashDistance,
 *   perceptualHash,
 * } from "#lib/dataset/perceptual_hash.ts";
 * import { samplePath } from "#lib/photo_site/sample.ts";
 * import { ok } from "node:assert/strict";
 * import sharp from "sharp";
 *
 * const lemon = samplePath({ path: "food/fruit/lemon.jpg" });
 * const small = await sharp(lemon).resize(160).jpeg({ quality: 60 }).toBuffer();
 * const pear = samplePath({ path: "food/fruit/pear.jpg" });
 * const [a, b, c] = await Promise.all([lemon, small, pear].map(perceptualHash));
 * ok(hashDistance(a, b) < 20 && hashDistance(a, c) > 50);
 * ok(colourDistance(a, b) < 5);
 * ```
 *
 * Source: Zauner, Implementation and Benchmarking of Perceptual Image Hash
 * Functions, 2010, chapter 3.2.1.
 *
 * @module
 */
import {
  decodePicture,
  type ImageSource,
  type PictureData,
} from "../pictures/pictures.ts";

/** Waves along a side. */
const WAVES = 16;

/** Words of 32 bits of one hash; a picture has two, end to end. */
export const WORDS: number = WAVES * WAVES / 32;

/** Cells along a side, of which the mean colour is kept. */
const CELLS = 4;

/** Bytes of the colours: a cell has two, its Cb and its Cr. */
const COLOURS = 2 * CELLS * CELLS;

/** Numbers of 32 bits that `perceptualHash` gives. */
export const HASH_WORDS: number = 2 * WORDS + COLOURS / 4;

/** Side of the grey picture. */
const SIDE = 128;

/** A part of the grey picture, from its first pixels to those after its last. */
interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const WHOLE: Box = { left: 0, top: 0, right: SIDE, bottom: SIDE };

/** Longest side that is decoded in full: 13 MB of pixels at most. */
export const MAX_HASHED_SIDE = 2048;

/**
 * The hashes of a picture. Shrunk and saved as a clean JPEG, as cleaning does,
 * it has the same ones but for a few bits.
 *
 * @returns 256 bits of the whole picture, then 256 of it without its frame, all
 *   zeros where there is nothing to see, as in a picture of one colour; then the
 *   colours of its cells, for `colourDistance`.
 * @throws {PictureError} If there is no whole picture.
 */
export async function perceptualHash(image: ImageSource): Promise<Uint32Array> {
  return hashPixels(await decodePicture(image, { longest: MAX_HASHED_SIDE }));
}

/** The same, of pixels: red, green and blue, row by row. */
export function hashPixels(picture: PictureData): Uint32Array {
  const grey = greyOf(picture);
  const framed = hashOf(grey, WHOLE);
  const box = withoutFrame(grey);
  const hasFrame = Object.entries(WHOLE).some(([side, at]) =>
    box[side as keyof Box] !== at
  );
  const bare = hasFrame ? hashOf(grey, box) : framed;
  const hashes = new Uint32Array(HASH_WORDS);
  hashes.set(framed);
  // Where the middle is empty, all there is to see lies at the edge.
  hashes.set(bare.some((word) => word !== 0) ? bare : framed, WORDS);
  coloursIn(hashes).set(coloursOf(picture));
  return hashes;
}

/**
 * In how many of 256 bits two pictures differ, at the least: each is taken with
 * its frame and without.
 */
export function hashDistance(a: Uint32Array, b: Uint32Array): number {
  const bits = new Uint32Array([a, b].flatMap((hashes) => [
    ...hashes.subarray(0, 2 * WORDS),
  ]));
  const distances = [0, 1].flatMap((one) =>
    [2, 3].map((other) => distanceAt(bits, one, other, Infinity))
  );
  return Math.min(...distances);
}

/**
 * In how many bits two hashes of 256 differ.
 *
 * @param bits Hashes end to end, of which `a` and `b` are places from 0.
 * @param most Where they differ in more, any number above it may come, sooner.
 */
export function distanceAt(
  bits: Uint32Array,
  a: number,
  b: number,
  most: number,
): number {
  let aAt = a * WORDS, bAt = b * WORDS, count = 0;
  const end = aAt + WORDS;
  while (aAt < end && count <= most) {
    // The ones among 32 bits, counted in pairs, fours and bytes at a time.
    let word = bits[aAt++] ^ bits[bAt++];
    word -= word >>> 1 & 0x55555555;
    word = (word & 0x33333333) + (word >>> 2 & 0x33333333);
    count += Math.imul(word + (word >>> 4) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count;
}

/**
 * How far apart the colours of two pictures are where they are farthest: of 16
 * cells, the greatest distance of two means in the plane of Cb and Cr, in levels
 * of 256. Brightness has no part in it. It is 0 where one of the two is grey all
 * over, as a grey copy is.
 */
export function colourDistance(a: Uint32Array, b: Uint32Array): number {
  const [one, other] = [a, b].map(coloursIn);
  if (isGrey(one) || isGrey(other)) return 0;
  let farthest = 0;
  for (let i = 0; i < COLOURS; i += 2) {
    const apart = Math.hypot(one[i] - other[i], one[i + 1] - other[i + 1]);
    farthest = Math.max(farthest, apart);
  }
  return farthest;
}

/** The part of a picture's numbers that holds its colours: signed bytes. */
function coloursIn(hashes: Uint32Array): Int8Array {
  const from = hashes.byteOffset + 4 * 2 * WORDS;
  return new Int8Array(hashes.buffer, from, COLOURS);
}

/** Levels that a JPEG may leave of a colour that is none. */
const COLOURLESS = 1;

function isGrey(colours: Int8Array): boolean {
  return colours.every((level) => Math.abs(level) <= COLOURLESS);
}

/** Share of a side, at its ends, that the cells leave out: frames lie there. */
const MARGIN = 0.05;

/** The mean Cb and Cr of each cell, row by row, in levels from -127 to 127. */
function coloursOf({ data, width, height }: PictureData): Int8Array {
  const sums = new Float64Array(COLOURS), counts = new Uint32Array(CELLS ** 2);
  const columns = cellsOf(width);
  for (const [y, row] of cellsOf(height).entries()) {
    if (row < 0) continue;
    for (let x = 0, at = 3 * y * width; x < width; x++, at += 3) {
      if (columns[x] < 0) continue;
      const cell = CELLS * row + columns[x];
      const red = data[at], green = data[at + 1], blue = data[at + 2];
      sums[2 * cell] += 0.5 * blue - 0.169 * red - 0.331 * green;
      sums[2 * cell + 1] += 0.5 * red - 0.419 * green - 0.081 * blue;
      counts[cell]++;
    }
  }
  // A picture of few pixels has empty cells. What follows the point is cut off.
  return Int8Array.from(sums, (sum, i) => sum / Math.max(1, counts[i >> 1]));
}

/** The cell of each pixel along a side; -1 in the margins. */
function cellsOf(length: number): Int8Array {
  return Int8Array.from({ length }, (_, pixel) => {
    const from = MARGIN * length, to = length - from;
    const at = pixel + 0.5;
    if (at < from || at >= to) return -1;
    return Math.floor(CELLS * (at - from) / (to - from));
  });
}

/** The small grey picture: each pixel is the mean of what it covers. */
function greyOf({ data, width, height }: PictureData): Float32Array {
  const grey = new Float32Array(SIDE * SIDE);
  // Of a row: what lies before each pixel, and before the end of the last.
  const before = new Float64Array(width + 2);
  const row = new Float64Array(SIDE);
  for (let y = 0, at = 0; y < height; y++) {
    let sum = 0;
    for (let x = 1; x <= width; x++, at += 3) {
      sum += 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
      before[x] = sum;
    }
    before[width + 1] = sum;
    for (let i = 0, start = 0; i < SIDE; i++) {
      const end = (i + 1) * width / SIDE, whole = Math.floor(end);
      const upTo = before[whole] +
        (end - whole) * (before[whole + 1] - before[whole]);
      row[i] = (upTo - start) * SIDE / width;
      start = upTo;
    }
    const top = y * SIDE / height, bottom = (y + 1) * SIDE / height;
    for (let line = Math.floor(top); line < bottom; line++) {
      const share = Math.min(bottom, line + 1) - Math.max(top, line);
      for (let i = 0; i < SIDE; i++) grey[line * SIDE + i] += share * row[i];
    }
  }
  return grey;
}

/** The hash of a part of the grey picture. */
function hashOf(grey: Float32Array, box: Box): Uint32Array {
  const waves = slowWaves(grey, box);
  const hash = new Uint32Array(WORDS);
  // The first wave is the mean, which says nothing about what is to be seen.
  const middle = waves.slice(1).sort()[waves.length >> 1];
  if (waves.slice(1).every((wave) => Math.abs(wave) < FAINT)) return hash;
  waves.forEach((wave, i) => {
    if (wave > middle) hash[i >> 5] |= 1 << (i & 31);
  });
  return hash;
}

/** Strength below which a wave is noise: half a level of grey. */
const FAINT = 0.5;

/** The discrete cosine transform's first waves, row by row; of levels of grey. */
function slowWaves(
  grey: Float32Array,
  { left, top, right, bottom }: Box,
): Float32Array {
  const width = right - left, height = bottom - top;
  const across = cosines(width), down = cosines(height);
  const waves = new Float32Array(WAVES * WAVES);
  for (let y = 0; y < height; y++) {
    const from = (top + y) * SIDE + left;
    for (let i = 0; i < WAVES; i++) {
      let sum = 0;
      for (let x = 0, at = i * width; x < width; x++) {
        sum += across[at + x] * grey[from + x];
      }
      for (let j = 0; j < WAVES; j++) {
        waves[j * WAVES + i] += down[j * height + y] * sum;
      }
    }
  }
  return waves;
}

const tables = new Map<number, Float32Array>();

/** WAVES rows of `length` numbers: a wave each, divided by `length`. */
function cosines(length: number): Float32Array {
  const table = tables.get(length) ?? new Float32Array(WAVES * length).map(
    (_, i) =>
      Math.cos(
        Math.PI * Math.floor(i / length) * (i % length + 0.5) / length,
      ) / length,
  );
  tables.set(length, table);
  return table;
}

/** Levels of grey that JPEG may add to an even line of pixels. */
const EVEN = 16;

/** Deepest frame, a share of the picture's side. */
const DEEPEST = 3 / 8;

/** The picture without what lies around it in one colour, on each side its own. */
function withoutFrame(grey: Float32Array): Box {
  const last = SIDE - 1;
  return {
    left: frameDepth((depth, i) => grey[i * SIDE + depth]),
    top: frameDepth((depth, i) => grey[depth * SIDE + i]),
    right: SIDE - frameDepth((depth, i) => grey[i * SIDE + last - depth]),
    bottom: SIDE - frameDepth((depth, i) => grey[(last - depth) * SIDE + i]),
  };
}

/** How many lines from the edge inwards are even and of the edge's colour. */
function frameDepth(pixel: (depth: number, i: number) => number): number {
  let colour = 0;
  for (let i = 0; i < SIDE; i++) colour += pixel(0, i) / SIDE;
  const isEven = (depth: number) => {
    // Near a corner, the frame of the next side has a colour of its own.
    for (let i = 4; i < SIDE - 4; i++) {
      if (Math.abs(pixel(depth, i) - colour) > EVEN) return false;
    }
    return true;
  };
  let depth = 0;
  while (depth < DEEPEST * SIDE && isEven(depth)) depth++;
  // The next line shows a mixture of both.
  return depth === 0 ? 0 : depth + 1;
}
