/**
 * The exercises of notebook 2: what a fingerprint does with a small change, how
 * a cut JPEG gives itself away, and a fingerprint for near duplicates.
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

/** Most bits by which a picture may differ from itself saved otherwise. */
const NEAR_BITS = 10;
/** Fewest bits by which two pictures must differ. */
const FAR_BITS = 16;

/** Exercise 3: 64 bits that stay nearly the same when a picture is saved anew. */
export const nearFingerprint: Exercise<(image: Uint8Array) => unknown> =
  new Exercise({
    signature: "(image) => 64 bits",
    hint: "Make the picture tiny and grey, so that only its large forms are " +
      "left: 9 × 8 pixels have 64 pairs of neighbours. Which of the two is " +
      "lighter?",
    answer: `async (image) => {
  const grey = await sharp(image).greyscale()
    .resize(9, 8, { fit: "fill" }).raw().toBuffer();
  const pairs = [...grey.keys()].filter((i) => i % 9 < 8);
  return pairs.map((i) => grey[i] > grey[i + 1] ? 1 : 0);
}`,
    lesson: "Such a hash finds copies that were resized or saved again, by " +
      "counting the bits that differ. It knows nothing of what a picture " +
      "shows: notebook 4 does.",
    async findFault(fingerprint) {
      const seen: { bits: Bits; what: string }[] = [];
      for (const [what, ...versions] of await nearTrials()) {
        const [bits, ...others] = await Promise.all(
          versions.map(([image]) => fingerprint(image)),
        );
        if (!isBits(bits)) {
          return "Expected an array of 64 zeros and ones, got " +
            `${describe(bits)}.`;
        }
        for (const [i, other] of others.entries()) {
          const far = isBits(other) ? countDifferences(bits, other) : 64;
          if (far <= NEAR_BITS) continue;
          return `A picture and the same ${versions[i + 1][1]} differ in ` +
            `${far} of 64 bits: expected ${NEAR_BITS} or fewer.`;
        }
        for (const earlier of seen) {
          const far = countDifferences(bits, earlier.bits);
          if (far >= FAR_BITS) continue;
          return `${earlier.what} and ${what} differ in ${far} of 64 bits: ` +
            `expected ${FAR_BITS} or more.`;
        }
        seen.push({ bits, what });
      }
    },
  });

/** Pictures by name, each in several versions, with how it was made. */
async function nearTrials(): Promise<
  [what: string, ...versions: [image: Buffer, how: string][]][]
> {
  const pictures: [string, Sharp][] = [
    ["one picture", inventPicture(3, 160)],
    ["another", inventPicture(4, 160)],
    ["a third one", inventPicture(5, 160)],
    ["the first one's mirror image", inventPicture(3, 160, true)],
  ];
  return await Promise.all(pictures.map(async ([what, picture]) => {
    const jpeg = () => picture.clone().jpeg({ quality: 92 });
    const original = await jpeg().toBuffer();
    const versions: [Buffer, string][] = [
      [original, ""],
      [
        await sharp(original).jpeg({ quality: 50 }).toBuffer(),
        "saved again at quality 50",
      ],
      [
        await sharp(original).resize(80).jpeg().toBuffer(),
        "at half the size",
      ],
      [
        await sharp(original).linear(0.9, 20).png().toBuffer(),
        "a little lighter",
      ],
    ];
    return [what, ...versions];
  }));
}

/** A picture of soft patches, 4:3: the same for the same seed. */
function inventPicture(
  seed: number,
  width: number,
  mirrored = false,
): Sharp {
  let state = seed;
  const patches = Uint8Array.from({ length: 6 * 5 * 3 }, () => {
    state = (state * 48271) % 2147483647;
    return state >> 8;
  });
  return sharp(patches, { raw: { width: 6, height: 5, channels: 3 } })
    .flop(mirrored)
    .resize(width, width * 3 / 4, { fit: "fill", kernel: "cubic" });
}

/** An array of 64 zeros and ones, or a typed one, as a Buffer is. */
type Bits = ArrayLike<number>;

function isArray(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) ||
    ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isBits(value: unknown): value is Bits {
  return isArray(value) && value.length === 64 &&
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

function countDifferences(a: Bits, b: Bits): number {
  return Array.from(a).filter((bit, i) => bit !== b[i]).length;
}
