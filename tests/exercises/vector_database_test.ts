import {
  cosineOfSquared,
  fewestCandidates,
  listsToSearch,
  type Measured,
} from "#lib/exercises/vector_database.ts";
import { metrics } from "#lib/compare/metrics.ts";
import { checkExercise } from "../support/exercises.ts";

Deno.test("the cosine of a squared distance: each slip is shown on a pair of vectors", async () => {
  await checkExercise(cosineOfSquared, [
    [(squared: number) => 1 - squared, /right angle.* you get -1/],
    [(squared: number) => 1 - squared ** 2 / 2, /right angle.* you get -1/],
    [(squared: number) => squared / 2, /and itself.*the cosine 1; you get 0/],
    [(squared: number) => 1 - squared / 2 + 0 * squared + 1e-3, /and itself/],
    [() => undefined, /and itself.*you get undefined/],
    [0.5, /Expected a function .* got 0\.5/],
    ["1 - d / 2", /Expected a function/],
  ]);
});

Deno.test("enough candidates: the first, the best, and none are told apart", async () => {
  const reaching = (sweep: Measured[], target: number) =>
    sweep.filter(({ recall }) => recall >= target);
  await checkExercise(fewestCandidates, [
    [
      (sweep: Measured[], target: number) =>
        reaching(sweep, target)[0]?.efSearch,
      /160 \(recall 1,.* 40 \(recall 0\.97,.* you get 160\. .* not be in order/,
    ],
    [
      (sweep: Measured[], target: number) =>
        reaching(sweep, target).at(-1)?.efSearch,
      /you get 160\. 40 is enough/,
    ],
    [
      (sweep: Measured[], target: number) =>
        sweep.find(({ recall }) => recall > target)?.efSearch,
      /you get 160\. A recall that equals/,
    ],
    [
      (sweep: Measured[], target: number) =>
        Math.min(...reaching(sweep, target).map(({ efSearch }) => efSearch)),
      /you get Infinity\. No setting/,
    ],
    [
      (sweep: Measured[], target: number) =>
        reaching(sweep, target).sort((a, b) => a.ms - b.ms)[0]?.efSearch,
      /160 \(recall 1, 0\.3 ms\).* you get 160\. 40 is asked for, although/,
    ],
    [
      (sweep: Measured[], target: number) =>
        reaching(sweep, target).sort((a, b) => a.efSearch - b.efSearch)[0]
          .efSearch,
      /40 \(recall 0\.97.* target of 0\.99 your function throws TypeError: .*No setting/,
    ],
    [
      (sweep: Measured[], target: number) => {
        sweep.sort((a, b) => a.efSearch - b.efSearch);
        return reaching(sweep, target)[0]?.efSearch;
      },
      /toSorted/,
    ],
    [(sweep: Measured[]) => sweep[1].recall, /you get 0\.97/],
    [
      (sweep: Measured[], target: number) =>
        sweep.length > 0
          ? reaching(
            sweep.toSorted((a, b) => a.efSearch - b.efSearch),
            target,
          )[0]?.efSearch
          : 0,
      /With an empty sweep .* you get 0\./,
    ],
    [40, /Expected a function .* got 40/],
    ["40", /Expected a function .* got "40"/],
  ]);
});

Deno.test("lists to search: far lists, positions of lists, and nested lists are refused", async () => {
  const ranked = (query: Float32Array, centres: Float32Array[]) =>
    centres.map((centre, list) => ({
      list,
      value: metrics.cosine.measure(query, centre),
    })).toSorted((a, b) => b.value - a.value).map(({ list }) => list);
  type Search = typeof listsToSearch extends
    { parts: { findFault(answer: infer Answer): unknown } } ? Answer : never;
  const farthest: Search = (query, centres, lists, probes) =>
    ranked(query, centres).reverse().slice(0, probes)
      .flatMap((list) => lists[list]);
  const positions: Search = (query, centres, _, probes) =>
    ranked(query, centres).slice(0, probes);
  const nested: Search = (query, centres, lists, probes) =>
    ranked(query, centres).slice(0, probes)
      .map((list) => lists[list]) as unknown as number[];
  const one: Search = (query, centres, lists) =>
    lists[ranked(query, centres)[0]];
  const all: Search = (_, __, lists) => lists.flat();
  await checkExercise(listsToSearch, [
    [farthest, /the rows \[3,7\] are expected.*you return \[8,4,2\]|the rows/],
    [positions, /the nearest \[0\], the rows \[3,7\] .*you return \[0\]/],
    [nested, /array of rows is expected; you return \[\[7,3\]\]/],
    [one, /2 of them opened/],
    [all, /1 of them opened/],
    [() => 7, /array of rows is expected; you return 7/],
    [[1, 2], /Expected a function/],
    ["lists", /Expected a function/],
  ], { metrics });
});
