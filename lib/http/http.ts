/**
 * One rule for whatever goes over HTTP: a crawl's pages, pictures, large files.
 *
 * | an answer | means |
 * | --- | --- |
 * | below 400 | ok |
 * | 429, or 503 with Retry-After | refused: the host pauses as long as it asks |
 * | 408, 5xx; a broken connection; silence | may pass: sent again, a few times |
 * | anything else | final |
 *
 * Beside this, request.ts sends one request, to whom addresses.ts lets it;
 * final_error.ts is the error that says: do not ask again; stages.ts, where a
 * request ended;
 * hosts.ts holds hosts' timetables, large_file.ts downloads what is too large to
 * begin anew, by the parts of part.ts, zip.ts reads archives, near or far, and connections.ts is for the
 * other side: how long our own servers wait.
 *
 * ```ts
 * import { fetchOnce, send } from "#lib/http/http.ts";
 * import { Host } from "#lib/http/hosts.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { match } from "node:assert/strict";
 *
 * const site = await startPhotoSite({
 *   port: 0,
 *   faults: [{ match: /robots/, answer: "500", times: 2 }],
 * });
 * const host = new Host("the photo site", { backoffMs: 10 });
 * const url = `${site.origin}/robots.txt`;
 * const read = (response: Response) => response.text();
 * const options = { allowedHosts: [site.host] }; // It is this machine's.
 * match(await send(host, () => fetchOnce(url, read, options)), /Disallow/);
 * await site.close();
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
// Node's own timers, whose refresh() the global ones lack under Deno.
import { clearTimeout, setTimeout } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import pRetry from "p-retry";
import { environment } from "../paths.ts";
import { FinalError } from "./final_error.ts";
import { type Host, inQueue } from "./hosts.ts";
import { request, type RequestOptions } from "./request.ts";
import { at, stageOf } from "./stages.ts";

/** What a robots.txt calls us. */
export const PRODUCT = "contact-sheet";

/** As in deno.json. */
const VERSION = "0.1.0";

