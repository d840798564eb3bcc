/**
 * Pictures that are drawn, none a copy of another, and hard for a rule that looks
 * for near duplicates: they have few edges, or the same ones in other colours.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import sharp from "sharp";

/** Draws the i-th of each kind: `random` gives numbers from 0 to 1. */
const DRAWN: Record<string, (random: () => number, i: number) => string> = {
  gradients: (random) => `${gradient("g", random)}${all("url(#g)")}`,
  plates: (_, i) =>
    `${all("#bbb")}<rect x="40" y="80" width="240" height="80" rx="8"
      fill="white" stroke="black" stroke-width="4"/>
      ${text(160, 145, 72, `${100 + 371 * i % 900}`, "middle")}`,
  "pages of text": (random) =>
    all("white") + Array.from({ length: 14 }, (_, line) => {
      const words = Array.from({ length: 7 }, () => word(random)).join(" ");
      return text(12, 22 + 16 * line, 13, words);
    }).join(""),
  icons: (random) => all(colour(random)) + icon(random),
  skies: (random) => {
    const clouds = Array.from(
      { length: 4 },
      () =>
        `<ellipse cx="${320 * random()}" cy="${160 * random()}"
        rx="${20 + 60 * random()}" ry="${8 + 16 * random()}" fill="white"
        fill-opacity="${0.3 + 0.6 * random()}"/>`,
    );
    return `<linearGradient id="s" x1="0" x2="0" y1="0" y2="1">
      <stop stop-color="hsl(${205 + 15 * random()} 70% ${
      40 + 20 * random()
    }%)"/>
      <stop offset="1" stop-color="hsl(205 60% ${75 + 15 * random()}%)"/>
      </linearGradient>${all("url(#s)")}${clouds.join("")}`;
  },
};

/** So many pictures of each kind, always the same, as PNG files. */
export async function drawnPictures(
  count: number,
): Promise<Record<string, Buffer[]>> {
  const kinds = Object.entries(DRAWN).map(async ([kind, draw], k) => {
    const random = randomOf(k + 1);
    const svgs = Array.from(
      { length: count },
      (_, i) => svg(draw(random, i)),
    );
    return [kind, await Promise.all(svgs.map(toPng))];
  });
  return Object.fromEntries(await Promise.all(kinds));
}

/** A picture in red, in green and in blue. */
export async function recoloured(file: string): Promise<Buffer[]> {
  return await Promise.all(
    ["#d03020", "#20a040", "#2050d0"].map((tint) =>
      sharp(file).tint(tint).png().toBuffer()
    ),
  );
}

function svg(inside: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240">
    ${inside}</svg>`;
}

async function toPng(drawing: string): Promise<Buffer> {
  return await sharp(Buffer.from(drawing)).flatten().png().toBuffer();
}

function all(fill: string): string {
  return `<rect width="320" height="240" fill="${fill}"/>`;
}

function text(x: number, y: number, size: number, what: string, anchor = "") {
  return `<text x="${x}" y="${y}" font-size="${size}" font-family="sans-serif"
    text-anchor="${anchor || "start"}">${what}</text>`;
}

function colour(random: () => number): string {
  return `hsl(${360 * random()} 70% ${25 + 50 * random()}%)`;
}

function gradient(id: string, random: () => number): string {
  const turn = Math.floor(4 * random()) * 90;
  return `<linearGradient id="${id}" gradientTransform="rotate(${turn} 0.5 0.5)">
    <stop stop-color="${colour(random)}"/>
    <stop offset="1" stop-color="${colour(random)}"/></linearGradient>`;
}

function icon(random: () => number): string {
  const fill = colour(random);
  const corners = 3 + Math.floor(6 * random());
  const inner = random() < 0.5 ? 1 : 0.45; // a polygon, or a star
  const points = Array.from({ length: 2 * corners }, (_, i) => {
    const radius = i % 2 ? 80 * inner * Math.cos(Math.PI / corners) : 80;
    const angle = Math.PI * i / corners;
    return `${160 + radius * Math.sin(angle)},${
      120 - radius * Math.cos(angle)
    }`;
  });
  return `<polygon points="${points.join(" ")}" fill="${fill}"/>`;
}

function word(random: () => number): string {
  const letters = "etaoinshrdlucmfwypvbgk";
  const length = 2 + Math.floor(7 * random());
  return Array.from(
    { length },
    () => letters[Math.floor(letters.length * random() ** 1.5)],
  ).join("");
}

/** Numbers from 0 to 1, always the same for a seed (a linear congruence). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => (state = (1664525 * state + 1013904223) % 2 ** 32) / 2 ** 32;
}
