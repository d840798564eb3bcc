/**
 * Who may ask the page's server:
 *
 * - every address begins with a token that cannot be guessed;
 * - the Host header must name the server, so that no page of the web reaches it
 *   under a name of its own (DNS rebinding);
 * - what a page asks, the server's own page must ask (Origin, Sec-Fetch-Site).
 *
 * Touches no files.
 *
 * ```ts
 * import { checkRequest } from "#lib/search_page/guard.ts";
 * import { equal, throws } from "node:assert/strict";
 *
 * const request = { method: "GET", url: "/secret/status", headers: { host: "127.0.0.1:8000" } };
 * equal(checkRequest(request, "secret", ["127.0.0.1:8000"]).pathname, "/status");
 * throws(() => checkRequest(request, "other", ["127.0.0.1:8000"]), /no such page/);
 * throws(() => checkRequest(request, "secret", ["127.0.0.1:9000"]), /that name/);
 * ```
 *
 * @module
 */
import type { IncomingMessage } from "node:http";

/** A request that is refused, with the status that says so. */
export class HttpError extends Error {
  override name = "HttpError";
  /** The HTTP status. */
  readonly status: number;

  /** @param message Is shown to the reader. */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Lets a request pass.
 *
 * @param token What its path must begin with.
 * @param hosts The server's names; any name where empty.
 * @returns Its address, the path decoded and without the token.
 * @throws {HttpError} If it may not be asked: 400, 403, 404 or 421.
 */
export function checkRequest(
  request: Pick<IncomingMessage, "method" | "url" | "headers">,
  token: string,
  hosts: readonly string[],
): { pathname: string; searchParams: URLSearchParams } {
  const { method, headers } = request;
  const { host = "", origin } = headers;
  if (hosts.length > 0 && !hosts.includes(host)) {
    throw new HttpError(421, "this server does not go by that name");
  }
  const url = new URL(request.url ?? "", "http://here");
  if (!url.pathname.startsWith(`/${token}/`)) {
    throw new HttpError(
      404,
      "no such page: open the address as it was printed",
    );
  }
  const pathname = decodePath(url.pathname.slice(token.length + 1));
  const from = String(headers["sec-fetch-site"] ?? "none");
  const isOwn = ["same-origin", "none"].includes(from) &&
    (origin === undefined || hostOf(origin) === host);
  // The page itself may be framed by a notebook; all else is its own business.
  if (!isOwn && !(method === "GET" && pathname === "/")) {
    throw new HttpError(403, "only this server's own page may ask that");
  }
  if (method !== "GET" && origin === undefined) {
    throw new HttpError(403, "expected an Origin header");
  }
  return { pathname, searchParams: url.searchParams };
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : "";
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new HttpError(400, "the address is not well formed");
  }
}
