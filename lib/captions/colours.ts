/**
 * Which colours captions tell, as a question about pictures that has an answer:
 * a term whose captions name two colours can be asked for in either.
 *
 * Knows the English words. Touches no files.
 *
 * ```ts
 * import { mostColoured } from "#lib/captions/colours.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const term = "apple";
 * const apples = ["A red apple.", "A green apple.", "Red, and ripe."]
 *   .map((caption) => ({ term, caption }));
 * deepStrictEqual(mostColoured(apples), { term, colours: ["red", "green"], counts: [2, 1] });
 * ```
 *
 * @module
 */

/** A term and the two colours that most of its captions name. */
export interface Coloured {
  term: string;
  colours: [string, string];
  /** How many captions name each. */
  counts: [number, number];
}

/** Red and green come first, and so are taken where no caption tells. */
const COLOURS = [
  ...["red", "green", "blue", "yellow", "orange", "brown", "black", "white"],
  ...["grey", "pink", "purple"],
];

/**
 * The term of whose captions the most name its second colour; the first one of
 * several alike.
 *
 * @throws {RangeError} If there are no pictures.
 */
export function mostColoured(
  pictures: readonly { term: string; caption: string }[],
): Coloured {
  const ofTerms = [...Map.groupBy(pictures, ({ term }) => term)].map(
    ([term, ofTerm]): Coloured => {
      const words = ofTerm.map(({ caption }) =>
        caption.toLowerCase().replaceAll("gray", "grey").split(/[^a-z]+/)
      );
      const [first, second] = COLOURS.map((colour) => ({
        colour,
        count: words.filter((caption) => caption.includes(colour)).length,
      })).toSorted((a, b) => b.count - a.count);
      return {
        term,
        colours: [first.colour, second.colour],
        counts: [first.count, second.count],
      };
    },
  );
  if (ofTerms.length === 0) {
    throw new RangeError("mostColoured: expected a picture or more, got none");
  }
  return ofTerms.reduce((best, one) =>
    one.counts[1] > best.counts[1] ? one : best
  );
}
