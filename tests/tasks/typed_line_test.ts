import { strictEqual } from "node:assert/strict";
import { typeInto } from "../../tasks/typed_line.ts";

Deno.test("typeInto() takes each key of what comes at once", () => {
  const cases: [line: string, keys: string, after: string][] = [
    ["", "cat", "cat"],
    ["cat", "\x7f\x7f", "c"],
    ["cat", "\x7f\b\x7f\x7f\x7fox", "ox"],
    ["a cat ", "\x17", "a "],
    ["a cat", "\x17\x17", ""],
    ["a cat", "\x15dog", "dog"],
    ["family 👨‍👩‍👧", "\x7f", "family "],
    ["a", "\r\nb\tc", "a  b c"],
  ];
  for (const [line, keys, after] of cases) {
    strictEqual(typeInto(line, keys), after, JSON.stringify(keys));
  }
});
