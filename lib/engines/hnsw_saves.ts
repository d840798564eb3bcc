/**
 * When an HNSW index is saved: at the end of a change and, in one that takes long,
 * now and then, but for no more than a tenth of the time. Where it cannot be, it
 * may go on in memory alone.
 *
 * ```ts
 * import { HnswNodes } from "#lib/engines/hnsw_nodes.ts";
 * import { HnswSaves } from "#lib/engines/hnsw_saves.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 * import { mkdtemp, readdir } from "node:fs/promises";
 *
 * const place = { folder: await mkdtemp("/tmp/hnsw-"), name: "a", encoder: "b" };
 * const saves = new HnswSaves(place, 0);
 * const nodes = new HnswNodes({ dimensions: 2 }, true);
 * await saves.save(nodes);
 * deepStrictEqual(await readdir(place.folder), []);
 * saves.isDone = false;
 * await saves.save(nodes);
 * deepStrictEqual((await readdir(place.folder)).includes("a.1.json"), true);
 * ```
 *
 * @module
 */
import type { HnswPlace } from "./hnsw_files.ts";
import type { HnswNodes } from "./hnsw_nodes.ts";
import { writeNodes } from "./hnsw_write.ts";

/** A save takes at most a tenth of the time, and comes no more often than this. */
const SAVE_EVERY_MS = 5000;

/** The saves of an index, one after another. */
export class HnswSaves {
  /** Whether all is in files that is in the index. */
  isDone = true;
  #place: HnswPlace | undefined;
  #version: number;
  readonly #onUnkept: ((error: Error) => void) | undefined;
  #savedAt = performance.now();
  #saveMs = 0;

  /**
   * @param place Left out, nothing is saved.
   * @param version Number of what was read.
   * @param onUnkept Told why it cannot be saved; from then on nothing is. Left
   *   out, `save` throws that.
   */
  constructor(
    place: HnswPlace | undefined,
    version: number,
    onUnkept?: (error: Error) => void,
  ) {
    this.#place = place;
    this.#version = version;
    this.#onUnkept = onUnkept;
  }

  /** Whether a change has taken so long that what it has done is to be saved. */
  get isDue(): boolean {
    const pauseMs = Math.max(SAVE_EVERY_MS, 10 * this.#saveMs);
    return performance.now() - this.#savedAt > pauseMs;
  }

  /** Saves, unless all is saved. */
  async save(nodes: HnswNodes): Promise<void> {
    if (this.isDone || !this.#place) return;
    const from = performance.now();
    try {
      this.#version = await writeNodes(this.#place, nodes, this.#version);
    } catch (error) {
      if (!this.#onUnkept) throw error;
      this.#place = undefined;
      this.#onUnkept(error as Error);
      return;
    }
    this.isDone = true;
    this.#savedAt = performance.now();
    this.#saveMs = this.#savedAt - from;
  }
}
