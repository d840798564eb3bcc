/**
 * Faults on request: what a photo site does on a bad day, so that tests can
 * see a crawl and a download come through.
 *
 * ```ts
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { equal } from "node:assert/strict";
 *
 * const site = await startPhotoSite({
 *   port: 0,
 *   faults: [{ match: /^\/search/, answer: "429", times: 1, retryAfter: 2 }],
 * });
 * const refused = await fetch(`${site.origin}/search/?text=fruit`);
 * equal(refused.headers.get("retry-after"), "2");
 * equal((await fetch(`${site.origin}/search/?text=fruit`)).status, 200);
 * await refused.body?.cancel();
 * await site.close();
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** One fault, and which requests meet it. */
export interface Fault {
  /** Requests whose path with its query matches. */
  match: RegExp;
  /**
   * What they get: a refusal with Retry-After; an error; the right answer
   * late; half of it, then a broken connection; a redirect to itself; a body
   * that is neither page nor picture.
   */
  answer: "429" | "500" | "slow" | "cut off" | "redirect loop" | "wrong type";
  /** How many requests meet it. @default {Infinity} */
  times?: number;
  /** For "429": the header, in seconds or as a date. @default {1} */
  retryAfter?: number | string;
  /** For "slow": milliseconds. @default {2000} */
  delayMs?: number;
}

/** An answer as the site is about to send it. */
export interface Answer {
  /** HTTP status: 200. */
  status: number;
  /** Without the length, which follows from the body. */
  headers: Record<string, string | number>;
  /** Text goes out as UTF-8. */
  body: string | Uint8Array;
}

/** The first fault that a request meets, each counting its `times`. */
export function faultFinder(
  faults: readonly Fault[],
): (path: string) => Fault | undefined {
  const left = new Map(faults.map((fault) => [fault, fault.times ?? Infinity]));
  return (path) => {
    const met = faults.find((fault) =>
      left.get(fault)! > 0 && fault.match.test(path)
    );
    if (met) left.set(met, left.get(met)! - 1);
    return met;
  };
}

/**
 * Sends an answer, or what a fault makes of it.
 *
 * @param path The request's path and query.
 */
export async function send(
  response: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
  path: string,
): Promise<void> {
  if (fault?.answer === "slow") await sleep(fault.delayMs ?? 2000);
  const { status, headers, body } = replaced(answer, fault, path);
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, "content-length": bytes.length });
  if (fault?.answer === "cut off") {
    // The first half must be under way before the connection breaks.
    response.write(bytes.subarray(0, bytes.length / 2));
    await sleep(50);
    response.destroy();
  } else {
    response.end(bytes);
  }
}

function replaced(
  answer: Answer,
  fault: Fault | undefined,
  path: string,
): Answer {
  const headers = { "content-type": "text/plain" };
  switch (fault?.answer) {
    case "429": {
      const wait = { "retry-after": fault.retryAfter ?? 1 };
      return { status: 429, headers: { ...headers, ...wait }, body: "Later" };
    }
    case "500":
      return { status: 500, headers, body: "Out of order" };
    case "redirect loop":
      return { status: 302, headers: { ...headers, location: path }, body: "" };
    case "wrong type":
      return { status: 200, headers, body: "Not what was asked for" };
    default:
      return answer;
  }
}
