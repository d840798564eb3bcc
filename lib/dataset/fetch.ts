/**
 * Fetches pictures' bytes: politely, within limits, and whole.
 *
 * Only http and https, only public addresses and those that the caller allows;
 * bounded bytes, time and redirects. What arrives must say
 * that it is a picture and begin as one. When a request is sent, and whether
 * once more, is for http.ts to say.
 *
 * ```ts
 * import { pictureFetcher } from "#lib/dataset/fetch.ts";
 * import { rejects } from "node:assert/strict";
 *
 * const fetchPicture = pictureFetcher();
 * await rejects(fetchPicture("file:///etc/hosts"), {
 *   message: "expected an http or https address, got file:",
 * });
 * ```
 *
 * @module
 */
import pLimit from "p-limit";
import { type HostLimits, Hosts } from "../http/hosts.ts";
import { FinalError } from "../http/final_error.ts";
import {
  fetchOnce,
  MAX_REDIRECTS,
  readStart,
  redirectOf,
  send,
  tooManyRedirects,
  webAddress,
} from "../http/http.ts";
import { at } from "../http/stages.ts";
import { isPicture, whyNoPicture } from "../pictures/formats.ts";

/** Limits on what is fetched, and how fast. */
export interface FetchLimits extends HostLimits {
  /**
   * Time for one request with its whole answer, in milliseconds. One that is
   * silent for 3 s is sent again before that, with more patience each time.
   */
  timeoutMs: number;
  /** For a connection to be made, in milliseconds. */
  connectMs: number;
  /** Largest picture file, in bytes. */
  maxBytes: number;
  /**
   * Requests at once, in all. Beside them, as many as three times may wait for
   * connections that are slow to be made: those of hosts that are no more.
   */
  concurrency: number;
  /** Requests at once to one host. */
  perHost: number;
  /**
   * Hosts with their ports that may be asked though they are this machine's or
   * its network's: ["127.0.0.1:8765"]. What a page or a list says adds none.
   */
  allowedHosts: readonly string[];
}

/** The first two silences that a request bears, each; the next ones double. */
const SILENCE_MS = 3000;

/** A connection that is not made by then is slow, in milliseconds. */
const SLOW_MS = 500;

/** Where a public site needs others than any host. */
export const DEFAULT_LIMITS = {
  concurrency: 64,
  perHost: 8,
  intervalMs: 100,
  patienceMs: 600_000,
  // Of thousands of pictures, a few are out of luck four times.
  retries: 5,
  timeoutMs: 30_000,
  connectMs: 5000,
  maxBytes: 20_000_000,
  allowedHosts: [],
};

/** What is asked for besides the address, and what is made of the answer. */
export interface Ask<Content> {
  /** Headers of the next attempt. */
  headers?: () => Record<string, string>;
  /**
   * Reads an answer that is no error and no redirect, and calls `arrived` with
   * each part.
   */
  read: (response: Response, arrived: () => void) => Promise<Content>;
}

/** Asks for what is at an address. Throws the reason if there is no use in it. */
export type Client = <Content>(
  url: string,
  ask: Ask<Content>,
) => Promise<Content>;

/**
 * Makes a function that asks for pictures and remembers how each host wants to be
 * treated.
 *
 * @param limits What differs from: 64 requests at once, 8 of them to one host;
 *   100 ms between two to one host, 10 minutes of patience with a host that
 *   refuses; 5 s a connection, 30 s a request; 20 MB a picture; public addresses
 *   alone.
 * @param signal Stops everything under way and to come.
 */
export function pictureClient(
  limits: Partial<FetchLimits> = {},
  signal?: AbortSignal,
): Client {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const { timeoutMs, connectMs, allowedHosts, concurrency, perHost } = all;
  const ofOne = Math.min(perHost, concurrency);
  const slots = pLimit(concurrency);
  const hosts = new Hosts({ ...all, concurrency: ofOne, slots });
  /** Requests that have left their slots, since their connections are slow. */
  let slow = 0;
  return async (url, { headers, read }) => {
    let address = webAddress(url);
    /** Attempts that ended in silence. */
    let silences = 0;
    const attempt = async (_: Promise<void>, leaveSlot: () => void) => {
      const silenceMs = Math.min(
        timeoutMs,
        SILENCE_MS * 2 ** Math.max(0, silences - 1),
      );
      let isSlow = false;
      const timer = setTimeout(() => {
        isSlow = slow < 3 * concurrency;
        if (!isSlow) return;
        slow++;
        leaveSlot();
      }, SLOW_MS);
      const start = Date.now();
      try {
        return await fetchOnce(
          address,
          async (response, arrived) => {
            arrived();
            return redirectOf(response, address) ??
              { content: await read(response, arrived) };
          },
          {
            redirect: "manual",
            headers: { accept: "image/*", ...headers?.() },
            ...{ allowedHosts, connectMs },
            onConnect: () => clearTimeout(timer),
            timeoutMs: silenceMs,
            wholeMs: timeoutMs,
            signal,
          },
        );
      } catch (error) {
        if (Date.now() - start >= silenceMs) silences++;
        throw error;
      } finally {
        clearTimeout(timer);
        if (isSlow) slow--;
      }
    };
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const answer = await hosts.use(
        address.host,
        (host) => send(host, attempt, signal),
      );
      if (!(answer instanceof URL)) return answer.content;
      address = answer;
    }
    throw tooManyRedirects();
  };
}

/**
 * Makes a function that fetches the picture at an address into memory.
 *
 * @param limits As of `pictureClient`.
 * @param signal Stops everything under way and to come.
 */
export function pictureFetcher(
  limits: Partial<FetchLimits> = {},
  signal?: AbortSignal,
): (url: string) => Promise<Uint8Array> {
  const client = pictureClient(limits, signal);
  const { maxBytes = DEFAULT_LIMITS.maxBytes } = limits;
  return (url) =>
    client(url, {
      async read(response, arrived) {
        checkStart(response, maxBytes);
        const bytes = await readStart(response, maxBytes + 1, arrived);
        if (bytes.length > maxBytes) throw tooLarge(maxBytes);
        checkPicture(bytes);
        return bytes;
      },
    });
}

/**
 * Makes sure that an answer begins as a picture may.
 *
 * @throws {FinalError} If it is none, or larger than `maxBytes` by its own word.
 */
export function checkStart(
  { status, statusText, headers }: Response,
  maxBytes: number,
): void {
  if (status !== 200) {
    throw at("status", new FinalError(`${status} ${statusText}`.trim()));
  }
  const type = headers.get("content-type") ?? "";
  if (!/^(image\/(?!svg)|(application|binary)\/octet-stream|$)/i.test(type)) {
    throw at(
      "type",
      new FinalError(`expected a picture, got ${type.slice(0, 60)}`),
    );
  }
  if (Number(headers.get("content-length")) > maxBytes) {
    throw tooLarge(maxBytes);
  }
}

/**
 * Looks at how a file begins, before it is kept.
 *
 * @throws {FinalError} If it begins as no picture does.
 */
export function checkPicture(bytes: Uint8Array): void {
  if (!isPicture(bytes)) throw at("type", new FinalError(whyNoPicture(bytes)));
}

/** What a picture of more bytes is thrown as. */
export function tooLarge(maxBytes: number): FinalError {
  return at("size", new FinalError(`larger than ${maxBytes} bytes`));
}
