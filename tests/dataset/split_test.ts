import fc from "fast-check";
import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  byAuthorAndPage,
  checkSplit,
  type SplitOptions,
  splitPictures,
} from "#lib/dataset/split.ts";

const pictures = fc.array(fc.nat(5), { minLength: 1, maxLength: 60 }).chain(
  (classes) => {
    const picture = fc.nat(classes.length - 1);
    return fc.record({
      classes: fc.constant(classes),
      links: fc.array(fc.tuple(picture, picture), { maxLength: 40 }),
      nameOf: fc.constant((i: number) => `picture ${i}`),
    });
  },
);
const options: fc.Arbitrary<SplitOptions> = fc.record({
  test: fc.oneof(
    fc.nat(6),
    fc.double({
      min: 0,
      max: 1,
      noNaN: true,
      minExcluded: true,
      maxExcluded: true,
    }),
  ),
  seed: fc.option(fc.integer(), { nil: undefined }),
});

Deno.test("splitPictures() never has linked pictures on both sides", () => {
  fc.assert(fc.property(pictures, options, (pictures, options) => {
    const { sides } = splitPictures(pictures, options);
    for (const [a, b] of pictures.links) {
      const on = new Set([sides[a], sides[b]]);
      ok(!(on.has("train") && on.has("test")));
    }
  }));
});

Deno.test("splitPictures() gives each class a query and a picture to be found, or refuses it", () => {
  fc.assert(fc.property(pictures, options, (pictures, options) => {
    const { sides, refused } = splitPictures(pictures, options);
    const { classes } = pictures;
    const left = new Set(refused.map((one) => one.class));
    for (const of of new Set(classes)) {
      const its = sides.filter((_, i) => classes[i] === of);
      const expected = left.has(of)
        ? [undefined]
        : options.test === 0
        ? ["train"]
        : ["test", "train"];
      deepStrictEqual([...new Set(its)].sort(), expected);
    }
  }));
});

Deno.test("splitPictures() gives the same split for the same seed, whatever else comes", () => {
  fc.assert(
    fc.property(pictures, options, fc.integer(), (all, options, seed) => {
      const split = splitPictures(all, { ...options, seed });
      deepStrictEqual(splitPictures(all, { ...options, seed }), split);
      // Another class comes first: the others stay where they were.
      const more = {
        classes: [99, 99, ...all.classes as number[]],
        links: all.links.map(([a, b]) => [a + 2, b + 2] as const),
        nameOf: (i: number) => i < 2 ? `more ${i}` : all.nameOf(i - 2),
      };
      deepStrictEqual(
        splitPictures(more, { ...options, seed }).sides.slice(2),
        split.sides,
      );
    }),
  );
});

Deno.test("splitPictures() gives the same split for the same seed, in whatever order pictures come", () => {
  const shuffled = pictures.chain((all) => {
    const numbers = Array.from(all.classes, (_, i) => i);
    const order = fc.shuffledSubarray(numbers, { minLength: numbers.length });
    return fc.tuple(fc.constant(all), order);
  });
  fc.assert(
    fc.property(
      shuffled,
      options,
      fc.integer(),
      ([all, order], options, seed) => {
        const split = splitPictures(all, { ...options, seed });
        const placeOf = order.map((_, i) => order.indexOf(i));
        const other = splitPictures({
          classes: order.map((i) => all.classes[i]),
          links: all.links.map(([a, b]) => [placeOf[b], placeOf[a]] as const),
          nameOf: (i) => all.nameOf(order[i]),
        }, { ...options, seed });
        deepStrictEqual(placeOf.map((i) => other.sides[i]), split.sides);
        deepStrictEqual(other.refused, split.refused);
      },
    ),
  );
});

Deno.test("splitPictures() takes the number or fraction that was asked where no groups forbid it", () => {
  const classes = [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 2, 2];
  const counts = (test: number, seed?: number) => {
    const { sides } = splitPictures({ classes, links: [], nameOf: String }, {
      test,
      seed,
    });
    return [0, 1, 2].map((of) =>
      sides.filter((side, i) => side === "test" && classes[i] === of).length
    );
  };
  deepStrictEqual(counts(1), [1, 1, 1]);
  deepStrictEqual(counts(2), [2, 1, 2]);
  deepStrictEqual(counts(50, 7), [8, 1, 2]);
  deepStrictEqual(counts(0.3), [3, 1, 1]);
  deepStrictEqual(counts(0.001), [1, 1, 1]);
  deepStrictEqual(counts(0), [0, 0, 0]);
});

Deno.test("splitPictures() takes the first without a seed, others with one", () => {
  const hundred = {
    classes: new Uint8Array(100),
    links: [],
    nameOf: (i: number) => `sum ${i}`,
  };
  const queries = (options: SplitOptions) =>
    splitPictures(hundred, options).sides.flatMap((side, i) =>
      side === "test" ? [i] : []
    );
  deepStrictEqual(queries({}), [0, 1]);
  const drawn = [1, 2].map((seed) => queries({ test: 10, seed }).join());
  strictEqual(new Set([...drawn, queries({ test: 10 }).join()]).size, 3);
});

Deno.test("splitPictures() comes as near to what was asked as groups of one class allow", () => {
  // Groups of 3, 2 and 4 pictures, of which 4 are asked for.
  const sizes = [3, 2, 4];
  const classes: number[] = [], links: [number, number][] = [];
  for (const size of sizes) {
    const first = classes.length;
    for (let i = 0; i < size; i++) {
      links.push([first, classes.length]);
      classes.push(0);
    }
  }
  const { sides } = splitPictures({ classes, links, nameOf: String }, {
    test: 4,
  });
  const queries = sides.filter((side) => side === "test").length;
  ok(queries >= 3 && queries <= 5, `${queries}`);
});

Deno.test("splitPictures() says of a class why it is refused, and what to do", () => {
  const reasons = (classes: number[], links: [number, number][]) =>
    splitPictures({ classes, links, nameOf: String }, {}).refused
      .map(({ class: of, reason }) => `${of}: ${reason}`);
  match(reasons([0], [])[0], /^0: 1 picture, expected 2 or more: find more/);
  match(reasons([3, 3, 3], [[0, 1], [2, 1]])[0], /^3: its 3 pictures are one/);
  // Three classes, each pair of which shares a group: an odd ring.
  const ring = reasons([0, 1, 0, 2, 1, 2], [[0, 1], [2, 3], [4, 5]]);
  ok(ring.length >= 1);
  match(ring[0], /its 2 groups hang together/);
});

Deno.test("checkSplit() refuses what is neither a count nor a fraction", () => {
  for (const test of [-1, 1.5, NaN, Infinity, "2" as unknown as number]) {
    throws(() => checkSplit({ test }), RangeError, `${test}`);
  }
  throws(() => checkSplit({ seed: 0.5 }), /got 0\.5/);
  for (const test of [0, 1, 100, 0.5, 1e-9]) checkSplit({ test });
});

Deno.test("byAuthorAndPage() groups what one author shows on one page", () => {
  const of = (author: string, page: string) =>
    byAuthorAndPage({ author, page });
  strictEqual(of("Ada", "/series"), of("Ada", "/series"));
  ok(of("Ada", "/series") !== of("Bob", "/series"));
  ok(of("Ada", "/series") !== of("Ada", "/other"));
  strictEqual(of("Ada", ""), undefined);
});
