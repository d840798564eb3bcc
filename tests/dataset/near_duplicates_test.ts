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
  MAX_HASH_DISTANCE,
} from "#lib/dataset/near_duplicates.ts";
import {
  HASH_WORDS,
  hashDistance,
  perceptualHash,
} from "#lib/dataset/perceptual_hash.ts";
import { readSample, samplePath } from "#lib/photo_site/sample.ts";

const some = (await readSample()).filter((_, i) => i % 16 === 0).map(
  samplePath,
);
const hashes = await Promise.all(some.map(perceptualHash));

/** The share of pictures that a change leaves near to what they were. */
async function foundAfter(
  change: (file: string) => Promise<Sharp> | Sharp,
): Promise<number> {
  const near = await Promise.all(some.map(async (file, i) => {
    const copy = await (await change(file)).jpeg({ quality: 85 }).toBuffer();
    const distance = hashDistance(hashes[i], await perceptualHash(copy));
    return distance <= MAX_HASH_DISTANCE;
  }));
  return near.filter(Boolean).length / near.length;
}

Deno.test("perceptualHash() stays near when a picture is made smaller, grey, saved again or framed", async () => {
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
  for (const hash of blank) deepStrictEqual(hash, new Uint32Array(HASH_WORDS));
  // Nothing to see is no likeness.
  const both = new Uint32Array([...blank[0], ...blank[1]]);
  deepStrictEqual(await findAlike(both, String), []);
});

/** Hashes that differ from the first in so many bits. */
function differing(...bits: number[]): Uint32Array {
  return Uint32Array.from([0, ...bits].flatMap((count) => {
    const own = Array.from({ length: HASH_WORDS / 2 }, () => 0x0f0f0f0f);
    for (let bit = 0; bit < count; bit++) own[bit >> 5] ^= 1 << (bit & 31);
    return [...own, ...own];
  }));
}

Deno.test("findAlike() asks an encoder for candidates alone, and lets it confirm the doubtful", async () => {
  // By their distances from the first: sure, doubtful twice, and none.
  const hashes = differing(10, 40, 41, 90);
  const asked: string[][] = [];
  const vectors: Record<string, number[]> = {
    ...{ "0": [1, 0], "1": [0, 1], "2": [1, 0], "3": [0.9, 0.436] },
  };
  const embed = (files: string[]) => {
    asked.push(files);
    return Promise.resolve(files.map((file) => vectors[file]));
  };
  const pairs = await findAlike(hashes, String, { embed });
  deepStrictEqual(asked.map((files) => files.toSorted()), [[
    "0",
    "1",
    "2",
    "3",
  ]]);
  const of0 = pairs.filter(({ a }) => a === 0).map(({ b }) => b);
  deepStrictEqual(of0, [1, 2]);
  strictEqual(pairs.find(({ a, b }) => a === 0 && b === 1)!.similarity, 0);
  deepStrictEqual(
    (await findAlike(hashes, String)).filter(({ a }) => a === 0),
    [{ a: 0, b: 1, hashDistance: 10 }],
  );
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
