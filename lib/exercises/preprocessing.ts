/**
 * The exercises of notebook 2: what a fingerprint does with a small change, how
 * a cut JPEG gives itself away, and a hash that a mirror does not change.
 *
 * ```ts
 * import { changedDigits, isWhole } from "#lib/exercises/preprocessing.ts";
 * import { match } from "node:assert/strict";
 *
 * match(`${await changedDigits.check(1)}`, /Not yet/);
 * match(`${await isWhole.check(() => true)}`, /cut/);
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import sharp, { type Sharp } from "sharp";
import { Exercise, quoteAnswer } from "./exercises.ts";

/**
 * Exercise 1: how many of the 64 hexadecimal digits of a SHA-256 change with
 * one pixel.
 *
 * Each digit stays the same by chance once in 16 times: 60 change on average,
 * and 54 to 63 in nearly every trial.
 */
export const changedDigits: Exercise<number> = new Exercise({
  hint: "Change a pixel of a picture, clean both, and count the places at " +
    "which the two sha256 differ. Or think: with what chance is a digit of 16 " +
    "the same twice?",
  answer: "64 * 15 / 16",
  lesson: "About 60: as many as in two pictures that have nothing in common. " +
    "This fingerprint knows equal and different, and nothing in between.",
  findFault(answer) {
    if (typeof answer !== "number" || Number.isNaN(answer)) {
      return `Expected a number of digits, got ${quoteAnswer(answer)}.`;
    }
    if (answer < 0 || answer > 64) {
      return `A fingerprint has 64 digits: ${answer} of them cannot change.`;
    }
    if (answer < 54) {
      return `With ${answer} of 64, the two would still be alike, and one ` +
        "could tell near pictures by it. SHA-256 is made so that no one can.";
    }
    if (answer > 63) {
      return "A digit of 16 stays the same by chance once in 16 times, so all " +
        "64 change in one trial of 62 only. How many change on average?";
    }
  },
});

/** Exercise 2: whether a file is a JPEG to its end. */
export const isWhole: Exercise<(bytes: Buffer) => unknown> = new Exercise({
  signature: "(bytes) => true or false",
  hint: "ffd8 is how every JPEG begins. Print the last two bytes of a few " +
    "whole ones.",
  answer: `(bytes) =>
  bytes[0] === 0xff && bytes[1] === 0xd8 &&
  bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9`,
  lesson: "Four bytes find most cut files, and cost nothing. Damage in the " +
    "middle only shows when the picture is decoded.",
  async findFault(isWholeJpeg) {
    for (const [what, bytes, expected] of await jpegTrials()) {
      const said = await isWholeJpeg(Buffer.from(bytes));
      if (typeof said !== "boolean") {
        return `Expected true or false, got ${quoteAnswer(said)} for ${what}.`;
      }
      if (said !== expected) {
        return `Your function returns ${said} for ${what}.`;
      }
    }
  },
});

/** Files, what each is, and whether it is a whole JPEG. */
async function jpegTrials(): Promise<[string, Buffer, boolean][]> {
  const [large, small] = [inventPicture(1, 160), inventPicture(2, 40)];
  const jpeg = await large.clone().jpeg().toBuffer();
  const progressive = await large.clone().jpeg({ progressive: true })
    .toBuffer();
  const thumbnail = await small.clone().jpeg().toBuffer();
  // Cameras put a small JPEG inside the large one: the end mark is there twice.
  const camera = Buffer.concat([
    jpeg.subarray(0, 2),
    Buffer.from([0xff, 0xe1, ...sizeOf(thumbnail)]),
    thumbnail,
    jpeg.subarray(2),
  ]);
  const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);
  return [
    ["a whole JPEG", jpeg, true],
    ["a small whole JPEG", thumbnail, true],
    ["a whole progressive JPEG", progressive, true],
    ["a JPEG cut in half", half(jpeg), false],
    ["a progressive JPEG cut in half", half(progressive), false],
    ["a JPEG that is cut by its last byte", jpeg.subarray(0, -1), false],
    ["a JPEG without its first byte", jpeg.subarray(1), false],
    ["a whole PNG", await small.clone().png().toBuffer(), false],
    ["a text", Buffer.from("This photo is being processed.\n"), false],
    ["an empty file", Buffer.alloc(0), false],
    ["a whole JPEG with a thumbnail inside", camera, true],
    [
      "a JPEG with a whole thumbnail inside, cut near its end",
      camera.subarray(0, -20),
      false,
    ],
  ];
}

/** A segment's size, its own two bytes included, the high byte first. */
function sizeOf(content: Buffer): [high: number, low: number] {
  const size = content.length + 2;
  return [size >> 8, size & 255];
}

