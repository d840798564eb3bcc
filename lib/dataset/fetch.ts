/**
 * Fetches a picture's bytes: politely, within limits, and whole.
 *
 * Only http and https; bounded bytes, time and redirects; failures that may
 * pass (timeouts, broken connections, 5xx) are tried again, refusals wait for
 * the host, everything else is final. What arrives must say that it is a
 * picture and begin as one.
 *
 * ```ts
 * import { PictureFetcher } from "#lib/dataset/fetch.ts";
 * import { rejects } from "node:assert/strict";
 *
 * const fetcher = new PictureFetcher();
 * await rejects(fetcher.fetch("file:///etc/hosts"), {
 *   message: "expected an http or https address, got file:",
 * });
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import { isPicture, PICTURE_FORMATS } from "../pictures/pictures.ts";
import { FinalError, Host, type HostLimits } from "../http/hosts.ts";

/** Limits on what is fetched, and how fast. */
export interface FetchLimits extends HostLimits {
  /** Requests under way at once, in all. */
  concurrency: number;
  /** Time for one request with its whole answer, in milliseconds. */
  timeoutMs: number;
  /** Largest picture file, in bytes. */
  maxBytes: number;
}

/** Fit for a public site. */
const DEFAULT_LIMITS: FetchLimits = {
  concurrency: 8,
  intervalMs: 100,
  backoffMs: 1000,
  patienceMs: 600_000,
  timeoutMs: 30_000,
  maxBytes: 20_000_000,
};

/** Requests for one picture whose host fails for a moment. */
const ATTEMPTS = 4;
const MAX_REDIRECTS = 5;

/** Fetches pictures, remembering how each host wants to be treated. */
export class PictureFetcher {
  #limits: FetchLimits;
  #signal: AbortSignal | undefined;
  #slots: ReturnType<typeof pLimit>;
  #hosts = new Map<string, Host>();
  #queues = new Map<string, ReturnType<typeof pLimit>>();

  /**
   * Starts with nothing known about any host.
   *
   * @param limits What differs from: 8 requests at once, 100 ms between two to
   *   one host, 1 s of backoff, 10 minutes of patience with a host that
   *   refuses, 30 s a request, 20 MB a picture.
   * @param signal Stops everything under way and to come.
   */
  constructor(limits: Partial<FetchLimits> = {}, signal?: AbortSignal) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#signal = signal;
    this.#slots = pLimit(this.#limits.concurrency);
  }

  /**
   * The bytes of the picture at an address.
   *
   * @throws {Error} When there is no use in going on; the message is the reason.
   */
  async fetch(url: string): Promise<Uint8Array> {
    const address = parse(url);
    for (let attempt = 1;;) {
      try {
        // A host's queue bounds those that wait for it, so that a pause holds
        // them all and a slow host takes no slot from the others.
        const bytes = await this.#queue(address)(() => this.#follow(address));
        if (bytes) return bytes;
      } catch (error) {
        if (this.#signal?.aborted) {
          throw new FinalError("stopped: run again to continue");
        }
        if (error instanceof FinalError || attempt === ATTEMPTS) throw error;
        const wait = this.#limits.backoffMs * 2 ** (attempt - 1);
        // A wait that is stopped is reported by the next attempt.
        await sleep(wait, undefined, { signal: this.#signal }).catch(() => {});
        attempt++;
      }
    }
  }

  /** Goes where redirects lead; nothing if a host refused. */
  async #follow(address: URL): Promise<Uint8Array | undefined> {
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const host = this.#host(address);
      await host.turn(this.#signal);
      const answer = await this.#slots(() => this.#request(address, host));
      if (!(answer instanceof URL)) return answer;
      address = answer;
    }
    throw new FinalError(`more than ${MAX_REDIRECTS} redirects`);
  }

  /** One request: the picture, where it has moved to, or nothing if refused. */
  async #request(
    address: URL,
    host: Host,
  ): Promise<Uint8Array | URL | undefined> {
    const { timeoutMs, maxBytes } = this.#limits;
    const timeout = AbortSignal.timeout(timeoutMs);
    const sentAt = Date.now();
    const response = await fetch(address, {
      redirect: "manual",
      headers: { accept: "image/*", "user-agent": "contact-sheet" },
      signal: this.#signal ? AbortSignal.any([this.#signal, timeout]) : timeout,
    });
    try {
      const { status, statusText, headers } = response;
      const retryAfter = headers.get("retry-after");
      if (status === 429 || (status === 503 && retryAfter)) {
        host.refused(sentAt, retryAfter);
        return;
      }
      host.answered(sentAt);
      const location = headers.get("location");
      if (status >= 300 && status < 400 && location) {
        return parse(location, address);
      }
      const said = `${status} ${statusText}`.trim();
      if (status === 408 || status >= 500) throw new Error(said);
      if (status !== 200) throw new FinalError(said);
      return await readPicture(response, maxBytes);
    } finally {
      if (!response.bodyUsed) await response.body?.cancel();
    }
  }

  #host({ host }: URL): Host {
    if (!this.#hosts.has(host)) {
      this.#hosts.set(host, new Host(host, this.#limits));
    }
    return this.#hosts.get(host)!;
  }

  #queue({ host }: URL): ReturnType<typeof pLimit> {
    if (!this.#queues.has(host)) {
      this.#queues.set(host, pLimit(this.#limits.concurrency));
    }
    return this.#queues.get(host)!;
  }
}

/** Reads a body up to the limit and makes sure that it is a picture's. */
async function readPicture(
  { headers, body }: Response,
  maxBytes: number,
): Promise<Uint8Array> {
  const type = headers.get("content-type") ?? "";
  if (!/^(image\/(?!svg)|(application|binary)\/octet-stream|$)/i.test(type)) {
    throw new FinalError(`expected a picture, got ${type.slice(0, 60)}`);
  }
  const tooLarge = new FinalError(`larger than ${maxBytes} bytes`);
  if (Number(headers.get("content-length")) > maxBytes) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge;
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (!isPicture(bytes)) {
    throw new FinalError(`expected a ${PICTURE_FORMATS} file, got other bytes`);
  }
  return bytes;
}

function parse(url: string, base?: URL): URL {
  if (!URL.canParse(url, base)) {
    throw new FinalError(`expected an address, got ${url.slice(0, 60)}`);
  }
  const address = new URL(url, base);
  if (!/^https?:$/.test(address.protocol)) {
    throw new FinalError(
      `expected an http or https address, got ${address.protocol}`,
    );
  }
  return address;
}
