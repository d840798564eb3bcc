/**
 * A picture of the web as a query: fetched once, within limits of size and time,
 * from public addresses alone.
 *
 * ```ts
 * import { fetchedPicture } from "#lib/search_page/fetched_picture.ts";
 * import { rejects } from "node:assert/strict";
 *
 * await rejects(fetchedPicture("file:///etc/hosts"), {
 *   message: "file:///etc/hosts: expected an http or https address, got file:",
 * });
 * ```
 *
 * @module
 */
import { type FetchLimits, pictureFetcher } from "../dataset/fetch.ts";
import { QueryError } from "./engine/query.ts";
import { LARGEST_UPLOAD } from "./web/query.js";

/** Somebody waits: no host is asked for long, and none over and over. */
const LIMITS: Partial<FetchLimits> = {
  maxBytes: LARGEST_UPLOAD,
  timeoutMs: 15_000,
  patienceMs: 5000,
  retries: 1,
};

/** For everything, in milliseconds. */
const LONGEST_MS = 30_000;

const NOT_FETCHED =
  "addresses of this machine and of private networks are not " +
  "fetched: save the picture and give its file";

const NO_HOST = "no host of this name is found: look at the address and at " +
  "the network";

/** How a picture is fetched. */
export interface FetchedPictureOptions {
  /** Hosts with their ports that may be asked though they are not public. */
  allowedHosts?: readonly string[];
  signal?: AbortSignal;
}

/**
 * Fetches the picture at an address.
 *
 * @throws {QueryError} If there is none that may be fetched: says why in one
 *   sentence.
 */
export async function fetchedPicture(
  address: string,
  { allowedHosts = [], signal }: FetchedPictureOptions = {},
): Promise<Uint8Array> {
  const late = AbortSignal.timeout(LONGEST_MS);
  const fetchPicture = pictureFetcher(
    { ...LIMITS, allowedHosts },
    AbortSignal.any([late, ...signal ? [signal] : []]),
  );
  try {
    return await fetchPicture(address.trim());
  } catch (error) {
    signal?.throwIfAborted();
    const { message } = error as Error;
    const why = late.aborted
      ? `no picture within ${LONGEST_MS / 1000} s`
      // Its own reason is about pages and lists; this the reader has typed.
      : message.startsWith("expected a public address")
      ? NOT_FETCHED
      : message.includes("getaddrinfo")
      ? NO_HOST
      : message;
    throw new QueryError(`${address.trim().slice(0, 200)}: ${why}`);
  }
}
