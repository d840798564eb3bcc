import { deepStrictEqual, throws } from "node:assert/strict";
import { mostColoured } from "#lib/captions/colours.ts";

Deno.test("mostColoured() finds the term that can be asked for in two colours", () => {
  const pictures = [
    { term: "sky", caption: "Blue sky." },
    { term: "sky", caption: "A blue evening." },
    { term: "car", caption: "A BLACK car, and a black road" },
    { term: "car", caption: "A white car" },
    { term: "owl", caption: "A bored owl" },
  ];
  deepStrictEqual(mostColoured(pictures), {
    term: "car",
    colours: ["black", "white"],
    counts: [1, 1],
  });
});

Deno.test("mostColoured() takes both spellings of grey for one colour", () => {
  const pictures = ["A grey cat", "A gray cat"]
    .map((caption) => ({ term: "cat", caption }));
  deepStrictEqual(mostColoured(pictures).counts, [2, 0]);
});

Deno.test("mostColoured() takes the first term, in red and green, where no caption tells", () => {
  const pictures = [{ term: "b", caption: "" }, { term: "a", caption: "" }];
  deepStrictEqual(mostColoured(pictures), {
    term: "b",
    colours: ["red", "green"],
    counts: [0, 0],
  });
  throws(() => mostColoured([]), /got none/);
});
