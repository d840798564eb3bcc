/**
 * The exercises of notebook 3: what each metric overlooks, average precision
 * where a ranking is cut off, and a metric that forgets places.
 *
 * ```ts
 * import { cutOffPrecision } from "#lib/exercises/traditional_metrics.ts";
 * import { match } from "node:assert/strict";
 *
 * const share = (hits: boolean[]) => hits.filter(Boolean).length / hits.length;
 * match(`${await cutOffPrecision.check(share)}`, /Not yet/);
 * ```
 *
 * @module
 */
import { type MetricName, metrics } from "../compare/metrics.ts";
import { seededRandom } from "../evaluate/bootstrap.ts";
import { Exercise, quoteAnswer } from "./exercises.ts";

/** Names of metrics whose value stays, by what was done to both pictures. */
export interface Unchanged {
  /** Every number of both pictures is doubled. */
  doubled: MetricName[];
  /** 20 is added to every number of both pictures. */
  raised: MetricName[];
}

/** Which metrics give the same value when both pictures get lighter? */
export const unchanged: Exercise<Unchanged> = new Exercise<Unchanged>({
  hint: "Try it: const x = [10, 60, 90], y = [40, 20, 100], then " +
    "metrics.l1.measure(x, y), and again with every number doubled.",
  answer: '{ doubled: ["cosine", "correlation"], ' +
    'raised: ["l1", "l2", "correlation"] }',
  lesson:
    "Only correlation overlooks both. Doubling stretches both arrows and " +
    "the way between their tips; adding a constant moves both tips together.",
  findFault(answer) {
    for (const change of ["doubled", "raised"] as const) {
      const names = answer?.[change];
      if (!Array.isArray(names)) {
        return `Expected { doubled: [names], raised: [names] }, with names ` +
          `out of ${allNames.join(", ")}; got ${quoteAnswer(answer)}.`;
      }
      const unknown = names.find((name) => !allNames.includes(name));
      if (unknown !== undefined) {
        return `No metric is called ${quoteAnswer(unknown)}; they are ` +
          `${allNames.join(", ")}.`;
      }
      for (const name of allNames) {
        const fault = faultOfName(name, change, names.includes(name));
        if (fault) return fault;
      }
    }
  },
});

const allNames = Object.keys(metrics) as MetricName[];

/** Two small pictures, dark enough to be doubled. */
const DARK = [12, 90, 47, 33, 8, 101], DARKER = [60, 21, 70, 5, 44, 19];

function faultOfName(
  name: MetricName,
  change: keyof Unchanged,
  said: boolean,
): string | undefined {
  const lighter = (value: number) =>
    change === "doubled" ? 2 * value : value + 20;
  const { label, measure } = metrics[name];
  const before = measure(DARK, DARKER);
  const after = measure(DARK.map(lighter), DARKER.map(lighter));
  const stays = Math.abs(after - before) < 1e-9;
  if (stays === said) return;
  return stays
    ? `Under "${change}" one is missing: of two pictures that we tried, the ` +
      `${label} is ${before.toFixed(3)} before and after.`
    : `Not ${name} under "${change}": of two pictures that we tried, the ` +
      `${label} goes from ${before.toFixed(3)} to ${after.toFixed(3)}.`;
}

/** Average precision of the first hits alone, of a known number of relevant. */
export type CutOffPrecision = (
  relevant: boolean[],
  relevantInGallery: number,
) => number;

/** Average precision where only the first hits are known. */
export const cutOffPrecision: Exercise<CutOffPrecision> = new Exercise<
  CutOffPrecision
>({
  signature: "(relevant, relevantInGallery) => number",
  hint:
    "Add up, at each relevant hit, relevant hits so far ÷ rank. Then: what " +
    "does a gallery with ten relevant pictures deserve if one of them is found?",
  answer: `(relevant, relevantInGallery) => {
  let found = 0, sum = 0;
  relevant.forEach((isRelevant, i) => {
    if (isRelevant) sum += ++found / (i + 1);
  });
  return relevantInGallery === 0 ? 0 : sum / relevantInGallery;
}`,
  lesson:
    "Dividing by the relevant pictures there are, not by those found, is " +
    "what makes a search pay for what it misses.",
  findFault(answer) {
    for (const [hits, inGallery, expected, why] of RANKINGS) {
      const got = answer([...hits], inGallery);
      if (typeof got === "number" && Math.abs(got - expected) < 1e-9) continue;
      return `For the hits ${hits.map((hit) => hit ? "✓" : "✗").join(" ")} ` +
        `out of ${inGallery} relevant pictures you get ${quoteAnswer(got)}. ` +
        why;
    }
  },
});

const [T, F] = [true, false];

/** Hits, how many are relevant in the gallery, the value, and why. */
const RANKINGS: [boolean[], number, number, string][] = [
  [[T, T, F, F], 2, 1, "Nothing could be better: it is 1."],
  [[F, F, F, F], 3, 0, "Nothing is found: it is 0."],
  [
    [F, T],
    1,
    0.5,
    "The only relevant picture comes second, so it is 1 ÷ 2: order counts.",
  ],
  [
    [T, F, F, F],
    10,
    0.1,
    "One of ten is found, so nine count 0: it is 1 ÷ 10, and not 1.",
  ],
  [
    [F, F, F],
    0,
    0,
    "Nothing is relevant, so there is nothing to divide by: it is 0.",
  ],
  [
    [T, F, T, F, T],
    4,
    (1 + 2 / 3 + 3 / 5) / 4,
    "The precisions at ranks 1, 3 and 5 are 1, 2/3 and 3/5; add them up and " +
    "divide by 4.",
  ],
];

