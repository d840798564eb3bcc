import { match } from "node:assert/strict";
import { nextPause, pictureKey, politeTime } from "#lib/exercises/crawler.ts";
import { checkExercise } from "../support/exercises.ts";

Deno.test("politeTime() accepts the minutes of one request a picture, and explains others", async () => {
  await checkExercise(politeTime(300, 3), [
    ["10", /number of minutes, got "10"/],
    [NaN, /number of minutes, got NaN/],
    [600, /600 are the seconds/],
    [10 / 3, /All 3 tabs ask the same site/],
    [5, /In 5 minutes.* makes 150 requests, .*found 300 pictures/],
    [-1, /makes 0 requests/],
  ], { crawled: { pictures: Array(300) } });
});

Deno.test("politeTime() holds for any crawl: one tab, one picture, none", async () => {
  match(`${await politeTime(300, 1).check(299 * 2 / 60)}`, /Right/);
  match(`${await politeTime(1, 3).check(0)}`, /Right/);
  for (const whole of [11, 12]) {
    match(`${await politeTime(337, 3).check(whole)}`, /Right/);
  }
  match(`${await politeTime(337, 3).check(13)}`, /In 13 minutes/);
  match(`${await politeTime(0, 3).check(0)}`, /Right/);
  match(`${await politeTime(0, 3).check(7)}`, /found 0 pictures/);
});

Deno.test("pictureKey wants one key for all addresses of a picture, and for no other", async () => {
  await checkExercise(pictureKey, [
    ["2100", /Expected a function \(address\) => key, got "2100"/],
    [(address: string) => address, /2100-owl_b.*2100-owl_m.* are one picture/],
    [() => "owl", /2100-owl_b.* and .*2101-owl_m.* are two uploads/],
    [
      (address: string) => address.replace(/_[stm]\.jpg.*$/, "_b.jpg"),
      /2101-owl_m.*2101-owl_b\.jpg#photo are one picture/,
    ],
    [(address: string) => address.match(/\/(\d{3})/)![1], /two uploads/],
    [(address: string) => address.match(/\d+-/), /a text or a number, got \[/],
    [(address: string) => address.split("_")[9], /got undefined/],
    [
      (address: string) => new URL(address).searchParams.get("from")!.length,
      /threw an error/,
    ],
  ]);
});

Deno.test("nextPause wants pauses that grow, end, and are as long as the site asks", async () => {
  const grow = (attempt: number) => Math.min(1000 * 2 ** attempt, 60_000);
  await checkExercise(nextPause, [
    [1000, /Expected a function .* got 1000/],
    [() => "1 s", /Expected milliseconds for \(1, null\), got "1 s"/],
    [() => 0, /pause is 0 ms: expected 100 or more/],
    [
      () => 1000,
      /1000 ms after refusal 1 and 1000 ms after refusal 6: .* fourfold/,
    ],
    [
      (n: number) => 1000 * 2 ** n,
      /After \(10, null\).* 600000 or less, 10 minutes/,
    ],
    [(n: number) => grow(n) / 1000, /pause is 2 ms: expected 100 or more/],
    [
      (n: number) => n === 6 ? 4000 : 1000,
      /4000 ms after refusal 6 and 1000 ms after refusal 7: .* never shrink/,
    ],
    [
      (n: number) => n === 6 ? 4 : 1,
      /After \(1, null\) the pause is 1 ms: expected 100 or more/,
    ],
    [
      (n: number) => Math.min(1000 * 2 ** n, 3_600_000),
      /expected 600000 or less, 10 minutes/,
    ],
    [
      (n: number) => Promise.resolve(grow(n)),
      /Expected milliseconds for \(1, null\), got a promise/,
    ],
    [grow, /After \(1, "7"\) the pause is 2000 ms: expected 7000/],
    [
      (n: number, asked: string | null) => Math.max(grow(n), 1000 * +asked!),
      /Expected milliseconds for \(1, ".* GMT"\), got NaN/,
    ],
  ]);
});

Deno.test("nextPause finds who obeys a date that is past, and a zero", async () => {
  const obey = (attempt: number, retryAfter: string | null) => {
    if (retryAfter === null) return Math.min(1000 * 2 ** attempt, 60_000);
    if (/^\d+$/.test(retryAfter)) return 1000 * Number(retryAfter);
    return Date.parse(retryAfter) - Date.now() || 1000;
  };
  match(`${await nextPause.check(obey)}`, /pause is -\d+ ms: expected/);
  const never = (attempt: number, retryAfter: string | null) =>
    Math.max(0, obey(attempt, retryAfter));
  match(`${await nextPause.check(never)}`, /GMT.*pause is 0 ms/);
});

Deno.test("nextPause lets pauses vary, from none to the whole of them", async () => {
  const vary = (least: number) => (attempt: number, asked: string | null) => {
    const share = least + (1 - least) * Math.random();
    const ms = /^\d+$/.test(`${asked}`)
      ? 1000 * Number(asked)
      : Date.parse(`${asked}`) - Date.now();
    return Math.max(share * Math.min(1000 * 2 ** attempt, 60_000), ms || 0);
  };
  for (let trial = 0; trial < 20; trial++) {
    match(`${await nextPause.check(vary(0.8))}`, /Right/);
    match(`${await nextPause.check(vary(0))}`, /Right/);
  }
});
