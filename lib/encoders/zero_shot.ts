/**
 * Classes from words alone: a class is the vector of its name in a sentence.
 *
 * An encoder that holds pictures and texts in one space can sort pictures
 * into classes it was never shown: each picture goes to the class whose text
 * is nearest. Radford et al., "Learning Transferable Visual Models From
 * Natural Language Supervision", 2021, section 3.1.4, found a sentence better
 * than the bare name, and the mean over several sentences better than one.
 *
 * ```ts
 * import { fillTemplate } from "#lib/encoders/zero_shot.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(fillTemplate("a photo of a {}", "planet"), "a photo of a planet");
 * equal(fillTemplate("a photo of a {}", "owl"), "a photo of an owl");
 * ```
 *
 * @module
 */
import { Matrix } from "../compare/matrix.ts";
import { addScaled, l2Normalize } from "../compare/metrics.ts";
import type { Encoder } from "./encoder.ts";

/** One sentence: what most captions on the web look like. */
export const singleTemplate: readonly string[] = ["a photo of a {}"];

/** Several sentences about the same thing; their mean is the class. */
export const templateEnsemble: readonly string[] = [
  "{}",
  "a photo of a {}",
  "a photo of one {}",
  "a close-up photo of a {}",
  "a {} on a white background",
  "a picture of the {}",
];

/**
 * A template with its {} replaced by a name, and "a" by "an" before a vowel.
 *
 * @throws {RangeError} If the template has no {}.
 */
export function fillTemplate(template: string, name: string): string {
  if (!template.includes("{}")) {
    throw new RangeError(
      `fillTemplate: expected a template with {}, got "${template}"`,
    );
  }
  return template
    .replaceAll(/\ba \{\}/g, /^[aeiou]/i.test(name) ? "an {}" : "a {}")
    // A function, since "$&" in a name would otherwise be read as a pattern.
    .replaceAll("{}", () => name);
}

/**
 * One unit vector a class: the mean of its filled templates.
 *
 * @param names Class names, in plain words.
 * @param templates Sentences with {} in the place of the name.
 */
export async function encodeClasses(
  encoder: Encoder,
  names: readonly string[],
  templates: readonly string[] = singleTemplate,
): Promise<Matrix> {
  const texts = names.flatMap((name) =>
    templates.map((template) => fillTemplate(template, name))
  );
  const vectors = await encoder.encodeTexts(texts);
  const classes = Matrix.empty(vectors.dimensions, names.length);
  for (let start = 0; start < vectors.count; start += templates.length) {
    const sum = new Float32Array(vectors.dimensions);
    for (const vector of vectors.slice(start, start + templates.length)) {
      addScaled(sum, vector);
    }
    classes.append(l2Normalize(sum));
  }
  return classes;
}
