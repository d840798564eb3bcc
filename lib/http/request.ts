/**
 * One GET request, to public addresses alone unless the caller allows a host.
 *
 * What fetch() does not offer is a say in which address a name leads to;
 * node:http has its `lookup`. Redirects are the caller's to follow. Connections
 * are kept for the next request.
 *
 * ```ts
 * import { request } from "#lib/http/request.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { equal, rejects } from "node:assert/strict";
 *
 * const site = await startPhotoSite({ port: 0 });
 * const style = new URL("/site.css", site.origin);
 * await rejects(request(style, {}), /expected a public address, got 127\.0\.0\.1/);
 * const answer = await request(style, { allowedHosts: [style.host] });
 * equal(answer.headers.get("content-type"), "text/css; charset=utf-8");
 * await answer.body?.cancel();
 * await site.close();
 * ```
 *
 * @module
 */
import * as http from "node:http";
import * as https from "node:https";
import { Readable } from "node:stream";
import { checkLiteral, publicLookup } from "./addresses.ts";
import { FinalError } from "./final_error.ts";
import { at } from "./stages.ts";

/** What goes with a request. */
export interface RequestOptions {
  headers?: Record<string, string>;
  /** Stops it, and the answer that arrives. */
  signal?: AbortSignal;
  /**
   * Hosts with their ports, as `URL.host` has them, that may be asked though
   * they are this machine's or its network's: "127.0.0.1:8765". @default {[]}
   */
  allowedHosts?: readonly string[];
  /** For a connection to be made, in milliseconds. @default {5000} */
  connectMs?: number;
  /** Called when there is a connection, a new one or one that was kept. */
  onConnect?: () => void;
}

/** Connections to public addresses, and apart from them those to allowed hosts. */
const toPublic = agents({ lookup: publicLookup() });
const toAllowed = agents({});

function agents(options: Pick<https.AgentOptions, "lookup">) {
  const kept = { ...options, keepAlive: true };
  return { http: new http.Agent(kept), https: new https.Agent(kept) };
}

/**
 * Sends a request and resolves with the answer when its headers are there.
 *
 * @throws {FinalError} If the address is not public, nor its host allowed; if the
 *   answer's status is none: 999.
 * @throws {Error} If the connection fails.
 */
export async function request(
  url: URL,
  { headers, signal, allowedHosts = [], connectMs = 5000, onConnect }:
    RequestOptions,
): Promise<Response> {
  const allowed = allowedHosts.includes(url.host);
  // An address is connected to without a look-up.
  if (!allowed) checkLiteral(url);
  const protocol = url.protocol === "https:" ? "https" : "http";
  const agent = (allowed ? toAllowed : toPublic)[protocol];
  const message = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const { get } = protocol === "https" ? https : http;
    const sent = get(url, { agent, headers, signal }, resolve);
    sent.on("error", reject);
    // Nobody asked for another protocol; without this, Deno waits for ever.
    sent.on("upgrade", ({ statusCode, statusMessage }, socket) => {
      socket.destroy();
      const said = `${statusCode} ${statusMessage}`.trim();
      reject(at("status", new FinalError(said)));
    });
    // What is stopped on a kept connection Deno sends once more, beyond the
    // signal's reach and without a word to us (denoland/deno#36786).
    sent.on("socket", (socket) => {
      if (signal?.aborted) sent.destroy();
      else if (!socket.connecting) onConnect?.();
      else {
        const late = () => {
          sent.destroy();
          reject(at("connect", new Error(`no connection in ${connectMs} ms`)));
        };
        const timer = setTimeout(late, connectMs);
        socket.once("close", () => clearTimeout(timer));
        socket.once("connect", () => {
          clearTimeout(timer);
          onConnect?.();
        });
      }
    });
  });
  try {
    const { statusCode: status = 0, statusMessage: statusText } = message;
    // What some sites say to strangers, and no Response can hold.
    if (status > 599) {
      throw at("status", new FinalError(`${status} ${statusText}`.trim()));
    }
    const said = Object.entries(message.headers).map(([name, value]) =>
      [name, String(value)] as [string, string]
    );
    // fetch() knows no body here either.
    const body = [204, 205, 304].includes(status) ? null : message;
    return new Response(body && Readable.toWeb(body) as ReadableStream, {
      status,
      statusText,
      headers: said,
    });
  } catch (error) {
    message.destroy();
    throw error;
  }
}
