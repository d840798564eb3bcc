import fc from "fast-check";
import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import sharp, { type Sharp } from "sharp";
import {
  type Alike,
  checkNear,
  findAlike,
  leaveOut,
  MAX_COLOUR_DISTANCE,
  MAX_HASH_DISTANCE,
  type NearOptions,
  SURE_HASH_DISTANCE,
} from "#lib/dataset/near_duplicates.ts";
import {
  colourDistance,
  HASH_WORDS,
  hashDistance,
  perceptualHash,
  WORDS,
} from "#lib/dataset/perceptual_hash.ts";
import { readSample, samplePath } from "#lib/photo_site/sample.ts";

const some = (await readSample()).filter((_, i) => i % 16 === 0).map(
  samplePath,
);
const hashes = await Promise.all(some.map(perceptualHash));

async function areAlike(a: Uint32Array, b: Uint32Array): Promise<boolean> {
  return (await findAlike(new Uint32Array([...a, ...b]), String)).length === 1;
}

/** The share of pictures that a change leaves near duplicates of what they were. */
async function foundAfter(
  change: (file: string) => Promise<Sharp> | Sharp,
): Promise<number> {
  const near = await Promise.all(some.map(async (file, i) => {
    const copy = await (await change(file)).jpeg({ quality: 85 }).toBuffer();
    return await areAlike(hashes[i], await perceptualHash(copy));
  }));
  return near.filter(Boolean).length / near.length;
}

Deno.test("findAlike() finds pictures that are made smaller, grey, saved again or framed", async () => {
  const half = async (file: string) => {
    const { width } = await sharp(file).metadata();
    return sharp(file).resize(width >> 1);
  };
  ok(await foundAfter(half) >= 0.95);
  ok(await foundAfter((file) => sharp(file).greyscale()) >= 0.95);
  const saved = async (file: string) =>
    sharp(await sharp(file).jpeg({ quality: 40 }).toBuffer());
  ok(await foundAfter(saved) >= 0.95);
  for (const background of ["black", "white", "#c0392b"]) {
    const framed = (file: string) =>
      sharp(file).extend({ top: 6, bottom: 6, left: 6, right: 6, background });
    ok(await foundAfter(framed) >= 0.95, background);
  }
});

Deno.test("perceptualHash() is far for other pictures, and zero where there is nothing to see", async () => {
  for (const [i, a] of hashes.entries()) {
    for (const b of hashes.slice(i + 1)) {
      ok(hashDistance(a, b) > MAX_HASH_DISTANCE);
    }
  }
  const plain = (background: string) =>
    sharp({ create: { width: 90, height: 60, channels: 3, background } })
      .jpeg().toBuffer();
  const blank = await Promise.all(
    ["white", "#204060"].map(async (one) => perceptualHash(await plain(one))),
  );
  for (const hash of blank) {
    ok(hash.slice(0, 2 * WORDS).every((one) => one === 0));
  }
  // Nothing to see is no likeness.
  const both = new Uint32Array([...blank[0], ...blank[1]]);
  deepStrictEqual(await findAlike(both, String), []);
});

Deno.test("findAlike() keeps apart what differs in colour alone, and no grey copy from its picture", async () => {
  const tinted = await Promise.all(
    ["#d03020", "#20a040", "#2050d0"].map(async (tint) =>
      perceptualHash(await sharp(some[0]).tint(tint).png().toBuffer())
    ),
  );
  for (const [i, a] of tinted.entries()) {
    for (const b of tinted.slice(i + 1)) {
      ok(hashDistance(a, b) <= SURE_HASH_DISTANCE);
      ok(!await areAlike(a, b));
    }
  }
  const grey = await sharp(some[0]).greyscale().png().toBuffer();
  ok(await areAlike(tinted[0], await perceptualHash(grey)));
});

Deno.test("colourDistance() is that of the farthest cell, without the margin, and 0 where one picture is grey", async () => {
  const on = async (background: string, spot: string, left: number) => {
    const size = { width: 80, height: 80, channels: 3 } as const;
    const input = await sharp({ create: { ...size, background: spot } })
      .resize(18).png().toBuffer();
    return perceptualHash(
      await sharp({ create: { ...size, background } })
        .composite([{ input, left, top: 4 }]).png().toBuffer(),
    );
  };
  // Blue has the Cb of 127 and the Cr of -21, red -43 and 127.
  const blue = await on("#0000ff", "#0000ff", 4);
  const spotted = await on("#0000ff", "#ff0000", 4);
  ok(Math.abs(colourDistance(blue, spotted) - Math.hypot(170, 148)) < 3);
  strictEqual(colourDistance(blue, await on("#808080", "#202020", 4)), 0);
  const framed = await sharp(some[0])
    .extend({ top: 6, bottom: 6, left: 6, right: 6, background: "#ff0000" })
    .png().toBuffer();
  const distance = colourDistance(hashes[0], await perceptualHash(framed));
  ok(distance < MAX_COLOUR_DISTANCE, `${distance}`);
});

