import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  throws,
} from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { parseJson, readJson } from "#lib/captions/json.ts";

Deno.test("parseJson() reads whatever JSON.stringify() writes, NaN or not beside it", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = JSON.stringify(value);
    fc.pre(!/\d{16}/.test(text)); // The next test but one is about those.
    const parsed = JSON.parse(text);
    deepEqual(parseJson(text).values, [parsed]);
    deepEqual(parseJson(`[${text}, NaN]`).values, [[parsed, NaN]]);
    deepEqual(parseJson(`[${text}]\n[${text}]`).values, [[parsed], [parsed]]);
  }));
});

Deno.test("parseJson() reads what Python writes beyond the standard", () => {
  const { values, problems } = parseJson(
    '{"a": NaN, "NaN": [-Infinity, Infinity, "Infinity"], "__proto__": 1}',
  );
  deepEqual(problems, []);
  deepEqual(values, [
    Object.fromEntries([
      ["a", NaN],
      ["NaN", [-Infinity, Infinity, "Infinity"]],
      ["__proto__", 1],
    ]),
  ]);
});

Deno.test("parseJson() keeps every digit of a long whole number, as text", () => {
  deepEqual(
    parseJson(
      "[12345678901234567890, -9007199254740993, 1234567890123456, 1e16, 7]",
    ),
    {
      values: [[
        "12345678901234567890",
        "-9007199254740993",
        1234567890123456,
        1e16,
        7,
      ]],
      problems: [],
    },
  );
  deepEqual(parseJson("[0.12345678901234567]").values, [[0.12345678901234567]]);
});

Deno.test("parseJson(): values a line or one behind the other; a bad one is left out", () => {
  deepEqual(parseJson('{"a": 1}{"a": 2}\n{\n"a": 3}').values, [
    { a: 1 },
    { a: 2 },
    { a: 3 },
  ]);
  deepEqual(parseJson('{"a": 1}\r\n\r\n{"a": }\r\n{"a": 3}\r\n'), {
    values: [{ a: 1 }, { a: 3 }],
    problems: ['line 3 is no JSON: expected a value, got "}": left out'],
  });
  deepEqual(parseJson('{"a": 1} and so on'), {
    values: [{ a: 1 }],
    problems: [
      "the file is no JSON at line 1, column 10: expected a value, got " +
      '"and so on": left out from there',
    ],
  });
});

Deno.test("parseJson() names what is broken with its place, and what is cut off", () => {
  const cases: [text: string, message: string][] = [
    ["[".repeat(200_000), "is nested too deep: lists in lists without end"],
    ['{"a": 1', "is cut off at line 1, column 8: download it again"],
    ['{\n "a": [1,\n', "is cut off at line 3, column 1: download it again"],
    ['{"a": "b', "is cut off at line 1, column 9: download it again"],
    [
      '{"a": 1,}',
      'is no JSON at line 1, column 9: expected a name in "…", got "}"',
    ],
    ["[1\n2]", 'is no JSON at line 2, column 1: expected "," or "]", got "2]"'],
    ['{"a" 1}', 'is no JSON at line 1, column 6: expected ":", got "1}"'],
    [
      "{'a': 1}",
      `is no JSON at line 1, column 2: expected a name in "…", got "'a': 1}"`,
    ],
    ["[01]", 'is no JSON at line 1, column 2: expected a value, got "01]"'],
    [
      '["\\x"]',
      'is no JSON at line 1, column 2: expected a text as JSON writes it, got "\\"\\\\x\\"]"',
    ],
  ];
  for (const [text, message] of cases) {
    throws(() => parseJson(text), { message });
  }
});

Deno.test("readJson() names files that are no text in UTF-8 as what they are", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "a.json");
  const text = '{"a.jpg": "One."}';
  const utf16 = Buffer.from(text, "utf16le");
  const cases: [bytes: Uint8Array, message: RegExp][] = [
    [gzipSync(text), /^is compressed \(gzip\): unpack it first$/],
    [
      Uint8Array.of(0xff, 0xfe, ...utf16),
      /^is text in UTF-16: save it as UTF-8$/,
    ],
    [utf16, /UTF-16/],
    [Buffer.from(utf16).swap16(), /UTF-16/],
    [Buffer.from("PK\x03\x04 …"), /^is a ZIP archive/],
    [
      Buffer.from("version https://git-lfs.github.com/spec/v1\n"),
      /Git LFS pointer/,
    ],
    [Buffer.from("\uFEFF \n"), /^is empty$/],
  ];
  for (const [bytes, message] of cases) {
    await Deno.writeFile(file, bytes);
    await rejects(readJson(file), { message });
  }
  await Deno.writeFile(file, Buffer.from('\xef\xbb\xbf["caf\xe9"]', "latin1"));
  const { values, problems } = await readJson(file);
  deepEqual(values, [["caf\uFFFD"]]);
  match(problems[0], /not UTF-8 throughout/);
  await Deno.remove(folder, { recursive: true });
});
