import { deepEqual, equal, ok } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import {
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

/** 200 classes that have nothing in common, seen and said in 200 numbers each. */
const CLASSES = {
  vectors: Matrix.of(axes(200)),
  weights: Matrix.of(axes(200)),
};

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

/** One picture: features 3, 4, 0, 0 …, and logits that fall by 0.1 a class. */
const PICTURE = {
  features: Matrix.of([[3, 4, ...Array(198).fill(0)]]),
  logits: Matrix.of([Array.from({ length: 200 }, (_, i) => 10 - 0.1 * i)]),
};

Deno.test("the joint space has the parameters that docs/encoders.md measured", () => {
  deepEqual(JOINT_PARAMETERS, {
    temperature: 1.5,
    classCount: 100,
    sharpness: 20,
    wordsShare: 0.5,
  });
});

Deno.test("a picture's words are its 100 likeliest classes, at temperature 1.5", () => {
  const [vector] = pictureVectors(PICTURE, CLASSES);
  const shares = Array.from(
    { length: 200 },
    (_, i) => i < 100 ? Math.exp(-0.1 * i / 1.5) : 0,
  );
  near(vector.subarray(0, 200), unit(shares).map((x) => x * Math.SQRT1_2));
  near(
    vector.subarray(200),
    [0.6, 0.8, ...Array(198).fill(0)].map((x) => x * Math.SQRT1_2),
  );
});

Deno.test("each parameter of a picture does what it says", () => {
  const words = (change: Partial<typeof JOINT_PARAMETERS>) =>
    pictureVectors(PICTURE, CLASSES, { ...JOINT_PARAMETERS, ...change })
      .row(0).subarray(0, 200);
  equal(words({ classCount: 3 }).filter((value) => value > 0).length, 3);
  const [first, second] = words({ temperature: 0.5 });
  ok(Math.abs(second / first - Math.exp(-0.2)) < 1e-6);
  ok(Math.abs(Math.hypot(...words({ wordsShare: 0.3 })) ** 2 - 0.3) < 1e-6);
});

Deno.test("a text's looks mix the classes by nearness, with sharpness 20", async () => {
  // 0.6 of the first class and 0.8 of the second.
  const text = Matrix.of([[0.6, 0.8, ...Array(198).fill(0)]]);
  const [vector] = await textVectors(text, CLASSES);
  near(vector.subarray(0, 200), [...text.row(0)].map((x) => x * Math.SQRT1_2));
  const shares = [...text.row(0)].map((value) => Math.exp(20 * value));
  near(vector.subarray(200), unit(shares).map((x) => x * Math.SQRT1_2));
  equal((await textVectors(Matrix.empty(200), CLASSES)).count, 0);
});

Deno.test("a class's weights are a column, not a row", async () => {
  const classes = {
    vectors: Matrix.of([[1, 0], [0, 1]]),
    weights: Matrix.of([[0, 1], [0, 0], [1, 0]]),
  };
  const [vector] = await textVectors(Matrix.of([[1, 0]]), classes);
  near(vector.subarray(2), [0, 0, 1].map((x) => x * Math.SQRT1_2));
});

Deno.test("softmax() does not overflow", () => {
  near(softmax([1000, 1000 - Math.log(3)], 1), [0.75, 0.25]);
});
