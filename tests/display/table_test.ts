import {
  deepStrictEqual as deepEqual,
  match,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { displayable, escapeHtml, oneLine } from "#lib/display/display.ts";
import {
  encoderTable,
  formatChange,
  formatNumbers,
  retrievalTable,
  scoreTable,
  table,
} from "#lib/display/table.ts";
import type { EncoderRow } from "#lib/evaluate/encoder_comparison.ts";
import { scoreRanks } from "#lib/evaluate/retrieval.ts";
import { bundle, foreignMarkup, HOSTILE } from "../support/shown.ts";

Deno.test("escapeHtml() and oneLine() leave nothing that a page or a terminal obeys", () => {
  equal(
    escapeHtml(`<a b="c" d='e'>&`),
    "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;",
  );
  equal(escapeHtml("a\u001b[2J\nb "), "a [2J b ");
  equal(oneLine(" a\r\n\tb\u0000\u001b[2J\u009bc\u2028d "), "a b [2J c d");
  equal(oneLine("\u202egpj.exe\u2066"), "gpj.exe", "turned around, .jpg");
  const shown = displayable({ "text/plain": "x", "text/html": "<b>x</b>" });
  equal(`${shown}`, "x");
});

Deno.test("table() aligns numbers to the right and shows cells as text", () => {
  const shown = bundle(table([
    { method: "<b>pixels</b>", "top-1": 0.27, ms: 9.1 },
    { method: HOSTILE, "top-1": 0.9, ms: 1124.126 },
    { method: "none" },
  ], { caption: HOSTILE }));
  deepEqual(foreignMarkup(shown["text/html"]), []);
  deepEqual(
    shown["text/plain"].split("\n").slice(-4).map((line) => line.slice(-15)),
    [
      " top-1       ms",
      " 0.270      9.1",
      " 0.900  1,124.1",
      "     –        –",
    ],
  );
});

Deno.test("table() shows text from outside as text wherever it stands", () => {
  const shown = bundle(
    table([{ [HOSTILE]: HOSTILE, n: 1 }], { caption: HOSTILE }),
  );
  deepEqual(foreignMarkup(shown["text/html"]), []);
  match(shown["text/html"], /^<p><b>&quot;&gt;&lt;img/);
  equal(shown["text/plain"].split("\n").length, 3);
  equal(/[^\n\P{Cc}]/u.test(shown["text/plain"]), false);
});

Deno.test("table() says so where there are no rows", () => {
  const shown = table([], { caption: "Table 1. What failed." });
  equal(`${shown}`, "Table 1. What failed.\nnothing");
  match(`${bundle(shown)["text/html"]}`, /<i>nothing<\/i>/);
});

Deno.test("table() keeps the order of columns and the width of names", () => {
  const shown = bundle(table([{ b: "x", a: 1 }, { c: "long", a: 20 }]));
  equal(shown["text/plain"], "b   a  c\nx   1  –\n–  20  long");
  match(shown["text/html"], /<th align="left"[^>]*>b<\/th><th align="right"/);
  match(shown["text/html"], /<td align="right"[^>]*>20<\/td>/);
});

Deno.test("formatNumbers() shows three digits of the largest and two of the smallest, to thousandths", () => {
  deepEqual(formatNumbers([1, 2000]), ["1", "2,000"]);
  deepEqual(formatNumbers([0.5, 0]), ["0.500", "0.000"]);
  deepEqual(formatNumbers([12.5, 130]), ["13", "130"]);
  deepEqual(formatNumbers([1.25, 3]), ["1.25", "3.00"]);
  deepEqual(formatNumbers([1.25, 130]), ["1.3", "130.0"]);
  deepEqual(formatNumbers([150.4, 99]), ["150", "99"]);
  deepEqual(formatNumbers([0.00012, 0.01]), ["0.000", "0.010"]);
  deepEqual(formatNumbers([-0.25, NaN]), ["-0.250", "NaN"]);
});

Deno.test("scoreTable(): a method a row, each score in its column", () => {
  const scores = {
    ...{ top1: 0.9, precisionAt5: 0.8, meanAveragePrecision: 0.7 },
    averagePrecisions: [0.7],
  };
  const shown = bundle(
    scoreTable([{ method: HOSTILE, ...scores }, { method: "b", ...scores }], {
      caption: "Table 1",
    }),
  );
  deepEqual(foreignMarkup(shown["text/html"]), []);
  const [caption, head, , row] = shown["text/plain"].split("\n");
  equal(caption, "Table 1");
  match(head, /^method +top-1 +precision@5 +mAP$/);
  match(row, /^b +0\.900 +0\.800 +0\.700$/);
});

Deno.test("scoreTable() says how far each method is from one, with its interval", () => {
  const of = (method: string, averagePrecisions: number[]) => (
    {
      method,
      top1: 0,
      precisionAt5: 0,
      meanAveragePrecision: 0,
      averagePrecisions,
    }
  );
  const rows = [
    of("L1", [0.2, 0.4]),
    of("L2", [0.1, 0.3]),
    of("x", [0.7, 0.9]),
  ];
  const [head, l1, l2, x] = `${scoreTable(rows, { against: "L1" })}`.split(
    "\n",
  );
  match(head, /mAP, compared with L1 \(95 %\)$/);
  match(l1, /–$/);
  match(l2, /−0\.10 \(−0\.10 to −0\.10\)$/);
  match(x, /\+0\.50 \(\+0\.50 to \+0\.50\)$/);
  throws(
    () => scoreTable(rows, { against: "L3" }),
    /one of "L1", "L2", "x", got "L3"/,
  );
});

Deno.test("formatChange() shows on which side of 0 an interval ends", () => {
  const change = (value: number, low: number, high: number) =>
    formatChange({ value, low, high });
  equal(change(0.123, 0.034, 0.212), "+0.12 (+0.03 to +0.21)");
  equal(change(0.03, 0.0004, 0.071), "+0.0300 (+0.0004 to +0.0710)");
  equal(change(-0.2, -0.41, -0.003), "−0.200 (−0.410 to −0.003)");
  equal(change(0, 0, 0), "0.00 (0.00 to 0.00)");
  equal(change(0.1, -0, 0.2), "+0.10 (0.00 to +0.20)");
});

Deno.test("retrievalTable(): both directions, each value with its interval below", () => {
  const scores = scoreRanks([[1], [3], [7], [1]]);
  const worse = scoreRanks([[20], [20], [20], [20]]);
  const lines = `${
    retrievalTable(
      { textToImage: { scores }, imageToText: { scores: worse } },
      {
        caption: "Table 1",
      },
    )
  }`.split("\n");
  match(
    lines[1],
    /^direction +R@1 +R@5 +R@10 +median rank +precision@5 +mAP +nDCG/,
  );
  match(lines[2], /^text to image +0\.5 +0\.75 +1 +2 /);
  match(lines[3], /^95 % +0–1 +/);
  match(lines[4], /^image to text +0 +0 +0 +20 /);
  match(lines[5], /^95 % +0–0 +0–0 +0–0 +20–20/);
});

Deno.test("encoderTable(): what was not measured stays empty", () => {
  const row: EncoderRow = {
    encoder: HOSTILE,
    data: HOSTILE,
    r1: 0.1,
    r5: 0.5,
    r10: 0.75,
    msPerPicture: 12,
    msPerQuery: 3,
    megabytes: 600,
    source: "published",
  };
  const shown = bundle(
    encoderTable([row, { encoder: "b", data: "c", source: "measured here" }]),
  );
  deepEqual(foreignMarkup(shown["text/html"]), []);
  const [head, first, second] = shown["text/plain"].split("\n");
  match(head, /R@1 +R@5 +R@10 +ms a picture +ms a query +MB +source$/);
  match(first, /0\.100 +0\.500 +0\.750 +12 +3 +600 +published$/);
  match(second, /^b +c +– +– +– +– +– +– +measured here$/);
});
