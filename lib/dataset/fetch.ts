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
import { Host, type HostLimits, inQueue } from "../http/hosts.ts";
import { FinalError } from "../http/final_error.ts";
import {
  fetchOnce,
  MAX_REDIRECTS,
  readStart,
  redirectOf,
  send,
  tooLate,
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
  /** Largest picture file, in bytes. */
  maxBytes: number;
  /**
   * Hosts with their ports that may be asked though they are this machine's or
   * its network's: ["127.0.0.1:8765"]. What a page or a list says adds none.
   */
  allowedHosts: readonly string[];
}

/** The first two silences that a request bears, each; the next ones double. */
const SILENCE_MS = 3000;

/** Where a public site needs others than any host. */
const DEFAULT_LIMITS = {
  concurrency: 8,
  intervalMs: 100,
  patienceMs: 600_000,
  // Of thousands of pictures, a few are out of luck four times.
  retries: 5,
  timeoutMs: 30_000,
  maxBytes: 20_000_000,
  allowedHosts: [],
};

/**
 * Makes a function that fetches the picture at an address and remembers how
 * each host wants to be treated. It throws where there is no use in going on;
 * the message is the reason.
 *
 * @param limits What differs from: 8 requests at once, in all; 100 ms between
 *   two to one host, 10 minutes of patience with a host that refuses; 30 s a
 *   request; 20 MB a picture; public addresses alone.
 * @param signal Stops everything under way and to come.
 */
export function pictureFetcher(
  limits: Partial<FetchLimits> = {},
  signal?: AbortSignal,
): (url: string) => Promise<Uint8Array> {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const { timeoutMs, maxBytes, allowedHosts } = all;
  const slots = pLimit(all.concurrency);
  const hosts = new Map<string, Host>();
  const hostOf = ({ host }: URL) => {
    if (!hosts.has(host)) hosts.set(host, new Host(host, all));
    return hosts.get(host)!;
  };
  return async (url) => {
    let address = webAddress(url);
    /** Attempts that ended in silence. */
    let silences = 0;
    const attempt = async () => {
      const silenceMs = Math.min(
        timeoutMs,
        SILENCE_MS * 2 ** Math.max(0, silences - 1),
      );
      const start = Date.now();
      const late = AbortSignal.timeout(timeoutMs);
      try {
        return await fetchOnce(
          address,
          (response, arrived) =>
            readAnswer(response, address, maxBytes, arrived),
          {
            redirect: "manual",
            headers: { accept: "image/*" },
            allowedHosts,
            timeoutMs: silenceMs,
            signal: AbortSignal.any([late, ...signal ? [signal] : []]),
          },
        );
      } catch (error) {
        if (Date.now() - start >= silenceMs) silences++;
        throw late.aborted ? tooLate() : error;
      }
    };
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      // A host's own queue keeps a slow one from taking all slots while it
      // pauses.
      const inSlot = (stalled: Promise<void>) =>
        inQueue(slots, stalled, attempt);
      const answer = await send(hostOf(address), inSlot, signal);
      if (!(answer instanceof URL)) return answer;
      address = answer;
    }
    throw tooManyRedirects();
  };
}

/** The picture, or where it has moved to. */
async function readAnswer(
  response: Response,
  address: URL,
  maxBytes: number,
  arrived: () => void,
): Promise<Uint8Array | URL> {
  arrived();
  const { status, statusText, headers } = response;
  const elsewhere = redirectOf(response, address);
  if (elsewhere) return elsewhere;
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
  const tooLarge = at(
    "size",
    new FinalError(`larger than ${maxBytes} bytes`),
  );
  if (Number(headers.get("content-length")) > maxBytes) throw tooLarge;
  const bytes = await readStart(response, maxBytes + 1, arrived);
  if (bytes.length > maxBytes) throw tooLarge;
  if (!isPicture(bytes)) throw at("type", new FinalError(whyNoPicture(bytes)));
  return bytes;
}
