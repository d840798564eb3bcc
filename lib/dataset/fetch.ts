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
import { Host, type HostLimits } from "../http/hosts.ts";
import {
  fetchOnce,
  FinalError,
  MAX_REDIRECTS,
  readStart,
  redirectOf,
  send,
  webAddress,
} from "../http/http.ts";
import { isPicture, whyNoPicture } from "../pictures/formats.ts";

/** Limits on what is fetched, and how fast. */
export interface FetchLimits extends HostLimits {
  /** Time for one request with its whole answer, in milliseconds. */
  timeoutMs: number;
  /** Largest picture file, in bytes. */
  maxBytes: number;
  /**
   * Hosts with their ports that may be asked though they are this machine's or
   * its network's: ["127.0.0.1:8765"]. What a page or a list says adds none.
   */
  allowedHosts: readonly string[];
}

/** Where a public site needs others than any host. */
const DEFAULT_LIMITS = {
  concurrency: 8,
  intervalMs: 100,
  patienceMs: 600_000,
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
  const options = {
    redirect: "manual" as const,
    headers: { accept: "image/*" },
    allowedHosts,
    timeoutMs,
    signal,
  };
  return async (url) => {
    let address = webAddress(url);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const read = (response: Response) =>
        readAnswer(response, address, maxBytes);
      // A host's own queue keeps a slow one from taking all slots while it
      // pauses.
      const attempt = () => slots(() => fetchOnce(address, read, options));
      const answer = await send(hostOf(address), attempt, signal);
      if (!(answer instanceof URL)) return answer;
      address = answer;
    }
    throw new FinalError(`more than ${MAX_REDIRECTS} redirects`);
  };
}

/** The picture, or where it has moved to. */
async function readAnswer(
  response: Response,
  address: URL,
  maxBytes: number,
): Promise<Uint8Array | URL> {
  const { status, statusText, headers } = response;
  const elsewhere = redirectOf(response, address);
  if (elsewhere) return elsewhere;
  if (status !== 200) throw new FinalError(`${status} ${statusText}`.trim());

  const type = headers.get("content-type") ?? "";
  if (!/^(image\/(?!svg)|(application|binary)\/octet-stream|$)/i.test(type)) {
    throw new FinalError(`expected a picture, got ${type.slice(0, 60)}`);
  }
  const tooLarge = new FinalError(`larger than ${maxBytes} bytes`);
  if (Number(headers.get("content-length")) > maxBytes) throw tooLarge;
  const bytes = await readStart(response, maxBytes + 1);
  if (bytes.length > maxBytes) throw tooLarge;
  if (!isPicture(bytes)) throw new FinalError(whyNoPicture(bytes));
  return bytes;
}
