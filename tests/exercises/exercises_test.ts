import { match, strictEqual } from "node:assert/strict";
import { jupyterDisplay } from "#lib/display/display.ts";
import { Exercise, quoteAnswer } from "#lib/exercises/exercises.ts";

const half = new Exercise({
  hint: "Divide by two.",
  answer: "(n) =>\n  n / 2",
  lesson: "Halves add up.",
  findFault: (answer: (n: number) => number) =>
    answer(6) === 3 ? undefined : `Half of 6 is 3, not <b>${answer(6)}</b>.`,
});

Deno.test("an exercise says whether an answer is there, right, or why not", async () => {
  strictEqual(`${await half.check(undefined)}`, "○ Not answered yet.");
  strictEqual(
    `${await half.check((n: number) => n / 2)}`,
    "✓ Right. Halves add up.",
  );
  match(
    `${await half.check((n: number) => n - 1)}`,
    /^✗ Not yet. Half of 6 is 3/,
  );
});

Deno.test("an answer that throws, or is no function, is a fault and no error of the cell", async () => {
  const thrower = () => {
    throw new Error("no such picture");
  };
  match(`${await half.check(thrower)}`, /^✗ Not yet\. .*no such picture/);
  match(`${await half.check(7)}`, /^✗ Not yet\. .*not a function/);
  match(`${await half.check(null)}`, /^✗ Not yet\./);
});

Deno.test("an exercise that wants a function says which, where it gets something else", async () => {
  const root = new Exercise({
    ...half.parts,
    signature: "(n) => half of n",
  });
  strictEqual(
    `${await root.check([3])}`,
    "✗ Not yet. Expected a function (n) => half of n, got [3].",
  );
  match(`${await root.check((n: number) => n / 2)}`, /^✓ Right/);
});

Deno.test("an exercise shows its hint and one solution, as text and never as markup", async () => {
  strictEqual(`${half.hint()}`, "○ Hint. Divide by two.");
  strictEqual(`${half.solution()}`, "○ One solution:\n(n) =>\n  n / 2");
  const html = half.solution()[jupyterDisplay]()["text/html"];
  match(`${html}`, /<pre>\(n\) =&gt;\n {2}n \/ 2<\/pre>/);
  const fault = await half.check(() => 4);
  match(`${fault[jupyterDisplay]()["text/html"]}`, /not &lt;b&gt;4/);
});

Deno.test("quoteAnswer() quotes any answer on one short line", () => {
  strictEqual(quoteAnswer("owl"), '"owl"');
  strictEqual(quoteAnswer([1, 2]), "[1,2]");
  strictEqual(quoteAnswer(new Float32Array([0.5])), "[0.5]");
  strictEqual(quoteAnswer(NaN), "NaN");
  strictEqual(quoteAnswer(undefined), "undefined");
  strictEqual(quoteAnswer(() => 1), "a function");
  strictEqual(quoteAnswer(Promise.resolve(1)), "a promise");
  strictEqual(quoteAnswer("x".repeat(99)).length, 60);
});
