/**
 * Numbers by numbers, in flat memory: 16 to 32 bytes for each, where a Map takes
 * some 70.
 *
 * A hash table with open addressing: a key lies at the place that its last bits
 * say, or at the next free one. So keys are the beginnings of sums, whose bits
 * are as good as drawn.
 *
 * ```ts
 * import { NumberMap } from "#lib/dataset/number_map.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const rows = new NumberMap();
 * rows.set(0xc14cddc0ebad, 7);
 * strictEqual(rows.get(0xc14cddc0ebad), 7);
 * strictEqual(rows.get(0x10f7127b4b1a), undefined);
 * ```
 *
 * @module
 */

/** Whole numbers from 0 to 2^32 - 2, by keys that are safe whole numbers. */
export class NumberMap {
  #keys = new Float64Array(16);
  /** The number after each value; 0 where nothing lies. */
  #values = new Uint32Array(16);
  #count = 0;

  /** The value of a key. */
  get(key: number): number | undefined {
    const value = this.#values[this.#placeOf(key)];
    return value === 0 ? undefined : value - 1;
  }

  /** Gives a key a value, or another one. */
  set(key: number, value: number): void {
    if (4 * this.#count >= 3 * this.#keys.length) this.#grow();
    const place = this.#placeOf(key);
    if (this.#values[place] === 0) this.#count++;
    this.#keys[place] = key;
    this.#values[place] = value + 1;
  }

  /** Forgets all. */
  clear(): void {
    this.#values.fill(0);
    this.#count = 0;
  }

  #placeOf(key: number): number {
    const last = this.#keys.length - 1;
    let place = key & last;
    while (this.#values[place] !== 0 && this.#keys[place] !== key) {
      place = (place + 1) & last;
    }
    return place;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Float64Array(2 * keys.length);
    this.#values = new Uint32Array(2 * keys.length);
    this.#count = 0;
    for (const [place, value] of values.entries()) {
      if (value !== 0) this.set(keys[place], value - 1);
    }
  }
}