/** A distance of two pictures, as vectors of pixels of one length. */
export type PixelDistance = (a: Uint8Array, b: Uint8Array) => number;

/** A distance that forgets where a colour is, and not which colours there are. */
export const forgetsPlaces: Exercise<PixelDistance> = new Exercise<
  PixelDistance
>({
  signature: "(a, b) => distance",
  hint: "Count how often each colour comes, with few shades of each channel: " +
    "value >> 6 makes 0 to 3 of 0 to 255. Then take the L1 distance of the " +
    "counts.",
  answer: `(a, b) => {
  const bins = (pixels) => {
    const counts = new Array(64).fill(0);
    for (let i = 0; i < pixels.length; i += 3) {
      const [red, green, blue] = pixels.subarray(i, i + 3);
      counts[16 * (red >> 6) + 4 * (green >> 6) + (blue >> 6)]++;
    }
    return counts;
  };
  const [ofA, ofB] = [bins(a), bins(b)];
  return ofA.reduce((sum, count, i) => sum + Math.abs(count - ofB[i]), 0);
}`,
  lesson:
    "A shifted, turned or mirrored picture is the same to it, and so is " +
    "a picture of something else in the same colours.",
  findFault(answer) {
    const random = seededRandom();
    const noise = Uint8Array.from({ length: 48 }, () => 256 * random());
    const other = Uint8Array.from({ length: 48 }, () => 256 * random());
    const kept = noise.slice();
    const distance = answer(noise, other);
    if (!Number.isFinite(distance) || distance < 0) {
      return "Of two pictures of noise it should be a number of 0 or more, " +
        `and is ${quoteAnswer(distance)}.`;
    }
    if (noise.some((value, i) => value !== kept[i])) {
      return "It changes the picture that it is given. Work on a copy, " +
        "a.slice(): the gallery is needed again.";
    }
    const zero = answer(noise, noise.slice());
    if (zero !== 0) {
      return `A picture and its copy are ${quoteAnswer(zero)} apart, not 0.`;
    }
    const back = answer(other, noise);
    if (Math.abs(back - distance) > 1e-9 * distance) {
      return `From a to b it is ${quoteAnswer(distance)}, and from b to a ` +
        `${quoteAnswer(back)}: a distance is the same both ways.`;
    }
    const moved = answer(noise, mirrored(noise));
    if (Math.abs(moved) > 1e-9) {
      return "A picture and the same pixels in another order are " +
        `${quoteAnswer(moved)} apart, not 0: places still count.`;
    }
    for (const [a, b, why] of UNLIKE) {
      const apart = answer(paint(a), paint(b));
      // Less is rounding.
      if (!(apart > 1e-6)) return `${why} are ${quoteAnswer(apart)} apart.`;
    }
  },
});

type Colour = [number, number, number];
const RED: Colour = [254, 0, 0], CYAN: Colour = [0, 254, 254];
const BLUE: Colour = [0, 0, 254];
const BLACK: Colour = [0, 0, 0], WHITE: Colour = [254, 254, 254];
/** The mean of black and white. */
const GREY: Colour = [127, 127, 127];
/** Both are 66.99 as grey, 0.299 red + 0.587 green + 0.114 blue. */
const NAVY: Colour = [30, 60, 200], BROWN: Colour = [100, 56, 37];

/** Pictures so unlike that any count of colours tells them apart. */
const UNLIKE: [Colour[], Colour[], string][] = [
  [[BLACK], [WHITE], "A black picture and a white one"],
  [
    [RED],
    [BLUE],
    "It mixes up the channels: a red picture and a blue one, 254 0 0 and " +
    "0 0 254,",
  ],
  [
    [BLACK, WHITE],
    [GREY],
    "It knows only the mean colour: a picture half black, half white and an " +
    "evenly grey one",
  ],
  [
    [NAVY],
    [BROWN],
    "It knows only how light a pixel is: a navy picture and a brown one, " +
    "30 60 200 and 100 56 37, equally dark,",
  ],
  [
    [RED, CYAN],
    [BLACK, WHITE],
    "It looks at each channel by itself: a picture half red, half cyan and " +
    "one half black, half white",
  ],
  [
    [RED, RED, RED, BLUE],
    [RED, BLUE, BLUE, BLUE],
    "It knows which colours there are, but not how many of each: a picture " +
    "three quarters red, the rest blue, and one three quarters blue, the " +
    "rest red,",
  ],
];

/** A picture of 16 pixels in which the colours take turns. */
function paint(colours: Colour[]): Uint8Array {
  return Uint8Array.from(
    Array.from({ length: 16 }, (_, i) => colours[i % colours.length]).flat(),
  );
}

/** The same pixels, the last one first. */
function mirrored(pixels: Uint8Array): Uint8Array {
  const colours = Array.from(
    { length: pixels.length / 3 },
    (_, i) => [...pixels.subarray(3 * i, 3 * i + 3)],
  );
  return Uint8Array.from(colours.reverse().flat());
}
