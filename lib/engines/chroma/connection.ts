/**
 * How requests reach a Chroma server that may die: whatever can be asked twice
 * is asked again once the server is back, and errors say what to do.
 *
 * The database's own client sends through it, so that its calls are covered too.
 *
 * Touches no files.
 *
 * ```ts
 * import { Connection } from "#lib/engines/chroma/connection.ts";
 * import { rejects } from "node:assert/strict";
 *
 * const gone = () => Promise.reject(new Error("nobody there"));
 * const connection = new Connection("http://127.0.0.1:1", gone);
 * await rejects(connection.fetch(new Request("http://127.0.0.1:1/api/v2")), /nobody there/);
 * ```
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError, refusal, unreachable } from "./errors.ts";

/** Times that a request is sent, where a server dies again and again. */
const ATTEMPTS = 10;
/** Waits after answers that say "too many requests", in ms. */
const PAUSES_MS = [500, 1_000, 2_000];
const LONGEST_PAUSE_MS = 10_000;
/** A server that takes longer over one request hangs. */
const ANSWER_LIMIT_MS = 300_000;
/** After its disk was full, Chroma 1.5 can hang in whatever it is asked. */
const SUSPECT_LIMIT_MS = 5_000;

/** A way to a server. */
export class Connection {
  /** Where the server answers now. */
  url: string;
  readonly #bringBack: (isHung: boolean) => Promise<string>;
  #comingBack?: Promise<string>;
  #isSuspect = false;

  /**
   * @param url Where the server answers.
   * @param bringBack Starts it again or waits for it: where it answers then.
   *   One that hangs is there, but of no use.
   */
  constructor(url: string, bringBack: (isHung: boolean) => Promise<string>) {
    this.url = url;
    this.#bringBack = bringBack;
  }

  /**
   * What `fetch` does, with the answer read to its end.
   *
   * @throws {DatabaseError} If the server refuses, or does not come back.
   */
  fetch = async (
    input: RequestInfo | URL,
    init?: RequestInit,
  ): Promise<Response> => {
    const { url, method, headers, body, signal } = await contentOf(input, init);
    const { pathname, search } = new URL(url);
    for (let attempt = 0, pauses = 0;;) {
      let response: Response, bytes: ArrayBuffer;
      const limit = new AbortController();
      const timer = setTimeout(
        () => limit.abort(),
        this.#isSuspect ? SUSPECT_LIMIT_MS : ANSWER_LIMIT_MS,
      );
      try {
        response = await fetch(new URL(pathname + search, this.url), {
          method,
          headers,
          body,
          signal: signal
            ? AbortSignal.any([signal, limit.signal])
            : limit.signal,
        });
        bytes = await response.arrayBuffer();
      } catch (error) {
        signal?.throwIfAborted();
        if (++attempt === ATTEMPTS) {
          const why = `${attempt} times, ${(error as Error).message}`;
          throw unreachable(this.url, why);
        }
        await this.#waitForServer(limit.signal.aborted);
        if (repeatable(method, pathname, body)) continue;
        throw new DatabaseError(
          "unreachable",
          `the Chroma server ended during ${method} ${pathname}; it answers ` +
            `again, at ${this.url}: look whether that was done, and ask again`,
        );
      } finally {
        clearTimeout(timer);
      }
      const pause = pauseAfter(response, pauses++);
      if (pause !== undefined) {
        await sleep(pause, undefined, { signal });
        continue;
      }
      const { status, statusText } = response;
      if (!response.ok) {
        const error = refusal(this.url, status, wordsOf(bytes) || statusText);
        this.#isSuspect ||= error.kind === "full";
        throw error;
      }
      // An answer of this status has no body.
      return new Response(status === 204 ? null : bytes, {
        status,
        headers: response.headers,
      });
    }
  };

  /** Waits until the server is back; all requests wait for one return. */
  async #waitForServer(isHung: boolean): Promise<void> {
    this.#comingBack ??= this.#bringBack(isHung)
      .finally(() => this.#comingBack = undefined);
    this.url = await this.#comingBack;
    this.#isSuspect = false;
  }
}

/** What is sent, so that it can be sent once more. */
async function contentOf(
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<{
  url: string;
  method: string;
  headers?: HeadersInit;
  body?: string;
  signal?: AbortSignal;
}> {
  if (typeof input === "string" && typeof init?.body === "string") {
    const { method = "GET", headers, body, signal } = init;
    return { url: input, method, headers, body, signal: signal ?? undefined };
  }
  // A request's body is bytes, which are read back.
  const request = new Request(input, init);
  const { url, method, headers, signal } = request;
  const body = request.body ? await request.text() : undefined;
  return { url, method, headers, body, signal };
}

/** Whether a request can be sent twice and has the effect of one. */
function repeatable(method: string, pathname: string, body = ""): boolean {
  if (method === "GET") return true;
  if (method !== "POST") return false;
  const what = pathname.slice(pathname.lastIndexOf("/") + 1);
  // So many rows at most: the second time, so many others.
  if (what === "delete") return JSON.parse(body).limit == null;
  if (what === "collections") return JSON.parse(body).get_or_create === true;
  return /^(upsert|add|update|query|get|search)$/.test(what);
}

/** How long to wait before asking again; undefined for not at all. */
function pauseAfter(response: Response, pauses: number): number | undefined {
  if (response.status !== 429 && response.status !== 503) return undefined;
  const asked = 1000 * Number(response.headers.get("retry-after") ?? NaN);
  // Nobody waits as long as some plans ask for.
  if (asked > LONGEST_PAUSE_MS) return undefined;
  const usual: number | undefined = PAUSES_MS[pauses];
  return usual === undefined ? undefined : Math.max(usual, asked || 0);
}

/** The server's own words for what went wrong. */
function wordsOf(bytes: ArrayBuffer): string {
  const text = new TextDecoder().decode(bytes);
  try {
    const { message, error } = JSON.parse(text);
    return String(message ?? error ?? text);
  } catch {
    return text.trim().slice(0, 300);
  }
}
