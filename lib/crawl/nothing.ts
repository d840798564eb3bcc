/**
 * What is kept of a page on which nothing was found, for whoever looks why: how
 * it looked, and its HTML.
 *
 * ```ts
 * import { nameOfTerm } from "#lib/crawl/nothing.ts";
 * import { match, notStrictEqual } from "node:assert/strict";
 *
 * const name = (term: string) => nameOfTerm("Flickr", { category: "birds", term });
 * match(name("owl / hen"), /^owl _ hen-[0-9a-f]{12}$/);
 * notStrictEqual(name("a/b").toLowerCase(), name("A_b").toLowerCase());
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { keyOf, type PlanTerm } from "./records.ts";
import type { SearchPage } from "./search_page.ts";

/** Letters of a term in a file's name: the longest take four bytes each. */
const MAX_LETTERS = 40;

/**
 * A name for a term's files, on any disk: its letters and digits, then a sum by
 * which "a/b" and "a_b", "Owl" and "owl" differ.
 */
export function nameOfTerm(site: string, term: PlanTerm): string {
  const sum = createHash("sha256").update(`${site}\n${keyOf(term)}`);
  const letters = term.term.normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N} -]+/gu, "_").trim();
  const start = [...letters].slice(0, MAX_LETTERS).join("");
  return `${start}-${sum.digest("hex").slice(0, 12)}`;
}

/**
 * Saves a page in the folder `nothing` below the crawl's.
 *
 * @returns Where, for a message: "1_crawl/nothing/NAME.png and NAME.html".
 */
export async function saveNothing(
  page: SearchPage,
  folder: string,
  site: string,
  term: PlanTerm,
): Promise<string> {
  const name = nameOfTerm(site, term);
  try {
    await page.save(join(folder, "nothing", name));
    return `${basename(folder)}/nothing/${name}.png and ${name}.html`;
  } catch (error) {
    return `no picture of it (${(error as Error).message.split("\n")[0]})`;
  }
}