/** A mail address or a URL that can stand in a header, in brackets. */
const CONTACT = /^(https?:\/\/|[!-'*-?A-~]+@)[!-'*-~]{1,200}$/;

/**
 * What we call ourselves to other machines: "contact-sheet/0.1.0", and in
 * brackets how to reach whoever asks, where CONTACT_SHEET_CONTACT says it. A site
 * that minds can then write instead of locking us out.
 *
 * @throws {FinalError} If that is neither a mail address nor a URL.
 */
export function userAgent(): string {
  const contact = environment("CONTACT_SHEET_CONTACT");
  if (contact === undefined) return `${PRODUCT}/${VERSION}`;
  if (CONTACT.test(contact)) return `${PRODUCT}/${VERSION} (${contact})`;
  throw new FinalError(
    "CONTACT_SHEET_CONTACT: expected a mail address or a URL, got " +
      JSON.stringify(contact.slice(0, 80)),
  );
}

/** Why something is missing after a stop. */
export const STOPPED = "stopped: run again to continue";

/** An address is given up after so many refusals while others are answered. */
const MOST_REFUSALS = 6;

/** The host wants to be asked later. */
class RefusedError extends Error {
  retryAfter?: string | null;
}

/**
 * Throws if an answer is an error.
 *
 * @param retryAfter Its Retry-After header.
 * @throws {FinalError} If the same request would be answered so again.
 * @throws {Error} If another one may be answered better: `send` knows when.
 */
export function checkStatus(
  status: number,
  statusText: string,
  retryAfter?: string | null,
): void {
  if (status < 400) return;
  const said = `${status} ${statusText}`.trim();
  if (status === 429 || (status === 503 && retryAfter)) {
    throw at("refused", Object.assign(new RefusedError(said), { retryAfter }));
  }
  if (status === 408 || status >= 500) throw at("status", new Error(said));
  throw at("status", new FinalError(said, status));
}

/**
 * Does what sends a request, when the host's turn comes, and again as the rule
 * says.
 *
 * @param attempt Sends the request, checks the answer's status, and reads it. Is
 *   told when it has stalled and should make room for others, and may make room
 *   in the host's `slots` of itself.
 * @param signal Ends the waiting between attempts.
 * @throws {FinalError} If there was no use in another attempt.
 * @throws {Error} What the last attempt met, on one line.
 */
export function send<Content>(
  host: Host,
  attempt: (
    stalled: Promise<void>,
    leaveSlot: () => void,
  ) => Promise<Content>,
  signal?: AbortSignal,
): Promise<Content> {
  let pauseMs = 0;
  /** How many had an answer when this was first refused; its refusals since. */
  let answers: number | undefined;
  let refusals = 0;
  const inTurn = async ({ promise, resolve }: PromiseWithResolvers<void>) => {
    while (true) {
      await host.turn(signal);
      const sent = await inSlot(host, signal, (leaveSlot) => {
        promise.then(leaveSlot);
        const request = host.sent(resolve);
        const outcome = attempt(promise, leaveSlot)
          .catch((error: Error) => error)
          .finally(() => host.ended(request));
        return outcome.then((outcome) => ({ request, outcome }));
      });
      if (!sent) continue;
      const { request, outcome } = sent;
      if (outcome instanceof RefusedError) {
        host.refused(request.at, outcome.retryAfter ?? null);
        // While others are answered, it is the address that is refused.
        if (answers !== undefined && host.answers > answers) refusals++;
        if (refusals === MOST_REFUSALS) {
          throw at("refused", new FinalError(plain(outcome).message));
        }
        answers ??= host.answers;
        continue;
      }
      host.answered(request.at);
      if (outcome instanceof Error) {
        const error = plain(outcome);
        if (!(error instanceof FinalError)) {
          const isReached = !/^(look-up|connect)$/.test(stageOf(error));
          pauseMs = host.failed(request.at, isReached ? undefined : error);
        }
        throw error;
      }
      host.succeeded(request.at);
      return outcome;
    }
  };
  return pRetry((number) => {
    const stalled = Promise.withResolvers<void>();
    // Behind all that is still to be sent, the failed would wait for the end.
    const queue = number === 1 ? host.queue : host.again;
    return inQueue(queue, stalled.promise, () => inTurn(stalled));
  }, {
    retries: host.limits.retries,
    minTimeout: 0,
    signal,
    async shouldRetry({ error }) {
      if (error instanceof FinalError) return false;
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      return true;
    },
  });
}

/**
 * Runs what is under way in one of the host's slots, where it has some.
 *
 * @returns Nothing where the host's turn has passed before there was a slot.
 */
function inSlot<Outcome>(
  host: Host,
  signal: AbortSignal | undefined,
  task: (leave: () => void) => Promise<Outcome>,
): Promise<Outcome | undefined> {
  const { slots } = host.limits;
  if (!slots) return task(() => {});
  const isFull = slots.activeCount >= slots.concurrency;
  const left = Promise.withResolvers<void>();
  return inQueue(slots, left.promise, async () => {
    if (isFull && !await host.lateTurn(signal)) return undefined;
    return await task(left.resolve);
  });
}

/** How something is asked for; `headers` are beside those of `fetchOnce` itself. */
export interface FetchOptions extends Omit<RequestOptions, "allowedHosts"> {
  /**
   * Hosts that may be asked though they are not public (request.ts). "any" is
   * for an address of the user's own choice, a mirror: it and its redirects
   * may lead anywhere, and through the environment's proxy. @default {[]}
   */
  allowedHosts?: readonly string[] | "any";
  /** Whether redirects are followed, or returned. @default {"follow"} */
  redirect?: "follow" | "manual";
  /**
   * From the connection on, for an answer to arrive whole, or the next part of
   * what is large. @default {30_000}
   */
  timeoutMs?: number;
  /** For an answer to arrive whole, however it arrives. @default {Infinity} */
  wholeMs?: number;
}

/** Redirects that are followed, one after the other. */
export const MAX_REDIRECTS = 5;

/**
 * One attempt: throws what `send` understands.
 *
 * @param read Reads the answer. What is large calls `arrived` with each part,
 *   which starts the time limit anew.
 */
export async function fetchOnce<Content>(
  address: string | URL,
  read: (response: Response, arrived: () => void) => Promise<Content>,
  { timeoutMs = 30_000, wholeMs, signal, headers, onConnect, ...how }:
    FetchOptions = {},
): Promise<Content> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  let late = false;
  const isLate = () => {
    late = true;
    stop.abort();
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const begin = () => {
    timer = timer?.refresh() ?? setTimeout(isLate, timeoutMs);
    onConnect?.();
  };
  const last = wholeMs === undefined ? undefined : setTimeout(isLate, wholeMs);
  // A third of the time that AbortSignal.any() takes.
  const end = () => stop.abort(signal?.reason);
  signal?.addEventListener("abort", end);
  let response: Response | undefined;
  try {
    // fetch() does not say when there is a connection.
    if (how.allowedHosts === "any") begin();
    response = await ask(new URL(address), {
      ...how,
      onConnect: begin,
      // Compressed answers have no use for ranges, nor a true length.
      headers: {
        "accept-encoding": "identity",
        "user-agent": userAgent(),
        ...headers,
      },
      signal: stop.signal,
    });
    const { status, statusText } = response;
    checkStatus(status, statusText, response.headers.get("retry-after"));
    return await read(response, () => timer?.refresh());
  } catch (error) {
    throw late ? tooLate() : error;
  } finally {
    clearTimeout(timer);
    clearTimeout(last);
    signal?.removeEventListener("abort", end);
    if (!response?.bodyUsed) await response?.body?.cancel();
  }
}

/** What an answer that takes too long is thrown as. */
function tooLate(): Error {
  return at("time", new Error("no whole answer in time"));
}

/** The answer at the end of all redirects; each has to lead to a public address. */
async function ask(
  url: URL,
  { allowedHosts, redirect = "follow", ...options }: FetchOptions,
): Promise<Response> {
  if (allowedHosts === "any") {
    const { headers, signal } = options;
    return await fetch(url, { redirect, headers, signal });
  }
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await request(url, { ...options, allowedHosts });
    const next = redirect === "follow" && redirectOf(response, url);
    if (!next) return response;
    await response.body?.cancel();
    url = next;
  }
  throw tooManyRedirects();
}

