import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import sharp from "sharp";
import { whiteOf } from "#lib/pictures/bit_depth.ts";
import { decodePicture } from "#lib/pictures/pictures.ts";
import { tiff } from "../support/tiff.ts";

/** What the pictures show: from black to white, 0 to 1. */
const SHOWN = [0, 0.1, 0.2, 0.4, 0.6, 0.9, 1, 0.5];

async function shown(file: Uint8Array): Promise<number[]> {
  const { data } = await decodePicture(file, { longest: 99 });
  return [...data].filter((_, i) => i % 3 === 0);
}

/** Eight bits of what is shown. */
function bytesOf(values: readonly number[]): number[] {
  return values.map((value) => Math.round(255 * value));
}

function near(values: readonly number[], expected: readonly number[]) {
  equal(values.length, expected.length);
  const gaps = values.map((value, i) => Math.abs(value - expected[i]));
  ok(Math.max(...gaps) <= 1, `${values}, expected ${expected}`);
}

Deno.test("white is the end of the narrowest usual range, and never leaves all black", () => {
  for (
    const [largest, depth, white] of [
      [1, "float", 1],
      [0.3, "float", 1],
      [200, "float", 255],
      [60_000, "float", 65_535],
      // High dynamic range ends anywhere.
      [3.7, "float", 3.7],
      [0.01, "float", 0.01],
      [200, "ushort", 255],
      [1000, "ushort", 1023],
      [4000, "ushort", 4095],
      [16_000, "ushort", 16_383],
      [20_000, "ushort", 65_535],
      [32_000, "short", 32_767],
      [4e9, "uint", 2 ** 32],
      [2e9, "int", 2 ** 31],
      // Numbers of classes, say.
      [5, "ushort", 5],
      [0, "ushort", 255],
    ] as const
  ) {
    equal(whiteOf(largest, depth), white, `${largest} ${depth}`);
  }
});

Deno.test("floats, 32 bits, and 8 to 14 bits in 16 show what they hold, in grey and in colours", async () => {
  const kinds: Record<
    string,
    (values: number[]) => Parameters<typeof tiff>[0]
  > = {
    "float 0 to 1": (values) => Float32Array.from(values),
    "float 0 to 255": (values) => Float32Array.from(values, (v) => 255 * v),
    "float 0 to 65,535": (values) =>
      Float32Array.from(values, (v) => 65_535 * v),
    "float -1 to 1": (values) => Float32Array.from(values, (v) => 2 * v - 1),
    "8 in 16": (values) => Uint16Array.from(values, (v) => 255 * v),
    "10 in 16": (values) => Uint16Array.from(values, (v) => 1023 * v),
    "12 in 16": (values) => Uint16Array.from(values, (v) => 4095 * v),
    "14 in 16": (values) => Uint16Array.from(values, (v) => 16_383 * v),
    "16": (values) => Uint16Array.from(values, (v) => 65_535 * v),
    "16 signed": (values) => Int16Array.from(values, (v) => 32_767 * v),
    "32": (values) => Uint32Array.from(values, (v) => (2 ** 32 - 1) * v),
    "32 signed": (values) => Int32Array.from(values, (v) => (2 ** 31 - 1) * v),
    "8 in 32": (values) => Uint32Array.from(values, (v) => 255 * v),
  };
  for (const [name, store] of Object.entries(kinds)) {
    for (const channels of [1, 3] as const) {
      const values = SHOWN.flatMap((v) => Array<number>(channels).fill(v));
      const file = tiff(store(values), 4, channels);
      near(await shown(file), bytesOf(SHOWN));
      ok(name);
    }
  }
});

Deno.test("12 bits in a PNG of 16 are found as well", async () => {
  const values = Uint16Array.from(SHOWN, (v) => 4095 * v);
  const file = await sharp(values, {
    raw: { width: 4, height: 2, channels: 1 },
  })
    .toColourspace("grey16").png().toBuffer();
  equal((await sharp(file).metadata()).depth, "ushort");
  near(await shown(file), bytesOf(SHOWN));
});

Deno.test("numbers that are none, and infinite ones, spoil no other", async () => {
  const values = Float32Array.of(NaN, 0.5, Infinity, -Infinity, 1, 0);
  deepEqual(await shown(tiff(values, 3, 1)), [0, 128, 255, 0, 255, 0]);
});

Deno.test("opacity of floats is laid on white, in a range of its own", async () => {
  const black = [0, 0, 0], grey = [100, 100, 100], red = [200, 0, 0];
  const pixels = [[...black, 0], [...grey, 1], [...red, 1], [...red, 0]];
  const file = tiff(Float32Array.from(pixels.flat()), 4, 4);
  const { data } = await decodePicture(file, { longest: 99 });
  deepEqual([...data], [
    ...[255, 255, 255],
    ...[100, 100, 100],
    ...[200, 0, 0],
    ...[255, 255, 255],
  ]);
});

/** A thousand values from black to white, 0 to 1, and the bytes they show. */
const RAMP = Array.from({ length: 1200 }, (_, i) => i / 1199);

Deno.test("a hot pixel, or one without data, makes no other black or white", async () => {
  const float = (spot: number) => Float32Array.of(spot, ...RAMP.slice(1));
  const bits = (most: number, spot: number) =>
    Uint16Array.of(spot, ...RAMP.slice(1).map((v) => most * v));
  const files = [
    ...[2, 300, 1e30, -9999, -3.4e38, NaN].map(float),
    bits(4095, 65_535),
    bits(255, 4095),
  ];
  for (const values of files) {
    near((await shown(tiff(values, 40, 1))).slice(1), bytesOf(RAMP.slice(1)));
  }
  // A night with stars stays one: it is not all black.
  const stars = RAMP.map((v, i) => i % 50 === 0 ? 65_535 : 3000 * v);
  const night = await shown(tiff(Uint16Array.from(stars), 40, 1));
  near(night, stars.map((v) => v / 257));
});

Deno.test("where 0 is white, white is 0 at every depth", async () => {
  const turned = RAMP.map((v) => 1 - v);
  const files = [
    Float32Array.from(turned),
    Uint16Array.from(turned, (v) => 65_535 * v),
    Uint16Array.from(turned, (v) => 4095 * v),
    Int16Array.from(turned, (v) => 32_767 * v),
    Uint32Array.from(turned, (v) => (2 ** 32 - 1) * v),
  ];
  for (const values of files) {
    near(await shown(tiff(values, 40, 1, true)), bytesOf(RAMP));
  }
});

Deno.test("what cannot be shown is said: no number, too many channels", async () => {
  const nothing = tiff(new Float32Array(12).fill(NaN), 4, 1);
  await rejects(
    decodePicture(nothing, { longest: 9 }),
    /no value that is a num/,
  );
  const five = tiff(new Uint16Array(60), 4, 5);
  await rejects(
    decodePicture(five, { longest: 9 }),
    /5 channels: not supported/,
  );
});
