/**
 * What one method scores over a folder's queries, collected query by query.
 *
 * Touches no files.
 *
 * ```ts
 * import { MethodTally } from "#lib/evaluate/method_tally.ts";
 * import { deepEqual, equal } from "node:assert/strict";
 *
 * const gallery = [{ path: "a.jpg", label: "owl" }, { path: "b.jpg", label: "cat" }];
 * const tally = new MethodTally("l1", "lower", gallery);
 * tally.add({ path: "c.jpg", label: "cat" }, [7, 3]);
 * const { top1, hits } = tally.scores();
 * equal(top1.value, 1);
 * deepEqual(hits["c.jpg"], [["b.jpg", 3], ["a.jpg", 7]]);
 * ```
 *
 * @module
 */
import { type Estimate, estimateMean } from "./bootstrap.ts";
import type { LabelledPicture } from "./class_folder.ts";
import { averagePrecision, precisionAtK, relevantRanks } from "./evaluate.ts";
import { topK } from "../compare/compare.ts";

/** What a method scored; means over its queries, with their intervals. */
export interface MethodScores {
  /** "pixel-l1", …, "encoder-image", "encoder-text". */
  method: string;
  top1: Estimate;
  precisionAt5: Estimate;
  meanAveragePrecision: Estimate;
  /** Milliseconds to compare and rank, the mean over the queries. */
  msPerQuery: number;
  /** Each query's first five: path in the gallery, value. */
  hits: Record<string, [path: string, value: number][]>;
}

/** Collects what one method does, query by query. */
export class MethodTally {
  /** Time that comparing and ranking took, of all queries together. */
  milliseconds = 0;
  readonly #method: string;
  readonly #better: "lower" | "higher";
  readonly #gallery: readonly LabelledPicture[];
  readonly #top1: number[] = [];
  readonly #precisionAt5: number[] = [];
  readonly #averagePrecision: number[] = [];
  readonly #hits: MethodScores["hits"] = {};

  /**
   * @param method Its name.
   * @param better Whether the best value is the lowest or the highest.
   * @param gallery What is searched.
   */
  constructor(
    method: string,
    better: "lower" | "higher",
    gallery: readonly LabelledPicture[],
  ) {
    this.#method = method;
    this.#better = better;
    this.#gallery = gallery;
  }

  /**
   * Ranks the gallery by its values with a query. The query itself, if it is in
   * the gallery, is left out.
   */
  add({ path, label }: LabelledPicture, values: ArrayLike<number>): void {
    const ranking = topK(values, values.length, this.#better)
      .map(({ index, value }) => ({ ...this.#gallery[index], value }))
      .filter((hit) => hit.path !== path);
    const ranks = relevantRanks(ranking.map((hit) => hit.label === label));
    this.#top1.push(precisionAtK(ranks, 1));
    this.#precisionAt5.push(precisionAtK(ranks, 5));
    this.#averagePrecision.push(averagePrecision(ranks));
    this.#hits[path] = ranking.slice(0, 5).map((hit) => [hit.path, hit.value]);
  }

  /** The means over the queries so far. */
  scores(): MethodScores {
    return {
      method: this.#method,
      top1: estimateMean(this.#top1),
      precisionAt5: estimateMean(this.#precisionAt5),
      meanAveragePrecision: estimateMean(this.#averagePrecision),
      msPerQuery: this.milliseconds / this.#top1.length,
      hits: this.#hits,
    };
  }
}