/** Hashes of grey pictures that differ from the first in so many bits. */
function differing(...bits: number[]): Uint32Array {
  return Uint32Array.from([0, ...bits].flatMap((count) => {
    const own = Array.from({ length: WORDS }, () => 0x0f0f0f0f);
    for (let bit = 0; bit < count; bit++) own[bit >> 5] ^= 1 << (bit & 31);
    const rest = new Array(HASH_WORDS - 2 * WORDS).fill(0);
    return [...own, ...own, ...rest];
  }));
}

Deno.test("findAlike() asks an encoder for candidates alone, and drops what is doubtful and not confirmed", async () => {
  // By their distances from the first: sure, doubtful twice, and none.
  const hashes = differing(SURE_HASH_DISTANCE, 20, 28, 90);
  const asked: string[][] = [];
  const vectors: Record<string, number[]> = {
    ...{ "0": [1, 0], "1": [0, 1], "2": [1, 0], "3": [0.6, 0.8] },
  };
  const embed = (files: string[]) => {
    asked.push(files);
    return Promise.resolve(files.map((file) => vectors[file]));
  };
  const of0 = async (options: NearOptions) =>
    (await findAlike(hashes, String, options)).filter(({ a }) => a === 0);
  deepStrictEqual(await of0({ embed }), [
    { a: 0, b: 1, hashDistance: SURE_HASH_DISTANCE, similarity: 0 },
    { a: 0, b: 2, hashDistance: 20, similarity: 1 },
  ]);
  deepStrictEqual(asked.map((files) => files.toSorted()), [
    ["0", "1", "2", "3"],
  ]);
  const confirmed = await of0({ embed, minSimilarity: 0.5 });
  deepStrictEqual(confirmed.map(({ b }) => b), [1, 2, 3]);
  deepStrictEqual(await of0({}), [
    { a: 0, b: 1, hashDistance: SURE_HASH_DISTANCE },
    { a: 0, b: 2, hashDistance: 20 },
    { a: 0, b: 3, hashDistance: 28 },
  ]);
  await rejects(
    findAlike(hashes, String, { embed: () => Promise.resolve([]) }),
    /expected embed to give 4 rows, got 0/,
  );
});

const alike = fc.array(
  fc.tuple(fc.nat(11), fc.nat(11)).filter(([a, b]) => a < b),
  { maxLength: 30 },
).map((pairs): Alike[] => pairs.map(([a, b]) => ({ a, b, hashDistance: 8 })));

Deno.test("leaveOut() drops a picture for one that stays and that it is like, and leaves no pair but of spared ones", () => {
  fc.assert(fc.property(
    alike,
    fc.array(fc.nat(3), { minLength: 12, maxLength: 12 }),
    fc.uniqueArray(fc.nat(11), { maxLength: 4 }),
    fc.constantFrom("larger", "earlier"),
    (pairs, areas, spared, keep) => {
      const isSpared = (picture: number) => spared.includes(picture);
      const { dropped, staying } = leaveOut(pairs, { areas, isSpared, keep });
      for (const [picture, { a, b }] of dropped) {
        const kept = a === picture ? b : a;
        ok(!dropped.has(kept) && !isSpared(picture));
        if (keep === "larger" && !isSpared(kept)) {
          ok(areas[kept] >= areas[picture]);
        }
      }
      for (const { a, b } of pairs) {
        if (dropped.has(a) || dropped.has(b)) continue;
        ok(isSpared(a) || isSpared(b));
        ok(staying.some((pair) => pair.a === a && pair.b === b));
      }
    },
  ));
});

Deno.test("checkNear() refuses what is out of its range", () => {
  throws(() => checkNear({ keep: "smaller" as "larger" }), /got smaller/);
  throws(() => checkNear({ maxHashDistance: 300 }), /got 300/);
  throws(() => checkNear({ minSimilarity: NaN }), RangeError);
  checkNear({});
});
