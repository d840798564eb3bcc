/**
 * Pictures drawn at random, which stay where they are while others come and go:
 * each path has its own number, another one for each seed, and the lowest are
 * drawn. Where one is hidden, one takes its place.
 *
 * Touches no files.
 *
 * ```ts
 * import { drawOf } from "#lib/search_page/engine/draw.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(drawOf("owl.jpg", 7), drawOf("owl.jpg", 7));
 * ```
 *
 * @module
 */

/**
 * The number of a path, from 0 to 1, evenly spread over paths and over seeds.
 *
 * FNV-1a over its characters, then the last step of MurmurHash3, without which
 * paths that differ at their ends alone would lie near one another.
 *
 * @param seed A whole number of 32 bits.
 */
export function drawOf(path: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < path.length; i++) {
    hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return ((hash ^ hash >>> 16) >>> 0) / 2 ** 32;
}
