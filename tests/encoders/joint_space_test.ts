import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import {
  conceptsOf,
  JOINT_PARAMETERS,
  pictureVectors,
  softmax,
  textVectors,
} from "#lib/encoders/offline/joint_space.ts";

/** The rows of a unit matrix. */
const axes = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => Array.from({ length: count }, (_, j) => Number(i === j)),
  );

/**
 * 200 classes that have nothing in common, seen and said in 200 numbers each,
 * and two groups whose names have nothing in common with them: of the first 4
 * classes, and of classes 2 and 150.
 */
const GROUPS = [
  { names: ["first four"], classes: [0, 1, 2, 3] },
  { names: ["two"], classes: [2, 150] },
];
const NAMES = Matrix.of(axes(202));
const LOOKS = Matrix.of(axes(200));
const CONCEPTS = conceptsOf(NAMES, [LOOKS], GROUPS);

function near(actual: ArrayLike<number>, expected: number[]) {
  equal(actual.length, expected.length);
  expected.forEach((value, i) =>
    ok(Math.abs(actual[i] - value) < 1e-6, `${i}: ${actual[i]}, not ${value}`)
  );
}

const unit = (values: number[]) => {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
};

/** One picture: looks 3, 4, 0, 0 …, and logits that fall by 0.1 a class. */
const PICTURE = {
  looks: [Matrix.of([[3, 4, ...Array(198).fill(0)]])],
  logits: Matrix.of([Array.from({ length: 200 }, (_, i) => 10 - 0.1 * i)]),
};

/** Its 30 likeliest classes' shares, of whatever sum. */
const SHARES = Array.from(
  { length: 200 },
  (_, i) => i < 30 ? Math.exp(-0.1 * i / 1.5) : 0,
);

const half = (values: number[]) => unit(values).map((x) => x * Math.SQRT1_2);

Deno.test("the joint space has the parameters that docs/encoders.md measured", () => {
  deepEqual(JOINT_PARAMETERS, {
    temperature: 1.5,
    classCount: 30,
    groupWeight: 0.03,
    sharpness: 20,
    wordsShare: 0.5,
  });
});

Deno.test("a picture's words are its 30 likeliest classes, and what lies above them", () => {
  const [vector] = pictureVectors(PICTURE, CONCEPTS);
  const [a, b, c, d] = SHARES;
  near(
    vector.subarray(0, 202),
    half([
      ...SHARES,
      // Class 150 is not among the 30, so it adds nothing to its group.
      0.03 * (a + b + c + d) * Math.log(200 / 4),
      0.03 * c * Math.log(200 / 2),
    ]),
  );
  near(vector.subarray(202), half([0.6, 0.8, ...Array(198).fill(0)]));
});

Deno.test("each parameter of a picture does what it says", () => {
  const words = (change: Partial<typeof JOINT_PARAMETERS>) => {
    const parameters = { ...JOINT_PARAMETERS, ...change };
    const concepts = conceptsOf(NAMES, [LOOKS], GROUPS, parameters);
    return pictureVectors(PICTURE, concepts, parameters).row(0)
      .subarray(0, 202);
  };
  equal(words({ classCount: 3 }).filter((value) => value > 0).length, 3 + 2);
  equal(words({ groupWeight: 0 }).filter((value) => value > 0).length, 30);
  const [first, second] = words({ temperature: 0.5 });
  ok(Math.abs(second / first - Math.exp(-0.2)) < 1e-6);
  ok(Math.abs(Math.hypot(...words({ wordsShare: 0.3 })) ** 2 - 0.3) < 1e-6);
});

Deno.test("a text mixes classes and groups by nearness, with sharpness 20", async () => {
  // 0.6 of the second class and 0.8 of the first group.
  const values = Array(202).fill(0);
  [values[1], values[200]] = [0.6, 0.8];
  const text = Matrix.of([values]);
  const [vector] = await textVectors(text, CONCEPTS);
  const shares = values.map((value) => Math.exp(20 * value));
  // The mixed names have as much weight as the sentence.
  const mixed = unit(shares);
  near(vector.subarray(0, 202), half(values.map((x, i) => x + mixed[i])));
  // A group's share goes to its classes in equal parts.
  const looks = shares.slice(0, 200);
  GROUPS.forEach(({ classes }, g) =>
    classes.forEach((one) => looks[one] += shares[200 + g] / classes.length)
  );
  near(vector.subarray(202), half(looks));
  equal((await textVectors(Matrix.empty(202), CONCEPTS)).count, 0);
});

Deno.test("what two networks see has the weight of one, whatever its length", async () => {
  const other = LOOKS.pick([...Array(200).keys()].reverse());
  const concepts = conceptsOf(NAMES, [LOOKS, other], GROUPS);
  const looks = [...PICTURE.looks, Matrix.of([[...Array(199).fill(0), 50]])];
  const [vector] = pictureVectors({ ...PICTURE, looks }, concepts);
  near(
    vector.subarray(202),
    [0.6, 0.8, ...Array(397).fill(0), 1].map((x) => x / 2),
  );
  const [text] = await textVectors(NAMES.slice(5, 6), concepts);
  equal(text.length, 202 + 400);
  near([text[202 + 5] / text[402 + 194]], [1]);
  near([Math.hypot(...text.subarray(202))], [Math.SQRT1_2]);
});

Deno.test("a class that is in no group is as it is", () => {
  const concepts = conceptsOf(NAMES, [LOOKS], GROUPS);
  near(concepts.classWords.row(7), [...NAMES.row(7)]);
  near(NAMES.row(2), axes(202)[2]); // and the names are left as they were
});

Deno.test("a name is missing, or one too many", () => {
  for (const groups of [GROUPS.slice(1), [...GROUPS, GROUPS[0]]]) {
    throws(
      () => conceptsOf(NAMES, [LOOKS], groups),
      /200 classes and .* got 202/,
    );
  }
});

Deno.test("parameters that make no vector are refused", async () => {
  const pictures = (change: Partial<typeof JOINT_PARAMETERS>) => () =>
    pictureVectors(PICTURE, CONCEPTS, { ...JOINT_PARAMETERS, ...change });
  throws(pictures({ wordsShare: 2 }), /wordsShare from 0 to 1, got 2/);
  throws(pictures({ wordsShare: NaN }), /wordsShare from 0 to 1, got NaN/);
  throws(pictures({ temperature: -1 }), /scale above 0, got -1/);
  throws(pictures({ temperature: 0 }), /scale above 0, got Infinity/);
  throws(pictures({ classCount: 0 }), /whole k of 1 or more, got 0/);
  const flat = { ...JOINT_PARAMETERS, sharpness: 0 };
  await rejects(textVectors(NAMES, CONCEPTS, flat), /scale above 0, got 0/);
});

Deno.test("softmax() does not overflow", () => {
  near(softmax([1000, 1000 - Math.log(3)], 1), [0.75, 0.25]);
});
