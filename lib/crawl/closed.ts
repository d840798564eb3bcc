/**
 * Until when a site may not be asked, since a quota is used up: closed.json
 * beside a crawl's results, so that the next run does not ask before.
 *
 * ```ts
 * import { keepOpenAt, readOpenAt } from "#lib/crawl/closed.ts";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/crawl-");
 * const tomorrow = Date.now() + 86_400_000;
 * await keepOpenAt(folder, "https://api.openverse.org", tomorrow);
 * strictEqual(await readOpenAt(folder, "https://api.openverse.org"), tomorrow);
 * strictEqual(await readOpenAt(folder, "https://example.org"), 0);
 * ```
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { writeAtomic } from "../files.ts";

/** Longest time that is believed, in milliseconds: a clock may have been wrong. */
const MAX_CLOSED_MS = 10_000_000_000;

/** Times as of Date.now(), by the sites' origins. */
const times = v.record(v.string(), v.number());

/** When a site may be asked again, as of Date.now(); 0 for at once. */
export async function readOpenAt(
  folder: string,
  origin: string,
): Promise<number> {
  return (await readClosed(folder))[origin] ?? 0;
}

/**
 * Keeps until when a site may not be asked, beside the other sites' times.
 *
 * @throws {Error} If the file cannot be written.
 */
export async function keepOpenAt(
  folder: string,
  origin: string,
  openAt: number,
): Promise<void> {
  const closed = { ...await readClosed(folder), [origin]: openAt };
  await writeAtomic(join(folder, "closed.json"), JSON.stringify(closed) + "\n");
}

/** The sites that are closed now; none where the file is absent or damaged. */
async function readClosed(folder: string): Promise<Record<string, number>> {
  const text = await readFile(join(folder, "closed.json"), "utf8")
    .catch(() => "{}");
  const now = Date.now();
  const closed = Object.entries(v.parse(v.fallback(times, {}), parse(text)));
  return Object.fromEntries(
    closed.filter(([, at]) => at > now && at < now + MAX_CLOSED_MS),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
