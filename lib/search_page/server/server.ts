/**
 * The page's server: on the loopback address unless another is asked for, and
 * closed to strangers:
 *
 * - every address begins with a token that cannot be guessed;
 * - the Host header must name the server, so that no page of the web reaches it
 *   under a name of its own (DNS rebinding);
 * - what a page asks, the server's own page must ask (Origin, Sec-Fetch-Site).
 *
 * Headers and bodies are bounded in length and in time, connections in number.
 * Whatever fails is answered, and the server goes on.
 *
 * ```ts
 * import { startServer } from "#lib/search_page/server/server.ts";
 * import { equal } from "node:assert/strict";
 * import { Hono } from "hono";
 *
 * const routes = new Hono().get("/hello", (context) => context.json("hello"));
 * const server = await startServer(routes);
 * equal(await (await fetch(`${server.url}hello`)).json(), "hello");
 * equal((await fetch(new URL("/hello", server.url))).status, 404);
 * await server.close();
 * ```
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { type Context, Hono, type HonoRequest } from "hono";
import { HTTPException } from "hono/http-exception";
import { escapeHtml } from "../../display/display.ts";
import { limitConnections, NO_LIMITS } from "../../http/connections.ts";
import { PictureError } from "../../pictures/pictures.ts";
import { QueryError } from "../engine/query.ts";
import { TOKEN } from "../folder_settings.ts";

/** How a server is started. */
export interface ServerOptions {
  /** @default a free port */
  port?: number;
  /** Is tried where no port is given; another one is taken where it is not free. */
  lastPort?: number;
  /** What addresses begin with: 16 to 64 letters and digits. @default a new one */
  token?: string;
  /** Where it listens. @default "127.0.0.1", this machine alone */
  host?: string;
  /**
   * Where a proxy shows it, for Jupyter on another machine:
   * "https://hub.example/user/ada/proxy/8000/" with this port.
   */
  publicUrl?: string;
  /** Called with what went wrong inside. */
  onError?: (error: Error) => void;
}