/** What an address that leads on and on is thrown as. */
export function tooManyRedirects(): FinalError {
  const message = `more than ${MAX_REDIRECTS} redirects`;
  return at("redirect", new FinalError(message));
}

/**
 * Where an answer sends us instead; undefined if it does not.
 *
 * @param url What was asked for.
 * @throws {FinalError} If that is no address of the web, or none is given.
 */
export function redirectOf(
  { status, headers }: Response,
  url: URL,
): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) return;
  const location = headers.get("location");
  if (!location) {
    throw at(
      "redirect",
      new FinalError(`expected an address to go to, got none (${status})`),
    );
  }
  return webAddress(location, url);
}

/**
 * An http or https address.
 *
 * @param base What a relative one starts from.
 * @throws {FinalError} If it is none: `data:`, `file:`, `javascript:`, no address.
 */
export function webAddress(text: string, base?: URL): URL {
  if (!URL.canParse(text, base)) {
    throw at(
      "address",
      new FinalError(`expected an address, got ${text.slice(0, 60)}`),
    );
  }
  const url = new URL(text, base);
  if (!/^https?:$/.test(url.protocol)) {
    throw at(
      "address",
      new FinalError(`expected an http or https address, got ${url.protocol}`),
    );
  }
  return url;
}

/**
 * The first bytes of an answer, `maxBytes` at most.
 *
 * @param arrived Called with each part.
 */
export async function readStart(
  { body }: Response,
  maxBytes: number,
  arrived: () => void = () => {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    arrived();
    chunks.push(chunk);
    size += chunk.length;
    if (size >= maxBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}

/** One line that names the cause, which fetch hides behind a TypeError. */
function plain(error: Error): Error {
  if (error instanceof FinalError) return error;
  const { message } = error.cause instanceof Error ? error.cause : error;
  // What node:http says of it.
  const said = message === "aborted" ? "the connection broke off" : message;
  return new Error(said.split("\n")[0].slice(0, 200), { cause: error });
}
