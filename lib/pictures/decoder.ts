/**
 * sharp, which decodes pictures, opened when the first one is: it takes 65 ms to
 * load, and a search among pictures that are indexed decodes none.
 *
 * ```ts
 * import { openSharp } from "#lib/pictures/decoder.ts";
 * import { equal } from "node:assert/strict";
 *
 * const sharp = await openSharp();
 * const create = { width: 60, height: 40, channels: 3, background: "red" } as const;
 * const { width } = await sharp(await sharp({ create }).png().toBuffer()).metadata();
 * equal(width, 60);
 * ```
 *
 * @module
 */
import type sharp from "sharp";

let opened: Promise<typeof sharp> | undefined;

/** Opens it, once. */
export function openSharp(): Promise<typeof sharp> {
  return opened ??= load();
}

async function load(): Promise<typeof sharp> {
  const { default: sharp } = await import("sharp");
  // No file is decoded twice alike; and what a kept one has to say comes late.
  sharp.cache(false);
  return sharp;
}
