/**
 * What the sites' answers have in common: fields and items that may be missing or
 * null, and licences by the site's own codes.
 *
 * ```ts
 * import { licenceCodes, pixels, text } from "#lib/crawl/sites/fields.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 * import * as v from "valibot";
 *
 * const photo = v.object({ title: text, width: pixels });
 * const answer = { title: null, width: "1024", secret: "ab12" };
 * deepStrictEqual(v.parse(photo, answer), { title: "", width: 1024 });
 *
 * const codes = { 4: "CC BY 2.0", 5: "CC BY-SA 2.0", 11: "CC BY 4.0" };
 * deepStrictEqual(licenceCodes("Flickr", codes, ["CC BY"]), ["4", "11"]);
 * ```
 *
 * @module
 */
import * as v from "valibot";
import { FinalError } from "../../http/final_error.ts";
import { isOneOf } from "../licences.ts";

/** A text; "" where there is none. */
export const text: v.GenericSchema<unknown, string> = v.fallback(
  v.string(),
  "",
);

/** A number, which some write as a text; NaN where there is none. */
export const number: v.GenericSchema<unknown, number> = v.pipe(
  v.fallback(v.union([v.number(), v.string()]), NaN),
  v.transform(Number),
);

/** A length in pixels; undefined where there is none. */
export const pixels: v.GenericSchema<unknown, number | undefined> = v.pipe(
  v.optional(number),
  v.transform((length) => length! > 0 ? length : undefined),
);

/** What is left out: its address, "" where none is known, and why. */
export class Skipped {
  readonly url: string;
  readonly reason: string;

  constructor(url: string, reason: string) {
    this.url = url;
    this.reason = reason;
  }
}

/** A list; where an item is none, why it is left out: the others still come. */
export function listOf<Item>(
  item: v.GenericSchema<unknown, Item>,
): v.GenericSchema<unknown, (Item | Skipped)[]> {
  return v.pipe(
    v.array(v.unknown()),
    v.transform((list) =>
      list.map((found) => {
        const { success, output, issues } = v.safeParse(item, found);
        if (success) return output;
        const [{ expected, received }] = issues;
        return new Skipped("", `expected ${expected}, got ${received}`);
      })
    ),
  );
}

/**
 * The start of a text, by whole characters: no file of JSON that has half of one
 * can be read everywhere.
 *
 * @param length In UTF-16 units, at most.
 */
export function cut(text: string, length: number): string {
  const start = text.toWellFormed().slice(0, length);
  return start.isWellFormed() ? start : start.slice(0, -1);
}

/**
 * A site's codes for the licences that are wanted.
 *
 * @param names The licences that the site knows, by its codes.
 * @param wanted As isOneOf() of licences.ts takes them.
 * @returns None if any licence will do.
 * @throws {FinalError} If the site knows none of them.
 */
export function licenceCodes(
  site: string,
  names: Record<string, string>,
  wanted: readonly string[],
): string[] {
  const codes = Object.keys(names).filter((code) =>
    isOneOf(names[code], wanted)
  );
  if (wanted.length > 0 && codes.length === 0) {
    const known = [...new Set(Object.values(names))].join(", ");
    throw new FinalError(
      `${site} has no pictures under ${
        wanted.join(", ")
      }: expected one of ${known}`,
    );
  }
  return codes;
}
