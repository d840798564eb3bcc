import fc from "fast-check";
import { strictEqual } from "node:assert/strict";
import { NumberMap } from "#lib/dataset/number_map.ts";

Deno.test("NumberMap gives what a Map gives, also for keys that end alike", () => {
  // By their last bits, many want the same place.
  const key = fc.oneof(
    fc.integer({ min: 0, max: 20 }),
    fc.integer({ min: 0, max: 2 ** 20 }).map((n) => n * 2 ** 32),
    fc.maxSafeNat(),
  );
  const entry = fc.tuple(key, fc.integer({ min: 0, max: 2 ** 32 - 2 }));
  fc.assert(fc.property(
    fc.array(entry, { maxLength: 200 }),
    fc.array(key),
    (entries, others) => {
      const [ours, map] = [new NumberMap(), new Map<number, number>()];
      for (const [key, value] of entries) {
        ours.set(key, value);
        map.set(key, value);
      }
      for (const key of [...map.keys(), ...others]) {
        strictEqual(ours.get(key), map.get(key));
      }
      ours.clear();
      for (const key of map.keys()) strictEqual(ours.get(key), undefined);
    },
  ));
});
