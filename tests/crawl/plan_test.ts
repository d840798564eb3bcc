import { strictEqual, throws } from "node:assert/strict";
import { checkPlan } from "#lib/crawl/plan.ts";

Deno.test("checkPlan() takes names in any script, up to 500 letters, and numbers as words", () => {
  const plan = {
    birds: ["owl", "Owl", "a/b", "a_b", "..", "🦉", "بومة", "é".repeat(300)],
    "": [],
    "2": ["x".repeat(500)],
  };
  const { "": _, ...rest } = plan;
  strictEqual(checkPlan(rest), rest);
  throws(() => checkPlan(plan), /a category, .* got ""$/);
});

Deno.test("checkPlan() says what was expected, and quotes what it got", () => {
  const many = Array.from({ length: 1001 }, (_, i) => `owl ${i}`);
  const name = "text on one line of 500 letters at most";
  const cases: [unknown, string][] = [
    [undefined, '{"category": ["term", …], …}, got undefined'],
    [null, '{"category": ["term", …], …}, got null'],
    [["owl"], '{"category": ["term", …], …}, got ["owl"]'],
    ["owl", '{"category": ["term", …], …}, got "owl"'],
    [{}, "a term or more, got {}"],
    [{ birds: [] }, 'a term or more, got {"birds":[]}'],
    [{ birds: "owl" }, 'a list of terms in "birds", got "owl"'],
    [{ birds: ["owl", 3] }, `a term in "birds", ${name}, got 3`],
    [{ birds: ["owl", null] }, `a term in "birds", ${name}, got null`],
    [{ birds: [" \t"] }, `a term in "birds", ${name}, got " \\t"`],
    [{ birds: ["a\nb"] }, `a term in "birds", ${name}, got "a\\nb"`],
    [{ "a\nb": ["owl"] }, `a category, ${name}, got "a\\nb"`],
    [{ birds: ["\ud83e"] }, `a term in "birds", ${name}, got "\\ud83e"`],
    [
      { birds: ["x".repeat(501)] },
      `a term in "birds", ${name}, got "${"x".repeat(79)}…`,
    ],
    [
      JSON.parse('{"__proto__": ["owl"]}'),
      `a category, ${name}, got "__proto__"`,
    ],
    [
      { birds: ["__proto__"] },
      `a term in "birds", ${name}, got "__proto__"`,
    ],
    [
      { birds: ["owl", "hen", "owl "] },
      'each term once, got "owl " twice, in "birds"',
    ],
    [
      { birds: ["e\u0301gret"], white: ["\u00e9gret"] },
      'each term once, got "égret" twice, in "birds" and "white"',
    ],
    [{ birds: many }, "1000 terms at most, got 1001: make it several"],
  ];
  for (const [plan, problem] of cases) {
    throws(() => checkPlan(plan), {
      name: "TypeError",
      message: `plan: expected ${problem}`,
    });
  }
});
