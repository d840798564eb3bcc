/**
 * What became of each address: done, or left out at some stage for some reason.
 *
 * An account is a line of 2_dataset/accounts.jsonl, in the order in which the
 * addresses came.
 *
 * ```ts
 * import { type Account, reasonCounts } from "#lib/dataset/accounts.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const owl: Account = { category: "birds", term: "owl", page: "", caption: "",
 *   url: "https://example.org/a.jpg", author: "", license: "",
 *   outcome: "too small", stage: "clean", reason: "40 × 40 pixels" };
 * deepEqual(reasonCounts([owl, owl]), [
 *   { site: "example.org", stage: "clean", reason: "too small", count: 2 },
 * ]);
 * ```
 *
 * @module
 */
import { join } from "node:path";
import { readJsonLines, requireStage } from "../files.ts";
import { paths } from "../paths.ts";
import type { FoundPicture } from "../records.ts";

/** How a picture can end: in a split, or left out, in the order of the steps. */
export const OUTCOMES = [
  "not downloaded",
  "corrupt",
  "too small",
  "too large",
  "duplicate",
  "near duplicate",
  "class too small",
  "train",
  "test",
] as const;

/** Where a found picture ended: why it was left out, or in which split. */
export type Outcome = typeof OUTCOMES[number];

/** What became of one found picture. */
export interface Account extends FoundPicture {
  /** Where it ended. */
  outcome: Outcome;
  /** Why it was left out; "" for a picture of the data set. */
  reason: string;
  /**
   * Where it was left out: a stage of the download, "clean", "compare" or
   * "split"; "" for a picture of the data set.
   */
  stage: string;
  /** The downloaded file's absolute path, if there is one. */
  file?: string;
}

/** Where the accounts lie. */
export function accountsPath(): string {
  return join(paths.dataset, "accounts.jsonl");
}

/**
 * Reads the accounts of the data set, one for each address, in the order of the
 * source.
 *
 * @throws {Error} If notebook 2 has not run.
 */
export function readAccounts(): Promise<Account[]> {
  return requireStage(accountsPath(), 2, readJsonLines<Account>);
}

/** How many addresses of a site were left out at a stage for a reason. */
export interface ReasonCount {
  /** The host: "example.org"; "files" for a picture without an address. */
  site: string;
  /** Where: "connect", "clean" … */
  stage: string;
  /** Why, without what differs from picture to picture. */
  reason: string;
  count: number;
}

/** Counts what was left out, the most frequent first. */
export function reasonCounts(accounts: Iterable<Account>): ReasonCount[] {
  const counts = new Map<string, ReasonCount>();
  for (const { url, stage, outcome, reason: said } of accounts) {
    if (outcome === "train" || outcome === "test") continue;
    const site = siteOf(url);
    const reason = outcome === "not downloaded" ? said : outcome;
    const key = JSON.stringify([site, stage, reason]);
    const counted = counts.get(key) ?? { site, stage, reason, count: 0 };
    counted.count++;
    counts.set(key, counted);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}

function siteOf(url: string): string {
  if (url === "") return "files";
  return URL.parse(url)?.host || "no address";
}

/** How many pictures are left after each step, in the order of the steps. */
export function countLeft(
  counts: Record<Outcome, number>,
): Record<string, number> {
  const sum = (outcomes: readonly Outcome[]) =>
    outcomes.reduce((total, outcome) => total + counts[outcome], 0);
  let left = sum(OUTCOMES);
  const steps: Record<string, number> = { found: left };
  for (const [step, lost] of Object.entries(LOST_AT)) {
    left -= sum(lost);
    steps[step] = left;
  }
  return steps;
}

/** How pictures end at each step, in the order of the steps. */
const LOST_AT: Record<string, Outcome[]> = {
  downloaded: ["not downloaded"],
  decodable: ["corrupt"],
  "right size": ["too small", "too large"],
  distinct: ["duplicate"],
  unlike: ["near duplicate"],
  split: ["class too small"],
};
