/**
 * What a crawl has found, term by term, in memory and on disk.
 *
 * Writes image_urls.json, images.jsonl and terms.jsonl.
 *
 * ```ts
 * import { CrawlRecords } from "#lib/crawl/records.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import { equal } from "node:assert/strict";
 *
 * const terms = [{ category: "food", term: "fruit" }];
 * const records = new CrawlRecords("/tmp/unused", localSite("http://127.0.0.1:1"), 20, terms);
 * records.add(terms[0], { pictures: [], repeats: [], failure: "no answer in 30 s" });
 * equal(records.has(terms[0]), false);
 * equal(records.result().failures[0].reason, "no answer in 30 s");
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import pLimit from "p-limit";
import type { TermFindings } from "./term.ts";
import { readJsonLines, writeAtomic, writeJsonLines } from "../files.ts";
import type { FoundPicture } from "../records.ts";
import type { Site } from "./sites/site.ts";

/** A term of the search plan. */
export type PlanTerm = Pick<FoundPicture, "category" | "term">;

/** What a crawl found, in the plan's order. */
export interface CrawlResult {
  /** Each once. */
  pictures: FoundPicture[];
  /** What was shown again: within one term, or in a later one. */
  repeats: TermRepeat[];
  /** Terms that the next run will try again. */
  failures: TermFailure[];
}

/** A picture that came up again. */
export interface TermRepeat extends PlanTerm {
  /** At which address. */
  url: string;
  /** What it is a repeat of. */
  of: FoundPicture;
}

/** A term of which there is nothing, or maybe not all. */
export interface TermFailure extends PlanTerm {
  /** Why, in a few words: "429 Too Many Requests". */
  reason: string;
}

/** A line of terms.jsonl. */
interface TermRecord extends PlanTerm, TermFindings {
  site: string;
  maxImages: number;
}

/** The records of one site, crawled with one limit. */
export class CrawlRecords {
  #folder: string;
  #site: Site;
  #maxImages: number;
  #terms: readonly PlanTerm[];
  #records = new Map<string, TermRecord>();
  #writing = pLimit(1);

  /**
   * Starts without records.
   *
   * @param folder Where the three files lie.
   * @param maxImages Most pictures a term.
   * @param terms The plan, in its order.
   */
  constructor(
    folder: string,
    site: Site,
    maxImages: number,
    terms: readonly PlanTerm[],
  ) {
    this.#folder = folder;
    this.#site = site;
    this.#maxImages = maxImages;
    this.#terms = terms;
  }

  /** Takes up what earlier runs have written. */
  async read(): Promise<void> {
    const path = join(this.#folder, "terms.jsonl");
    if (!existsSync(path)) return;
    for (const record of await readJsonLines<TermRecord>(path)) {
      const { site, maxImages } = record;
      if (site === this.#site.name && maxImages === this.#maxImages) {
        this.#records.set(keyOf(record), record);
      }
    }
  }

  /** Whether a term has been crawled to its end. */
  has(term: PlanTerm): boolean {
    const record = this.#records.get(keyOf(term));
    return record !== undefined && !record.failure;
  }

  /** Adds a term; a try that failed takes nothing away from an earlier one. */
  add({ category, term }: PlanTerm, findings: TermFindings): void {
    const key = keyOf({ category, term });
    const earlier = this.#records.get(key)?.pictures.length ?? 0;
    if (findings.failure && findings.pictures.length < earlier) return;
    this.#records.set(key, {
      category,
      term,
      site: this.#site.name,
      maxImages: this.#maxImages,
      ...findings,
    });
  }

  /** Everything found for the plan; of equal pictures, the first. */
  result(): CrawlResult {
    const first = new Map<string, FoundPicture>();
    const repeats: TermRepeat[] = [];
    const failures: TermFailure[] = [];
    for (const { category, term } of this.#terms) {
      const record = this.#records.get(keyOf({ category, term }));
      if (!record) continue;
      for (const found of record.pictures) {
        const of = first.get(this.#site.pictureId(found.url));
        if (of) repeats.push({ category, term, url: found.url, of });
        else {
          first.set(this.#site.pictureId(found.url), {
            category,
            term,
            ...found,
          });
        }
      }
      for (const { url, of } of record.repeats) {
        const picture = first.get(this.#site.pictureId(of))!;
        repeats.push({ category, term, url, of: picture });
      }
      if (record.failure) {
        failures.push({ category, term, reason: record.failure });
      }
    }
    return { pictures: [...first.values()], repeats, failures };
  }

  /** Writes the three files, each whole. */
  write(): Promise<void> {
    return this.#writing(async () => {
      const { pictures } = this.result();
      const urls: Record<string, Record<string, string[]>> = {};
      for (const { category, term } of this.#terms) {
        if (!this.#records.has(keyOf({ category, term }))) continue;
        urls[category] ??= {};
        urls[category][term] = pictures
          .filter((found) => found.category === category && found.term === term)
          .map(({ url }) => url);
      }
      const at = (name: string) => join(this.#folder, name);
      await writeJsonLines(at("terms.jsonl"), [...this.#records.values()]);
      await writeJsonLines(at("images.jsonl"), pictures);
      await writeAtomic(
        at("image_urls.json"),
        JSON.stringify(urls, null, 4) + "\n",
      );
    });
  }
}

/** A category and a term cannot share a line break. */
function keyOf({ category, term }: PlanTerm): string {
  return `${category}\n${term}`;
}