/** A running server. */
export interface RunningServer {
  /** The page's address on this machine, token and last slash included. */
  url: string;
  /** The address to open: through the proxy, where there is one. */
  address: string;
  port: number;
  token: string;
  /** Ends it at once, open connections included. */
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @param routes What it answers, below the token.
 * @throws {Error} If it cannot listen there: names the address and says what to
 *   do. {RangeError} If the token is none.
 */
export async function startServer(
  routes: Hono,
  options: ServerOptions = {},
): Promise<RunningServer> {
  const { host = "127.0.0.1", publicUrl, onError } = options;
  const token = options.token ?? randomUUID().replaceAll("-", "");
  if (!TOKEN.test(token)) {
    throw new RangeError(
      `token: expected 16 to 64 letters and digits, got "${
        token.slice(0, 80)
      }"`,
    );
  }
  const names = new Set<string>();
  const app = new Hono()
    .use(async (context, next) => {
      for (const header of Object.entries(SAFETY)) context.header(...header);
      check(context.req, token, names);
      await next();
    })
    .route(`/${token}`, routes)
    .notFound(({ req: { method, path } }) => {
      const shown = path.slice(token.length + 1).slice(0, 100);
      throw refusal(404, `nothing at ${method} ${shown}`);
    })
    .onError((error, context) => {
      const status = statusOf(error);
      if (status === 500) onError?.(error);
      // A body that was not read to its end would be taken for the next request.
      if (status === 413) context.header("Connection", "close");
      // Where files lie is nobody's business.
      const reason = error instanceof PictureError
        ? error.reason
        : error.message;
      return isNavigation(context.req)
        ? context.html(errorPage(reason), status)
        : context.json({ error: reason }, status);
    });
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: NO_LIMITS,
  }) as Server;
  limitConnections(server);
  if (options.port === undefined && options.lastPort) {
    await listen(server, options.lastPort, host)
      .catch(() => listen(server, 0, host));
  } else await listen(server, options.port ?? 0, host);
  const { port } = server.address() as AddressInfo;
  const isLoopback = host === "127.0.0.1";
  // Asked to listen beyond this machine, it may be called by any name.
  for (const name of isLoopback ? [host, "localhost", "[::1]"] : []) {
    names.add(`${name}:${port}`);
  }
  if (isLoopback && publicUrl) names.add(new URL(publicUrl).host);
  const shown = host === "0.0.0.0" ? "127.0.0.1" : host;
  const url = `http://${shown}:${port}/${token}/`;
  return {
    url,
    address: publicUrl ? new URL(`${token}/`, publicUrl).href : url,
    ...{ port, token },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const fail = ({ code }: NodeJS.ErrnoException) =>
      reject(
        new Error(
          code === "EADDRINUSE"
            ? `port ${port} of ${host} is taken: give another, or leave it ` +
              "out to get one that is free"
            : `cannot listen at ${host}, port ${port} (${code}): expected ` +
              "an address of this machine, such as 127.0.0.1 or 0.0.0.0, and " +
              "a port that this user may take",
        ),
      );
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

/** Whether a person has opened an address, and no script has asked. */
function isNavigation(request: HonoRequest): boolean {
  const mode = request.header("sec-fetch-mode");
  const accepts = request.header("accept") ?? "";
  return request.method === "GET" &&
    (mode ? mode === "navigate" : accepts.startsWith("text/html"));
}

/** What such a person reads in place of the search page. */
function errorPage(reason: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Not the search page</title>
<main>
<h1>Not the search page</h1>
<p>The server says: ${escapeHtml(reason)}.</p>
<p>The whole address stands in the terminal or the notebook where the page was
opened. It ends in a long token, which keeps strangers out, and it stays the
same the next time the folder is served.</p>
</main>
</html>
`;
}

/** For a whole body to arrive: 20 MB at 70 kB/s. */
const BODY_MS = 300_000;

/**
 * A request's body.
 *
 * @param most How many bytes it may have.
 * @param longestPauseMs How long it may pause.
 * @throws {HTTPException} 413 if it is longer, 400 if its sender left. One that
 *   pauses longer, or takes longer than five minutes in all, is cut off.
 */
export async function readBody(
  context: Context,
  most: number,
  longestPauseMs = 10_000,
): Promise<Uint8Array> {
  const { incoming } = context.env as { incoming: IncomingMessage };
  const cutOff = () => incoming.destroy();
  const pause = setTimeout(cutOff, longestPauseMs);
  const whole = setTimeout(cutOff, BODY_MS);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming) {
      pause.refresh();
      size += chunk.length;
      if (size > most) {
        throw refusal(413, `more than ${most} bytes: too much to take`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof HTTPException) throw error;
    // Nobody is left to be told, and nothing is wrong in here.
    throw refusal(400, "the body broke off");
  } finally {
    clearTimeout(pause);
    clearTimeout(whole);
  }
  return Buffer.concat(chunks);
}

/** Most bytes of a query: a picture's name and a thousand filters fit. */
const LARGEST_QUERY = 200_000;

/** Most bytes of a list of paths. */
export const LARGEST_LIST = 5_000_000;

/**
 * A request's body, a JSON object; whoever reads it checks it.
 *
 * @throws {HTTPException} 400 if it is none, and as `readBody` does.
 */
export async function readJson(
  context: Context,
  most: number = LARGEST_QUERY,
): Promise<Record<string, unknown>> {
  const bytes = await readBody(context, most);
  try {
    const json = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof json === "object" && json !== null) return json;
  } catch { /* answered below */ }
  throw refusal(400, "expected a JSON object");
}

function statusOf(error: Error) {
  if (error instanceof HTTPException) return error.status;
  if (error instanceof QueryError) return 400;
  if (error instanceof PictureError) return error.fault === "gone" ? 404 : 415;
  return 500;
}

/** What is thrown to refuse a request, with the reason that the reader is told. */
export function refusal(
  status: 400 | 403 | 404 | 413 | 421 | 501,
  message: string,
): HTTPException {
  return new HTTPException(status, { message });
}

/** Throws where this may not be asked; by any name, where there are none. */
function check(
  request: HonoRequest,
  token: string,
  names: ReadonlySet<string>,
): void {
  const { method, path } = request;
  const host = request.header("host") ?? "", origin = request.header("origin");
  if (names.size > 0 && !names.has(host)) {
    throw refusal(421, "this server does not go by that name");
  }
  if (!path.startsWith(`/${token}/`)) {
    throw refusal(404, "no such page: open the address as it was printed");
  }
  const from = request.header("sec-fetch-site") ?? "none";
  const isOwn = ["same-origin", "none"].includes(from) &&
    (origin === undefined || URL.parse(origin)?.host === host);
  // The page itself may be framed by a notebook; all else is its own business.
  if (!isOwn && !(method === "GET" && path === `/${token}/`)) {
    throw refusal(403, "only this server's own page may ask that");
  }
  if (method !== "GET" && origin === undefined) {
    throw refusal(403, "expected an Origin header");
  }
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
  // Unless a route says otherwise.
  "Cache-Control": "no-store",
};
