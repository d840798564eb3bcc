/**
 * A plan of one's own for the crawl of notebook 1: terms by category, in a file
 * of JSON.
 *
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { checkPlan, type SearchPlan } from "../lib/crawl/plan.ts";
import { openLibrary } from "../lib/photo_site/library.ts";
import { readSample } from "../lib/photo_site/sample.ts";
import { CommandError, readPath } from "./command.ts";
import type { Progress } from "./progress.ts";

/** Largest file that is read, in bytes: the longest plan has half of that. */
const MAX_BYTES = 5_000_000;

/**
 * Reads a plan for the practice site, and says which of its terms that does not
 * know.
 *
 * @throws {CommandError} If it is none, or the site knows none of its terms.
 */
export async function readPlan(
  path: string,
  progress: Pick<Progress, "remarks">,
): Promise<SearchPlan> {
  const plan = await readPlanFile("--plan", path);
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
 * Reads a plan for any site.
 *
 * @param what What it was given as: "--plan".
 * @throws {CommandError} If there is none: names the file, quotes what is wrong.
 */
export async function readPlanFile(
  what: string,
  path: string,
): Promise<SearchPlan> {
  const file = readPath(what, path, "file");
  const { size } = await stat(file);
  if (size > MAX_BYTES) {
    throw new CommandError(
      `${path}: expected a plan of ${
        MAX_BYTES / 1e6
      } MB at most, got ${size} bytes`,
    );
  }
  // Some editors put a mark in front.
  const text = (await readFile(file, "utf8")).replace(/^\ufeff/, "");
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw new CommandError(`${path} is no JSON: ${message}`);
  }
  return readTerms(path, plan);
}

/**
 * Takes a plan, wherever it comes from.
 *
 * @param source Named where it is none: the file, the command.
 * @throws {CommandError} If it is none: quotes what is wrong.
 */
export function readTerms(source: string, plan: unknown): SearchPlan {
  try {
    return checkPlan(plan);
  } catch (error) {
    const { message } = error as Error;
    throw new CommandError(message.replace(/^plan/, source));
  }
}
