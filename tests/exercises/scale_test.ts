import {
  indexBytes,
  mergeHits,
  type ShardHit,
  toInt8,
} from "#lib/exercises/scale.ts";
import { checkExercise } from "../support/exercises.ts";

Deno.test("an index's bytes: forgotten, single and shrunk links are told apart", async () => {
  await checkExercise(indexBytes, [
    [(n: number, d: number, b: number) => n * d * b, /M = 16.*Add the links/],
    [
      (n: number, d: number, b: number, m: number) => n * (d * b + 4 * m),
      /take 2,176 bytes; you get 2112\. Add the links: 2 M/,
    ],
    [
      (n: number, d: number, b: number, m: number) => n * (d + 2 * m) * b,
      /take 640 bytes; you get 544\. A link takes 4 bytes/,
    ],
    [
      (n: number, d: number, b: number, m: number) => n * d * b + 8 * m,
      /^✗ Not yet\. 0 vectors .* No vectors, no bytes/,
    ],
    [
      (n: number, d: number, _: number, m: number) => n * (d * 4 + 8 * m),
      /take 512 bytes; you get 2048\. In eight bits/,
    ],
    [() => "640", /take 0 bytes; you get "640"/],
    [() => NaN, /you get NaN/],
    [640, /Expected a function .* got 640/],
  ]);
});

Deno.test("eight bits: no factor, the wrong sign, cutting and zeros are told apart", async () => {
  const most = (vector: Float32Array) => Math.max(...vector.map(Math.abs));
  await checkExercise(toInt8, [
    [
      (v: Float32Array) => Int8Array.from(v, (x) => Math.round(127 * x)),
      /\[0\.1,-0\.05,0\.02\].*without a factor of their own/,
    ],
    [
      (v: Float32Array) =>
        Int8Array.from(v, (x) => Math.round(127 * x / Math.max(...v))),
      /\[-0\.2,0\.1\].*The sign does not count/,
    ],
    [
      (v: Float32Array) => Int8Array.from(v, (x) => 127 * x / (most(v) || 1)),
      /Of \[1,0\.5,-1,0\.25\].*in proportion|Round to the nearest/,
    ],
    [
      (v: Float32Array) =>
        Int8Array.from(v, (x) => Math.round(128 * x / (most(v) || 1))),
      /you make \[-128/,
    ],
    [
      (v: Float32Array) => v.map((x) => Math.round(127 * x / (most(v) || 1))),
      /no Int8Array/,
    ],
    [() => new Int8Array(2), /expected 4 numbers/],
    [() => undefined, /you make undefined, which is no Int8Array/],
    [127, /Expected a function .* got 127/],
  ]);
});

Deno.test("one answer of several machines: copies, order and changed lists are told apart", async () => {
  const best = (hits: ShardHit[]) => hits.toSorted((a, b) => b.value - a.value);
  const once = (hits: ShardHit[]) =>
    hits.filter((one, i) => hits.findIndex(({ id }) => id === one.id) === i);
  await checkExercise(mergeHits, [
    [
      (lists: ShardHit[][], k: number) => lists.flat().slice(0, k),
      /owl 0\.9, ash 0\.5 are expected; you return owl 0\.9, oak 0\.2/,
    ],
    [
      (lists: ShardHit[][], k: number) =>
        best(lists.map((hits) => best(hits)[0])).slice(0, k),
      /One machine may have all/,
    ],
    [
      (lists: ShardHit[][], k: number) => best(lists.flat()).slice(0, k),
      /two machines hold is one hit/,
    ],
    [
      (lists: ShardHit[][], k: number) => once(best(lists.flat()).slice(0, k)),
      /must not push another one out/,
    ],
    [
      (lists: ShardHit[][], k: number) => best(once(lists.flat())).slice(0, k),
      /Of two values for one id, the better one/,
    ],
    [
      (lists: ShardHit[][], k: number) => {
        for (const hits of lists) hits.reverse();
        return once(best(lists.flat())).slice(0, k);
      },
      /changes the lists/,
    ],
    [(lists: ShardHit[][]) => lists, /an array of hits is expected/],
    [() => ["owl"], /an array of hits is expected; you return \["owl"\]/],
    [{}, /Expected a function/],
  ]);
});
