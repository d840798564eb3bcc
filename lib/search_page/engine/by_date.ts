/**
 * A collection's rows in the order of their dates, as they stand when they are
 * asked for.
 *
 * Touches no files.
 *
 * ```ts
 * import { RowsByDate } from "#lib/search_page/engine/by_date.ts";
 * import { Collection } from "#lib/search_page/index/collection.ts";
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { NO_FACTS } from "#lib/pictures/photo_facts.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const { pictures } = await sampleSource();
 * const collection = new Collection(1);
 * ["", "2019-06-01T12:00:00", "2021-01-01T08:00:00"].forEach((date, i) =>
 *   collection.add(pictures[i], Float32Array.of(1), undefined, "", { ...NO_FACTS, date })
 * );
 * deepStrictEqual([...new RowsByDate().of(collection, "newest")], [2, 1, 0]);
 * ```
 *
 * @module
 */
import type { Collection } from "../index/collection.ts";
import { joined } from "./order.ts";

/** Rows by date, remembered while their collection stays as it is. */
export class RowsByDate {
  readonly #known = new WeakMap<Collection, Dated>();

  /** All rows in the order of their dates; those without one come last. */
  of(collection: Collection, sort: "newest" | "oldest"): Uint32Array {
    let known = this.#known.get(collection);
    if (known?.generation !== collection.generation) {
      known = datedRows(collection);
      this.#known.set(collection, known);
    }
    const { dated, undated } = known;
    return joined(sort === "newest" ? dated.toReversed() : dated, undated);
  }
}

/** Rows with a date, the oldest first, and rows without. */
interface Dated {
  generation: number;
  dated: Uint32Array;
  undated: Uint32Array;
}

function datedRows({ generation, facts }: Collection): Dated {
  const times = Float64Array.from(facts, ({ date }) => Date.parse(`${date}Z`));
  const rows = Uint32Array.from(facts.keys());
  const dated = rows.filter((row) => !Number.isNaN(times[row]))
    .sort((a, b) => times[a] - times[b]);
  const undated = rows.filter((row) => Number.isNaN(times[row]));
  return { generation, dated, undated };
}
