import { match, ok } from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import sharp, { type Sharp } from "sharp";
import { cleanPicture } from "#lib/dataset/clean.ts";
import {
  changedDigits,
  isWhole,
  mirrorHash,
} from "#lib/exercises/preprocessing.ts";
import { decodePicture } from "#lib/pictures/pictures.ts";
import { checkExercise } from "../support/exercises.ts";

Deno.test("changedDigits accepts what an experiment shows, and explains what does not", async () => {
  await checkExercise(changedDigits, [
    ["60", /number of digits, got "60"/],
    [1, /With 1 of 64, the two would still be alike/],
    [32, /With 32 of 64/],
    [64, /all 64 change in one trial of 62 only/],
    [65, /has 64 digits: 65 of them cannot change/],
  ]);
  const raw = new Uint8Array(60 * 60 * 3).fill(128);
  const sumOf = async () => {
    const image = await sharp(raw, {
      raw: { width: 60, height: 60, channels: 3 },
    }).png().toBuffer();
    const cleaned = await cleanPicture(image);
    ok("sha256" in cleaned);
    return cleaned.sha256;
  };
  const before = await sumOf();
  raw[0] = 100;
  const after = await sumOf();
  const changed = [...before].filter((digit, i) => digit !== after[i]).length;
  match(`${await changedDigits.check(changed)}`, /Right/);
});

Deno.test("isWhole wants whole JPEGs told from cut ones and from other files", async () => {
  const begins = (bytes: Uint8Array) => bytes[0] === 0xff && bytes[1] === 0xd8;
  const ends = (bytes: Uint8Array) =>
    bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9;
  await checkExercise(isWhole, [
    [true, /Expected a function .* got true/],
    [() => "yes", /Expected true or false, got "yes" for a whole JPEG/],
    [() => true, /returns true for a JPEG cut in half/],
    [() => false, /returns false for a whole JPEG/],
    [begins, /returns true for a JPEG cut in half/],
    [ends, /returns true for a JPEG without its first byte/],
    [
      (bytes: Uint8Array) =>
        begins(bytes) &&
        bytes.some((byte, i) => byte === 0xff && bytes[i + 1] === 0xd9),
      /returns true for a JPEG with a whole thumbnail inside, cut/,
    ],
  ]);
});

Deno.test("isWhole gives a Buffer, as the notebook reads files", async () => {
  const byHex = (bytes: Buffer) =>
    bytes.subarray(0, 2).toString("hex") === "ffd8" &&
    bytes.subarray(-2).toString("hex") === "ffd9";
  match(`${await isWhole.check(byHex)}`, /Right/);
});

Deno.test("isWhole lets a decoder say it, too", async () => {
  const decodes = async (bytes: Uint8Array) => {
    if (bytes[0] !== 0xff || bytes.at(-1) !== 0xd9) return false;
    const decoding = sharp(bytes, { failOn: "truncated" }).raw().toBuffer();
    return await decoding.then(() => true, () => false);
  };
  match(`${await isWhole.check(decodes)}`, /Right/);
});

/** What notebook 2 has of its own by then. */
async function greyOf(image: Uint8Array): Promise<Float32Array> {
  const { data } = await decodePicture(image, { square: SIDE });
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => data[3 * i + 1]);
}

const SIDE = 128;

function strengthsOf(grey: Float32Array): Float32Array {
  const waves = Array.from({ length: 16 }, (_, k) =>
    Array.from(
      { length: SIDE },
      (_, x) => Math.cos(Math.PI * k * (x + 0.5) / SIDE),
    ));
  const strengths = new Float32Array(256);
  for (let y = 0; y < SIDE; y++) {
    for (const [k, wave] of waves.entries()) {
      const across = wave.reduce(
        (sum, w, x) => sum + w * grey[y * SIDE + x],
        0,
      );
      waves.forEach((down, l) => strengths[16 * l + k] += down[y] * across);
    }
  }
  return strengths;
}

function bitsOf(strengths: Float32Array): number[] {
  const median = strengths.slice(1).sort()[strengths.length >> 1];
  return Array.from(strengths, (strength) => strength > median ? 1 : 0);
}

Deno.test("mirrorHash wants copies near, mirrored ones too, and other pictures far", async () => {
  let calls = 0;
  await checkExercise(mirrorHash, [
    ["ffd8", /Expected a function .* got "ffd8"/],
    [
      () => [0, 1],
      /an array of 64 or more zeros and ones, got 2 values: \[0,1\]/,
    ],
    [() => "0".repeat(64), /zeros and ones, got a string, "000/],
    [
      () => Array(64).fill(true),
      /got 64 values of type boolean: \[true,true/,
    ],
    [() => [..."01".repeat(32)], /got 64 values of type string: \["0","1"/],
    [() => 5, /zeros and ones, got 5\./],
    [() => Array(64).fill(0), /One picture and another differ in 0 of 64/],
    // More bits for the second picture.
    [
      () => Array(calls++ < 5 ? 64 : 65).fill(0),
      /an array of 64 zeros and ones, got 65 values/,
    ],
    [
      (image: Uint8Array) => {
        const hex = createHash("sha256").update(image).digest("hex");
        return [...hex].map((digit) => parseInt(digit, 16) > 7 ? 1 : 0);
      },
      /saved again at quality 40 differ in \d+ of 64 bits: expected 8 or fewer/,
    ],
    // The hash that the notebook has.
    [
      async (image: Uint8Array) => bitsOf(strengthsOf(await greyOf(image))),
      /the same mirrored differ in \d+ of 256 bits: expected 32 or fewer/,
    ],
    // The waves that a mirror turns.
    [
      async (image: Uint8Array) =>
        bitsOf(strengthsOf(await greyOf(image)).filter((_, i) => i % 2)),
      /the same mirrored differ in \d+ of 128 bits/,
    ],
    // The same for what is mirrored: where, it does not say.
    [
      async (image: Uint8Array) => {
        const { channels } = await sharp(image).stats();
        const level = Math.round(channels[0].mean / 4);
        return Array.from({ length: 64 }, (_, i) => i < level ? 1 : 0);
      },
      /expected 16 or more/,
    ],
  ], { bitsOf, greyOf, strengthsOf });
});

Deno.test("mirrorHash accepts a picture laid over its mirror image, in a typed array too", async () => {
  const averageHash = async (image: Uint8Array) => {
    const tiny = (picture: Sharp) =>
      picture.greyscale().resize(16, 8, { fit: "fill" }).raw().toBuffer();
    const [grey, mirrored] = await Promise.all([
      tiny(sharp(image)),
      tiny(sharp(await sharp(image).flop().png().toBuffer())),
    ]);
    const both = [...grey].map((value, i) => value + mirrored[i]);
    const mean = both.reduce((sum, value) => sum + value, 0) / both.length;
    return both.map((value) => value > mean ? 1 : 0);
  };
  match(`${await mirrorHash.check(averageHash)}`, /Right/);
  const typed = async (image: Uint8Array) =>
    Uint8Array.from(await averageHash(image));
  match(`${await mirrorHash.check(typed)}`, /Right/);
});
