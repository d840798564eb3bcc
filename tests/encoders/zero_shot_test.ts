import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import type { Encoder } from "#lib/encoders/encoder.ts";
import { encodeClasses, fillTemplate } from "#lib/encoders/zero_shot.ts";

Deno.test("fillTemplate() puts the name in, with the right article", () => {
  equal(fillTemplate("a photo of a {}", "orange"), "a photo of an orange");
  equal(fillTemplate("a {} and a {}", "dog"), "a dog and a dog");
  equal(fillTemplate("{}", "$& $1"), "$& $1");
  throws(() => fillTemplate("a photo", "dog"), /with \{\}, got "a photo"/);
});

Deno.test("encodeClasses() is the unit mean over the templates, class by class", async () => {
  const asked: string[] = [];
  const encoder = {
    encodeTexts(texts: string[]) {
      asked.push(...texts);
      return Promise.resolve(
        Matrix.of(texts.map((text) => text.startsWith("x") ? [1, 0] : [0, 1])),
      );
    },
  } as unknown as Encoder;
  const [dog, cat] = await encodeClasses(encoder, ["dog", "cat"], [
    "x {}",
    "y {}",
  ]);
  deepEqual(asked, ["x dog", "y dog", "x cat", "y cat"]);
  for (const vector of [dog, cat]) {
    ok(Math.abs(vector[0] - Math.SQRT1_2) < 1e-6);
    ok(Math.abs(vector[1] - Math.SQRT1_2) < 1e-6);
  }
});
