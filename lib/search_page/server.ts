/**
 * A small HTTP server for one page and its questions: on the loopback address
 * unless another is asked for, with bodies in bounds. guard.ts says who may ask.
 * Whatever fails is answered, and the server goes on.
 *
 * ```ts
 * import { startServer } from "#lib/search_page/server.ts";
 * import { equal } from "node:assert/strict";
 *
 * const server = await startServer({
 *   routes: { "GET /hello": () => ({ json: { hello: "reader" } }) },
 * });
 * equal(await (await fetch(`${server.url}hello`)).text(), '{"hello":"reader"}');
 * await server.close();
 * ```
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { checkRequest, HttpError } from "./guard.ts";

/** What a route answers. */
export type Answer =
  | { json: unknown }
  | { body: string | Uint8Array; type: string; lasting?: boolean };

/** A question to a route. */
export interface Question {
  /** The part of the path behind the route's. */
  rest: string;
  parameters: URLSearchParams;
  /** Reads the body; throws HttpError 413 where it is longer than that. */
  readBody(mostBytes: number): Promise<Uint8Array>;
}

/** Answers one kind of request. */
export type Route = (question: Question) => Answer | Promise<Answer>;

/** How a server is started. */
export interface ServerOptions {
  /** By method and path, "GET /thumbnail/": a last slash takes all below it. */
  routes: Record<string, Route>;
  /** @default a free port */
  port?: number;
  /** Where it listens. @default "127.0.0.1" */
  host?: string;
  /** Where a proxy shows it, "https://hub.example/user/ada/proxy/8000/". */
  publicUrl?: string;
  /** Called with what went wrong inside. */
  onError?: (error: unknown) => void;
}

/** A running server. */
export interface RunningServer {
  /** The page's address on this machine, token and last slash included. */
  url: string;
  /** The token, for addresses through a proxy. */
  token: string;
  port: number;
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @throws {Error} If it cannot listen there: names the address and says what to do.
 */
export async function startServer(
  options: ServerOptions,
): Promise<RunningServer> {
  const { host = "127.0.0.1", port: wanted = 0 } = options;
  const token = randomUUID().replaceAll("-", "");
  const server = createServer((request, response) => {
    answer(request, options, token, hosts()).then(
      (found) => send(response, found),
      (error) => sendError(response, error, options.onError),
    );
  });
  // Deno counts both from a connection's first request, so that a reader who
  // goes on searching would be cut off (408).
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", ({ code }: NodeJS.ErrnoException) =>
      reject(
        new Error(
          code === "EADDRINUSE"
            ? `port ${wanted} of ${host} is taken: give another, or leave it ` +
              "out to get one that is free"
            : `cannot listen at ${host}, port ${wanted} (${code}): expected ` +
              "an address of this machine, such as 127.0.0.1 or 0.0.0.0, and " +
              "a port that this user may take",
        ),
      ));
    server.listen(wanted, host, resolve);
  });
  const { port } = server.address() as AddressInfo;

  function hosts(): string[] {
    const names = ["127.0.0.1", "localhost", "[::1]"];
    // Asked to listen beyond this machine: it may be called by any name.
    if (host !== "127.0.0.1") return [];
    const known = names.map((name) => `${name}:${port}`);
    if (options.publicUrl) known.push(new URL(options.publicUrl).host);
    return known;
  }
  const shown = host === "127.0.0.1" || host === "0.0.0.0" ? "127.0.0.1" : host;
  return {
    url: `http://${shown}:${port}/${token}/`,
    token,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Finds and asks the route. */
async function answer(
  request: IncomingMessage,
  { routes }: ServerOptions,
  token: string,
  hosts: string[],
): Promise<Answer> {
  const { method = "" } = request;
  const url = checkRequest(request, token, hosts);
  const path = url.pathname;
  const name = Object.keys(routes).find((name) => {
    const [routeMethod, routePath] = name.split(" ");
    return routeMethod === method &&
      (path === routePath ||
        routePath !== "/" && routePath.endsWith("/") &&
          path.startsWith(routePath));
  });
  if (name === undefined) {
    throw new HttpError(404, `nothing at ${method} ${path.slice(0, 100)}`);
  }
  return await routes[name]({
    rest: path.slice(name.split(" ")[1].length),
    parameters: url.searchParams,
    readBody: (most) => readBody(request, most),
  });
}

async function readBody(
  request: IncomingMessage,
  most: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > most) {
      throw new HttpError(413, `more than ${most} bytes: too much to take`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, found: Answer): void {
  if ("json" in found) {
    write(response, 200, "application/json", JSON.stringify(found.json));
  } else {
    write(response, 200, found.type, found.body, found.lasting);
  }
}

function sendError(
  response: ServerResponse,
  error: unknown,
  onError?: (error: unknown) => void,
): void {
  const { name, message } = error as Error;
  const status = error instanceof HttpError
    ? error.status
    : name === "QueryError"
    ? 400
    : 500;
  if (status === 500) onError?.(error);
  // A body that was not read to its end would be taken for the next request.
  if (status === 413) response.setHeader("Connection", "close");
  write(
    response,
    status,
    "application/json",
    JSON.stringify({ error: message }),
  );
}

function write(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  lasting = false,
): void {
  response.writeHead(status, {
    "Content-Type": /^text|json|javascript/.test(type)
      ? `${type}; charset=utf-8`
      : type,
    "Cache-Control": lasting
      ? "private, max-age=31536000, immutable"
      : "no-store",
    ...SAFETY,
  });
  response.end(body);
}

/** What the browser is told not to do with anything that comes from here. */
const SAFETY = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'self' http://localhost:* " +
    "http://127.0.0.1:* https: vscode-webview:",
  "X-Content-Type-Options": "nosniff",
  // The address holds the token: nobody is to learn where a reader came from.
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
};