/** Largest share of bits by which a picture may differ from its copies. */
const NEAR_SHARE = 1 / 8;
/** Smallest share by which two pictures must differ. */
const FAR_SHARE = 1 / 4;

/** Exercise 3: bits that stay nearly the same in a copy, mirrored or not. */
export const mirrorHash: Exercise<(image: Uint8Array) => unknown> =
  new Exercise({
    signature: "(image) => 64 or more bits",
    hint:
      "Across, a mirror turns waves 1, 3, 5 … round and leaves 0, 2, 4 … as " +
      "they are. Which places in the array of strengths have those that stay?",
    answer: `async (image) => {
  const strengths = strengthsOf(await greyOf(image));
  return bitsOf(strengths.filter((_, i) => i % 2 === 0));
}`,
    lesson:
      "Half of the waves are enough to know a picture by, and those that " +
      "a change turns round are left out. The price: a picture and its mirror " +
      "image are now one and the same.",
    async findFault(hash) {
      const seen: { bits: Bits; what: string }[] = [];
      for (const [what, original, ...copies] of await copiedPictures()) {
        const bits = await hash(original.image);
        const expected = seen[0]?.bits.length;
        if (!isBits(bits) || bits.length !== (expected ?? bits.length)) {
          return `Expected an array of ${expected ?? "64 or more"} zeros and ` +
            `ones, got ${describe(bits)}.`;
        }
        const most = Math.floor(NEAR_SHARE * bits.length);
        const least = Math.ceil(FAR_SHARE * bits.length);
        for (const { image, how } of copies) {
          const copy = await hash(image);
          const far = isArray(copy)
            ? countDifferences(bits, copy as Bits)
            : bits.length;
          if (far <= most) continue;
          return `A picture and the same ${how} differ in ${far} of ` +
            `${bits.length} bits: expected ${most} or fewer.`;
        }
        for (const earlier of seen) {
          const far = countDifferences(bits, earlier.bits);
          if (far >= least) continue;
          return `${earlier.what} and ${what} differ in ${far} of ` +
            `${bits.length} bits: expected ${least} or more.`;
        }
        seen.push({ bits, what });
      }
    },
  });

/** A picture's file, and how it was made of another. */
interface Version {
  image: Buffer;
  how: string;
}

/** Pictures by name, each with its copies. */
function copiedPictures(): Promise<
  [what: string, original: Version, ...copies: Version[]][]
> {
  const pictures: [string, number][] = [
    ["One picture", 3],
    ["another", 4],
    ["a third one", 5],
  ];
  return Promise.all(pictures.map(async ([what, seed]) => {
    const original = await inventPicture(seed, 160).jpeg({ quality: 92 })
      .toBuffer();
    const copies: [string, Sharp][] = [
      ["saved again at quality 40", sharp(original).jpeg({ quality: 40 })],
      ["at half the size", sharp(original).resize(80)],
      ["mirrored", sharp(original).flop()],
      ["mirrored at half the size", sharp(original).flop().resize(80)],
    ];
    const versions = copies.map(async ([how, copy]) => (
      { image: await copy.toBuffer(), how }
    ));
    return [what, { image: original, how: "" }, ...await Promise.all(versions)];
  }));
}

/** A picture of small soft patches, 4:3: the same for the same seed. */
function inventPicture(seed: number, width: number): Sharp {
  let state = seed;
  const patches = Uint8Array.from({ length: 24 * 18 * 3 }, () => {
    state = (state * 48271) % 2147483647;
    return state >> 8;
  });
  return sharp(patches, { raw: { width: 24, height: 18, channels: 3 } })
    .resize(width, width * 3 / 4, { fit: "fill", kernel: "cubic" });
}

/** An array of 64 or more zeros and ones, or a typed one, as a Buffer is. */
type Bits = ArrayLike<number>;

function isArray(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) ||
    ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isBits(value: unknown): value is Bits {
  return isArray(value) && value.length >= 64 &&
    Array.from(value).every((bit) => bit === 0 || bit === 1);
}

/** What is no such array, with the type of its values where they are no numbers. */
function describe(value: unknown): string {
  if (typeof value === "string") return `a string, ${quoteAnswer(value)}`;
  if (!isArray(value)) return quoteAnswer(value);
  const odd = Array.from(value).find((bit) => typeof bit !== "number");
  const type = odd === undefined ? "" : ` of type ${typeof odd}`;
  return `${value.length} values${type}: ${quoteAnswer(value)}`;
}

/** Bits that one has otherwise, or not at all. */
function countDifferences(a: Bits, b: Bits): number {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }).filter((_, i) => a[i] !== b[i]).length;
}
