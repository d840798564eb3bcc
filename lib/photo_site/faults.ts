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
import { setTimeout as sleep } from "node:timers/promises";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { MiddlewareHandler } from "hono";

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

/** Lets each request meet the first of the faults that it matches. */
export function meetFaults(
  faults: readonly Fault[],
): MiddlewareHandler<{ Bindings: HttpBindings }> {
  const left = new Map(faults.map((fault) => [fault, fault.times ?? Infinity]));
  return async (context, next) => {
    const path = pathOf(context.req.url);
    const fault = faults.find((fault) =>
      left.get(fault)! > 0 && fault.match.test(path)
    );
    if (fault) left.set(fault, left.get(fault)! - 1);
    switch (fault?.answer) {
      case "429":
        return plain(429, { "retry-after": `${fault.retryAfter ?? 1}` });
      case "500":
        return plain(500);
      case "redirect loop":
        return plain(302, { location: path });
      case "wrong type":
        return plain(200);
      case "slow":
        await sleep(fault.delayMs ?? 2000);
    }
    await next();
    if (fault?.answer !== "cut off") return;
    const { res, env: { outgoing } } = context;
    const bytes = new Uint8Array(await res.arrayBuffer());
    const headers = Object.fromEntries(res.headers);
    outgoing.writeHead(res.status, {
      ...headers,
      "content-length": bytes.length,
    });
    // The first half must be under way before the connection breaks.
    outgoing.write(bytes.subarray(0, bytes.length / 2));
    await sleep(50);
    outgoing.destroy();
    context.res = RESPONSE_ALREADY_SENT;
  };
}

/** A request's path and query. */
export function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

function plain(status: number, headers: Record<string, string> = {}): Response {
  const type = { "content-type": "text/plain" };
  return new Response("Not what was asked for", {
    status,
    headers: { ...type, ...headers },
  });
}
