/**
 * Crawls one term by a site's documented interface, without a browser: asks for
 * pages of results until there are enough pictures, or no more pages.
 *
 * Requests leave one after the other, at the site's pace. Where a site tells how
 * much of a quota is left, we stop before it is exceeded: a short wait is waited
 * for, and for a long one the terms stay open, with the time to come again, which
 * the next run knows (closed.ts).
 *
 * ```ts
 * import { apiAsk, crawlApiTerm } from "#lib/crawl/api_term.ts";
 * import type { ApiSite } from "#lib/crawl/sites/site.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const owl = { url: "https://example.org/owl.jpg", page: "", caption: "An owl",
 *   author: "Ada", license: "CC BY 4.0" };
 * const site: ApiSite = {
 *   name: "Example",
 *   intervalMs: 0,
 *   origin: "https://example.org",
 *   pictureId: (url) => url,
 *   async *search() {
 *     yield [owl];
 *   },
 * };
 * const { pictures } = await crawlApiTerm(apiAsk(site), site, "owl", { maxImages: 9 });
 * strictEqual(pictures[0].author, "Ada");
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { FinalError } from "../http/final_error.ts";
import { Host } from "../http/hosts.ts";
import {
  checkStatus,
  readStart,
  send,
  STOPPED,
  userAgent,
} from "../http/http.ts";
import { request } from "../http/request.ts";
import { isOneOf } from "./licences.ts";
import { Skipped } from "./sites/fields.ts";
import type { ApiError, ApiSite, Ask } from "./sites/site.ts";
import { SearchResults, type TermFindings, tidy } from "./search_results.ts";

/** Largest answer that is read: a page of 500 results has a tenth of that. */
const MAX_BYTES = 5 * 2 ** 20;

/** Answers without a new picture before a search counts as going in circles. */
const MAX_IDLE_ANSWERS = 100;

/** Longest part of an answer that is quoted. */
const MAX_QUOTED = 60;

/** Longest wait for a quota; after that, another run goes on. */
const PATIENCE_MS = 120_000;

/** How to ask. */
export interface AskOptions {
  /** Least time between two requests. @default {the site's} */
  intervalMs?: number;
  /** Wait after a failure that may pass; doubles with the next. @default {1000} */
  backoffMs?: number;
  /** Time for an answer to arrive. @default {30_000} */
  timeoutMs?: number;
  /** When the site may be asked, as of Date.now(). @default {0}, at once */
  openAt?: number;
  /** Keeps that time for later runs, where an answer tells of another. */
  keepOpenAt?: (openAt: number) => Promise<void>;
  /** Ends the waiting and the request under way. */
  signal?: AbortSignal;
}

/** What asks a site for all terms of a crawl, so that they share its pace. */
export function apiAsk(site: ApiSite, options: AskOptions = {}): Ask {
  const { intervalMs = site.intervalMs, backoffMs = 1000, signal } = options;
  const { host: name } = new URL(site.origin);
  const host = new Host(name, { intervalMs, backoffMs, concurrency: 1 });
  let { openAt = 0 } = options;
  const pauseLeft = () => {
    const pause = openAt - Date.now();
    if (pause > PATIENCE_MS) throw new FinalError(comeAgain(site, openAt));
    return Math.max(0, pause);
  };
  return (url, schema) =>
    send(host, async () => {
      await sleep(pauseLeft(), undefined, { signal });
      const answer = await askOnce(site, url, options);
      const { response } = answer;
      const pause = pauseAfter(site, response);
      openAt = Date.now() + pause;
      if (pause > 0) await options.keepOpenAt?.(openAt);
      if (response.status === 429) pauseLeft();
      check(response, site.errorOf?.(answer.content));
      return read(schema, answer);
    }, signal);
}

/** When a site may be asked again, in words; the minute is a whole one later. */
function comeAgain({ name }: ApiSite, openAt: number): string {
  const time = new Date(openAt + 60_000).toISOString().slice(0, 16);
  return `${name} has no requests left for us until ${
    time.replace("T", " ")
  } UTC: run again then`;
}

