/**
 * What a crawl has found, term by term, in memory and on disk.
 *
 * Writes image_urls.json, images.jsonl and terms.jsonl.
 *
 * ```ts
 * import { keyOf, toResult } from "#lib/crawl/records.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const fruit = { category: "food", term: "fruit" };
 * const record = { ...fruit, site: "", maxImages: 20, pictures: [], repeats: [],
 *   failure: "no answer in 30 s" };
 * const records = new Map([[keyOf(fruit), record]]);
 * const { failures } = toResult([fruit], records, localSite("http://127.0.0.1:1"));
 * deepEqual(failures, [{ ...fruit, reason: "no answer in 30 s" }]);
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJsonLines, writeAtomic, writeJsonLines } from "../files.ts";
import { STOPPED } from "../http/http.ts";
import type { FoundPicture } from "../records.ts";
import type { Site } from "./sites/site.ts";
import type { TermFindings } from "./search_results.ts";

/** A term of the search plan. */
export type PlanTerm = Pick<FoundPicture, "category" | "term">;

/** What a crawl found, in the plan's order. */
export interface CrawlResult {
  /** Each once. */
  pictures: FoundPicture[];
  /** What was shown again, within one term or in a later one: where, and what. */
  repeats: (PlanTerm & { url: string; of: FoundPicture })[];
  /** What was left out, such as addresses that are none of the web, and why. */
  skipped: (PlanTerm & { url: string; reason: string })[];
  /** What else is to be known of a term's pictures: that no credits could be read. */
  remarks: (PlanTerm & { remark: string })[];
  /** Terms that the next run will try again: "429 Too Many Requests". */
  failures: (PlanTerm & { reason: string })[];
  /** Terms that a stop left open, begun or not: the next run goes on there. */
  notReached: PlanTerm[];
  /** What decides whether the site may be asked, and what it says. */
  robots: RobotsDecision;
}

/** Whether a site may be asked. */
export interface RobotsDecision {
  /** Where the site says so; where it is asked, if that is an interface. */
  url: string;
  /** "https://example.org/robots.txt allows /search/, one request in 2 s". */
  decision: string;
}

/** A crawled term: a line of terms.jsonl. */
export interface TermRecord extends PlanTerm, TermFindings {
  /** What was searched, as `searchedSite` says it. */
  site: string;
  /** Most pictures that were wanted. */
  maxImages: number;
}

/** Crawled terms by `keyOf`. */
export type TermRecords = Map<string, TermRecord>;

/** A category and a term cannot share a line break. */
export function keyOf({ category, term }: PlanTerm): string {
  return `${category}\n${term}`;
}

/**
 * The site's name, and all else that its results depend on: what was found under
 * one licence is not what another search would find.
 */
export function searchedSite({ name, licences = [], variant }: Site): string {
  const terms = licences.length > 0 ? `only ${licences.join(", ")}` : undefined;
  return [name, terms, variant].filter(Boolean).join("; ");
}

/** The terms that earlier runs have crawled on this site with this limit. */
export async function readRecords(
  folder: string,
  site: Site,
  maxImages: number,
): Promise<TermRecords> {
  const path = join(folder, "terms.jsonl");
  const all = existsSync(path) ? await readJsonLines<TermRecord>(path) : [];
  const usable = all.filter((record) =>
    record.site === searchedSite(site) && record.maxImages === maxImages
  );
  return new Map(usable.map((record) => [keyOf(record), record]));
}

/** Everything found for a plan; of equal pictures, the first. */
export function toResult(
  plan: readonly PlanTerm[],
  records: TermRecords,
  site: Site,
): Omit<CrawlResult, "robots"> {
  const first = new Map<string, FoundPicture>();
  const result: Omit<CrawlResult, "robots"> = {
    pictures: [],
    repeats: [],
    skipped: [],
    remarks: [],
    failures: [],
    notReached: [],
  };
  for (const { category, term } of plan) {
    const record = records.get(keyOf({ category, term }));
    if (!record) continue;
    for (const found of record.pictures) {
      const id = site.pictureId(found.url);
      const of = first.get(id);
      if (of) result.repeats.push({ category, term, url: found.url, of });
      else first.set(id, { category, term, ...found });
    }
    for (const { url, of } of record.repeats) {
      const picture = first.get(site.pictureId(of))!;
      result.repeats.push({ category, term, url, of: picture });
    }
    for (const skipped of record.skipped ?? []) {
      result.skipped.push({ category, term, ...skipped });
    }
    const { failure: reason, remark } = record;
    if (remark) result.remarks.push({ category, term, remark });
    if (reason === STOPPED) result.notReached.push({ category, term });
    else if (reason) result.failures.push({ category, term, reason });
  }
  return { ...result, pictures: [...first.values()] };
}

/** Writes the three files, each whole. */
export async function writeRecords(
  folder: string,
  plan: readonly PlanTerm[],
  records: TermRecords,
  { pictures }: Pick<CrawlResult, "pictures">,
): Promise<void> {
  const urls: Record<string, Record<string, string[]>> = {};
  for (const { category, term } of plan) {
    if (!records.has(keyOf({ category, term }))) continue;
    urls[category] ??= {};
    urls[category][term] = [];
  }
  for (const { category, term, url } of pictures) {
    urls[category][term].push(url);
  }
  // In the order of their names, not in that in which they were done: a crawl
  // that was interrupted ends with the file of one that was not.
  const byName = [...records].sort(([a], [b]) => a < b ? -1 : 1);
  const sorted = byName.map(([, record]) => record);
  await writeJsonLines(join(folder, "terms.jsonl"), sorted);
  await writeJsonLines(join(folder, "images.jsonl"), pictures);
  const text = JSON.stringify(urls, null, 4) + "\n";
  await writeAtomic(join(folder, "image_urls.json"), text);
}
