/**
 * How long our own servers wait, and for how much: whoever connects and says
 * nothing, begins a header and stops, asks on and on without waiting for answers,
 * or takes nothing of one, is cut off, so that they do not pile up.
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
import type { RequestListener, Server } from "node:http";
import type { Socket } from "node:net";

/** Options for a server whose connections are limited here. */
export const NO_LIMITS = { headersTimeout: 0, requestTimeout: 0 };

/** Most connections at once: a page's six, many times over. */
const MAX_CONNECTIONS = 400;

/** Most requests of one connection that wait for answers: browsers send one. */
const MAX_UNDER_WAY = 8;

/** A connection, as far as it is limited. */
interface Connection {
  /** Cuts it off, while the server waits for a header. */
  timer?: ReturnType<typeof setTimeout>;
  /** Requests that wait for answers. */
  underWay: number;
}

/**
 * Bounds a server's connections: in number, in requests at once, in how long
 * they wait.
 *
 * @param server One that was made with `NO_LIMITS`.
 * @param headerMs For a whole header to arrive, from when the connection was
 *   made or the last answer sent.
 * @param takeMs For whoever is sent an answer to take the next part of it.
 */
export function limitConnections(
  server: Server,
  headerMs = 10_000,
  takeMs = 60_000,
): void {
  const connections = new Map<Socket, Connection>();
  const wait = (socket: Socket, connection: Connection) => {
    connection.timer = setTimeout(() => socket.destroy(), headerMs);
  };
  server.maxConnections = MAX_CONNECTIONS;
  server.on("connection", (socket) => {
    const connection = { underWay: 0 };
    connections.set(socket, connection);
    wait(socket, connection);
    let takenBefore = 0;
    const watch = setInterval(() => {
      const taken = socket.bytesWritten - socket.writableLength;
      if (socket.writableLength > 0 && taken === takenBefore) socket.destroy();
      takenBefore = taken;
    }, takeMs);
    socket.once("close", () => {
      clearTimeout(connections.get(socket)?.timer);
      clearInterval(watch);
      connections.delete(socket);
    });
  });
  const answer = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (!connection || socket.destroyed) return;
    clearTimeout(connection.timer);
    // Each is begun when it arrives, whether or not its sender reads an answer.
    if (++connection.underWay > MAX_UNDER_WAY) {
      ignoreRest(socket);
      return void socket.destroy();
    }
    response.once("close", () => {
      if (--connection.underWay === 0 && connections.has(socket)) {
        wait(socket, connection);
      }
    });
    for (const listener of answer) listener(request, response);
  });
}

/**
 * Keeps the thousand requests that may have arrived with the last from being
 * read, which destroy() does not: that takes as long as answering them. The
 * parser, the same in Node and Deno, is in no documentation; without it there
 * are only more requests to ignore.
 */
function ignoreRest(socket: Socket & { parser?: Parser | null }): void {
  if (socket.parser) socket.parser.onIncoming = () => NO_HTTP;
}

/** What a server does with a request's header; returns what follows it. */
interface Parser {
  onIncoming?: () => number;
}

/** What follows is for others: a web socket's, say. */
const NO_HTTP = 2;