/** An answer; what is no JSON has itself as content. */
interface Answer {
  response: Response;
  text: string;
  content: unknown;
}

async function askOnce(
  site: ApiSite,
  url: URL,
  { timeoutMs = 30_000, signal }: AskOptions,
): Promise<Answer> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await request(url, {
      headers: { "accept": "application/json", "user-agent": userAgent() },
      allowedHosts: site.allowedHost ? [site.allowedHost] : [],
      signal: AbortSignal.any([late, ...signal ? [signal] : []]),
    });
    const bytes = await readStart(response, MAX_BYTES + 1);
    if (bytes.length > MAX_BYTES) {
      throw new FinalError(`expected ${MAX_BYTES} bytes at most, got more`);
    }
    const text = Buffer.from(bytes).toString();
    return { response, text, content: parse(text) };
  } catch (error) {
    throw late.aborted ? new Error("no whole answer in time") : error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** How long nothing may be asked after an answer, in milliseconds. */
function pauseAfter(site: ApiSite, { headers }: Response): number {
  const [seconds] = /^\d{1,7}$/.exec(headers.get("retry-after") ?? "") ?? [];
  return seconds ? 1000 * Number(seconds) : site.pauseAfter?.(headers) ?? 0;
}

/** Throws if an answer is an error, in its status or in its content. */
function check(
  { status, statusText, headers }: Response,
  error: ApiError | undefined,
): void {
  const retryAfter = headers.get("retry-after");
  const said = tidy(error?.said ?? "");
  checkStatus(status, said ? `${statusText}: ${said}` : statusText, retryAfter);
  if (status >= 300) throw new FinalError(`expected an answer, got ${status}`);
  if (!error) return;
  if (error.remedy === "wait") checkStatus(503, said, retryAfter ?? "5");
  throw error.remedy === "retry" ? new Error(said) : new FinalError(said);
}

/**
 * What the schema makes of an answer.
 *
 * @throws {FinalError} If that is none: quotes its beginning.
 */
function read<Schema extends v.GenericSchema>(
  schema: Schema,
  { text, content }: Answer,
): v.InferOutput<Schema> {
  const { success, output, issues } = v.safeParse(schema, content);
  if (success) return output;
  const [issue] = issues;
  const { expected, received, message } = issue;
  const place = v.getDotPath(issue);
  const [as, part] = place ? [` as ${place}`, `${received} in `] : ["", ""];
  const start = JSON.stringify(text.slice(0, MAX_QUOTED));
  throw new FinalError(
    `expected ${expected ?? message}${as}, got ${
      part.slice(-MAX_QUOTED)
    }${start}`,
  );
}

/**
 * Crawls one term.
 *
 * Never throws over the site: what was found until then is returned with the
 * reason.
 *
 * @param ask As `apiAsk` makes it.
 */
export async function crawlApiTerm(
  ask: Ask,
  site: ApiSite,
  term: string,
  { maxImages, signal }: { maxImages: number; signal?: AbortSignal },
): Promise<TermFindings> {
  const results = new SearchResults(site, maxImages);
  const { licences = [] } = site;
  let under = "";
  let idle = 0;
  const askOn: Ask = (url, schema) => {
    if (idle++ < MAX_IDLE_ANSWERS) return ask(url, schema);
    throw new FinalError(`nothing new in ${MAX_IDLE_ANSWERS} answers`);
  };
  let failure: string | undefined;
  try {
    signal?.throwIfAborted();
    for await (const page of site.search(term, askOn)) {
      const count = results.pictures.length;
      const wanted = page.filter((found) =>
        found instanceof Skipped || licences.length === 0 ||
        isOneOf(found.license, licences)
      );
      if (wanted.length < page.length) under = ` under ${licences.join(", ")}`;
      results.add(wanted);
      if (results.complete) break;
      if (results.pictures.length > count) idle = 0;
    }
    if (results.pictures.length === 0) {
      failure = `no pictures for "${term}"${under}`;
    }
  } catch (error) {
    failure = signal?.aborted
      ? STOPPED
      : (error as Error).message.split("\n")[0];
  }
  return results.findings(failure);
}
