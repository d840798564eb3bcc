import { doesNotThrow, throws } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import {
  checkIds,
  checkK,
  checkPut,
  checkVector,
  type Expected,
} from "#lib/engines/checks.ts";

const expected: Expected = { caller: "X", dimensions: 2, encoder: "clip" };

/** Whether it throws a RangeError of exactly this message. */
function refuses(attempt: () => void, message: string): void {
  throws(attempt, { name: "RangeError", message });
}

Deno.test("a vector is refused by its owner where its length or a number is wrong", () => {
  const check = (...numbers: number[]) => () =>
    checkVector(expected, Float32Array.from(numbers), "the query");
  doesNotThrow(check(-1e30, 0));
  refuses(
    check(),
    "X: expected 2 numbers of encoder clip, got 0 for the query",
  );
  for (const bad of [NaN, Infinity, -Infinity]) {
    refuses(
      check(1, bad),
      `X: expected finite numbers, got ${bad} for the query`,
    );
  }
});

Deno.test("a vector whose largest number is out of an engine's range is refused", () => {
  const sizes = { least: .5, most: 8, help: "scale it" };
  const check = (...numbers: number[]) => () =>
    checkVector(
      { ...expected, sizes },
      Float32Array.from(numbers),
      "the query",
    );
  for (const row of [[0, 0], [-8, 0], [.5, 1e-9]]) doesNotThrow(check(...row));
  for (const [row, got] of [[[0, -9], 9], [[.25, 0], .25]] as const) {
    refuses(
      check(...row),
      "X: expected the largest number of a vector to be between 0.5 and 8, " +
        `or 0, got ${got} for the query: scale it`,
    );
  }
});

Deno.test("an id that is empty, cut, twice or no text is refused by name", () => {
  doesNotThrow(() => checkIds("X", ["é", "🦉", " ", "__proto__"]));
  const form = "X: expected each id to be text of one character or more, got ";
  refuses(() => checkIds("X", ["a", ""]), `${form}""`);
  refuses(() => checkIds("X", ["🦉".slice(0, 1)]), `${form}"\\ud83e"`);
  refuses(() => checkIds("X", [7 as unknown as string]), `${form}7`);
  refuses(
    () => checkIds("X", ["a", "b", "a"]),
    'X: expected each id once, got "a" twice',
  );
});

Deno.test("what is put in is refused where ids and vectors differ in number or length", () => {
  doesNotThrow(() => checkPut(expected, [], Matrix.of([])));
  doesNotThrow(() => checkPut(expected, [], Matrix.of([], 7)));
  refuses(
    () => checkPut(expected, ["a"], Matrix.of([[1]])),
    "X: expected 2 numbers of encoder clip, got 1 for each vector",
  );
  refuses(
    () => checkPut(expected, ["a"], Matrix.of([[1, 2], [3, 4]])),
    "X: expected a vector for each of 1 ids, got 2",
  );
  refuses(
    () => checkPut(expected, ["a", "b"], Matrix.of([[1, 2], [NaN, 4]])),
    'X: expected finite numbers, got NaN for "b"',
  );
});

Deno.test("k is a whole number of 1 or more", () => {
  doesNotThrow(() => checkK("X", 1));
  for (const k of [0, 1.5, -1, NaN, Infinity]) {
    refuses(
      () => checkK("X", k),
      `X: expected a whole k of 1 or more, got ${k}`,
    );
  }
});
