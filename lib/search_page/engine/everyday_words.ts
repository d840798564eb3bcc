/**
 * Words for what photographs often show, asked of a collection to learn what a
 * word reaches that has nothing to do with it (cut_off.ts). Each collection has
 * some of them and lacks most.
 *
 * ```ts
 * import { EVERYDAY_WORDS } from "#lib/search_page/engine/everyday_words.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(EVERYDAY_WORDS.length, 102);
 * ```
 *
 * @module
 */

/** Animals, plants, places, food, vehicles, houses, things, people. */
export const EVERYDAY_WORDS: readonly string[] = `
  dog cat horse cow bird chicken fish snake frog spider butterfly elephant
  tree flower grass mushroom forest mountain river beach desert sky snow sunset
  bread cake cheese egg apple orange tomato soup meat coffee wine
  car truck bus train bicycle motorcycle boat airplane wheel road bridge
  house church tower window door stairs garden street kitchen bedroom
  table chair bed lamp clock mirror book newspaper pen candle
  cup plate bottle knife spoon basket box bag umbrella
  shirt dress hat shoe glasses ring watch
  computer telephone television camera guitar piano drum
  ball toy doll hammer scissors rope
  man woman child baby crowd face hand`.match(/\w+/g)!;
