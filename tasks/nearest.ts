/**
 * The name that was meant by one that is not known.
 *
 * ```ts
 * import { nearestName } from "./nearest.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(nearestName("serch", ["serve", "search"]), "search");
 * strictEqual(nearestName("-x", ["ok"]), undefined);
 * ```
 *
 * @module
 */

/** The nearest of some names: a beginning of it, or a slip or two away. */
export function nearestName(
  word: string,
  names: readonly string[],
): string | undefined {
  if (word.length < 2) return undefined;
  const begun = names.find((name) => name.startsWith(word));
  if (begun !== undefined) return begun;
  const [closest] = names.map((name) => ({ name, far: distance(word, name) }))
    .sort((a, b) => a.far - b.far);
  // Of two letters that both are others, nothing is left.
  const slips = Math.min(2, Math.floor(word.length / 3));
  return closest?.far <= slips ? closest.name : undefined;
}

/** Levenshtein's: how many letters to add, leave out or exchange. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const exchanged = row[j] + Number(a[i] !== b[j]);
      next.push(Math.min(exchanged, row[j + 1] + 1, next[j] + 1));
    }
    row = next;
  }
  return row[b.length];
}
