import { deepStrictEqual } from "node:assert/strict";
import { spreadOverTerms } from "#lib/dataset/dataset.ts";

const pictures = (terms: string) =>
  [...terms].map((term, index) => ({ term, index }));
const chosen = (terms: string, count: number) =>
  spreadOverTerms(pictures(terms), count).map(({ index }) => index);

Deno.test("spreadOverTerms() takes terms at equal steps, a picture of each", () => {
  deepStrictEqual(chosen("aabbccddee", 2), [0, 4]);
  deepStrictEqual(chosen("abcdefghi", 4), [0, 2, 4, 6]);
});

Deno.test("spreadOverTerms() takes more pictures of a term where there are too few terms", () => {
  deepStrictEqual(chosen("aaaaa", 4), [0, 1, 2, 3]);
  deepStrictEqual(chosen("aaab", 4), [0, 3, 1, 2]);
  deepStrictEqual(chosen("ab", 4), [0, 1]);
  deepStrictEqual(chosen("", 4), []);
});
