/**
 * How long our own servers wait for a request: whoever connects and says
 * nothing, or begins a header and stops, is cut off, so that they do not pile up.
 *
 * Under Deno, node:http's own time limits count from a connection's first
 * request and cut slow uploads and long answers off; these run only while the
 * server waits for a header. A body is for whoever reads it.
 *
 * ```ts
 * import { limitConnections, NO_LIMITS } from "#lib/http/connections.ts";
 * import { ok } from "node:assert/strict";
 * import { once } from "node:events";
 * import { createServer } from "node:http";
 * import { type AddressInfo, connect } from "node:net";
 *
 * const server = createServer(NO_LIMITS);
 * limitConnections(server, 50);
 * await once(server.listen(0, "127.0.0.1"), "listening");
 * const start = Date.now();
 * const half = connect((server.address() as AddressInfo).port, "127.0.0.1");
 * half.resume().write("GET / HTTP/1.1");
 * await once(half, "close");
 * ok(Date.now() - start < 5000);
 * server.close();
 * ```
 *
 * @module
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Options for a server whose connections are limited here. */
export const NO_LIMITS = { headersTimeout: 0, requestTimeout: 0 };

/** Most connections at once: a page's six, many times over. */
const MAX_CONNECTIONS = 400;

/**
 * Bounds a server's connections, in number and in how long they wait.
 *
 * @param server One that was made with `NO_LIMITS`.
 * @param headerMs For a whole header to arrive, from when the connection was
 *   made or the last answer sent.
 */
export function limitConnections(server: Server, headerMs = 10_000): void {
  const timers = new Map<Socket, ReturnType<typeof setTimeout>>();
  const wait = (socket: Socket) => {
    clearTimeout(timers.get(socket));
    if (socket.destroyed) timers.delete(socket);
    else timers.set(socket, setTimeout(() => socket.destroy(), headerMs));
  };
  server.maxConnections = MAX_CONNECTIONS;
  server.on("connection", (socket) => {
    wait(socket);
    socket.once("close", () => {
      clearTimeout(timers.get(socket));
      timers.delete(socket);
    });
  });
  server.on("request", ({ socket }, response) => {
    clearTimeout(timers.get(socket));
    response.once("close", () => wait(socket));
  });
}
