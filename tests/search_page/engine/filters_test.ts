import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Filters, passes } from "#lib/search_page/engine/filters.ts";
import { DEFAULT_QUERY } from "#lib/search_page/web/query.js";

const picture = { term: "owl", category: "bird", license: "CC0" };
const facts = { camera: "Canon EOS 5D", date: "2019-06-01T12:00:00" };
const pass = (filters: Partial<Filters>, date = facts.date) =>
  passes({ ...DEFAULT_QUERY, ...filters })(picture, { ...facts, date });

Deno.test("one name of each kind must fit, where any are chosen", () => {
  strictEqual(pass({}), true);
  strictEqual(pass({ terms: ["oak", "owl"], categories: ["bird"] }), true);
  strictEqual(pass({ terms: ["owl"], categories: ["tree"] }), false);
  strictEqual(pass({ licenses: ["CC0"], cameras: ["Canon EOS 5D"] }), true);
  strictEqual(pass({ cameras: ["Nikon D90"] }), false);
});

Deno.test("dates are inclusive, by year, month or day", () => {
  for (const date of ["2019", "2019-06", "2019-06-01"]) {
    strictEqual(pass({ after: date, before: date }), true);
  }
  strictEqual(pass({ after: "2019-06-02" }), false);
  strictEqual(pass({ before: "2019-05" }), false);
  strictEqual(pass({ after: "2018", before: "2019" }), true);
  strictEqual(pass({ after: "2020" }), false);
  strictEqual(pass({ before: "2018-12-31" }), false);
});

Deno.test("a picture without a date passes no filter of dates", () => {
  strictEqual(pass({}, ""), true);
  strictEqual(pass({ before: "2030" }, ""), false);
  strictEqual(pass({ after: "0001" }, ""), false);
});

Deno.test("a name is taken in either Unicode form", () => {
  const terms = ["S\u00e4ge", "Sa\u0308ge", "Sage"];
  for (const name of terms.slice(0, 2)) {
    const isAllowed = passes({ ...DEFAULT_QUERY, terms: [name] });
    deepStrictEqual(
      terms.map((term) => isAllowed({ ...picture, term }, facts)),
      [true, true, false],
    );
  }
});
