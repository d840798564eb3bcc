/**
 * A search plan: what to look for, terms by category. The term under which a
 * picture is found becomes its class.
 *
 * Touches no files and no network.
 *
 * ```ts
 * import { checkPlan } from "#lib/crawl/plan.ts";
 * import { strictEqual, throws } from "node:assert/strict";
 *
 * const plan = checkPlan({ food: ["fruit", "vegetable"], space: ["planet"] });
 * strictEqual(plan.food.length, 2);
 * throws(() => checkPlan({ food: ["fruit", " "] }), /a term in "food", .* got " "/);
 * ```
 *
 * @module
 */

/** What to search for: terms by category. */
export type SearchPlan = Record<string, readonly string[]>;

/** More than that is several crawls: after each term all results are written. */
const MAX_TERMS = 1000;

/** Longest term or category, in UTF-16 units: an address has to hold it. */
const MAX_LENGTH = 500;

/**
 * Makes sure that something is a plan, wherever it comes from: a program, a file.
 *
 * A term stands in it once: found under two categories, its pictures would be of
 * one class all the same.
 *
 * @returns The same object.
 * @throws {TypeError} If it is none: says what was expected, and quotes it.
 */
export function checkPlan(plan: unknown): SearchPlan {
  if (typeof plan !== "object" || plan === null || Array.isArray(plan)) {
    throw unexpected('{"category": ["term", …], …}', quote(plan));
  }
  const categories = new Map<string, string>();
  for (const [category, terms] of Object.entries(plan)) {
    checkName("a category", category);
    const here = quote(category);
    if (!Array.isArray(terms)) {
      throw unexpected(`a list of terms in ${here}`, quote(terms));
    }
    for (const term of terms) {
      checkName(`a term in ${here}`, term);
      // The same to the eye.
      const name = term.normalize("NFC").trim();
      const other = categories.get(name);
      if (other !== undefined) {
        const where = other === category ? here : `${quote(other)} and ${here}`;
        throw unexpected("each term once", `${quote(term)} twice, in ${where}`);
      }
      categories.set(name, category);
    }
  }
  const count = categories.size;
  if (count === 0) throw unexpected("a term or more", quote(plan));
  if (count <= MAX_TERMS) return plan as SearchPlan;
  throw unexpected(`${MAX_TERMS} terms at most`, `${count}: make it several`);
}

/** Terms and categories are names of fields in files, and parts of addresses. */
function checkName(what: string, name: unknown): asserts name is string {
  const isName = typeof name === "string" && name.trim() !== "" &&
    // Half a character has no place in an address.
    name.length <= MAX_LENGTH && !/\p{Cc}/u.test(name) && name.isWellFormed() &&
    name !== "__proto__";
  if (isName) return;
  const kind = `${what}, text on one line of ${MAX_LENGTH} letters at most`;
  throw unexpected(kind, quote(name));
}

function unexpected(expected: string, got: string): TypeError {
  return new TypeError(`plan: expected ${expected}, got ${got}`);
}

/** As it would stand in a file of JSON, cut short. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
