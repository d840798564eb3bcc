import fc from "fast-check";
import { deepEqual, equal, throws } from "node:assert/strict";
import { readQuery } from "#lib/search_page/engine/query.ts";
import {
  DEFAULT_QUERY,
  isEmpty,
  LONGEST_LIST,
  LONGEST_TEXT,
} from "#lib/search_page/web/query.js";

Deno.test("readQuery() refuses what it does not know, and never throws else", () => {
  fc.assert(fc.property(fc.object(), (input) => {
    try {
      readQuery(input);
    } catch (error) {
      equal((error as Error).name, "QueryError");
    }
  }));
});

Deno.test("readQuery() completes a query, and trims what was typed", () => {
  deepEqual(readQuery({}), DEFAULT_QUERY);
  deepEqual(readQuery({ text: undefined }), DEFAULT_QUERY);
  deepEqual(readQuery({ text: "  an owl ", k: 3 }), {
    ...DEFAULT_QUERY,
    text: "an owl",
    k: 3,
  });
  equal(readQuery({ cut: -0.25 }).cut, -0.25);
  deepEqual(readQuery({ terms: [" as it is "] }).terms, [" as it is "]);
});

Deno.test("readQuery() keeps each limit, and quotes what goes beyond it", () => {
  const cases: [input: unknown, message: RegExp][] = [
    [null, /^expected a query, got null$/],
    [[1], /^expected a query, got \[1\]$/],
    [{ text: 5 }, /^text: expected text, got 5$/],
    [{ like: "x".repeat(LONGEST_TEXT + 1) }, /at most 1000 char.*, got 1001$/],
    [{ textWeight: -0.1 }, /^textWeight: expected a number from 0 to 1, got/],
    [{ textWeight: 1.1 }, /^textWeight: expected a number from 0 to 1, got/],
    [{ fold: 2.1 }, /^fold: expected a number from 0 to 2, got 2.1$/],
    [{ k: 0 }, /^k: expected a number from 1 to 200, got 0$/],
    [{ k: 201 }, /^k: expected a number from 1 to 200, got 201$/],
    [{ k: NaN }, /^k: expected a number from 1 to 200, got null$/],
    [{ k: 1.5 }, /^k: expected a whole number, got 1.5$/],
    [{ cut: "high" }, /^cut: expected a number from -1000000000 to 1000000000/],
    [{ mode: "x" }, /^mode: expected smart, text or visual, got "x"$/],
    [
      { metric: "x" },
      /^metric: expected a metric \(l1, l2, cosine, corr.*"x"$/,
    ],
    [{ plus: "a" }, /^plus: expected a list of at most 1000 texts, got "a"$/],
    [{ terms: Array(LONGEST_LIST + 1).fill("") }, /^terms: expected a list of/],
    [{ minus: [5] }, /^minus: expected text, got 5$/],
    [{ colour: 1 }, /^"colour": expected text, picture, like, mode, .*metric$/],
    [{ text: ["long".repeat(99)] }, /^text: expected text, got .{60}…$/],
  ];
  for (const [input, message] of cases) {
    throws(() => readQuery(input), { name: "QueryError", message });
  }
  readQuery({ text: "x".repeat(LONGEST_TEXT), k: 200, textWeight: 1, fold: 2 });
  readQuery({ terms: Array(LONGEST_LIST).fill("x"), k: 1, textWeight: 0 });
});

Deno.test("isEmpty() is true only where nothing is looked for", () => {
  const query = (part: object) => isEmpty({ ...DEFAULT_QUERY, ...part });
  equal(query({ terms: ["owl"], k: 3, mode: "text", cut: "none" }), true);
  for (const part of [{ text: "a" }, { picture: "a" }, { like: "a" }]) {
    equal(query(part), false);
  }
  equal(query({ plus: ["a"] }), false);
  equal(query({ minus: ["a"] }), false);
});
