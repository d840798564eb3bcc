/**
 * A plan of one's own for the crawl of notebook 1: terms by category, in a file
 * of JSON.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { openLibrary } from "../lib/photo_site/library.ts";
import { readSample } from "../lib/photo_site/sample.ts";
import { CommandError } from "./command.ts";
import type { Progress } from "./progress.ts";

/**
 * Reads a plan, and says which of its terms the practice site does not know.
 *
 * @throws {CommandError} If it is none, or the site knows none of its terms.
 */
export async function readPlan(
  path: string,
  progress: Pick<Progress, "remarks">,
): Promise<Record<string, string[]>> {
  const text = await readFile(path, "utf8").catch(({ code }) => {
    throw new CommandError(`--plan: ${path} cannot be read (${code})`);
  });
  const plan = parsePlan(path, text);
  const site = openLibrary(await readSample());
  const terms = Object.values(plan).flat();
  const unknown = terms.filter((term) => site.search(term).length === 0);
  if (unknown.length > 0) {
    const known = site.terms.map(({ term }) => term).join(", ");
    const problem = `the practice site has no pictures of ${
      unknown.map((term) => JSON.stringify(term)).join(", ")
    }; it knows ${known}`;
    if (unknown.length === terms.length) {
      throw new CommandError(`--plan: ${problem}`);
    }
    progress.remarks([problem], 1);
  }
  return plan;
}

/**
 * Reads the text of a plan.
 *
 * @param path Named where it is none.
 * @throws {CommandError} If it is none.
 */
export function parsePlan(
  path: string,
  text: string,
): Record<string, string[]> {
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw new CommandError(`--plan: ${path} is no JSON: ${message}`);
  }
  if (isPlan(plan)) return plan;
  throw new CommandError(
    `--plan: expected {"category": ["term", …], …} with a term or more, got ${
      JSON.stringify(plan).slice(0, 80)
    }`,
  );
}

function isPlan(value: unknown): value is Record<string, string[]> {
  if (typeof value !== "object" || value === null) return false;
  const terms = Object.values(value);
  return !Array.isArray(value) && terms.flat().length > 0 &&
    terms.every((list) =>
      Array.isArray(list) &&
      list.every((term) => typeof term === "string" && term.trim() !== "")
    );
}
