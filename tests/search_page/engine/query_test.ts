import fc from "fast-check";
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  readQuery,
  readWeighted,
  subjectOf,
} from "#lib/search_page/engine/query.ts";
import {
  DEFAULT_QUERY,
  isEmpty,
  LONGEST_LIST,
  LONGEST_TEXT,
  splitWeight,
} from "#lib/search_page/web/query.js";

Deno.test("readQuery() refuses what it does not know, and never throws else", () => {
  const names = fc.constantFrom(...Object.keys(DEFAULT_QUERY));
  const query = fc.dictionary(names, fc.anything());
  fc.assert(fc.property(fc.oneof(fc.object(), query), (input) => {
    try {
      readQuery(input);
    } catch (error) {
      strictEqual((error as Error).name, "QueryError");
    }
  }));
});

Deno.test("readQuery() completes a query, and trims what was typed", () => {
  deepStrictEqual(readQuery({}), DEFAULT_QUERY);
  deepStrictEqual(readQuery({ text: undefined }), DEFAULT_QUERY);
  deepStrictEqual(readQuery({ text: "  an owl ", k: 3 }), {
    ...DEFAULT_QUERY,
    text: "an owl",
    k: 3,
  });
  strictEqual(readQuery({ cut: -0.25 }).cut, -0.25);
  deepStrictEqual(readQuery({ terms: [" as it is "] }).terms, [" as it is "]);
});

Deno.test("readQuery() keeps each limit, and quotes what goes beyond it", () => {
  const cases: [input: unknown, message: RegExp][] = [
    [null, /^expected a query, got null$/],
    [[1], /^expected a query, got \[1\]$/],
    [{ text: 5 }, /^text: expected text, got 5$/],
    [
      { text: "x".repeat(100_000) },
      /^text: expected at most 1000 characters, got 100000$/,
    ],
    [{ like: ["x".repeat(5001)] }, /^like: expected .*5000 char.*, got 5001$/],
    [{ like: "owl.jpg" }, /^like: expected a list of at most 1000 texts/],
    [{ textWeight: -0.1 }, /^textWeight: expected a number from 0 to 1, got/],
    [{ textWeight: 1.1 }, /^textWeight: expected a number from 0 to 1, got/],
    [{ fold: 2.1 }, /^fold: expected a number from 0 to 2, got 2.1$/],
    [{ k: 0 }, /^k: expected a number from 1 to 200, got 0$/],
    [{ k: 201 }, /^k: expected a number from 1 to 200, got 201$/],
    [{ k: NaN }, /^k: expected a number from 1 to 200, got null$/],
    [{ k: 1.5 }, /^k: expected a whole number, got 1.5$/],
    [{ from: -1 }, /^from: expected a number from 0 to 10000000, got -1$/],
    [{ from: 0.5 }, /^from: expected a whole number, got 0.5$/],
    [{ cut: "high" }, /^cut: expected a number from -1000000000 to 1000000000/],
    [{ mode: "x" }, /^mode: expected smart, text or visual, got "x"$/],
    [{ sort: "x" }, /^sort: expected relevance, newest or oldest, got "x"$/],
    [
      { metric: "x" },
      /^metric: expected a metric \(l1, l2, cosine, corr.*"x"$/,
    ],
    [{ plus: "a" }, /^plus: expected a list of at most 1000 texts, got "a"$/],
    [{ terms: Array(LONGEST_LIST + 1).fill("") }, /^terms: expected a list of/],
    [{ minus: [5] }, /^minus: expected text, got 5$/],
    [{ colour: 1 }, /^"colour": expected text, like, plus, minus, .*metric$/],
    [{ text: ["long".repeat(99)] }, /^text: expected text, got .{60}…$/],
  ];
  for (const [input, message] of cases) {
    throws(() => readQuery(input), { name: "QueryError", message });
  }
  readQuery({ text: "x".repeat(LONGEST_TEXT), k: 200, textWeight: 1, fold: 2 });
  readQuery({ terms: Array(LONGEST_LIST).fill("x"), k: 1, textWeight: 0 });
});

Deno.test("readQuery() takes days, months and years that there are, in their order", () => {
  const refused = (query: object, message: RegExp) =>
    throws(() => readQuery(query), { name: "QueryError", message });
  for (
    const date of [
      ...["2019-13", "2019-00", "2019-06-31", "2019-6", "19", "June 2019"],
      ...["2019-06-01T12:00", "2019-02-29", "20190", "-2019", "2019-06-"],
    ]
  ) {
    refused(
      { after: date },
      /^after: expected a date such as 2019, 2019-06 or 2019-06-01, got "/,
    );
  }
  for (const date of ["", "2019", "2020-02-29", "0001-01-01", " 2019-06 "]) {
    readQuery({ after: date, before: date });
  }
  readQuery({ after: "2019-06-15", before: "2019" });
  refused(
    { after: "2020", before: "2019-12" },
    /^after: expected a date up to 2019-12, where the range ends, got 2020$/,
  );
});

Deno.test("splitWeight() takes a number before a colon for a weight", () => {
  deepStrictEqual(splitWeight("2:cat"), { weight: 2, of: "cat" });
  deepStrictEqual(splitWeight(".5: a cat "), { weight: 0.5, of: " a cat " });
  deepStrictEqual(splitWeight("cat"), { weight: 1, of: "cat" });
  deepStrictEqual(splitWeight("upload:12"), { weight: 1, of: "upload:12" });
  deepStrictEqual(splitWeight("2:upload:ab"), { weight: 2, of: "upload:ab" });
  deepStrictEqual(splitWeight("NaN:cat"), { weight: 1, of: "NaN:cat" });
});

Deno.test("weights are above 0 and up to 100, and weigh something", () => {
  strictEqual(readWeighted("plus", "100:cat").weight, 100);
  for (const weight of ["0", "-1", "100.1", "1e9", "1e999"]) {
    throws(() => readQuery({ minus: [`${weight}:cat`] }), {
      name: "QueryError",
      message: /^minus: expected a weight above 0 and up to 100, got "/,
    });
  }
  for (const nothing of ["2:", "", " ", "2: "]) {
    throws(() => readQuery({ plus: [nothing] }), {
      name: "QueryError",
      message: /^plus: expected something to weigh, such as "2:cat", got "/,
    });
  }
});

Deno.test("subjectOf() takes what only says that there is a picture away", () => {
  for (
    const said of [
      ...["a photo of an owl", "photo of a owl", "Picture of the owl"],
      ...["an image of owl", "some photographs of owl", "a picture of an owl"],
    ]
  ) strictEqual(subjectOf(said), "owl");
  for (
    const said of [
      ...["a photo album", "a photographer", "a photo of", "an owl"],
      "the picture frame of a photo",
    ]
  ) strictEqual(subjectOf(said), said);
});

Deno.test("isEmpty() is true only where nothing is looked for", () => {
  const query = (part: object) => isEmpty({ ...DEFAULT_QUERY, ...part });
  strictEqual(query({ terms: ["owl"], k: 3, mode: "text", from: 12 }), true);
  strictEqual(query({ text: "a" }), false);
  for (const name of ["like", "plus", "minus", "unlike"]) {
    strictEqual(query({ [name]: ["a"] }), false);
  }
});
